"""Signing in, adding a passkey and setting up, in a real browser under the real content security policy."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.core import mail
from django.urls import reverse

from organizing.people import setup
from organizing.people.setup import issue_setup_url
from tests.browser.test_look import assert_good_at_every_width
from tests.browser.test_look import sign_in as go_in
from tests.conftest import PHONE
from tests.factories import make_lead_organizer, make_organization, make_organizer, make_person

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NewPage = Callable[..., "Page"]


def code_in_mail() -> str:
    found = re.search(r"\d{4}-\d{4}", str(mail.outbox[-1].body))
    assert found
    return found.group()


def sign_in(page: "Page", email: str) -> None:
    page.goto(reverse("account_login"))
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_label("Code").fill(code_in_mail())
    page.get_by_role("button", name="Sign in").click()


def add_virtual_authenticator(page: "Page") -> None:
    """Give the browser a passkey store that says yes, as a phone's fingerprint reader does."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def test_a_member_signs_in_on_a_phone_without_javascript(new_page: NewPage) -> None:
    make_person(email="sam@example.org", display_name="Sam")
    page = new_page(size=PHONE, javascript=False)
    sign_in(page, "sam@example.org")
    assert page.get_by_role("heading", level=1).inner_text() == "Good to see you, Sam"


def test_an_organizer_adds_a_passkey_and_signs_in_with_it_alone(
    new_page: NewPage, live_server: "LiveServer", settings: Any
) -> None:
    make_organizer(email="olga@example.org", display_name="Olga")
    page = new_page()
    # Passkeys belong to a name; an address of numbers has none.
    home = live_server.url.replace("127.0.0.1", "localhost")
    page.context.unroute_all()
    add_virtual_authenticator(page)
    page.goto(home + reverse("account_login"))
    page.get_by_label("Email").fill("olga@example.org")
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_label("Code").fill(code_in_mail())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**" + reverse("mfa_index") + "**")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Sign in with it alone").check()
    page.get_by_role("button", name="Add this passkey").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    assert page.locator(".code-slip").count() == 10
    page.goto(home + reverse("web:today"))
    page.get_by_role("button", name="Sign out").click()
    page.goto(home + reverse("account_login") + "?next=" + reverse("web:today"))
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(home + reverse("web:today"))
    assert page.get_by_role("heading", level=1).is_visible()


def test_a_new_organization_is_set_up_on_a_laptop(
    new_page: NewPage, live_server: "LiveServer", settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEMO = False
    monkeypatch.setattr(setup, "_is_set_up", False)
    page = new_page()
    page.goto("/")
    assert page.get_by_role("heading", level=1).inner_text() == "Not set up yet"
    page.goto(issue_setup_url(live_server.url))
    page.get_by_label("Name of the organization").fill("Oak Street Youth")
    page.get_by_label("Contact e-mail").fill("us@example.org")
    page.get_by_role("button", name="Send a test message").click()
    page.get_by_role("status").wait_for()
    assert mail.outbox[-1].to == ["us@example.org"]
    page.get_by_label("Your name").fill("Lena")
    page.get_by_label("Your e-mail").fill("lena@example.org")
    page.get_by_role("button", name="Send me the code").click()
    page.get_by_label("Code").fill(code_in_mail())
    page.get_by_role("button", name="Open the site").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Second factor"
    page.goto("/")
    assert page.get_by_role("heading", level=1).inner_text() == "Second factor"


VISITORS = ("account_login", "people:stay-in-touch", "people:left", "local:demo")
MEMBERS = (
    "people:me",
    "people:privacy",
    "usersessions_list",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "account_email",
    "account_logout",
)
LEADS = (
    "roles:person-list",
    "roles:person-add",
    "roles:role-list",
    "roles:audit-log",
    "roles:organization-settings",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible_at_every_width_in_both_themes(
    new_page: NewPage, live_server: "LiveServer", scheme: str
) -> None:
    make_organization()
    lead = make_lead_organizer(display_name="Lena")
    page = new_page(scheme=scheme)
    for name in VISITORS:
        page.goto(reverse(name))
        assert_good_at_every_width(page)
    go_in(page, lead, live_server)
    for path in [*map(reverse, (*MEMBERS, *LEADS)), reverse("roles:person-detail", args=[lead.pk])]:
        response = page.goto(path)
        assert response is not None
        assert response.status == 200, path
        assert_good_at_every_width(page)
