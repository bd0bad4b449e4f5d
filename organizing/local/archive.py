"""Write the whole database to a file, and bring it back: pg_dump and pg_restore of the running version."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection

from organizing.local import servers

# Dumps carry rights but not the roles that hold them. Ours have names of their own, so they are known by sight.
_ROLE = re.compile(r"^(?:GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) .*\b(?:TO|FROM) \"?(organizing_\w+)\"?", re.MULTILINE)
_RIGHTS_TO_COME = re.compile(r"^ALTER DEFAULT PRIVILEGES FOR ROLE (?:\"[^\"]+\"|\w+)(.*;)$", re.MULTILINE)
_DATABASE_SETTING = re.compile(r"^ALTER DATABASE (?:\"[^\"]+\"|\w+) (SET .*;)$", re.MULTILINE)

LEAVING_TAKES = 3  # seconds at most

EMPTY_SCHEMA = (
    "DROP SCHEMA public CASCADE;",
    "CREATE SCHEMA public;",
    "GRANT USAGE ON SCHEMA public TO PUBLIC;",
    "COMMENT ON SCHEMA public IS 'standard public schema';",
)


def write(path: Path) -> None:
    """Write the database to ``path``, whole or not at all. Replaces a file of that name only when it is done.

    What was there when it began is what the file holds, whatever happens meanwhile. Raises `CommandError`.
    """
    program = _program("pg_dump")
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as problem:
        raise CommandError(f"{path} cannot be written: {problem.strerror}.") from problem
    os.close(handle)
    try:
        # --create: so that what is set for the database as a whole is in it too.
        _run([program, "--format=custom", "--create", "--no-owner", f"--file={draft}", *_where()])
        os.replace(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)


def is_empty() -> bool:
    """Tell whether the database has no tables yet."""
    with connection.cursor() as cursor:
        return not connection.introspection.table_names(cursor)


def read(path: Path) -> None:
    """Replace all that the database holds by what ``path`` holds: everything, or on any failure nothing.

    Makes the roles that are missing. Raises `CommandError`, also while anybody else is connected.
    """
    restore, psql = _program("pg_restore"), _program("psql")
    if not path.is_file():
        raise CommandError(f"There is no file {path}.")
    refuse_company()
    plan = _run([restore, "--create", "--schema-only", "--no-owner", "--file=-", str(path)])
    contents = _run([restore, "--list", str(path)])
    connection.close()
    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        wanted, before, between, after = (Path(directory, name) for name in ("list", "1.sql", "2.sql", "3.sql"))
        # The rights that later tables get name the login that dumped; they are given again below, to ours.
        wanted.write_text("\n".join(line for line in contents.splitlines() if " DEFAULT ACL " not in line))
        before.write_text("\n".join([*EMPTY_SCHEMA, *_make_roles(plan)]))
        # Unpacked in full before anything is touched, so that a damaged file is found out in time.
        _run([restore, "--no-owner", f"--use-list={wanted}", f"--file={between}", str(path)])
        after.write_text("\n".join([*_rights_to_come(plan), *_database_settings(plan)]))
        files = [f"--file={script}" for script in (before, between, after)]
        _run([psql, "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", *files, *_where()])


def _make_roles(plan: str) -> list[str]:
    made = []
    for role in sorted(set(_ROLE.findall(plan))):
        made += [
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN "
            f"CREATE ROLE {role} NOLOGIN; END IF; "
            f"IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN "
            f"EXECUTE format('GRANT {role} TO %I', current_user); END IF; END $$;"
        ]
    return made


def _rights_to_come(plan: str) -> list[str]:
    return [f"ALTER DEFAULT PRIVILEGES FOR ROLE CURRENT_USER{rest}" for rest in _RIGHTS_TO_COME.findall(plan)]


def _database_settings(plan: str) -> list[str]:
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    return [
        f"DO $$ BEGIN ALTER DATABASE {name} {setting} "
        "EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;"  # as when the migration first set it
        for setting in _DATABASE_SETTING.findall(plan)
    ]


def refuse_company() -> None:
    """Raise `CommandError` if anybody else is connected to the database, and not just leaving it."""
    with connection.cursor() as cursor:
        for _ in range(LEAVING_TAKES * 10):
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            if cursor.fetchone()[0] == 0:
                return
            time.sleep(0.1)
    raise CommandError("The site is running on this database: stop it first (Ctrl-C).")


def _program(name: str) -> str:
    """Return the path of a program of PostgreSQL that is as new as the server, or say what to install."""
    connection.ensure_connection()
    running = connection.cursor().connection.server_version // 10000
    if not settings.DEPLOYED:
        return str(servers.postgres_bin() / name)
    beside = Path(f"/usr/lib/postgresql/{running}/bin/{name}")  # where Debian keeps several versions
    for found in filter(None, (str(beside) if beside.exists() else None, shutil.which(name))):
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"\d+", said)
        if version and int(version.group()) == running:
            return found
    raise CommandError(
        f"The database is PostgreSQL {running}, and its {name} is not here: install the client programs of that "
        f"version (on Debian: apt install postgresql-client-{running})."
    )


def _where() -> list[str]:
    return [f"--dbname={connection.settings_dict['NAME']}"]


def _run(command: list[str]) -> str:
    told = connection.settings_dict
    options = told.get("OPTIONS", {})
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    addresses = {
        "PGHOST": told["HOST"],
        "PGPORT": str(told["PORT"] or ""),
        "PGUSER": told["USER"],
        "PGPASSWORD": told["PASSWORD"],  # in the environment, which other users cannot read
        "PGSSLMODE": options.get("sslmode", ""),
        "PGSSLROOTCERT": options.get("sslrootcert", ""),
    }
    environment.update({name: value for name, value in addresses.items() if value})
    done = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()] or done.stderr.splitlines()
        raise CommandError(f"{Path(command[0]).name} failed, nothing was changed: {(lines or ['no reason given'])[0]}")
    return done.stdout
