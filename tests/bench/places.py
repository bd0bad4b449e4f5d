"""Where the measuring happens: a durable embedded PostgreSQL of its own, and databases in it made anew."""

import os
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
VAR = Path(os.environ.get("ORGANIZING_VAR") or ROOT / "var" / "bench").resolve()


def database(name: str) -> dict[str, Any]:
    """Return the entry of ``DATABASES`` for one of our databases."""
    from organizing.local.services import socket_dir

    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": "postgres",
        "HOST": str(socket_dir(VAR)),
        "PORT": "5432",
    }


def run(name: str, *statements: str) -> None:
    """Run SQL on a database, each statement by itself."""
    import psycopg2

    there = database(name)
    connection = psycopg2.connect(dbname=name, user=there["USER"], host=there["HOST"], port=there["PORT"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


def make_database(name: str) -> None:
    """Make an empty database, in place of what an earlier run left."""
    run("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')
