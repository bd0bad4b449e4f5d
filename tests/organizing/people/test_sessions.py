"""What is kept about where somebody is signed in is rough, and goes."""

import datetime as dt

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from organizing.people.sessions import browser_name, network_of, prune_sessions
from organizing.people.tasks import prune_people
from tests.factories import make_person

AGENTS = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox, Linux",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0": (
        "Edge, Windows"
    ),
    "Mozilla/5.0 (Linux; Android 14; SM-A156U) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36": (
        "Chrome, Android"
    ),
    "Mozilla/5.0 (X11; CrOS x86_64 15633.69.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36": ("Chrome, Chromebook"),
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1": (
        "Safari, iPhone"
    ),
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.5 Safari/605.1": ("Safari, Mac"),
    "curl/8.5 CANARY": "?, ?",
    "": "?, ?",
}


@pytest.mark.parametrize("agent", AGENTS)
def test_of_a_browser_only_its_kind_is_kept(agent: str) -> None:
    assert browser_name(agent) == AGENTS[agent]
    assert browser_name(AGENTS[agent]) == AGENTS[agent]


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.77", "203.0.113.0"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"), ("127.0.0.1", "127.0.0.0")],
)
def test_of_an_address_only_the_network_is_kept(address: str, network: str) -> None:
    assert network_of(address) == network
    assert network_of(network) == network


@pytest.mark.django_db
def test_whatever_stores_a_session_stores_it_rough(now: dt.datetime) -> None:
    person = make_person()
    made = UserSession.objects.create(user=person, ip="203.0.113.77", user_agent="CANARY Firefox", session_key="a")
    made.ip, made.user_agent = "203.0.113.78", "CANARY"
    made.save()
    assert UserSession.objects.values_list("ip", "user_agent").get() == ("203.0.113.0", "?, ?")


@pytest.mark.django_db
def test_it_goes_after_thirty_days(now: dt.datetime) -> None:
    person = make_person()
    for days in (29, 31):
        began = now - dt.timedelta(days=days)
        UserSession.objects.create(user=person, ip="203.0.113.1", session_key=str(days), created_at=began)
    Session.objects.create(session_key="over", session_data="", expire_date=now - dt.timedelta(days=1))
    assert prune_sessions(at=now) == 1
    assert prune_sessions(at=now) == 0
    assert UserSession.objects.get().session_key == "29"
    assert not Session.objects.exists()


@pytest.mark.django_db
def test_the_nightly_task_may_run_twice() -> None:
    prune_people()
    prune_people()
