"""How often somebody may do something."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from organizing.web.models import Bucket
from organizing.web.ratelimit import Limit, client_address, forget_full_buckets, limited
from organizing.web.tasks import forget_visitors

THREE = Limit("mail", times=3, per=timedelta(days=1))

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.organizing.web.signup_pages")]


def wait(by: timedelta) -> None:
    """Let time pass: for a bucket that is the same as having been full earlier."""
    for bucket in Bucket.objects.all():
        Bucket.objects.filter(pk=bucket.pk).update(full_at=bucket.full_at - by)


def test_a_bucket_holds_as_many_tokens_as_it_says() -> None:
    assert [THREE.take("ana") for _ in range(5)] == [True, True, True, False, False]


def test_everybody_has_a_bucket_of_their_own() -> None:
    for _ in range(3):
        THREE.take("ana")
    assert THREE.take("bo")
    assert Limit("other", times=3, per=timedelta(days=1)).take("ana")


def test_a_token_grows_back_in_its_time() -> None:
    for _ in range(3):
        THREE.take("ana")
    wait(THREE.token - timedelta(minutes=1))
    assert not THREE.take("ana")
    wait(timedelta(minutes=1))
    assert THREE.take("ana")
    assert not THREE.take("ana")


def test_asking_in_vain_makes_nobody_wait_longer() -> None:
    for _ in range(3):
        THREE.take("ana")
    before = Bucket.objects.get().full_at
    for _ in range(10):
        THREE.take("ana")
    assert Bucket.objects.get().full_at == before


def test_a_long_rest_fills_the_bucket_and_no_more() -> None:
    THREE.take("ana")
    wait(timedelta(days=30))
    assert [THREE.take("ana") for _ in range(4)] == [True, True, True, False]


def test_addresses_are_not_kept() -> None:
    THREE.take("203.0.113.77")
    [key] = Bucket.objects.values_list("key", flat=True)
    assert "203.0.113.77" not in key
    assert len(key) == 64


def test_the_parts_of_a_key_are_kept_apart() -> None:
    THREE.take("a", "bc")
    THREE.take("ab", "c")
    assert Bucket.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_only_as_many_get_through_as_there_are_tokens() -> None:
    limit = Limit("seats", times=10, per=timedelta(days=1))
    start = threading.Barrier(32)
    taken: list[bool] = []

    def ask() -> None:
        start.wait()
        try:
            taken.append(limit.take("ana"))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), sum(taken)) == (32, 10)


def test_full_buckets_are_forgotten_and_others_stay() -> None:
    THREE.take("ana")
    THREE.take("bo")
    wait(THREE.token)
    THREE.take("bo")
    assert forget_full_buckets(at=datetime.now(UTC)) == 1
    assert forget_full_buckets(at=datetime.now(UTC)) == 0
    assert Bucket.objects.count() == 1


def test_the_clock_forgets_full_buckets_too() -> None:
    THREE.take("ana")
    wait(THREE.token)
    forget_visitors()
    assert Bucket.objects.count() == 0


@limited(THREE)
def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


def asked(method: str = "POST", address: str = "203.0.113.7", **headers: str) -> HttpRequest:
    return RequestFactory().generic(method, "/", headers=headers, REMOTE_ADDR=address)


def test_a_limited_view_says_when_to_come_again() -> None:
    assert [view(asked()).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert view(asked())["Retry-After"] == str(8 * 3600)
    assert view(asked(address="203.0.113.8")).status_code == 200


def test_looking_is_free() -> None:
    assert {view(asked("GET")).status_code for _ in range(10)} == {200}


@pytest.mark.parametrize(
    ("proxies", "forwarded", "connected", "client"),
    [
        (0, "", "203.0.113.7", "203.0.113.7"),
        (0, "198.51.100.1", "203.0.113.7", "203.0.113.7"),  # nobody of ours wrote that header
        (1, "203.0.113.7", "10.0.0.1", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "10.0.0.1", "203.0.113.7"),  # the first was written by the client
        (1, "198.51.100.1,198.51.100.2, 203.0.113.7", "10.0.0.1", "203.0.113.7"),
        (2, "198.51.100.1, 203.0.113.7, 10.0.0.2", "10.0.0.1", "203.0.113.7"),
        (2, "203.0.113.7", "10.0.0.1", "10.0.0.1"),  # past a proxy: the list is too short to be believed
        (1, "", "203.0.113.7", "203.0.113.7"),
        (1, "rubbish", "10.0.0.1", "unknown"),
        (0, "", "", "unknown"),  # a socket file
        (0, "", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (0, "", "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        (0, "", "::ffff:203.0.113.7", "203.0.113.7"),
        (0, "", "fe80::1%eth0", "fe80::/64"),
        (1, "[2001:db8:1:2::9]", "10.0.0.1", "2001:db8:1:2::/64"),
    ],
)
def test_the_client_is_who_our_proxies_saw(
    settings: object, proxies: int, forwarded: str, connected: str, client: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies  # type: ignore[attr-defined]
    headers = {"x_forwarded_for": forwarded} if forwarded else {}
    assert client_address(asked(address=connected, **headers)) == client


def test_a_made_up_header_never_fills_a_bucket(settings: object) -> None:
    settings.TRUSTED_PROXY_COUNT = 1  # type: ignore[attr-defined]
    answers = [
        view(asked(address="10.0.0.1", x_forwarded_for=f"198.51.100.{turn}, 203.0.113.7")).status_code
        for turn in range(5)
    ]
    assert answers == [200, 200, 200, 429, 429]
