"""The pages of people, roles, settings and the log."""

import time
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from organizing.audit.models import AuditEvent
from organizing.people.models import Organization, Person
from organizing.roles.models import Grant, Role
from tests.factories import make_grant, make_lead_organizer, make_organization, make_organizer, make_person
from tests.organizing.people.authenticator import add_app, code_of

pytestmark = pytest.mark.django_db


def age_the_second_factor(client: Client, minutes: int) -> None:
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": time.time() - minutes * 60}]
    session.save()


def test_the_list_finds_by_name_and_role_and_shows_no_address(client: Client) -> None:
    client.force_login(make_organizer(display_name="Olga"))
    make_grant(make_person(display_name="Sam", email="sam@example.org"), Role.ALLY)
    make_person(display_name="Samira")
    page = client.get(reverse("roles:person-list"), {"q": "sam"}).content.decode()
    assert "Samira" in page
    assert "Olga" not in page
    assert "sam@example.org" not in page
    page = client.get(reverse("roles:person-list"), {"q": "sam", "role": "ally"}).content.decode()
    assert "Samira" not in page
    assert "Sam" in page


def test_the_address_is_shown_on_asking_and_the_asking_is_written_down(client: Client) -> None:
    organizer, sam = make_organizer(), make_person(email="sam@example.org")
    client.force_login(organizer)
    assert "sam@example.org" not in client.get(reverse("roles:person-detail", args=[sam.pk])).content.decode()
    assert not AuditEvent.objects.exists()
    page = client.post(reverse("roles:person-contact", args=[sam.pk]))
    assert "sam@example.org" in page.content.decode()
    assert AuditEvent.objects.get().actor_id == organizer.pk


def test_an_organizer_adds_a_person_who_is_told_how_to_sign_in(client: Client) -> None:
    client.force_login(make_organizer())
    given = {"display_name": "Kim", "email": "Kim@Example.org", "language": "es"}
    client.post(reverse("roles:person-add"), given)
    assert Person.objects.get(email="kim@example.org").languages == ["es"]
    assert "/account/login/" in mail.outbox[0].body
    assert AuditEvent.objects.get().verb == "person.add"
    again = client.post(reverse("roles:person-add"), given)
    assert again.status_code == 422
    assert len(mail.outbox) == 1


def test_a_lead_gives_a_role_until_the_end_of_a_day_where_the_organization_is(client: Client) -> None:
    make_organization(time_zone="America/Chicago")
    client.force_login(make_lead_organizer())
    person = make_person()
    given = {"role": "organizer", "until": "2099-06-30"}
    client.post(reverse("roles:role-grant", args=[person.pk]), given)
    until = Grant.objects.get(person=person).until
    assert until is not None
    assert until.isoformat() == "2099-07-01T05:00:00+00:00"


def test_a_role_that_is_not_on_the_form_is_refused(client: Client) -> None:
    from tests.factories import make_trustee

    client.force_login(make_trustee())
    person = make_person()
    response = client.post(reverse("roles:role-grant", args=[person.pk]), {"role": "lead_organizer"})
    assert response.status_code == 422
    assert not Grant.objects.filter(person=person).exists()


def test_fields_that_are_not_on_the_form_change_nothing(client: Client) -> None:
    lead, other, person = make_lead_organizer(), make_lead_organizer(), make_person()
    client.force_login(lead)
    forbidden = {"approved_by": str(other.pk), "granted_by": str(other.pk), "person": str(other.pk), "scope": "team"}
    client.post(reverse("roles:role-grant", args=[person.pk]), {"role": "trustee", **forbidden})
    grant = Grant.objects.get(person=person)
    assert (grant.granted_by, grant.approved_by, grant.scope) == (lead, None, "organization")


