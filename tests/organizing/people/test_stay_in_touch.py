"""A stranger's form touches no person before the address is confirmed, and tells nobody who is known."""

import datetime as dt
import re
import threading
import uuid
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import close_old_connections, connection
from django.test import Client
from django.urls import reverse

from organizing.people import operations
from organizing.people.models import Person, StayInTouch
from organizing.people.operations import ask_to_stay_in_touch, confirm_wish, prune_wishes
from tests.factories import make_person
from tests.organizing.web.guarded import filled

pytestmark = pytest.mark.django_db
URL = "/stay-in-touch/"


@pytest.fixture(autouse=True)
def _people_take_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the guard's minimum time pass at once."""
    monkeypatch.setattr("organizing.web.guard.FASTEST", dt.timedelta(0))


def send(client: Client, *, proof: bool = True, **fields: Any) -> Any:
    form = client.get(URL).context["form"]
    given = {"email": "sam@example.org", "display_name": "Sam", "language": "en", "is_old_enough": "on"}
    return client.post(URL, filled(form, proof=proof, **{**given, **fields}))


def link_in(message: EmailMultiAlternatives) -> str:
    found = re.search(r"https?://[^/]+(/stay-in-touch/\S+)", str(message.body))
    assert found
    return found.group(1)


def ask(email: str, at: dt.datetime, *, proof: bool = True) -> StayInTouch:
    return ask_to_stay_in_touch(
        email=email,
        display_name="Sam",
        language="es",
        message="",
        submission_id=uuid.uuid4(),
        proof_given=proof,
        at=at,
    )


def test_nobody_is_added_before_the_link_is_pressed(client: Client) -> None:
    response = send(client)
    assert "s…@example.org" in client.get(response["Location"]).content.decode()
    assert not Person.objects.exists()


def test_pressing_the_link_adds_the_person_who_can_sign_in(client: Client) -> None:
    send(client, email="Sam@Example.org", language="es", message="I speak Spanish")
    link = link_in(mail.outbox[0])  # type: ignore[arg-type]
    assert "I speak Spanish" in client.get(link).content.decode()
    assert not Person.objects.exists(), "a program that opens links in mail confirms nothing"
    client.post(link)
    person = Person.objects.get()
    assert (person.email, person.display_name, person.languages) == ("sam@example.org", "Sam", ["es"])
    assert person.wants_news_since
    client.post(reverse("account_login"), {"email": "sam@example.org"})
    assert "code" in mail.outbox[1].body


def test_pressing_it_twice_changes_nothing(client: Client) -> None:
    send(client)
    link = link_in(mail.outbox[0])  # type: ignore[arg-type]
    client.post(link)
    before = Person.objects.values().get()
    client.post(link)
    assert Person.objects.values().get() == before
    assert client.get(link).status_code == 200


def test_a_person_we_know_is_not_written_to_before(client: Client) -> None:
    known = make_person(email="sam@example.org", display_name="Samantha", languages=[])
    before = Person.objects.values().get()
    send(client, display_name="<b>Silly</b>", message="mine now")
    assert Person.objects.values().get() == before
    client.post(link_in(mail.outbox[0]))  # type: ignore[arg-type]
    known.refresh_from_db()
    assert known.display_name == "Samantha", "whoever typed the form need not be who reads the mail"
    assert known.languages == ["en"]
    assert known.wants_news_since


def test_a_closed_account_stays_closed(now: dt.datetime) -> None:
    make_person(email="sam@example.org", is_active=False)
    person = confirm_wish(ask("sam@example.org", now), at=now)
    assert (person.is_active, person.wants_news_since) == (False, None)


def test_known_and_unknown_addresses_look_the_same(client: Client) -> None:
    make_person(email="known@example.org")
    pages = []
    for who in ("known", "nobody"):
        response = send(Client(), email=f"{who}@example.org")
        page = Client().get(response["Location"])
        pages.append(
            (response.status_code, page.status_code, page.content.replace(who[:1].encode() + "…".encode(), b""))
        )
    known, unknown = (
        (status, shown, re.sub(rb'[0-9a-f-]{36}|nonce="[^"]*"', b"", text)) for status, shown, text in pages
    )
    assert known == unknown
    assert [message.to for message in mail.outbox] == [["known@example.org"], ["nobody@example.org"]]
    assert mail.outbox[0].subject == mail.outbox[1].subject


