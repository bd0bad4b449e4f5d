"""A code by e-mail signs in; a stranger learns nothing; organizers show a second factor."""

import re
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, get_resolver, reverse

from organizing.people.models import Person
from tests.factories import (
    make_lead_organizer,
    make_organization,
    make_organizer,
    make_person,
    make_trustee,
    sign_in_halfway,
)
from tests.organizing.people.authenticator import add_app, code_of

pytestmark = pytest.mark.django_db


def ask_for_code(client: Client, email: str) -> None:
    response = client.post(reverse("account_login"), {"email": email})
    assert (response.status_code, response["Location"]) == (302, reverse("account_confirm_login_code"))


def code_in(mail: EmailMultiAlternatives) -> str:
    found = re.search(r"\b\d{3}-\d{3}-\d{2}\b|\b\d{4}-\d{4}\b", str(mail.body))
    assert found, mail.body
    return found.group()


def sign_in(client: Client, email: str, mailoutbox: list[EmailMultiAlternatives]) -> None:
    ask_for_code(client, email)
    client.post(reverse("account_confirm_login_code"), {"code": code_in(mailoutbox[-1])})


def test_the_mailed_code_signs_in(client: Client, mailoutbox: list[EmailMultiAlternatives]) -> None:
    person = make_person(email="sam@example.org")
    ask_for_code(client, "Sam@Example.org")
    response = client.post(reverse("account_confirm_login_code"), {"code": code_in(mailoutbox[0])})
    assert response["Location"] == reverse("web:member-home")
    assert client.get(reverse("people:me")).status_code == 200
    assert EmailAddress.objects.get(user=person).verified


def test_the_code_comes_as_text_and_as_html(client: Client, mailoutbox: list[EmailMultiAlternatives]) -> None:
    make_person(email="sam@example.org")
    ask_for_code(client, "sam@example.org")
    (mail,) = mailoutbox
    html, kind = mail.alternatives[0]
    assert kind == "text/html"
    assert code_in(mail) in str(html)


def test_three_wrong_codes_end_the_attempt(client: Client, mailoutbox: list[EmailMultiAlternatives]) -> None:
    make_person(email="sam@example.org")
    ask_for_code(client, "sam@example.org")
    for _attempt in range(3):
        client.post(reverse("account_confirm_login_code"), {"code": "0000-0000"})
    client.post(reverse("account_confirm_login_code"), {"code": code_in(mailoutbox[0])})
    assert client.get(reverse("people:me")).status_code == 302


