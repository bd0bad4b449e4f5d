"""Where the embedded PostgreSQL and Valkey of a laptop are to be found. Importing or calling this starts nothing."""

import contextlib
import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured


def socket_dir(var: Path) -> Path:
    """Return the directory of the sockets of the servers whose data is under ``var``.

    A unix socket's path may be about 100 bytes long, so it cannot live beside the data. Not ``$TMPDIR`` either: it
    differs between shells and services, and all of them have to arrive at the same place.
    """
    return Path("/tmp") / f"organizing-{hashlib.sha256(os.fsencode(var)).hexdigest()[:16]}"  # noqa: S108 (made 0700, owner checked)


def local_secret(var: Path) -> str:
    """Return this machine's own secret, making it on first use. Readable by its owner alone."""
    path = var / "secret"
    try:
        if not path.exists():
            var.mkdir(parents=True, exist_ok=True)
            # Written whole under another name first: of two processes that both find none, one wins and both agree.
            handle, draft = tempfile.mkstemp(dir=var)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(50))
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            os.unlink(draft)
        return path.read_text()
    except OSError as problem:
        raise ImproperlyConfigured(
            f"{var} cannot be used ({problem.strerror}). Run as the user who owns it, or set ORGANIZING_VAR "
            "to a directory of your own."
        ) from problem


def embedded_database(var: Path) -> dict[str, Any]:
    """Return the entry of ``DATABASES`` whose backend starts the embedded server at the first connection."""
    return {
        "ENGINE": "organizing.local.database",
        "NAME": "postgres",
        "USER": "postgres",
        "HOST": str(socket_dir(var)),
        "PORT": "5432",
        "VAR": var,
    }


def embedded_redis_url(var: Path) -> str:
    return f"redis+socket://{socket_dir(var) / 'valkey.sock'}"
