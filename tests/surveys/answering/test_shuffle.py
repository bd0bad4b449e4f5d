"""Answers leave the inbox in batches of at least k, in no order, with the tallies."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection

from surveys.answering.models import Inbox, Response, Tally, TextAnswer
from surveys.answering.operations import close_survey, shuffle, shuffle_due
from surveys.answering.sealing import seal, unseal
from surveys.design.models import Survey
from tests.factories import make_survey

QUESTIONS: list[dict[str, Any]] = [
    {"key": "school", "kind": "single", "choices": ["north", "south"]},
    {"key": "trust", "kind": "scale", "low": 1, "high": 5},
    {"key": "words", "kind": "long_text"},
]


def make_waiting(survey: Survey, count: int, start: int = 0) -> None:
    Inbox.objects.bulk_create(
        Inbox(
            survey=survey,
            answers={"school": ["north", "south"][number % 2], "trust": number % 5 + 1},
            texts={"words": seal(f"words {number}")} if number % 3 == 0 else {},
        )
        for number in range(start, start + count)
    )


def tally(survey: Survey, *key: str) -> int:
    dimension, value, question, choice = key
    return Tally.objects.get(survey=survey, dimension=dimension, value=value, question=question, choice=choice).count


@pytest.mark.django_db
def test_answers_wait_until_there_are_k_of_them(now: dt.datetime) -> None:
    survey = make_survey(QUESTIONS, dimensions=["school"])
    make_waiting(survey, 9)
    assert shuffle(survey, at=now) == 0
    assert Response.objects.count() == 0
    make_waiting(survey, 1)
    assert shuffle(survey, at=now) == 10
    assert (Inbox.objects.count(), Response.objects.count()) == (0, 10)


@pytest.mark.django_db
def test_closing_moves_what_is_left_and_late_answers_follow(now: dt.datetime) -> None:
    survey = make_survey(QUESTIONS)
    make_waiting(survey, 3)
    assert close_survey(survey, by=None, at=now) == 3
    make_waiting(survey, 1)  # was on its way while the survey closed
    assert shuffle_due(at=now) == {survey.slug: 1}
    assert shuffle_due(at=now) == {}
    assert Response.objects.count() == 4
    assert tally(survey, "", "", "", "") == 4


@pytest.mark.django_db
def test_tallies_grow_with_the_batch_and_texts_part_from_answers(now: dt.datetime) -> None:
    survey = make_survey(QUESTIONS, dimensions=["school"])
    make_waiting(survey, 30)
    shuffle(survey, at=now)
    assert tally(survey, "", "", "", "") == 30
    assert tally(survey, "school", "north", "trust", "1") == 3
    assert tally(survey, "", "", "words", "") == 10
    assert {unseal(text.sealed) for text in TextAnswer.objects.all()} == {f"words {n}" for n in range(0, 30, 3)}
    assert all(set(response.answers) == {"school", "trust"} for response in Response.objects.all())


@pytest.mark.django_db
def test_a_later_batch_takes_earlier_answers_along_and_counts_them_once(now: dt.datetime) -> None:
    survey = make_survey(QUESTIONS, dimensions=["school"])
    make_waiting(survey, 20)
    shuffle(survey, at=now)
    before = set(Response.objects.values_list("id", flat=True))
    texts = set(TextAnswer.objects.values_list("id", flat=True))
    make_waiting(survey, 10, start=20)
    shuffle(survey, at=now)
    after = set(Response.objects.values_list("id", flat=True))
    assert len(after) == 30
    assert not before & after
    assert texts < set(TextAnswer.objects.values_list("id", flat=True))
    assert tally(survey, "", "", "", "") == 30
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT xmin::text FROM surveys_response UNION SELECT xmin::text FROM surveys_textanswer"
            " UNION SELECT xmin::text FROM surveys_tally"
        )
        assert len(cursor.fetchall()) == 1


@pytest.mark.django_db
def test_big_inboxes_move_in_several_transactions(now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surveys.answering.operations.BATCH_MAX", 40)
    monkeypatch.setattr("surveys.answering.operations.MIXED_IN", 7)
    survey = make_survey(QUESTIONS)
    make_waiting(survey, 105)
    assert shuffle(survey, at=now) == 105
    assert Response.objects.count() == 105


@pytest.mark.django_db
def test_other_surveys_are_left_alone(now: dt.datetime) -> None:
    one, other = make_survey(QUESTIONS), make_survey(QUESTIONS)
    make_waiting(one, 10)
    make_waiting(other, 10)
    shuffle(one, at=now)
    assert Inbox.objects.filter(survey=other).count() == 10
    assert not Response.objects.filter(survey=other).exists()
    shuffle(other, at=now)
    assert Response.objects.filter(survey=one).count() == 10
