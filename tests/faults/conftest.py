"""Real processes around the test's database: gunicorn as the site runs it, and commands that can be killed."""

import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction

ROOT = Path(__file__).resolve().parents[2]
GUNICORN = ["--worker-class=gthread", "--workers=2", "--threads=8", "--no-control-socket", "--log-level=info"]
START_WITHIN = 30  # seconds


class Site:
    """A running gunicorn, and a browser of few words."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log

    def ask(
        self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], str]:
        there = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        there.request(method, path, body or None, {**kind, **(headers or {})})
        answer = there.getresponse()
        page = answer.read().decode()
        there.close()
        return answer.status, dict(answer.getheaders()), page

    def open_form(self, path: str, **headers: str) -> str:
        status, _headers, page = self.ask("GET", path, headers=headers)
        found = re.search(r'name="submission_id" value="([0-9a-f-]{36})"', page)
        assert status == 200, (status, page)
        assert found is not None, page
        return found[1]

    def send(self, path: str, fields: dict[str, Any], submission_id: str, **headers: str) -> tuple[int, str]:
        body = urlencode({"submission_id": submission_id, **fields}, doseq=True)
        status, answered, page = self.ask("POST", path, body, {"Origin": f"http://127.0.0.1:{self.port}", **headers})
        return status, answered.get("Location", page)


@pytest.fixture
def start_site(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Start the site on the test's database, under the web role: ``start_site(REDIS_URL="…")``."""
    running: list[subprocess.Popen[bytes]] = []

    def start(**environment: str) -> Site:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = tmp_path / f"gunicorn-{port}.log"
        with log.open("wb") as out:
            running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "gunicorn", "tests.faults.served", f"--bind=127.0.0.1:{port}", *GUNICORN],
                    cwd=ROOT,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env={
                        **os.environ,
                        "TEST_DATABASE": connection.settings_dict["NAME"],
                        "DATABASE_ROLE": "organizing_web",
                        "CONN_MAX_AGE": "60",  # as the site has it
                        **environment,
                    },
                )
            )
        site = Site(port, log)
        until = time.monotonic() + START_WITHIN
        while True:
            try:
                site.ask("GET", "/s/nothing/")
                return site
            except OSError:
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.1)

    yield start
    for process in running:
        process.terminate()
        process.wait(timeout=20)


COMMAND = """
import sys
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
import django
django.setup()
from django.core.management import call_command
call_command(*sys.argv[2:])
"""


def start_command(*words: str) -> subprocess.Popen[bytes]:
    """Start a management command on the test's database, as a process that can be killed."""
    return subprocess.Popen([sys.executable, "-c", COMMAND, connection.settings_dict["NAME"], *words], cwd=ROOT)


Given = TypeVar("Given")
Result = TypeVar("Result")


def all_at_once(work: Callable[[Given], Result], things: Sequence[Given]) -> list[Result]:
    """Do the work for each thing in a thread of its own, all starting together. Connections are closed after."""
    start = threading.Barrier(len(things))

    def one(thing: Given) -> Result:
        try:
            start.wait(timeout=30)
            return work(thing)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(things)) as threads:
        return list(threads.map(one, things))


@contextmanager
def somebody_holding(table: str) -> Iterator[None]:
    """Keep a table locked against writing from another connection, so that whoever wants to write waits there."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")
            held.set()
            done.wait(60)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join()


def wait_until(condition: Callable[[], bool], *, within: float = 30) -> None:
    """Wait for something to become true; ``within`` seconds, or the test fails."""
    until = time.monotonic() + within
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def somebody_waits_for(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = %s::regclass)", [table])
        return bool(cursor.fetchone()[0])