def test_the_mail_holds_nothing_that_was_typed(client: Client) -> None:
    send(client, display_name="Buy gold", message="at https://evil.example/")
    (message,) = mail.outbox
    text = message.message().as_string()
    assert "gold" not in text
    assert "evil" not in text


def test_the_mail_is_in_the_language_that_was_chosen_as_text_and_html(client: Client) -> None:
    send(client, language="es")
    (message,) = mail.outbox
    assert isinstance(message, EmailMultiAlternatives)
    assert 'lang="es"' in str(message.alternatives[0][0])


def test_an_address_gets_three_mails_a_day_at_most(client: Client) -> None:
    pages = {client.get(send(client)["Location"]).status_code for _time in range(5)}
    assert pages == {200}
    assert len(mail.outbox) == 3


def test_the_next_day_it_gets_mail_again(now: dt.datetime) -> None:
    assert [ask("sam@example.org", now).gets_mail for _time in range(4)] == [True, True, True, False]
    assert ask("SAM@example.org", now + dt.timedelta(hours=23)).gets_mail is False
    assert ask("sam@example.org", now + dt.timedelta(hours=25)).gets_mail is True


def test_a_thousand_forms_without_proof_send_twenty_mails_an_hour(now: dt.datetime) -> None:
    sent = [ask(f"p{number}@example.org", now, proof=False).gets_mail for number in range(60)]
    assert sent.count(True) == 20
    assert ask("late@example.org", now, proof=True).gets_mail, "browsers that do the work are not held up"


@pytest.mark.django_db(transaction=True)
def test_asking_at_once_sends_three_mails_too(now: dt.datetime) -> None:
    answers = []

    def one() -> None:
        try:
            answers.append(ask("sam@example.org", now).gets_mail)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    close_old_connections()
    assert (answers.count(True), len(answers)) == (3, 8)


@pytest.mark.django_db(transaction=True)
def test_two_links_to_one_new_address_make_one_person(now: dt.datetime) -> None:
    wishes = [ask("sam@example.org", now) for _number in range(3)]

    def confirm(wish: StayInTouch) -> None:
        try:
            confirm_wish(wish, at=now)
        finally:
            connection.close()

    threads = [threading.Thread(target=confirm, args=[wish]) for wish in wishes for _twice in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Person.objects.filter(email="sam@example.org").count() == 1
    assert StayInTouch.objects.filter(person__isnull=True).count() == 0


def test_the_same_form_sent_again_is_one_wish_and_one_mail(client: Client) -> None:
    form = client.get(URL).context["form"]
    given = filled(form, email="sam@example.org", display_name="Sam", language="en", is_old_enough="on")
    where = {client.post(URL, given)["Location"] for _time in range(5)}
    assert len(where) == 1
    assert StayInTouch.objects.count() == len(mail.outbox) == 1


def test_who_is_under_13_leaves_nothing(client: Client) -> None:
    assert send(client, is_old_enough="").status_code == 422
    assert not StayInTouch.objects.exists()


def test_a_program_that_fills_the_hidden_field_leaves_nothing(client: Client) -> None:
    assert send(client, homepage="https://evil.example/").status_code == 422
    assert not StayInTouch.objects.exists()


def test_a_link_that_is_not_ours_or_old_opens_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    send(client)
    link = link_in(mail.outbox[0])  # type: ignore[arg-type]
    assert client.get(link[:-2] + "x/").status_code == 404
    monkeypatch.setattr(operations, "LINK_WORKS_FOR", dt.timedelta(seconds=-1))
    assert client.post(link).status_code == 404
    assert not Person.objects.exists()


def test_what_is_not_confirmed_goes_after_a_week(now: dt.datetime) -> None:
    ask("old@example.org", now - dt.timedelta(days=8))
    ask("new@example.org", now - dt.timedelta(days=6))
    confirm_wish(ask("kept@example.org", now - dt.timedelta(days=8)), at=now)
    assert prune_wishes(at=now) == 1
    assert prune_wishes(at=now) == 0
    assert {wish.email for wish in StayInTouch.objects.all()} == {"new@example.org", "kept@example.org"}


def test_when_mail_fails_the_page_says_so(client: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    response = send(client)
    assert b"could not be sent" in client.get(response["Location"]).content
    assert StayInTouch.objects.exists()
