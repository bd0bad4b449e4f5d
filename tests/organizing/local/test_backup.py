"""``backup`` and ``restore``: what comes back is what was there, all of it or nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, connections

from organizing.local import demo
from organizing.local.services import socket_dir
from organizing.people.models import Person
from tests.conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)

# Who may do what with each table and each later one, and what is set for the database.
RIGHTS = """
    SELECT relname, aclexplode(coalesce(relacl, acldefault(kind, relowner)))::text
    FROM pg_class, LATERAL (SELECT CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS kind) AS kinds
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')
    UNION ALL SELECT defaclobjtype::text, defaclacl::text FROM pg_default_acl
    UNION ALL SELECT 'settings', setconfig::text FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY 1, 2
"""


def checksums() -> dict[str, tuple[int, str]]:
    """Return the number of rows and a checksum of the contents of every table."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f'SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM "{table}" t')
            found[table] = cursor.fetchone()
    return found


@pytest.fixture
def backup(tmp_path: Path) -> Iterator[Path]:
    demo.load(at=NOW)
    path = tmp_path / "a backup.dump"
    call_command("backup", path)
    yield path
    connections.close_all()


def test_a_round_trip_brings_back_every_table(backup: Path) -> None:
    before = checksums()
    assert before["people_person"][0] == len(demo.PEOPLE)
    Person.objects.create_user(email="later@example.org", display_name="Later")
    assert checksums() != before
    call_command("restore", backup, "--yes-replace-everything")
    assert checksums() == before


def test_rights_and_settings_come_back_too(backup: Path) -> None:
    def rights() -> list[tuple[object, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(RIGHTS)
            found: list[tuple[object, ...]] = cursor.fetchall()
            return found

    before = rights()
    assert any("organizing_web" in str(acl) for _, acl in before)
    assert any(name == "settings" for name, _ in before)
    call_command("restore", backup, "--yes-replace-everything")
    assert rights() == before


def test_a_restore_into_a_database_that_is_not_empty_is_refused(backup: Path) -> None:
    before = checksums()
    with pytest.raises(CommandError, match="not empty"):
        call_command("restore", backup)
    assert checksums() == before


def test_a_damaged_file_changes_nothing(backup: Path) -> None:
    before = checksums()
    backup.write_bytes(backup.read_bytes()[:-2000])
    with pytest.raises(CommandError, match="nothing was changed"):
        call_command("restore", backup, "--yes-replace-everything")
    assert checksums() == before


def test_a_restore_waits_for_the_site_to_be_stopped(backup: Path) -> None:
    other = connection.copy()
    other.ensure_connection()
    try:
        with pytest.raises(CommandError, match="stop it first"):
            call_command("restore", backup, "--yes-replace-everything")
    finally:
        other.close()


def test_a_backup_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        call_command("backup", tmp_path / "nowhere" / "file")


def test_another_machine_gets_the_roles_as_well(backup: Path, tmp_path: Path) -> None:
    var = tmp_path / "another machine"
    environment = {**os.environ, "ORGANIZING_VAR": str(var)}
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    subprocess.run([*manage, "restore", str(backup)], env=environment, check=True)
    told = subprocess.run([*manage, "doctor"], env=environment, capture_output=True, text=True, check=False).stdout
    socket_dir(var).rmdir()
    assert "ok    migrations" in told
    assert "ok    roles: organizing_web." in told
