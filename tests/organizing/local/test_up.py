"""``manage.py up``: one command runs the whole site, and one signal ends all of it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from organizing.local import demo
from organizing.local.services import socket_dir

MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]
PATIENCE = 180  # seconds; a machine that tests on every core is slow


class Site:
    """A running ``up``, and what it has said so far."""

    def __init__(self, var: Path, **environment: str) -> None:
        self.var = var
        self.log = var.parent / "said"
        with self.log.open("w") as said:
            self.process = subprocess.Popen(
                [*MANAGE, "up"],
                env={**os.environ, "ORGANIZING_VAR": str(var), **environment},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    @property
    def address(self) -> str:
        found = re.search(r"Ready: (\S+)", self.said)
        assert found, self.said
        return found.group(1)

    def wait_until_it_says(self, words: str) -> "Site":
        until = time.monotonic() + PATIENCE
        while words not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < until, self.said
            time.sleep(0.1)
        return self

    def everything_it_started(self) -> list[psutil.Process]:
        """Return every process that lives because of it: its own, PostgreSQL's and Valkey's."""
        postmaster = int((self.var / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        server = psutil.Process(postmaster)
        return [*psutil.Process(self.process.pid).children(recursive=True), server, *server.children()]

    def pid_of(self, name: str) -> int:
        return int(json.loads((self.var / "up.json").read_text())["children"][name][0])

    def end(self, by: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(by)
        return self.process.wait(PATIENCE)


Start = Callable[..., Site]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    var = tmp_path / "var"
    sites = []

    def start(**environment: str) -> Site:
        sites.append(Site(var, **{"PORT": str(free_port()), **environment}))
        return sites[-1]

    yield start
    for site in sites:
        if site.process.poll() is None:
            site.end()
    shutil.rmtree(socket_dir(var), ignore_errors=True)


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def manage(var: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MANAGE, *command],
        env={**os.environ, "ORGANIZING_VAR": str(var), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def are_gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=20)
    return not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_it_runs_the_site_and_one_signal_ends_all_of_it_in_order(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        site = start(PORT=str(port)).wait_until_it_says("Ctrl-C stops everything.")

    # It took a free port and said so, and says how to get in.
    assert f"Port {port} is taken, using " in site.said
    assert f"{site.address}demo/" in site.said
    for person in demo.PEOPLE:
        assert person.display_name in site.said
    with urllib.request.urlopen(f"{site.address}healthz", timeout=30) as answer:  # noqa: S310
        assert answer.read() == b"ok\n"

    # A second one is told in one plain line.
    second = manage(site.var, "up")
    assert second.returncode != 0
    assert second.stderr.startswith(f"CommandError: It is already running at {site.address.rstrip('/')}")
    assert second.stderr.count("\n") == 1

    # A command beside it uses the same database and leaves it running.
    assert manage(site.var, "migrate", "--check").returncode == 0

    started = site.everything_it_started()
    assert len(started) > 8
    assert site.end() == 0
    assert are_gone(started)
    stops = re.findall(r"(\w+) stopped \(rc", site.said)
    assert stops == ["web", "beat", "worker"]
    assert "Traceback" not in site.said
    assert site.said.rstrip().endswith("Stopped. The data is kept for the next time.")

    # A second run finds its data again, and loads nothing twice.
    omar = "from organizing.people.models import Person; omar = Person.objects.filter(email__startswith='omar')"
    assert manage(site.var, "shell", "-v0", "-c", f"{omar}; omar.update(pronouns='kept')").returncode == 0
    again = start().wait_until_it_says("Ctrl-C stops everything.")
    assert "Loading the demo" not in again.said
    kept = manage(site.var, "shell", "-v0", "-c", f"{omar}; print(omar.get().pronouns)")
    assert kept.stdout == "kept\n"

    # SIGTERM does the same.
    started = again.everything_it_started()
    assert again.end(signal.SIGTERM) == 0
    assert are_gone(started)


def test_when_one_process_dies_all_stop_and_it_is_named(start: Start) -> None:
    site = start().wait_until_it_says("Ctrl-C stops everything.")
    started = site.everything_it_started()
    os.kill(site.pid_of("worker"), signal.SIGKILL)
    assert site.process.wait(PATIENCE) == 1
    assert "CommandError: worker stopped unexpectedly" in site.said
    assert "Traceback" not in site.said
    assert are_gone(started)


def test_what_a_killed_run_left_behind_is_ended_by_the_next(start: Start) -> None:
    site = start().wait_until_it_says("Ctrl-C stops everything.")
    left = [psutil.Process(site.pid_of(name)) for name in ("web", "worker", "beat")]
    assert site.end(signal.SIGKILL) == -signal.SIGKILL
    assert all(process.is_running() for process in left)
    again = start().wait_until_it_says("Ctrl-C stops everything.")
    assert are_gone(left)
    assert again.end() == 0


def test_a_real_organization_is_shown_where_to_set_it_up(start: Start) -> None:
    site = start(DEMO="0").wait_until_it_says("Ctrl-C stops everything.")
    address = re.search(r"Set up your organization .*: (\S+)", site.said)
    assert address
    with urllib.request.urlopen(address.group(1), timeout=30) as answer:  # noqa: S310
        assert answer.status == 200
    with urllib.request.urlopen(f"{site.address}", timeout=30) as answer:  # noqa: S310
        assert answer.status == 200
    assert "demo" not in site.said
    assert site.end() == 0
    # Once there is an organization, the demo does not open on it.
    made = (
        "from organizing.people.models import Organization; from django.utils import timezone; "
        "Organization.objects.create(name='Real', time_zone='UTC', contact_email='a@b.org', set_up_at=timezone.now())"
    )
    assert manage(site.var, "shell", "-v0", "-c", made, DEMO="0").returncode == 0
    refused = manage(site.var, "up")
    assert "CommandError: This is the data of a real organization" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"DATABASE_URL": "postgres://localhost/x", "SECRET_KEY": "x", "DEMO": "1"}, "DATABASE_URL is set"),
        ({"HOST": "0.0.0.0"}, "not shown on 0.0.0.0"),  # noqa: S104
        ({"HOST": "example.org"}, "not shown on example.org"),
        ({"PORT": "many"}, "PORT is 'many'"),
        ({"PORT": "99999"}, "PORT is '99999'"),
        ({"HOST": "192.0.2.1", "DEMO": "0"}, "Nothing can listen on 192.0.2.1"),
    ],
)
def test_what_cannot_be_is_said_in_one_plain_line(tmp_path: Path, environment: dict[str, str], says: str) -> None:
    var = tmp_path / "var"
    refused = manage(var, "up", **environment)
    shutil.rmtree(socket_dir(var), ignore_errors=True)
    assert refused.returncode == 1
    assert says in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert "Traceback" not in refused.stderr


def test_a_directory_that_cannot_be_used_is_said_in_one_plain_line(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    refused = manage(blocked / "var", "up")
    assert refused.returncode == 1
    assert "cannot be used (Not a directory)" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_the_demo_is_started_afresh(tmp_path: Path) -> None:
    var = tmp_path / "var"
    try:
        assert manage(var, "migrate", "-v0").returncode == 0
        refused = manage(var, "reset_demo")
        assert "does not hold the demo, so it is left alone" in refused.stderr
        load = "from organizing.local import demo; from django.utils import timezone; demo.load(at=timezone.now())"
        assert manage(var, "shell", "-v0", "-c", load).returncode == 0
        assert manage(var, "reset_demo").stdout == "Forgotten. make run loads the demo anew.\n"
        assert manage(var, "migrate", "--check").returncode == 1
    finally:
        shutil.rmtree(socket_dir(var), ignore_errors=True)
