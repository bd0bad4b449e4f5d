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


def make_database(name: str) -> None:
    """Make an empty database, in place of what an earlier run left."""
    import psycopg2

    there = database("postgres")
    connection = psycopg2.connect(dbname="postgres", user=there["USER"], host=there["HOST"], port=there["PORT"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')
    connection.close()
