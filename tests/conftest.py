"""What every test stands on: a PostgreSQL of its own, no network, no skipping, a fixed moment.

Settings come from the environment, so the environment is put in order here, before anything reads them.
"""

import datetime as dt
import os
import shutil
import tempfile
from pathlib import Path

import pytest

NOW = dt.datetime(2026, 9, 10, 20, 0, tzinfo=dt.UTC)

# Every run has a directory of its own, made by the first process and handed to the xdist workers it starts.
if "PYTEST_XDIST_WORKER" not in os.environ:
    for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "DATABASE_ROLE", "DEMO", "DEBUG", "SECURE", "SECRET_KEY"):
        os.environ.pop(name, None)
    os.environ["ORGANIZING_VAR"] = tempfile.mkdtemp(prefix="organizing-test-", dir="/tmp")
os.environ["DJANGO_SETTINGS_MODULE"] = "organizing.settings"
VAR = Path(os.environ["ORGANIZING_VAR"])


def pytest_configure(config: pytest.Config) -> None:
    from organizing.local import servers

    if "PYTEST_XDIST_WORKER" not in os.environ:
        _clear_up_after_killed_runs()
        servers.hold_postgres(VAR, durable=False)  # held to the end, so that every worker finds it running


def pytest_unconfigure(config: pytest.Config) -> None:
    from organizing.local import servers

    if "PYTEST_XDIST_WORKER" not in os.environ:
        servers.release_postgres(VAR)
        _remove(VAR)


def _clear_up_after_killed_runs() -> None:
    """Stop the servers of runs that had no chance to do it themselves."""
    from organizing.local import servers

    for var in Path("/tmp").glob("organizing-test-*"):  # noqa: S108
        if (
            var != VAR
            and var.owner() == VAR.owner()
            and (var / "postgres").exists()
            and servers.stop_unused_postgres(var)
        ):
            _remove(var)


def _remove(var: Path) -> None:
    from organizing.local.services import socket_dir

    shutil.rmtree(socket_dir(var), ignore_errors=True)
    shutil.rmtree(var, ignore_errors=True)


@pytest.fixture
def now() -> dt.datetime:
    return NOW