def test_two_leads_make_a_third(client: Client) -> None:
    first, second, person = make_lead_organizer(), make_lead_organizer(), make_person()
    client.force_login(first)
    client.post(reverse("roles:role-grant", args=[person.pk]), {"role": "lead_organizer"})
    grant = Grant.objects.get(person=person)
    assert client.post(reverse("roles:role-approve", args=[grant.pk])).status_code == 403
    client.force_login(second)
    assert b"Approve" in client.get(reverse("roles:person-detail", args=[person.pk])).content
    client.post(reverse("roles:role-approve", args=[grant.pk]))
    assert person.grants.in_force(at=grant.granted_at).exists()


def test_the_second_factor_must_be_recent_and_what_was_typed_is_kept_while_asking(client: Client) -> None:
    lead, person = make_lead_organizer(), make_person()
    secret = add_app(lead)
    client.force_login(lead)
    age_the_second_factor(client, 11)
    response = client.post(reverse("roles:role-grant", args=[person.pk]), {"role": "organizer"})
    assert response["Location"].startswith(reverse("mfa_reauthenticate"))
    assert not Grant.objects.filter(person=person).exists()
    next_page = response["Location"].partition("?next=")[2].replace("%2F", "/")
    response = client.post(reverse("mfa_reauthenticate"), {"code": code_of(secret), "next": next_page})
    assert response["Location"] == reverse("roles:person-detail", args=[person.pk])
    assert Grant.objects.filter(person=person).exists()


@pytest.mark.parametrize("minutes", [9, 11])
def test_ten_minutes_is_recent(client: Client, minutes: int) -> None:
    lead, person = make_lead_organizer(), make_person()
    add_app(lead)
    client.force_login(lead)
    age_the_second_factor(client, minutes)
    client.post(reverse("roles:role-grant", args=[person.pk]), {"role": "organizer"})
    assert Grant.objects.filter(person=person).exists() is (minutes == 9)


def test_a_role_taken_away_mid_session_is_gone_at_the_next_request(client: Client) -> None:
    lead = make_lead_organizer()
    client.force_login(lead)
    assert client.get(reverse("roles:audit-log")).status_code == 200
    Grant.objects.filter(person=lead).update(until=Grant.objects.get(person=lead).granted_at)
    for name in ("roles:audit-log", "roles:role-list", "roles:organization-settings", "roles:person-list"):
        assert client.get(reverse(name)).status_code == 404, name


def test_the_log_tells_who_did_what_about_whom_and_can_be_narrowed(client: Client) -> None:
    lead = make_lead_organizer(display_name="Lena")
    make_organization()
    person = make_person(display_name="Kim")
    client.force_login(lead)
    client.post(reverse("roles:role-grant", args=[person.pk]), {"role": "organizer"})
    client.post(reverse("roles:person-contact", args=[person.pk]))
    rows = client.get(reverse("roles:audit-log")).context["rows"]
    assert [(row["actor"], row["event"].verb, row["about"]) for row in rows] == [
        ("Lena", "person.read_contact", "Kim"),
        ("Lena", "role.grant", "Kim"),
    ]
    rows = client.get(reverse("roles:audit-log"), {"verb": "role.grant"}).context["rows"]
    assert len(rows) == 1
    assert client.get(reverse("roles:audit-log"), {"by": str(lead.pk)}).context["page"].paginator.count == 2


def test_nobody_posts_to_the_log(client: Client) -> None:
    client.force_login(make_lead_organizer())
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(reverse("roles:audit-log")).status_code == 405


def test_a_lead_changes_the_settings_and_it_is_written_down(client: Client) -> None:
    organization = make_organization()
    client.force_login(make_lead_organizer())
    given: dict[str, Any] = {
        "name": "Oak Street Youth",
        "languages": ["en"],
        "time_zone": "America/New_York",
        "contact_email": "us@example.org",
        "donate_url": "example.org/give",
    }
    assert client.get(reverse("roles:organization-settings")).status_code == 200
    assert client.post(reverse("roles:organization-settings"), {**given, "id": "2", "set_up_at": ""}).status_code == 302
    after = Organization.objects.get()
    assert (after.name, after.donate_url) == ("Oak Street Youth", "https://example.org/give")
    assert after.set_up_at == organization.set_up_at
    assert AuditEvent.objects.get().verb == "organization.change"
