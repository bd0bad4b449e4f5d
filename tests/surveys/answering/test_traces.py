"""Whoever gave an address with their answers finds them on their own page, and takes them along when they leave."""

import uuid
from datetime import datetime

import pytest

from organizing.people.models import Person
from organizing.people.privacy import erase, export
from surveys.answering.models import NamedResponse
from surveys.answering.operations import store_named_answers
from tests.factories import make_person, make_survey

pytestmark = pytest.mark.django_db


def answer_as(email: str, *, at: datetime) -> None:
    survey = make_survey(mode="named", slug=f"meeting-{uuid.uuid4().hex[:8]}", title={"en": "Meeting"})
    store_named_answers(
        survey.pk,
        submission_id=uuid.uuid4(),
        name="Sam",
        email=email,
        consent="You may call me",
        answers={"safe": "yes", "likes": ["art", "band"]},
        at=at,
    )


def told_to(person: Person, *, at: datetime) -> list[dict[str, str]]:
    answers: list[dict[str, str]] = export(person, at=at)["sections"]["surveys"]
    return answers


def test_answers_given_with_an_address_are_told_to_its_owner_alone(now: datetime) -> None:
    sam, other, nobody = make_person(email="sam@example.org"), make_person(), make_person(email=None)
    answer_as("Sam@Example.org", at=now)
    answer_as("", at=now)
    (fact,) = told_to(sam, at=now)
    assert fact["label"] == "Meeting"
    assert fact["value"].endswith("2026: safe: yes; likes: art, band")
    assert told_to(other, at=now) == told_to(nobody, at=now) == []


def test_they_go_when_their_owner_leaves(now: datetime) -> None:
    sam = make_person(email="sam@example.org")
    answer_as("sam@example.org", at=now)
    answer_as("kim@example.org", at=now)
    erase(sam, by=sam, at=now)
    assert [answer.email for answer in NamedResponse.objects.all()] == ["kim@example.org"]
