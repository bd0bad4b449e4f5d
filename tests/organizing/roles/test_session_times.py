"""How long a session lasts: organizers' end sooner."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from organizing.people.models import Person
from organizing.roles.models import Role
from tests.factories import make_grant, make_lead_organizer, make_organizer, make_person, make_trustee


class Clock:
    """What the pages take for now."""

    def __init__(self, at: dt.datetime) -> None:
        self.at = at

    def __call__(self) -> dt.datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += dt.timedelta(**by)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, db: None) -> Clock:
    clock = Clock(timezone.now())
    monkeypatch.setattr(timezone, "now", clock)
    return clock


def is_in(client: Client) -> bool:
    return client.get(reverse("people:me")).status_code == 200


@pytest.mark.parametrize("make", [make_organizer, make_lead_organizer, make_trustee])
def test_half_an_hour_without_a_request_ends_a_guarded_session(client: Client, clock: Clock, make: object) -> None:
    client.force_login(make())  # type: ignore[operator]
    assert is_in(client)
    for _step in range(3):
        clock.forward(minutes=29)
        assert is_in(client)
    clock.forward(minutes=31)
    response = client.get(reverse("people:me"))
    assert response["Location"] == reverse("account_login") + "?next=%2Fme%2F"
    clock.forward(minutes=-31)
    assert not is_in(client), "it does not come back"


def test_twelve_hours_end_it_whatever_happens(client: Client, clock: Clock) -> None:
    client.force_login(make_organizer())
    for _step in range(48):
        assert is_in(client)
        clock.forward(minutes=15)
    assert is_in(client)
    clock.forward(minutes=1)
    assert not is_in(client)


def test_a_member_stays_for_fourteen_days(client: Client, clock: Clock) -> None:
    client.force_login(make_person())
    assert is_in(client)
    clock.forward(days=13.9)
    assert is_in(client)
    client.session.save()  # a message, a draft: Django then keeps the session for 14 days more
    clock.forward(days=0.2)
    assert not is_in(client)


def test_who_becomes_an_organizer_has_an_organizers_session(client: Client, clock: Clock) -> None:
    person: Person = make_person()
    client.force_login(person)
    assert is_in(client)
    clock.forward(hours=13)
    make_grant(person, Role.ORGANIZER)
    assert not is_in(client)


def test_a_role_over_a_part_is_guarded_too(client: Client, clock: Clock) -> None:
    import uuid

    from tests.factories import sign_in_halfway

    person = make_person()
    make_grant(person, Role.ORGANIZER, scope="campaign", scope_id=uuid.uuid4())
    sign_in_halfway(client, person)
    assert not is_in(client)
