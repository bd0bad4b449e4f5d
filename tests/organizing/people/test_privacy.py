"""Everything stored about somebody is told to them, handed over, and goes when they leave."""

import datetime as dt
import json

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.db import models
from django.test import Client
from django.urls import reverse

from organizing.audit.models import AuditEvent
from organizing.people.models import Person
from organizing.people.privacy import erase
from organizing.roles.models import Grant, Role
from organizing.web.errors import Refused
from tests.factories import make_grant, make_lead_organizer, make_person
from tests.organizing.people.authenticator import add_app
from tests.organizing.people.test_stay_in_touch import ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def sam(now: dt.datetime) -> Person:
    person = make_person(
        email="sam@example.org",
        display_name="Sam CANARY",
        pronouns="they/them CANARY",
        languages=["es"],
        time_zone="America/Chicago",
        birth_year=2009,
        wants_news_since=now,
    )
    make_grant(person, Role.MEMBER)
    EmailAddress.objects.create(user=person, email="sam@example.org", verified=True, primary=True)
    add_app(person)
    UserSession.objects.create(user=person, ip="203.0.113.1", user_agent="Firefox", session_key="a")
    wish = ask("sam@example.org", now)
    wish.message, wish.person, wish.confirmed_at = "Hello CANARY", person, now
    wish.save()
    return person


def test_the_page_and_the_file_tell_everything(client: Client, sam: Person) -> None:
    client.force_login(sam)
    page = client.get(reverse("people:privacy")).content.decode()
    exported = client.get(reverse("people:my-export"))
    assert "attachment" in exported["Content-Disposition"]
    said = json.dumps(json.loads(exported.content), ensure_ascii=False)
    for told in ("Sam CANARY", "they/them", "sam@example.org", "2009", "Hello CANARY", "203.0.113.0", "TOTP", "member"):
        assert told in page, told
        assert told in said, told


def test_nothing_of_the_person_is_left_after_leaving(client: Client, sam: Person) -> None:
    client.force_login(sam)
    response = client.post(reverse("people:leave"), {"is_sure": "on"})
    assert response["Location"] == reverse("people:left")
    assert client.get(reverse("people:me")).status_code == 302
    sam.refresh_from_db()
    assert (sam.email, sam.display_name, sam.languages, sam.is_active) == (None, "", [], False)
    assert not Authenticator.objects.exists()
    assert not EmailAddress.objects.exists()
    assert not UserSession.objects.exists()
    assert "CANARY" not in _everything()
    assert "sam@example.org" not in _everything()
    assert Grant.objects.get().until is not None
    assert AuditEvent.objects.get(verb="person.erase").actor_id == sam.pk


def _everything() -> str:
    """Return every row of every table, as text."""
    rows = []
    for model in apps.get_models():
        manager: models.Manager[models.Model] = model._base_manager
        rows += [str(row) for row in manager.values()]
    return "\n".join(rows)


def test_leaving_needs_a_yes(client: Client, sam: Person) -> None:
    client.force_login(sam)
    assert client.post(reverse("people:leave")).status_code == 422
    assert client.get(reverse("people:me")).status_code == 200


def test_the_last_lead_organizer_stays_and_keeps_everything(client: Client) -> None:
    lead = make_lead_organizer()
    client.force_login(lead)
    response = client.post(reverse("people:leave"), {"is_sure": "on"})
    assert response.status_code == 422
    assert "last lead organizer" in response.content.decode()
    lead.refresh_from_db()
    assert lead.is_active
    assert lead.email


def test_leaving_twice_changes_nothing(sam: Person, now: dt.datetime) -> None:
    erase(sam, by=sam, at=now)
    erase(sam, by=sam, at=now + dt.timedelta(days=1))
    sam.refresh_from_db()
    assert sam.erased_at == now
    assert AuditEvent.objects.filter(verb="person.erase").count() == 1


def test_when_one_package_refuses_nothing_is_gone(now: dt.datetime) -> None:
    lead = make_lead_organizer()
    add_app(lead)
    with pytest.raises(Refused):
        erase(lead, by=lead, at=now)
    assert Authenticator.objects.exists()


def test_one_can_stop_the_news(client: Client, sam: Person) -> None:
    client.force_login(sam)
    client.post(reverse("people:news-stop"))
    sam.refresh_from_db()
    assert sam.wants_news_since is None


# --- The profile ----------------------------------------------------------------------------------


def test_one_changes_ones_own_profile(client: Client) -> None:
    person = make_person()
    client.force_login(person)
    client.post(
        reverse("people:me"),
        {
            "display_name": "Sam",
            "pronouns": "they/them",
            "language": "es",
            "also": ["en", "fr"],
            "time_zone": "America/Chicago",
            "birth_year": "2009",
        },
    )
    person.refresh_from_db()
    assert (person.display_name, person.languages, person.birth_year) == ("Sam", ["es", "en", "fr"], 2009)


def test_fields_that_are_not_on_the_form_change_nothing(client: Client) -> None:
    person, other = make_person(), make_person()
    client.force_login(person)
    forbidden = {"email": "x@example.org", "is_active": "", "id": str(other.pk), "erased_at": "2026-01-01"}
    client.post(reverse("people:me"), {"display_name": "Sam", "language": "en", **forbidden, "role": "lead_organizer"})
    after = Person.objects.get(pk=person.pk)
    assert (after.display_name, after.email, after.is_active) == ("Sam", person.email, True)
    other.refresh_from_db()
    assert other.display_name != "Sam"
    assert not Grant.objects.exists()


@pytest.mark.parametrize("year", ["1", "1890", "2999", "abc"])
def test_a_birth_year_is_one_that_somebody_can_have(client: Client, year: str) -> None:
    client.force_login(make_person())
    response = client.post(reverse("people:me"), {"display_name": "Sam", "language": "en", "birth_year": year})
    assert response.status_code == 422
