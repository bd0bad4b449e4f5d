"""Students open a survey and send it: no log-in, no trace, stored once."""

import html
import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from surveys.answering.models import Inbox, NamedResponse, SpentSubmission
from surveys.answering.sealing import unseal
from surveys.design.models import Survey
from tests.factories import make_survey
from tests.surveys.answering.posting import FORM, address, open_form, send

pytestmark = pytest.mark.django_db

QUESTIONS: list[dict[str, Any]] = [
    {"key": "safe", "kind": "single", "choices": ["yes", "no"], "is_required": True},
    {"key": "seen", "kind": "multiple", "choices": ["hall", "gate", "bus"]},
    {"key": "trust", "kind": "scale", "low": 1, "high": 5},
    {"key": "stops", "kind": "number", "low": 0, "high": 30},
    {"key": "place", "kind": "short_text"},
    {"key": "words", "kind": "long_text"},
]
PROMISE = (
    "No name, e-mail, IP address, browser or time is kept with your answers. "
    "Your code is destroyed when you submit; we cannot find, change or return your answers afterwards. "
    "Results for fewer than {k} students are never shown. "
    "If you write something that identifies you, a person removes it before anyone else reads it. "
    "A school network may record that you visited this site."
)


def text_of(page: bytes) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.decode())))


def waiting() -> tuple[dict[str, Any], dict[str, str]]:
    row = Inbox.objects.get()
    return row.answers, {key: unseal(sealed) for key, sealed in row.texts.items()}


def test_the_form_says_exactly_the_promise_with_its_own_k() -> None:
    assert PROMISE.format(k=10) in text_of(Client().get(address(make_survey())).content)
    assert PROMISE.format(k=15) in text_of(Client().get(address(make_survey(k=15))).content)


def test_neither_opening_nor_sending_nor_thanking_sets_a_cookie() -> None:
    survey = make_survey()
    client = Client()
    assert not client.get(address(survey)).cookies
    response = send(survey, {"safe": "yes"}, client=client)
    assert response.status_code == 303
    assert not response.cookies
    assert not client.get(response["Location"]).cookies
    assert "Vary" not in response or "Cookie" not in response["Vary"]


def test_every_kind_of_answer_is_stored_in_its_compact_form() -> None:
    survey = make_survey(QUESTIONS)
    response = send(
        survey,
        {
            "safe": "no",
            "seen": ["bus", "hall"],
            "trust": "4",
            "stops": "2,5",
            "place": " the gate ",
            "words": "line\r\nand line",
        },
    )
    assert (response.status_code, response["Location"]) == (303, f"{address(survey)}thanks/?lang=en")
    assert waiting() == (
        {"safe": "no", "seen": ["hall", "bus"], "trust": 4, "stops": 2.5},
        {"place": "the gate", "words": "line\nand line"},
    )


def test_questions_left_open_are_not_stored() -> None:
    send(make_survey(QUESTIONS), {"safe": "yes", "trust": "", "stops": " ", "words": "\n"})
    assert waiting() == ({"safe": "yes"}, {})


def test_a_submission_takes_three_statements_at_most() -> None:
    survey = make_survey(QUESTIONS)
    open_form(survey)
    with CaptureQueriesContext(
        connection,
    ) as statements:
        submission_id = open_form(survey)
        send(survey, {"safe": "yes", "words": "words"}, submission_id=submission_id)
    assert len(statements) <= 3, statements.captured_queries


def test_each_opening_has_a_number_of_its_own() -> None:
    survey = make_survey()
    assert open_form(survey) != open_form(survey)


def test_sending_a_form_again_is_thanked_and_stored_once() -> None:
    survey = make_survey()
    submission_id = open_form(survey)
    first, second = (send(survey, {"safe": answer}, submission_id=submission_id) for answer in ("yes", "no"))
    assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])
    assert waiting()[0] == {"safe": "yes"}
    assert SpentSubmission.objects.count() == 1


def test_sending_a_form_again_after_the_survey_has_closed_is_thanked_too() -> None:
    survey = make_survey()
    submission_id = open_form(survey)
    send(survey, {"safe": "yes"}, submission_id=submission_id)
    close(survey)
    assert send(survey, {"safe": "yes"}, submission_id=submission_id).status_code == 303
    assert send(survey, {"safe": "yes"}, submission_id=str(uuid.uuid4())).status_code == 410


def close(survey: Survey) -> None:
    Survey.objects.filter(pk=survey.pk).update(state="closed", closed_at=survey.opened_at)


