"""The processes that are measured: gunicorn with the site or with the floor, as the Procfile starts it."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.places import ROOT, VAR

GUNICORN = ("--worker-class=gthread", "--workers=2", "--threads=8", "--no-control-socket", "--log-level=warning")
SITE, FLOOR = "organizing.wsgi", "tests.bench.floor.wsgi"
SETTINGS = {SITE: "tests.bench.settings", FLOOR: "tests.bench.floor.settings"}
START_WITHIN = 60  # seconds


def environment(database: str, settings: str = SETTINGS[SITE]) -> dict[str, str]:
    return {
        **os.environ,
        "ORGANIZING_VAR": str(VAR),
        "BENCH_DATABASE": database,
        "DJANGO_SETTINGS_MODULE": settings,
        "DEMO": "0",
    }


@contextmanager
def serving(application: str, database: str) -> Iterator[int]:
    """Run gunicorn with the application on the database. Gives its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    role = {"DATABASE_ROLE": "organizing_web"} if application == SITE else {}
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", application, f"--bind=127.0.0.1:{port}", *GUNICORN],
        cwd=ROOT,
        env={**environment(database, SETTINGS[application]), **role},
    )
    try:
        until = time.monotonic() + START_WITHIN
        while True:
            try:
                get(port, "/")
                break
            except OSError:
                if time.monotonic() > until or process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def get(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes, float]:
    """Return status, body, and the seconds until the last byte."""
    there = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    start = time.perf_counter()
    there.request("GET", path, headers=headers or {})
    answer = there.getresponse()
    body = answer.read()
    took = time.perf_counter() - start
    there.close()
    return answer.status, body, took


def submissions(port: int, seconds: float, path: str, token: str, question: str, clients: int = 16) -> dict[str, float]:
    """Send complete submissions for so long. See ``load.py``."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load", str(port), str(seconds), str(clients), path, token, question],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    result: dict[str, float] = json.loads(done.stdout)
    if result["failed"]:
        raise AssertionError(f"{result['failed']:.0f} submissions of {path} failed.")
    return result


def python(module: str, *args: str, database: str, settings: str = SETTINGS[SITE]) -> str:
    """Run a module of ours on a database in a process of its own, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", module, *args],
        cwd=ROOT,
        env=environment(database, settings),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return done.stdout
