"""A code on paper is good for one answer, is never stored readable, and says nothing about who used it."""

import datetime as dt
import re
import uuid
from typing import Any

import pytest
from django.test import Client

from organizing.people.models import Person
from organizing.web.errors import Refused
from surveys.answering import codes
from surveys.answering.codes import Code, WrongTries, draw_code, parse_code
from surveys.answering.models import AccessCode, CodeBatch, Inbox, SpentSubmission
from surveys.answering.operations import find_code, print_codes
from surveys.design.models import Survey
from tests.factories import make_organizer, make_survey
from tests.surveys.answering.posting import open_form, send

QUESTIONS: list[dict[str, Any]] = [
    {"key": "school", "choices": ["north", "south"], "is_required": True},
    {"key": "safe", "choices": ["yes", "no"]},
]


@pytest.fixture(autouse=True)
def fresh_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surveys.answering.operations.wrong_tries", WrongTries())


@pytest.fixture
def survey() -> Survey:
    return make_survey(QUESTIONS, dimensions=["school"], takes_codes=True)


@pytest.fixture
def organizer() -> Person:
    return make_organizer()


def make_codes(survey: Survey, organizer: Person, now: dt.datetime, count: int = 2, **preset: str) -> list[Code]:
    return print_codes(survey, batch_id=uuid.uuid4(), count=count, preset=preset, by=organizer, at=now)


@pytest.mark.parametrize("typed", ["K7QF-3MWX-9TGD", "k7qf3mwx9tgd", " k7qf 3mwx 9tgd ", "Ｋ７ＱＦ–3MWX—9TGD"])
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert parse_code(typed) == Code("K7QF", "3MWX9TGD")


@pytest.mark.parametrize("typed", ["", "K7QF", "K7QF-3MWX-9TGDD", "K7QF-3MWX-9TG0", "K7QF-3MWX-9TGU", "\x00" * 12])
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert parse_code(typed) is None


def test_codes_use_no_sign_that_is_mistaken_for_another() -> None:
    assert not set("01OIUL") & set(codes.ALPHABET)
    assert parse_code(str(draw_code())) is not None


@pytest.mark.django_db
def test_no_code_is_stored_readable(survey: Survey, organizer: Person, now: dt.datetime) -> None:
    made = make_codes(survey, organizer, now, count=3)
    stored = " ".join(map(str, AccessCode.objects.values_list("locator", "secret_hash", "preset")))
    assert stored.count("$argon2id$") == 3
    assert not any(code.secret in stored or code.secret[:4] in stored for code in made)
    assert CodeBatch.objects.get().printed == 3


@pytest.mark.django_db
def test_a_code_takes_one_answer_and_is_destroyed(survey: Survey, organizer: Person, now: dt.datetime) -> None:
    code, other = make_codes(survey, organizer, now)
    answers = {"school": "north", "safe": "yes", ".code": str(code)}
    assert send(survey, answers).status_code == 303
    assert [row.locator for row in AccessCode.objects.all()] == [other.locator]
    again = send(survey, answers)
    assert again.status_code == 422
    assert "an answer with it has been received already" in again.content.decode()
    assert (Inbox.objects.count(), SpentSubmission.objects.count()) == (1, 2)  # an answer, and the batch of slips


@pytest.mark.django_db
def test_sending_a_form_again_is_thanked_though_its_code_is_gone(
    survey: Survey, organizer: Person, now: dt.datetime
) -> None:
    code, _other = make_codes(survey, organizer, now)
    submission_id = open_form(survey)
    answers = {"school": "north", ".code": str(code)}
    assert [send(survey, answers, submission_id=submission_id).status_code for _ in range(2)] == [303, 303]
    assert Inbox.objects.count() == 1


