"""What every page of the site tells the browser, and what no page contains."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.conf import settings as site
from django.http.response import HttpResponseBase
from django.test import Client

from organizing.people.models import Person
from tests.factories import make_lead_organizer, make_organization, make_survey, make_trustee
from tests.organizing.web.every_page import every_path

pytestmark = pytest.mark.django_db


class Page(HTMLParser):
    """Notes what a content security policy with nonces is there to stop."""

    def __init__(self, html: str, nonce: str) -> None:
        super().__init__()
        self.nonce = nonce
        self.complaints: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "script" and given.get("type") != "application/json" and given.get("nonce") != self.nonce:
            self.complaints.append(f"script without nonce: {given}")
        if tag == "style":
            self.complaints.append("style element")
        for name, value in given.items():
            if name.startswith(("on", "hx-on")) or name == "style":
                self.complaints.append(f"{tag} {name}={value}")
            if name in ("src", "href", "action", "formaction", "srcset", "poster", "data") and re.match(
                r"\s*(javascript:|vbscript:|data:text)", value, re.IGNORECASE
            ):
                self.complaints.append(f"{tag} {name}={value}")
            if name in ("src", "srcset") and re.match(r"\s*(https?:)?//", value):
                self.complaints.append(f"third party: {tag} {name}={value}")


def policy(response: HttpResponseBase) -> dict[str, str]:
    header = str(response["Content-Security-Policy"])
    return {name: values for name, _, values in (part.strip().partition(" ") for part in header.split(";"))}


@pytest.fixture
def somebody(request: pytest.FixtureRequest, client: Client) -> Person | None:
    make_organization()
    make_survey(slug="walk-home", state="draft" if request.param == "lead of a draft" else "open")
    if request.param == "nobody":
        return None
    person = make_trustee() if request.param == "trustee" else make_lead_organizer()
    client.force_login(person)
    return person


def answers(client: Client) -> Iterator[tuple[str, HttpResponseBase]]:
    for path in every_path():
        if path.endswith("/sign-in/"):
            continue
        yield path, client.get(path)
        if not path.startswith("/account/logout/"):
            yield path, client.post(path)
    yield "/nowhere/", client.get("/nowhere/")
    yield "/s/nothing-here/", client.get("/s/nothing-here/")


@pytest.mark.parametrize("somebody", ["nobody", "lead", "lead of a draft", "trustee"], indirect=True)
def test_every_page_is_guarded(client: Client, somebody: Person | None) -> None:
    client.raise_request_exception = False
    seen = 0
    wrong: list[str] = []
    for path, response in answers(client):
        expected = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        wrong += [f"{path}: {name}" for name, value in expected.items() if response.get(name) != value]
        if response.status_code >= 500:
            wrong.append(f"{path}: {response.status_code}")
        if "camera=()" not in response.get("Permissions-Policy", ""):
            wrong.append(f"{path}: Permissions-Policy")
        if (somebody or path.startswith("/s/")) and "no-store" not in response.get("Cache-Control", ""):
            wrong.append(f"{path}: Cache-Control {response.get('Cache-Control')}")
        if not response.get("Content-Type", "").startswith("text/html") or response.streaming:
            continue
        seen += 1
        rules = policy(response)
        scripts = rules["script-src"].split()
        if "'strict-dynamic'" not in scripts or not {"'unsafe-inline'", "'unsafe-eval'", "*", "'self'"}.isdisjoint(
            scripts
        ):
            wrong.append(f"{path}: script-src {scripts}")
        if rules["default-src"] != "'none'" or "'unsafe-inline'" in rules["style-src"]:
            wrong.append(f"{path}: {rules}")
        if (rules["base-uri"], rules["object-src"], rules["form-action"]) != ("'none'", "'none'", "'self'"):
            wrong.append(f"{path}: {rules}")
        if response.get("X-Frame-Options") not in ("DENY", "SAMEORIGIN"):
            wrong.append(f"{path}: X-Frame-Options {response.get('X-Frame-Options')}")
        nonces = re.findall(r"'nonce-([^']+)'", rules["script-src"])
        html = response.content.decode()  # type: ignore[attr-defined]
        wrong += [f"{path}: {complaint}" for complaint in Page(html, nonces[0] if nonces else "-").complaints]
    assert wrong == []
    assert seen > 20


def test_the_policy_of_the_site_allows_nothing_inline() -> None:
    assert "unsafe" not in str(site.CONTENT_SECURITY_POLICY)


def test_public_pages_hand_out_no_cookie(client: Client) -> None:
    make_organization()
    for path in ("/", "/privacy/", "/results/", "/s/nothing-here/"):
        assert not client.get(path).cookies, path


def test_a_page_of_a_visitor_may_be_gone_back_to(client: Client) -> None:
    make_organization()
    assert "Cache-Control" not in client.get("/privacy/")
