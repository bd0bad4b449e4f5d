"""One command that runs everything: PostgreSQL, Valkey, the web server, a Celery worker and Celery beat."""

import contextlib
import fcntl
import ipaddress
import json
import os
import shlex
import signal
import socket
import sys
import threading
import time
import traceback
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone
from honcho.manager import Manager

from organizing.local import demo, servers, translations
from organizing.people.models import Organization
from organizing.people.setup import issue_setup_url

READY_WITHIN = 90  # seconds
PATIENCE = {"web": 15, "beat": 5, "worker": 30}  # seconds to finish, in the order in which they are stopped


class Site(Manager):  # type: ignore[misc]
    """Honcho, which starts processes and relays what they say; but stops them one after the other, and gently."""

    def __init__(self) -> None:
        super().__init__()
        self._terminating = False
        self.died: str | None = None

    def terminate(self) -> None:
        """Stop everything in order. A second call does nothing. Called by a signal, or when a process has ended."""
        if self._terminating:
            return
        self._terminating = True
        ended = [name for name, process in self._processes.items() if process.get("returncode") is not None]
        if self.died is None and ended:
            self.died = ended[0]
        # In a thread, so that what the processes say while they stop is still relayed.
        threading.Thread(target=self._stop_in_order).start()

    def kill(self) -> None:
        """Do nothing: honcho would kill whatever has not stopped in 5 seconds, which a running job may need."""

    def fail(self, name: str) -> None:
        """Stop everything because something beside our own processes has died."""
        self.died = name
        self.terminate()

    def pids(self) -> dict[str, int]:
        return {name: process["pid"] for name, process in self._processes.items() if process.get("pid")}

    def _stop_in_order(self) -> None:
        for name, patience in PATIENCE.items():
            process = self._processes[name]
            while process.get("pid") is None:  # still starting
                time.sleep(0.05)
            if process.get("returncode") is None:
                # The leader alone: it tells its children itself, and a worker's job in hand is finished.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process["pid"], signal.SIGTERM)
            until = time.monotonic() + patience
            while process.get("returncode") is None and time.monotonic() < until:
                time.sleep(0.05)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process["pid"], signal.SIGKILL)  # whatever is left of it


