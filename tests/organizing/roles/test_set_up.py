"""A new organization is set up once, by whoever has the one-time address, and nothing opens before."""

import datetime as dt
import re
import threading
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from organizing.audit.models import AuditEvent
from organizing.people import setup
from organizing.people.models import Organization, Person, SetupLink
from organizing.people.setup import find_link, issue_setup_url
from organizing.roles import policy
from organizing.roles.operations import Beginning, set_up
from organizing.web.errors import Refused
from tests.factories import make_organization

pytestmark = pytest.mark.django_db

SAID = {
    "name": "Oak Street Youth",
    "languages": ["en", "es"],
    "time_zone": "America/New_York",
    "contact_email": "us@example.org",
    "donate_url": "",
    "lead_name": "Lena",
    "lead_email": "Lena@Example.org",
}


@pytest.fixture(autouse=True)
def _a_real_organization(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEMO = False
    monkeypatch.setattr(setup, "_is_set_up", False)


def issue() -> str:
    return issue_setup_url("http://localhost:8000/").removeprefix("http://localhost:8000")


def code_in_mail() -> str:
    found = re.search(r"\d{4}-\d{4}", str(mail.outbox[-1].body))
    assert found
    return found.group()


def test_the_whole_way_ends_at_the_second_factor(client: Client) -> None:
    url = issue()
    assert client.get(url).status_code == 200
    response = client.post(url, SAID)
    assert not Organization.objects.exists()
    response = client.post(response["Location"], {"code": code_in_mail()})
    assert response["Location"] == reverse("mfa_index")
    lead = Person.objects.get()
    assert (lead.email, lead.display_name) == ("lena@example.org", "Lena")
    assert policy.is_lead_organizer(lead, at=timezone.now())
    assert Organization.objects.get().name == "Oak Street Youth"
    assert client.get(reverse("web:today"))["Location"].startswith(reverse("mfa_index"))
    assert client.get(reverse("mfa_index")).status_code == 200
    assert list(AuditEvent.objects.order_by("id").values_list("verb", flat=True)) == [
        "organization.set_up",
        "role.grant",
    ]


def test_afterwards_the_address_is_nothing_for_anybody(client: Client) -> None:
    url = issue()
    where = client.post(url, SAID)["Location"]
    client.post(where, {"code": code_in_mail()})
    for browser in (client, Client()):
        assert browser.get(url).status_code in (302, 404)
        assert browser.post(where, {"code": "1"}).status_code in (302, 404)
    assert Client().get(url).status_code == 404
    assert Client().get(reverse("roles:not-set-up")).status_code == 404
    with pytest.raises(Refused):
        issue_setup_url("http://localhost")


@pytest.mark.parametrize(
    "path", ["/", "/privacy/", "/account/login/", "/me/", "/people/", "/stay-in-touch/", "/results/"]
)
def test_nothing_else_opens_before(client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response["Location"]) == (302, reverse("roles:not-set-up"))
    page = client.get(response["Location"])
    assert page.status_code == 200
    assert "set-up/" not in page.content.decode()


def test_health_is_told_before(client: Client) -> None:
    assert client.get(reverse("web:healthz")).status_code == 200


def test_everything_opens_afterwards(client: Client) -> None:
    make_organization()
    assert client.get("/").status_code == 200


def test_only_a_hash_of_the_address_is_kept() -> None:
    url = issue()
    kept = str(list(SetupLink.objects.values()))
    assert url.strip("/").split("/")[-1] not in kept


def test_a_new_address_ends_the_one_before(client: Client) -> None:
    first, second = issue(), issue()
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200


def test_it_works_for_a_day(client: Client) -> None:
    at = timezone.now()
    secret = issue_setup_url("", at=at).strip("/").split("/")[-1]
    assert find_link(secret, at=at + dt.timedelta(hours=23, minutes=59))
    assert not find_link(secret, at=at + dt.timedelta(hours=24))


def test_a_guess_opens_nothing(client: Client) -> None:
    issue()
    assert client.get(reverse("roles:set-up", args=["x" * 43])).status_code == 404
    assert client.get(reverse("roles:set-up-code", args=["x" * 43])).status_code == 404


def test_the_command_prints_an_address_and_says_when_there_is_nothing_to_set_up(client: Client) -> None:
    out = StringIO()
    call_command("setup_link", "https://example.org", stdout=out)
    assert client.get(out.getvalue().strip().removeprefix("https://example.org")).status_code == 200
    make_organization()
    with pytest.raises(CommandError, match="set up already"):
        call_command("setup_link")


def test_three_wrong_codes_and_the_right_one_no_longer_works(client: Client) -> None:
    url = issue()
    where = client.post(url, SAID)["Location"]
    for _attempt in range(3):
        assert client.post(where, {"code": "0000-0000"}).status_code == 422
    assert client.post(where, {"code": code_in_mail()})["Location"] == url
    assert not Organization.objects.exists()
    assert client.get(url).context["form"].initial["lead_name"] == "Lena", "what was typed is kept"


def test_the_code_belongs_to_the_browser_that_asked(client: Client) -> None:
    url = issue()
    where = client.post(url, SAID)["Location"]
    assert Client().post(where, {"code": code_in_mail()})["Location"] == url
    assert not Organization.objects.exists()


def test_a_test_message_goes_out_and_what_was_typed_stays(client: Client) -> None:
    page = client.post(issue(), {"name": "Oak", "contact_email": "us@example.org", "try_mail": "1"})
    assert [message.to for message in mail.outbox] == [["us@example.org"]]
    assert 'value="Oak"' in page.content.decode()
    assert "us@example.org" in page.content.decode()
    assert not Organization.objects.exists()


def test_a_name_over_two_lines_makes_no_header_of_its_own(client: Client) -> None:
    client.post(issue(), {**SAID, "name": "Oak\r\nBcc: evil@example.com"})
    (message,) = mail.outbox
    assert message.recipients() == ["lena@example.org"]
    assert "\n" not in message.subject


def test_where_mail_goes_is_shown_without_its_password(client: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_PASSWORD = "127.0.0.1", 1, "CANARY"
    url = issue()
    page = client.get(url).content.decode()
    assert "127.0.0.1" in page
    assert "CANARY" not in page
    assert b"not accepted" in client.post(url, {"contact_email": "us@example.org", "try_mail": "1"}).content
    assert client.post(url, SAID).status_code == 422
    assert not Organization.objects.exists()


@pytest.mark.parametrize("field", ["name", "languages", "time_zone", "contact_email", "lead_name", "lead_email"])
def test_what_is_needed_is_asked_for(client: Client, field: str) -> None:
    page = client.post(issue(), {**SAID, field: ""})
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert not mail.outbox


@pytest.mark.django_db(transaction=True)
def test_of_two_who_finish_at_once_one_does() -> None:
    secret = issue_setup_url("").strip("/").split("/")[-1]
    at = timezone.now()
    link = find_link(secret, at=at)
    assert link
    outcomes = []

    def finish(number: int) -> None:
        beginning = Beginning(**{**SAID, "lead_email": f"lead{number}@example.org"})  # type: ignore[arg-type]
        try:
            set_up(beginning, link, at=at)
            outcomes.append("done")
        except Refused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=finish, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused", "refused", "refused"]
    assert Person.objects.count() == Organization.objects.count() == 1


def test_in_the_demo_there_is_nothing_to_set_up(client: Client, settings: Any) -> None:
    url = issue()
    settings.DEMO = True
    assert client.get(url).status_code == 404
    assert client.get("/").status_code == 200