@pytest.mark.django_db
def test_a_form_sent_again_with_another_code_destroys_none(survey: Survey, organizer: Person, now: dt.datetime) -> None:
    code, other = make_codes(survey, organizer, now)
    submission_id = open_form(survey)
    send(survey, {"school": "north", ".code": str(code)}, submission_id=submission_id)
    send(survey, {"school": "south", ".code": str(other)}, submission_id=submission_id)
    assert AccessCode.objects.count() == 1
    assert Inbox.objects.count() == 1


@pytest.mark.django_db
def test_a_mistake_in_the_form_leaves_the_code_usable(survey: Survey, organizer: Person, now: dt.datetime) -> None:
    code, _other = make_codes(survey, organizer, now)
    assert send(survey, {"safe": "perhaps", ".code": str(code)}).status_code == 422
    assert send(survey, {"school": "north", ".code": str(code)}).status_code == 303


@pytest.mark.django_db
def test_a_code_answers_for_its_group(survey: Survey, organizer: Person, now: dt.datetime) -> None:
    code, _other = make_codes(survey, organizer, now, school="south")
    assert send(survey, {"school": "north", "safe": "yes", ".code": str(code)}).status_code == 303
    assert Inbox.objects.get().answers == {"school": "south", "safe": "yes"}


@pytest.mark.django_db
def test_a_wrong_code_is_told_plainly_and_keeps_what_was_typed(survey: Survey) -> None:
    page = send(survey, {"school": "north", ".code": "K7QF"}).content.decode()
    assert "A code has 12 letters and digits" in page
    assert 'value="K7QF"' in page
    assert 'value="north" checked' in page
    assert "This code opens nothing." in send(survey, {"school": "north", ".code": "K7QF-3MWX-9TGD"}).content.decode()


@pytest.mark.django_db
def test_a_code_of_another_survey_opens_nothing(survey: Survey, organizer: Person, now: dt.datetime) -> None:
    other = make_survey(QUESTIONS, dimensions=["school"], takes_codes=True)
    code, _other = make_codes(other, organizer, now)
    assert send(survey, {"school": "north", ".code": str(code)}).status_code == 422
    assert AccessCode.objects.count() == 2


@pytest.mark.django_db
def test_guessing_at_one_code_is_slowed_and_blocks_nobody_else(
    survey: Survey, organizer: Person, now: dt.datetime
) -> None:
    code, neighbour = make_codes(survey, organizer, now)
    for _ in range(10):
        with pytest.raises(Refused, match="opens nothing"):
            find_code(survey.pk, str(draw_code(code.locator)))
    with pytest.raises(Refused, match="wait a minute"):
        find_code(survey.pk, str(code))
    assert find_code(survey.pk, str(neighbour)).preset == {}


def test_tries_come_back_one_a_minute() -> None:
    tries = WrongTries(tries=2, wait=60)
    tries.was_wrong("survey", "K7QF", clock=0)
    tries.was_wrong("survey", "K7QF", clock=0)
    assert not tries.may_try("survey", "K7QF", clock=59)
    assert tries.may_try("survey", "K7QF", clock=61)
    assert tries.may_try("survey", "AAAA", clock=0)


@pytest.mark.django_db
def test_organizers_see_slips_once(survey: Survey, organizer: Person, client: Client) -> None:
    client.force_login(organizer)
    address = f"/surveys/{survey.slug}/codes/"
    page = client.get(address)
    found = re.search(r'name="batch_id" value="([0-9a-f-]{36})"', page.content.decode())
    assert found is not None
    filled = {"batch_id": found[1], "count": 4, "preset-school": "south", "language": "es"}
    slips = client.post(address, filled)
    assert "no-store" in slips["Cache-Control"]
    printed = re.findall(r'class="code-slip">([2-9A-Z-]{14})<', slips.content.decode())
    assert len(printed) == 4
    assert AccessCode.objects.filter(preset={"school": "south"}).count() == 4
    assert find_code(survey.pk, printed[0]).preset == {"school": "south"}
    again = client.post(address, filled)
    assert "made already" in again.content.decode()
    assert AccessCode.objects.count() == 4
    assert printed[0] not in client.get(address).content.decode()