def test_a_code_works_for_three_minutes(
    client: Client, mailoutbox: list[EmailMultiAlternatives], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_person(email="sam@example.org")
    ask_for_code(client, "sam@example.org")
    later = time.time() + 3 * 60 + 1
    monkeypatch.setattr(time, "time", lambda: later)
    client.post(reverse("account_confirm_login_code"), {"code": code_in(mailoutbox[0])})
    assert client.get(reverse("people:me")).status_code == 302


def test_a_code_works_in_the_browser_that_asked_for_it_alone(
    client: Client, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    make_person(email="sam@example.org")
    ask_for_code(client, "sam@example.org")
    elsewhere = Client()
    elsewhere.post(reverse("account_confirm_login_code"), {"code": code_in(mailoutbox[0])})
    assert elsewhere.get(reverse("people:me")).status_code == 302


def _look(client: Client, email: str) -> tuple[int, str, int, str]:
    asked = client.post(reverse("account_login"), {"email": email})
    page = client.get(asked["Location"])
    body = re.sub(r'value="[A-Za-z0-9]{64}"', "", page.content.decode()).replace(email, "ADDRESS")
    return asked.status_code, asked["Location"], page.status_code, re.sub(r'nonce="[^"]+"', "", body)


def test_known_unknown_and_closed_addresses_look_the_same(mailoutbox: list[EmailMultiAlternatives]) -> None:
    make_person(email="known@example.org")
    make_person(email="gone@example.org", is_active=False)
    known = _look(Client(), "known@example.org")
    assert known == _look(Client(), "nobody@example.org") == _look(Client(), "gone@example.org")
    assert [mail.to for mail in mailoutbox] == [["known@example.org"], ["nobody@example.org"], ["gone@example.org"]]


def test_known_and_unknown_addresses_are_the_same_work_and_take_the_same_time() -> None:
    taken: dict[str, list[float]] = {"known": [], "nobody": []}
    statements = {"known": 0, "nobody": 0}
    for number in range(20):
        make_person(email=f"known{number}@example.org")
        for who in taken:  # one after the other, so that a busy machine is busy for both
            client = Client(REMOTE_ADDR=f"203.0.113.{number}")
            began = time.perf_counter()
            with CaptureQueriesContext(connection) as queries:
                client.post(reverse("account_login"), {"email": f"{who}{number}@example.org"})
            taken[who].append(time.perf_counter() - began)
            statements[who] = len(queries)
    assert statements["known"] == statements["nobody"]
    assert abs(statistics.median(taken["known"]) - statistics.median(taken["nobody"])) < 0.020  # seconds


def test_codes_for_one_address_run_out_whatever_the_header_says(mailoutbox: list[EmailMultiAlternatives]) -> None:
    make_person(email="sam@example.org")
    for number in range(8):
        Client().post(
            reverse("account_login"), {"email": "sam@example.org"}, headers={"X-Forwarded-For": f"198.51.100.{number}"}
        )
    assert len(mailoutbox) == 5


def test_a_spoofed_header_gives_no_new_limit_per_address(
    settings: Any, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    limits = {"login": "2/m/ip", "request_login_code": "2/m/ip"}
    settings.ACCOUNT_RATE_LIMITS = limits
    for number in range(6):
        Client().post(
            reverse("account_login"),
            {"email": f"p{number}@example.org"},
            headers={"X-Forwarded-For": f"198.51.100.{number}"},
        )
    assert len(mailoutbox) == 2


def test_when_the_mail_server_is_down_the_page_says_so(client: Client, settings: Any) -> None:
    make_person(email="sam@example.org")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    ask_for_code(client, "sam@example.org")
    assert b"could not be sent" in client.get(reverse("account_confirm_login_code")).content


def test_there_is_neither_a_password_nor_a_sign_up_page() -> None:
    for name in ("account_change_password", "account_set_password", "account_reset_password"):
        with pytest.raises(NoReverseMatch):
            reverse(name)
    assert not [name for name in map(str, get_resolver().reverse_dict) if "password" in name]
    assert Client().get(reverse("account_signup"))["Location"] == reverse("people:stay-in-touch")


def test_who_signs_in_may_not_be_sent_to_another_site(client: Client, mailoutbox: list[EmailMultiAlternatives]) -> None:
    make_person(email="sam@example.org")
    ask_for_code(client, "sam@example.org")
    response = client.post(
        reverse("account_confirm_login_code"), {"code": code_in(mailoutbox[0]), "next": "https://evil.example/"}
    )
    assert response["Location"] == reverse("web:member-home")


# --- The second factor ----------------------------------------------------------------------------


@pytest.mark.parametrize("make", [make_organizer, make_lead_organizer, make_trustee])
def test_no_page_opens_for_a_guarded_role_before_it_has_a_second_factor(
    client: Client, make: Callable[[], Person]
) -> None:
    sign_in_halfway(client, make())
    for name in ("web:home", "web:member-home", "web:today", "people:me", "roles:person-list", "surveys:text-list"):
        response = client.get(reverse(name))
        assert response.status_code == 302, name
        assert response["Location"].startswith(reverse("mfa_index"))
    assert client.post(reverse("people:me"), {"display_name": "x"}).status_code == 302
    assert client.get(reverse("mfa_index")).status_code == 200
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


def test_a_member_needs_none(client: Client) -> None:
    sign_in_halfway(client, make_person())
    assert client.get(reverse("people:me")).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_setting_up_an_app_opens_the_pages_and_ends_in_recovery_codes(client: Client) -> None:
    person = make_organizer()
    sign_in_halfway(client, person)
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    response = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    assert response["Location"] == reverse("mfa_view_recovery_codes")
    assert len(client.get(response["Location"]).context["unused_codes"]) == 10
    assert client.get(reverse("web:today")).status_code == 200


def test_the_secret_of_an_app_is_sealed_in_the_database(client: Client) -> None:
    sign_in_halfway(client, make_organizer())
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    assert secret not in str(Authenticator.objects.get(type="totp").data)


def test_signing_in_asks_for_the_second_factor_once_there_is_one(
    client: Client, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    person = make_organizer(email="olga@example.org")
    secret = add_app(person)
    ask_for_code(client, "olga@example.org")
    response = client.post(reverse("account_confirm_login_code"), {"code": code_in(mailoutbox[0])})
    assert response["Location"] == reverse("mfa_authenticate")
    assert client.get(reverse("web:today"))["Location"].startswith(reverse("account_login"))
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert client.get(reverse("web:today")).status_code == 200


def test_a_session_from_before_the_second_factor_has_to_show_it(client: Client) -> None:
    person = make_organizer()
    sign_in_halfway(client, person)  # somebody who reads the mail, perhaps
    add_app(person)  # meanwhile, in the person's own browser
    assert client.get(reverse("web:today"))["Location"].startswith(reverse("account_reauthenticate"))
    for name in ("mfa_activate_totp", "mfa_add_webauthn", "mfa_deactivate_totp", "mfa_generate_recovery_codes"):
        assert client.get(reverse(name)).status_code == 302, name
    assert Authenticator.objects.filter(user=person).count() == 1


def test_signing_in_to_the_demo_counts_as_second_factor_in_the_demo_alone(client: Client, settings: Any) -> None:
    person = make_organizer()
    sign_in_halfway(client, person)
    session = client.session
    session["account_authentication_methods"] = [{"method": "demo", "at": time.time()}]
    session.save()
    assert client.get(reverse("web:today")).status_code == 200
    settings.DEMO = False
    make_organization()
    assert client.get(reverse("web:today")).status_code == 302


def test_htmx_is_told_to_leave_the_page(client: Client) -> None:
    sign_in_halfway(client, make_organizer())
    response = client.get(reverse("web:today"), headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == reverse("mfa_index")


def test_without_any_factor_left_the_pages_close_again(client: Client) -> None:
    person = make_organizer()
    add_app(person)
    client.force_login(person)
    session = client.session
    session["account_authentication_methods"][-1]["reauthenticated"] = True
    session.save()
    assert client.get(reverse("web:today")).status_code == 200
    client.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.filter(user=person).exists()
    assert client.get(reverse("web:today"))["Location"].startswith(reverse("mfa_index"))


# --- The address ------------------------------------------------------------------------------------


def test_the_address_changes_when_the_code_sent_to_the_new_one_comes_back(
    client: Client, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    person = make_person(email="old@example.org")
    client = Client(REMOTE_ADDR="203.0.113.77", headers={"user-agent": "CANARY"})
    sign_in(client, "old@example.org", mailoutbox)
    client.post(reverse("account_email"), {"email": "New@Example.org", "action_add": "1"})
    person.refresh_from_db()
    assert person.email == "old@example.org"
    client.post(reverse("account_email_verification_sent"), {"code": code_in(mailoutbox[1])})
    person.refresh_from_db()
    assert person.email == "new@example.org"
    notice = mailoutbox[2]
    assert notice.to == ["old@example.org"]
    assert "203.0.113" not in notice.body
    assert "CANARY" not in notice.body
    elsewhere = Client()
    ask_for_code(elsewhere, "new@example.org")
    elsewhere.post(reverse("account_confirm_login_code"), {"code": code_in(mailoutbox[-1])})
    assert elsewhere.get(reverse("people:me")).status_code == 200


def test_the_address_of_somebody_else_is_not_taken(client: Client, mailoutbox: list[EmailMultiAlternatives]) -> None:
    make_person(email="other@example.org")
    person = make_person(email="old@example.org")
    sign_in(client, "old@example.org", mailoutbox)
    client.post(reverse("account_email"), {"email": "other@example.org", "action_add": "1"})
    client.post(reverse("account_email_verification_sent"), {"code": "0000-0000"})
    person.refresh_from_db()
    assert person.email == "old@example.org"
    assert Person.objects.filter(email="other@example.org").count() == 1


# --- Sessions -------------------------------------------------------------------------------------


def test_what_is_kept_of_network_and_browser_is_rough(client: Client, mailoutbox: list[EmailMultiAlternatives]) -> None:
    make_person(email="sam@example.org")
    headers = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 CANARY"}
    client = Client(REMOTE_ADDR="203.0.113.77", headers=headers)
    sign_in(client, "sam@example.org", mailoutbox)
    session = UserSession.objects.get()
    assert (session.ip, session.user_agent) == ("203.0.113.0", "Firefox, Linux")
    assert client.get(reverse("usersessions_list")).status_code == 200


def test_one_can_end_the_other_sessions(mailoutbox: list[EmailMultiAlternatives]) -> None:
    make_person(email="sam@example.org")
    here, elsewhere = Client(), Client()
    sign_in(elsewhere, "sam@example.org", mailoutbox)
    sign_in(here, "sam@example.org", mailoutbox)
    here.post(reverse("usersessions_list"))
    assert here.get(reverse("people:me")).status_code == 200
    assert elsewhere.get(reverse("people:me")).status_code == 302


def test_signing_out_clears_what_the_browser_keeps(client: Client) -> None:
    client.force_login(make_person())
    response = client.post(reverse("account_logout"))
    assert response["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert client.get(reverse("people:me")).status_code == 302


def test_no_cache_keeps_a_page_of_somebody_signed_in(client: Client) -> None:
    client.force_login(make_person())
    assert client.get(reverse("web:home"))["Cache-Control"] == "no-store"
    assert "no-store" not in Client().get(reverse("web:home")).headers.get("Cache-Control", "")


def test_a_public_page_asks_for_no_session(client: Client) -> None:
    response = client.get(reverse("web:privacy"))
    assert "session" not in response.cookies


def test_a_closed_account_is_out_at_the_next_request(client: Client) -> None:
    person = make_person()
    client.force_login(person)
    assert client.get(reverse("people:me")).status_code == 200
    Person.objects.filter(pk=person.pk).update(is_active=False)
    assert client.get(reverse("people:me")).status_code == 302
