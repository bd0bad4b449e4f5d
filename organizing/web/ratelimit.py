"""How often somebody may do something: token buckets in PostgreSQL.

They live in the database, so they hold on every machine at once, while Redis is down, and after a restart. Addresses
are kept as keyed hashes only, and only until the bucket is full again.

Not for surveys: a class of 35 sits behind one address, and nothing about who answers may be kept, not even hashed.
"""

import functools
import ipaddress
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.crypto import salted_hmac

from organizing.web.models import Bucket

View = Callable[..., HttpResponseBase]

# The bucket's moment moves on by the time that one token takes to grow, unless the bucket has none. The
# clock is the database's, read after waiting for the row, so that machines agree.
_TAKE = """
INSERT INTO web_bucket AS bucket (key, full_at) VALUES (%(key)s, clock_timestamp() + make_interval(secs => %(token)s))
ON CONFLICT (key) DO UPDATE
SET full_at = greatest(bucket.full_at, clock_timestamp()) + make_interval(secs => %(token)s)
WHERE bucket.full_at <= clock_timestamp() + make_interval(secs => %(whole)s - %(token)s)
RETURNING key
"""


@dataclass(frozen=True)
class Limit:
    """At most ``times`` at once, and in the long run ``times`` in every ``per``."""

    name: str  # of what is limited; one name, one bucket per asker
    times: int
    per: timedelta

    @property
    def token(self) -> timedelta:
        """How long one token takes to grow back."""
        return self.per / self.times

    def take(self, *asker: str) -> bool:
        """Take a token from the asker's bucket. ``False``: it was empty, and nothing changed.

        Call it before the transaction of what it guards: inside, a failure would put the token back, and the next
        asker with the same key would wait for the end.
        """
        with connection.cursor() as cursor:
            seconds = {"token": self.token.total_seconds(), "whole": self.per.total_seconds()}
            cursor.execute(_TAKE, {"key": self._key(asker), **seconds})
            return cursor.fetchone() is not None

    def _key(self, asker: tuple[str, ...]) -> str:
        parts = "\0".join((self.name, *asker))
        return salted_hmac("organizing.web.ratelimit", parts, algorithm="sha256").hexdigest()


def limited(limit: Limit) -> Callable[[View], View]:
    """Let a client post to a view only so often. Beyond that it answers 429; looking is free."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST" and not limit.take(client_address(request)):
                return too_many(request, limit)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def too_many(request: HttpRequest, limit: Limit) -> HttpResponse:
    """Say that it was too often, and when to come again."""
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(math.ceil(limit.token.total_seconds()))
    return response


def forget_full_buckets(*, at: datetime) -> int:
    """Delete the buckets that are full again, and return how many. A second call finds none."""
    deleted, _by_model = Bucket.objects.filter(full_at__lt=at).delete()
    return deleted


def client_address(request: HttpRequest) -> str:
    """Return whom a limit counts: the client's address, or the network of an IPv6 client, who has all of it.

    Every proxy adds the address it was asked from at the end of ``X-Forwarded-For``, so with ``TRUSTED_PROXY_COUNT``
    proxies of ours, the client is that many from the end. What stands before was written by the client.
    """
    proxies = settings.TRUSTED_PROXY_COUNT
    forwarded = request.headers.get("X-Forwarded-For", "")
    chain = [*(forwarded.split(",") if forwarded else ()), request.META.get("REMOTE_ADDR", "")]
    # A request that came past the proxies has a shorter list: then only the connection itself can be believed.
    address = chain[-1 - proxies] if len(chain) > proxies else chain[-1]
    try:
        ip = ipaddress.ip_address(address.strip().strip("[]").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
