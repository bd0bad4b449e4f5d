"""The cache table says nothing about who came."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from organizing.web.cache import forget_expired
from tests.factories import make_organization

pytestmark = pytest.mark.django_db

CANARY = "203.0.113.177"


def rows() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key, value FROM cache")
        return str(cursor.fetchall())


def test_asking_for_a_code_leaves_no_address_in_the_cache(client: Client) -> None:
    make_organization()
    cache.clear()
    client.post("/account/login/", {"email": "ana@example.org"}, REMOTE_ADDR=CANARY)
    assert rows() != "[]"  # the try was counted
    assert CANARY not in rows()
    assert "ana@" not in rows()


def test_what_was_put_in_is_found_again() -> None:
    cache.set("a key with spaces: 203.0.113.7", [1])
    assert cache.get("a key with spaces: 203.0.113.7") == [1]
    assert cache.get("another") is None


def test_what_has_run_out_is_forgotten_and_the_rest_stays() -> None:
    cache.clear()
    now = datetime.now(UTC)
    cache.set("short", 1, timeout=60)
    cache.set("long", 1, timeout=3600)
    assert forget_expired(at=now + timedelta(minutes=10)) == 1
    assert forget_expired(at=now + timedelta(minutes=10)) == 0
    assert cache.get("long") == 1
