"""The embedded PostgreSQL: who starts it, who stops it, and what a killed process leaves behind."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from organizing.local import servers
from organizing.local.services import embedded_database, socket_dir

HOLDER = """
import sys, django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT current_setting('fsync') || current_setting('synchronous_commit')")
    print(cursor.fetchone()[0], flush=True)
sys.stdin.read()
"""
Holder = subprocess.Popen[str]


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    """A directory with everything in its name that a shell trips over."""
    var = tmp_path / "it's a  directory $HOME"
    yield var
    if (var / "postgres").exists():
        servers.stop_unused_postgres(var)  # whoever was killed could not
    shutil.rmtree(socket_dir(var), ignore_errors=True)


@pytest.fixture
def hold(var: Path) -> Iterator[Callable[[], Holder]]:
    """Start a process that connects and stays until its input ends."""
    holders = []

    def start() -> Holder:
        environment = {**os.environ, "ORGANIZING_VAR": str(var)}
        command = [sys.executable, "-c", HOLDER]
        holder = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        holders.append(holder)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "onon\n"  # durable
        return holder

    yield start
    for holder in holders:
        if holder.poll() is None:
            leave(holder)
        for pipe in (holder.stdin, holder.stdout):
            assert pipe is not None
            pipe.close()


def leave(holder: Holder) -> None:
    assert holder.stdin is not None
    holder.stdin.close()
    holder.wait(30)


def kill(holder: Holder) -> None:
    holder.kill()
    holder.wait(30)


def is_running(var: Path) -> bool:
    return servers.postgres_is_running(var)


def test_settings_start_nothing(var: Path) -> None:
    environment = {**os.environ, "ORGANIZING_VAR": str(var)}
    command = [sys.executable, "-c", "import django; django.setup()"]
    subprocess.run(command, env=environment, check=True)
    assert not (var / "postgres").exists()


def test_the_last_one_to_leave_stops_it(var: Path, hold: Callable[[], Holder]) -> None:
    first, second = hold(), hold()
    leave(first)
    assert is_running(var)
    leave(second)
    assert not is_running(var)


def test_a_killed_process_is_not_counted(var: Path, hold: Callable[[], Holder]) -> None:
    first, second = hold(), hold()
    kill(first)
    assert is_running(var)
    leave(second)
    assert not is_running(var)


def test_a_server_that_nobody_was_left_to_stop_is_found_and_stopped_by_the_next(
    var: Path, hold: Callable[[], Holder]
) -> None:
    kill(hold())
    assert is_running(var)
    leave(hold())
    assert not is_running(var)


def test_it_starts_again_after_the_server_was_killed(var: Path, hold: Callable[[], Holder]) -> None:
    holder = hold()
    pid = int((var / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    kill(holder)
    assert not is_running(var)
    leave(hold())


def test_it_starts_although_its_old_number_belongs_to_another_program(var: Path, hold: Callable[[], Holder]) -> None:
    holder = hold()
    path = var / "postgres" / "postmaster.pid"
    lines = path.read_text().splitlines(keepends=True)
    leave(holder)
    path.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))
    leave(hold())


def test_it_starts_again_when_its_socket_was_swept_away(var: Path, hold: Callable[[], Holder]) -> None:
    holder = hold()
    shutil.rmtree(socket_dir(var))
    leave(hold())
    kill(holder)


def test_two_processes_that_come_at_once_share_one_server(var: Path) -> None:
    environment = {**os.environ, "ORGANIZING_VAR": str(var)}
    command = [sys.executable, "-c", HOLDER]
    both = [subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert not is_running(var)


def test_the_socket_has_a_short_path_however_long_the_project_has() -> None:
    deep = Path("/home/someone") / ("a very long name " * 20)
    assert len(f"{embedded_database(deep)['HOST']}/.s.PGSQL.5432") < 60


def test_a_socket_directory_of_somebody_else_is_refused(var: Path) -> None:
    trap = socket_dir(var)
    trap.symlink_to("/tmp")  # noqa: S108
    try:
        with pytest.raises(servers.CannotStart, match="belongs to somebody else"):
            servers.hold_postgres(var)
    finally:
        trap.unlink()


def test_data_of_another_version_is_left_alone(var: Path) -> None:
    (var / "postgres").mkdir(parents=True)
    (var / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(servers.CannotStart, match="was made by PostgreSQL 16"):
        servers.hold_postgres(var)