def test_a_survey_that_closed_while_somebody_answered_stores_nothing_and_says_so() -> None:
    survey = make_survey()
    submission_id = open_form(survey)
    close(survey)
    response = send(survey, {"safe": "yes"}, submission_id=submission_id)
    assert response.status_code == 410
    assert "This survey is closed" in text_of(response.content)
    assert (Inbox.objects.count(), SpentSubmission.objects.count()) == (0, 0)


def test_a_closed_survey_says_so() -> None:
    response = Client().get(address(make_survey(state="closed")))
    assert response.status_code == 410
    assert "takes no more answers" in text_of(response.content)


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_survey_and_a_draft_are_not_found(method: str) -> None:
    draft = make_survey(state="draft")
    for slug in ("no-such-survey", draft.slug):
        response = getattr(Client(), method)(
            f"/s/{slug}/", **({"data": "q-safe=yes", "content_type": FORM} if method == "post" else {})
        )
        assert response.status_code == 404
        assert "There is no survey at this address" in text_of(response.content)


def test_a_mistake_keeps_everything_typed_and_names_the_field() -> None:
    survey = make_survey(QUESTIONS)
    submission_id = open_form(survey)
    response = send(
        survey,
        {"seen": ["gate"], "trust": "4", "stops": "many", "place": "<b>gate</b>", "words": "سلام 🚌 x"},
        submission_id=submission_id,
    )
    page = response.content.decode()
    assert response.status_code == 422
    assert '<a href="#q-safe">About safe?</a>: Please choose an answer.' in page
    assert '<a href="#q-stops">About stops?</a>: Please write a number, in digits.' in page
    assert "autofocus" in page
    assert 'value="gate" checked' in page
    assert 'value="4" checked' in page
    assert 'value="many"' in page
    assert "&lt;b&gt;gate&lt;/b&gt;" in page
    assert "سلام 🚌 x</textarea>" in page
    assert f'value="{submission_id}"' in page
    assert not Inbox.objects.exists()
    assert send(survey, {"safe": "yes"}, submission_id=submission_id).status_code == 303


REFUSED = [
    ({"safe": "maybe"}, "Please choose one of the answers listed."),
    ({"safe": ["yes", "no"]}, "Please choose one of the answers listed."),
    ({"safe": "yes", "seen": ["hall", "moon"]}, "Please choose from the answers listed."),
    ({"safe": "yes", "trust": "6"}, "Please choose one of the steps of the scale."),
    ({"safe": "yes", "trust": "2.5"}, "Please choose one of the steps of the scale."),
    ({"safe": "yes", "trust": "٣"}, "Please choose one of the steps of the scale."),
    ({"safe": "yes", "stops": "31"}, "Please write a number that is not over 30."),
    ({"safe": "yes", "stops": "-1"}, "Please write a number that is not under 0."),
    ({"safe": "yes", "stops": "nan"}, "Please write a number, in digits."),
    ({"safe": "yes", "stops": "1e400"}, "Please write a number, in digits."),
    ({"safe": "yes", "place": "x" * 201}, "This is 1 character too long. Please shorten it to 200."),
    ({"safe": "yes", "words": "x" * 5003}, "This is 3 characters too long. Please shorten it to 5000."),
    ({"safe": "yes", ".leave_this_open": "buy"}, "Something was filled in that people do not see."),
    ({"safe": "yes", ".submission_id": "1 OR 1=1"}, "This form has lost its number."),
]


@pytest.mark.parametrize(("answers", "message"), REFUSED)
def test_what_cannot_be_an_answer_is_refused_with_a_sentence(answers: dict[str, Any], message: str) -> None:
    response = send(make_survey(QUESTIONS), answers)
    assert response.status_code == 422
    assert message in text_of(response.content)
    assert (Inbox.objects.count(), SpentSubmission.objects.count()) == (0, 0)


CLEANED = [
    (b"a%00b", "ab"),
    (b"a%ED%A0%80b", "a\ufffd\ufffd\ufffdb"),  # a lone surrogate
    (b"%FF%FE", "\ufffd\ufffd"),
    (b"%E2%80%AE%D8%B3%D9%84%D8%A7%D9%85", "\u202eسلام"),
    (b"%F0%9F%9A%8C%F0%9F%91%A9%E2%80%8D%F0%9F%8E%93", "🚌👩\u200d🎓"),
    (b"e%CC%81", "é"),
    (b"%1B%5B31m%07red", "[31mred"),
    (b"%E2%80%A8x", "x"),
]