class Command(BaseCommand):
    help = "Run the whole site on this machine, with embedded servers, until Ctrl-C."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DEPLOYED:
            raise CommandError(
                "DATABASE_URL is set, and this command runs the embedded servers"
                + (" of the demo" if settings.DEMO else "")
                + ": unset it, or start the processes of the Procfile."
            )
        host = os.environ.get("HOST", "127.0.0.1")
        if settings.DEMO and not _is_loopback(host):
            raise CommandError(
                f"The demo lets anybody sign in as anybody, so it is not shown on {host}: use HOST=127.0.0.1, "
                "or DEMO=0 for a real organization."
            )
        with _alone(settings.VAR_DIR) as notes:
            _end_leftovers(notes)
            # From here on, a signal ends this as an error would, and what was started is stopped on the way out.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, _stop_at_once)
            try:
                self._run(host, notes)
            except KeyboardInterrupt:
                self._say("Stopped.")
            except CommandError:
                raise
            except Exception as problem:
                story = settings.VAR_DIR / "up-failed.log"
                story.write_text(traceback.format_exc())
                told = str(problem).strip().splitlines() or [type(problem).__name__]
                raise CommandError(f"{told[0]} (The whole story is in {story}; the data is kept.)") from problem
            finally:
                notes.unlink(missing_ok=True)

    def _run(self, host: str, notes: Path) -> None:
        valkey = None
        try:
            self._say("Starting PostgreSQL …")
            servers.hold_postgres(settings.VAR_DIR)
            if not os.environ.get("REDIS_URL"):
                valkey = servers.Valkey(settings.VAR_DIR)
                valkey.start()
            self._prepare()
            port = self._choose_port(host)
            failed = self._serve(host, port, valkey, notes)
        finally:
            if valkey is not None:
                valkey.stop()
            connections.close_all()
            servers.release_postgres(settings.VAR_DIR)
        if failed:
            raise CommandError(f"{failed} stopped unexpectedly, so everything was stopped. The lines above say why.")
        self._say("Stopped. The data is kept for the next time.")

    def _prepare(self) -> None:
        self._say("Preparing the database …")
        call_command("migrate", interactive=False, verbosity=0)
        if Organization.objects.exists() and demo.is_here() != settings.DEMO:
            raise CommandError(
                "This is the data of a real organization, and the demo would let anybody in: make run DEMO=0."
                if settings.DEMO
                else "This is the data of the demo: make reset-demo first, or set ORGANIZING_VAR to a new directory."
            )
        call_command("createcachetable", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        for language in translations.languages():
            translations.compile_catalog(language)
        if demo.is_wanted():
            self._say("Loading the demo …")
            demo.load(at=timezone.now())

    def _choose_port(self, host: str) -> int:
        said = os.environ.get("PORT", "8000")
        if not (said.isdecimal() and 0 < int(said) < 65536):
            raise CommandError(f"PORT is {said!r}: give a number between 1 and 65535.")
        wanted = int(said)
        port = _free_port(host, wanted)
        if port != wanted:
            self._say(f"Port {wanted} is taken, using {port}.")
        return port

    def _serve(self, host: str, port: int, valkey: servers.Valkey | None, notes: Path) -> str | None:
        """Run the processes until a signal, or until one of them ends. Return the name of one that ended by itself."""
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        site = Site()
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "organizing.settings",
            "ORGANIZING_VAR": str(settings.VAR_DIR),
            "PYTHONUNBUFFERED": "1",
        }
        for name, command in _commands(host, port).items():
            role = {"DATABASE_ROLE": "organizing_web"} if name == "web" else {}
            # `exec`, so that the process we stop is the program and not a shell around it.
            site.add_process(name, f"exec {command}", env={**environment, **role}, cwd=str(settings.BASE_DIR))
        connections.close_all()  # nothing of ours is shared with the processes about to start
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(site, address, valkey, notes, done))
        watcher.start()
        try:
            signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
            site.loop()
        finally:
            done.set()
            watcher.join()
        return site.died

    def _watch(
        self, site: Site, address: str, valkey: servers.Valkey | None, notes: Path, done: threading.Event
    ) -> None:
        """Say when the site is ready; then keep an eye on the servers that honcho does not know."""
        until = time.monotonic() + READY_WITHIN
        announced = False
        while not done.wait(2 if announced else 0.2):
            notes.write_text(json.dumps({"pid": os.getpid(), "address": address, "children": _signed(site.pids())}))
            if valkey is not None and valkey.pid is None:
                site.fail("Valkey")
                return
            if not servers.postgres_is_running(settings.VAR_DIR):
                site.fail("PostgreSQL")
                return
            if not announced and _answers(f"{address}/healthz"):
                announced = True
                self._announce(address)
            if not announced and time.monotonic() > until:
                site.fail("The web server does not answer; something")
                return

    def _announce(self, address: str) -> None:
        lines = ["", f"Ready: {address}/"]
        if settings.DEMO:
            lines += ["", f"Sign in as any of these with one click: {address}/demo/"]
            width = max(len(person.display_name) for person in demo.PEOPLE)
            lines += [f"  {person.display_name:{width}}  {person.role.label}" for person in demo.PEOPLE]
        elif not Organization.objects.exists():
            lines += ["", f"Set up your organization (this address works once): {issue_setup_url(address)}"]
        connections.close_all()
        self._say("\n".join([*lines, "", "Ctrl-C stops everything.", ""]))

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _commands(host: str, port: int) -> dict[str, str]:
    python = shlex.quote(sys.executable)
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    beat = shlex.quote(str(settings.VAR_DIR / "beat"))
    celery = f"{python} -W ignore:::celery.platforms -m celery --app organizing --quiet"
    return {
        "web": f"{python} -m gunicorn organizing.wsgi --bind {bind} --worker-class gthread --workers 2 --threads 8 "
        "--graceful-timeout 10 --no-control-socket --log-level warning",
        "worker": f"{celery} worker --concurrency 2 --loglevel warning --without-mingle --without-gossip",
        "beat": f"{celery} beat --schedule {beat} --pidfile= --loglevel warning",
    }


def _stop_at_once(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _alone(var: Path) -> Iterator[Path]:
    """Make sure that this is the only ``up`` of this directory. Yields where it notes what it runs."""
    notes = var / "up.json"
    (var / "locks").mkdir(parents=True, exist_ok=True)
    with (var / "locks" / "up").open("a+") as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as taken:
            where = _read(notes).get("address")
            raise CommandError(
                f"It is already running{f' at {where}' if where else ''}: stop that one first (Ctrl-C), "
                "or set ORGANIZING_VAR to another directory for a second site."
            ) from taken
        yield notes


def _end_leftovers(notes: Path) -> None:
    """End the processes of an earlier run that was killed before it could stop them."""
    for pid, started in _read(notes).get("children", {}).values():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if psutil.Process(pid).create_time() == started:  # and not another that came by its number
                os.killpg(pid, signal.SIGKILL)


def _signed(pids: dict[str, int]) -> dict[str, tuple[int, float]]:
    signed = {}
    for name, pid in pids.items():
        with contextlib.suppress(psutil.Error):
            signed[name] = (pid, psutil.Process(pid).create_time())
    return signed


def _read(notes: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(notes.read_text())
    except (OSError, ValueError):
        return {}
    return found


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _free_port(host: str, wanted: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in (wanted, 0):
        with socket.socket(family) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((host, port))
                trial.listen()
            except OSError as problem:
                if port == 0:
                    raise CommandError(f"Nothing can listen on {host} ({problem.strerror}): set HOST.") from problem
                continue
            found: int = trial.getsockname()[1]
            return found
    raise AssertionError


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 (our own http address)
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
