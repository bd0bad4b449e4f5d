"""No ``next`` leads a visitor off the site."""

import re
from urllib.parse import quote

import pytest
from django.core import mail
from django.core.cache import cache
from django.http.response import HttpResponseBase
from django.test import Client

from organizing.people.models import Person
from tests.factories import make_lead_organizer, make_organization, make_person, make_survey
from tests.organizing.web.every_page import every_path
from tests.web_payloads import ELSEWHERE, leads_elsewhere

pytestmark = pytest.mark.django_db

HERE = "/privacy/?canary"


def target(response: HttpResponseBase) -> str:
    return str(response.get("Location") or response.get("HX-Redirect") or "")


@pytest.fixture
def lead(client: Client) -> Person:
    make_organization()
    make_survey(slug="walk-home")
    person = make_lead_organizer()
    client.force_login(person)
    return person


def asked(client: Client, path: str, to: str) -> list[HttpResponseBase]:
    """Ask for a page in every way in which it may be told where to go next."""
    return [
        client.get(path, {"next": to}),
        client.post(path, {"language": "es"}, headers={"referer": to.replace("\r", "").replace("\n", "")}),
        client.post(f"{path}?next={quote(to)}", {"next": to, "language": "es"}),
    ]


def test_no_page_redirects_off_the_site(client: Client, lead: Person) -> None:
    client.raise_request_exception = False
    for path in every_path():
        for response in asked(client, path, ELSEWHERE[2]):
            assert not leads_elsewhere(target(response)), path
        if path.endswith(("/logout/", "/sign-in/")):
            client.force_login(lead)


@pytest.mark.parametrize("payload", ELSEWHERE)
def test_pages_that_go_where_they_are_told_stay_here(client: Client, lead: Person, payload: str) -> None:
    for path in ("/account/reauthenticate/", "/language/", "/account/logout/", "/account/login/"):
        for response in asked(client, path, payload):
            assert not leads_elsewhere(target(response)), (path, target(response))


def test_a_page_of_this_site_is_where_they_do_go(client: Client, lead: Person) -> None:
    response = client.post("/language/", {"next": HERE, "language": "es"})
    assert target(response) == HERE


@pytest.mark.parametrize("payload", [HERE, *ELSEWHERE])
def test_signing_in_leads_nowhere_else(client: Client, payload: str) -> None:
    cache.clear()
    make_organization()
    person = make_person()
    client.post("/account/login/", {"email": person.email, "next": payload})
    [message] = mail.outbox
    code = re.search(r"\b\d{4}-?\d{4}\b", str(message.body))
    assert code
    response = client.post("/account/login/code/", {"code": code[0], "next": payload})
    assert response.status_code == 302
    assert not leads_elsewhere(target(response))
    if payload == HERE:
        assert target(response) == HERE


@pytest.mark.parametrize("payload", ELSEWHERE)
def test_the_judge_knows_what_leads_elsewhere(payload: str) -> None:
    # What begins with a percent-encoded slash or a path stays here, whatever it looks like.
    assert leads_elsewhere(payload) or payload.startswith("/%09")


@pytest.mark.parametrize(
    "address", ["/", "/a//b", "", "?x=//evil.example", "a/b", "http://testserver/", "//testserver/x"]
)
def test_the_judge_knows_what_stays(address: str) -> None:
    assert not leads_elsewhere(address)