@pytest.mark.parametrize(("typed", "stored"), CLEANED)
def test_strange_characters_are_kept_or_cleaned_and_never_break_anything(typed: bytes, stored: str) -> None:
    survey = make_survey(QUESTIONS)
    body = f"submission_id={open_form(survey)}&q-safe=yes&q-words=".encode() + typed
    response = Client().post(address(survey), body, content_type=FORM)
    assert response.status_code == 303
    assert waiting()[1]["words"] == stored


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"q-safe=yes&q-words=" + b"x" * 1_100_000, FORM, 400),
        (b"&".join(b"f%d=1" % number for number in range(1_100)), FORM, 400),
        (b"submission_id=1", "multipart/form-data; boundary=x", 415),
        (b"{}", "application/json", 415),
        (b"\x00\xff\xfe", FORM, 422),
        (b"q-safe=yes", FORM + "; charset=utf-7", 400),
    ],
)
def test_what_is_no_form_is_refused_in_plain_words(body: bytes, content_type: str, status: int) -> None:
    survey = make_survey(QUESTIONS)
    response = Client().post(address(survey), body, content_type=content_type)
    assert response.status_code == status
    assert "<h1" in response.content.decode()
    assert not Inbox.objects.exists()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Origin": "http://testserver"}, 303),
        ({}, 303),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_only_our_own_form_is_taken(headers: dict[str, Any], status: int) -> None:
    response = send(make_survey(), {"safe": "yes"}, **headers)
    assert response.status_code == status
    assert Inbox.objects.count() == (status == 303)


def test_the_language_comes_from_the_address_then_from_the_browser() -> None:
    survey = make_survey([{"key": "safe", "choices": ["yes"], "label": {"en": "Safe?", "es": "¿Seguro?"}}])
    page = Client().get(address(survey), headers={"Accept-Language": "fr, es-MX;q=0.8, en;q=0.5"}).content.decode()
    assert "¿Seguro?" in page
    assert '<html lang="es"' in page
    assert "Safe?" in Client().get(f"{address(survey)}?lang=en", headers={"Accept-Language": "es"}).content.decode()
    assert "Safe?" in Client().get(f"{address(survey)}?lang=xx", headers={"Accept-Language": "xx"}).content.decode()


def test_headers_keep_the_page_to_itself() -> None:
    response = Client().get(address(make_survey()))
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Content-Type-Options"] == "nosniff"
    policy = response["Content-Security-Policy"]
    nonce = re.search(r"script-src[^;]*'nonce-([^']+)'", policy)
    assert nonce is not None
    assert f'nonce="{nonce[1]}"' in response.content.decode()
    assert "unsafe-inline" not in policy
    assert Client().get(address(make_survey()))["Content-Security-Policy"] != policy


def test_other_methods_are_not_for_this_page() -> None:
    survey = make_survey()
    assert Client().put(address(survey)).status_code == 405
    assert Client().post(f"{address(survey)}thanks/").status_code == 405
    assert Client().head(address(survey)).status_code == 200


def make_named() -> Survey:
    return make_survey(QUESTIONS, mode="named", consent={"en": "You may keep my name."})


def test_a_named_survey_stores_name_and_the_words_agreed_to() -> None:
    survey = make_named()
    submission_id = open_form(survey)
    filled = {"safe": "yes", "words": "hi", ".name": "Ana", ".email": "ana@example.org", ".consent": "yes"}
    assert [send(survey, filled, submission_id=submission_id).status_code for _ in range(2)] == [303, 303]
    row = NamedResponse.objects.get()
    assert (row.name, row.email, row.consent) == ("Ana", "ana@example.org", "You may keep my name.")
    assert row.answers == {"safe": "yes", "words": "hi"}
    assert not Inbox.objects.exists()


def test_a_named_survey_stores_nothing_without_consent_or_name() -> None:
    survey = make_named()
    page = text_of(send(survey, {"safe": "yes", ".email": "ana at home"}).content)
    for message in ("Please write your name.", "This is not an e-mail address.", "Please tick this if you agree."):
        assert message in page
    assert "No name, e-mail" not in page
    assert not NamedResponse.objects.exists()


def test_an_error_tells_the_log_where_and_nothing_of_what(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    words = "canary words"

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError(words)

    survey = make_survey(QUESTIONS)
    submission_id = open_form(survey)
    monkeypatch.setattr("surveys.answering.views.store_answers", fail)
    response = send(survey, {"safe": "yes", "words": words}, submission_id=submission_id)
    assert response.status_code == 503
    assert "RuntimeError" in caplog.text
    assert "canary" not in caplog.text
    assert survey.slug not in caplog.text
