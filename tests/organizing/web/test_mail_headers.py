"""Whatever is typed, a message has the headers and the recipients it should have, or is not sent."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from organizing.people.forms import StayInTouchForm
from organizing.people.models import Organization
from organizing.web.mail import one_line
from tests.factories import make_lead_organizer, make_organization, make_person
from tests.organizing.web.guarded import filled
from tests.web_payloads import HEADER_BREAKS, assert_only_expected

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def organization() -> Organization:
    cache.clear()  # it counts how often somebody asks for a code
    return make_organization()


def stay_in_touch(client: Client, **given: str) -> int:
    form = StayInTouchForm(at=timezone.now() - timedelta(minutes=1))
    fields = {"display_name": "Ana", "email": "ana@example.org", "language": "en", "is_old_enough": "on"}
    return client.post("/stay-in-touch/", {**filled(form), **fields, **given}).status_code


def test_an_ordinary_wish_sends_one_message(client: Client) -> None:
    assert stay_in_touch(client) == 302
    [message] = mail.outbox
    assert_only_expected(message, "ana@example.org")


@pytest.mark.parametrize("payload", HEADER_BREAKS)
@pytest.mark.parametrize("fields", [("email",), ("display_name", "message"), ("language",)])
def test_staying_in_touch_sends_nothing_extra(client: Client, fields: tuple[str, ...], payload: str) -> None:
    assert stay_in_touch(client, **dict.fromkeys(fields, payload)) in (302, 422)
    for message in mail.outbox:
        assert_only_expected(message, "ana@example.org")


@pytest.mark.parametrize("payload", HEADER_BREAKS)
def test_signing_in_sends_nothing_extra(client: Client, payload: str) -> None:
    person = make_person(email="ana@example.org")
    for login in (payload, f"{person.email}{payload[1:]}", f"{payload}@example.org"):
        assert client.post("/account/login/", {"email": login}).status_code < 500
    for message in mail.outbox:
        assert "evil" not in "".join(message.recipients())
        assert_only_expected(message, *message.recipients())
        assert len(message.recipients()) == 1


@pytest.mark.parametrize("payload", HEADER_BREAKS)
def test_the_name_of_the_organization_adds_no_header(client: Client, payload: str, organization: Organization) -> None:
    lead = make_lead_organizer()
    client.force_login(lead)
    answer = client.post(
        "/settings/",
        {
            "name": payload,
            "languages": ["en"],
            "time_zone": "America/New_York",
            "contact_email": "hello@example.org",
            "donate_url": "",
        },
    )
    assert answer.status_code < 500
    client.logout()
    assert stay_in_touch(client) == 302
    client.post("/account/login/", {"email": lead.email})
    assert len(mail.outbox) == 2
    for message in mail.outbox:
        assert_only_expected(message, *message.recipients())
        assert len(message.recipients()) == 1


@pytest.mark.parametrize("payload", HEADER_BREAKS)
def test_adding_a_person_adds_no_header(client: Client, payload: str) -> None:
    client.force_login(make_lead_organizer())
    ordinary = {"display_name": "Ana", "email": "ana@example.org", "language": "en"}
    for field in ("email", "display_name"):
        assert client.post("/people/add/", {**ordinary, field: payload}).status_code in (302, 422)
    for message in mail.outbox:
        assert_only_expected(message, "ana@example.org")


@pytest.mark.parametrize("payload", HEADER_BREAKS)
def test_what_goes_into_a_header_is_one_line(payload: str) -> None:
    line = one_line(payload)
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert "=?" not in line


def test_an_ordinary_name_is_left_alone() -> None:
    assert one_line("Citywide Youth Coalition, año 2") == "Citywide Youth Coalition, año 2"


@pytest.mark.parametrize("payload", HEADER_BREAKS)
def test_the_name_of_a_person_adds_no_header(client: Client, payload: str) -> None:
    person = make_person(email="ana@example.org")
    client.force_login(person)
    fields = {"display_name": payload, "pronouns": payload, "language": "en", "time_zone": "", "birth_year": ""}
    assert client.post("/me/", fields).status_code < 500
    client.logout()
    client.post("/account/login/", {"email": person.email})
    [message] = mail.outbox
    assert_only_expected(message, "ana@example.org")
