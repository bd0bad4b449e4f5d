"""The cache table: keys that name nobody, and no row longer than it counts.

Sign-in counts tries by client address, and its keys would spell the address out.
"""

from datetime import datetime

from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.db import connection
from django.utils.crypto import salted_hmac


def nameless_key(key: str, prefix: str, version: int) -> str:
    """Return a keyed hash of the key. For ``KEY_FUNCTION`` in the settings."""
    return salted_hmac("organizing.web.cache", f"{prefix}:{version}:{key}", algorithm="sha256").hexdigest()


def forget_expired(*, at: datetime) -> int:
    """Delete what has run out, and return how many rows. Django itself deletes only when the table is too full."""
    cache = caches["default"]
    if not isinstance(cache, DatabaseCache):  # a deployment may have another, which forgets by itself
        return 0
    table = connection.ops.quote_name(cache._table)  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE expires < %s", [at])  # noqa: S608 (a name of ours, quoted)
        return int(cursor.rowcount)
