"""Once a survey has opened, the database itself refuses to change what it asks and promises."""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from surveys.design.models import Choice, Question, Survey
from tests.factories import make_survey

pytestmark = pytest.mark.django_db


def sql(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def question_of(survey: Survey) -> Question:
    return survey.questions.all()[0]


CHANGES_OF_A_QUESTION: list[Callable[[Survey], Any]] = [
    lambda survey: sql('UPDATE surveys_question SET label = \'{"en": "Other"}\' WHERE survey_id = %s', survey.pk),
    lambda survey: sql("UPDATE surveys_question SET bands = '[5]' WHERE survey_id = %s", survey.pk),
    lambda survey: sql("UPDATE surveys_question SET is_required = NOT is_required WHERE survey_id = %s", survey.pk),
    lambda survey: sql("DELETE FROM surveys_choice WHERE question_id = %s", question_of(survey).pk),
    lambda survey: sql("UPDATE surveys_choice SET key = key || 'x' WHERE question_id = %s", question_of(survey).pk),
    lambda survey: Choice.objects.create(question=question_of(survey), key="new", order=9, label={"en": "New"}),
    lambda survey: Question.objects.create(survey=survey, key="new", order=9, kind="short_text", label={"en": "New"}),
    lambda survey: Question.objects.bulk_create([Question(survey=survey, key="new", order=9, kind="short_text")]),
    lambda survey: question_of(survey).delete(),
    lambda survey: question_of(make_survey([{"key": "q", "choices": ["a", "b"]}], state="draft")).choices.update(
        question=question_of(survey)
    ),
    lambda survey: make_survey(state="draft").questions.update(survey=survey, key="moved", order=9),
    lambda survey: survey.questions.update(survey=make_survey([{"key": "x"}], state="draft"), order=9),
]


@pytest.mark.parametrize("change", CHANGES_OF_A_QUESTION)
@pytest.mark.parametrize("state", ["open", "closed"])
def test_questions_and_choices_of_an_opened_survey_cannot_change(change: Callable[[Survey], Any], state: str) -> None:
    survey = make_survey(state=state)
    with pytest.raises(IntegrityError, match="frozen once it has opened"), transaction.atomic():
        change(survey)


@pytest.mark.parametrize("change", CHANGES_OF_A_QUESTION)
def test_those_of_a_draft_can(change: Callable[[Survey], Any]) -> None:
    survey = make_survey(state="draft")
    with transaction.atomic():
        change(survey)


@pytest.mark.parametrize("state", ["open", "closed"])
@pytest.mark.parametrize(
    "column",
    [
        {"mode": "named"},
        {"k": 50},
        {"slug": "elsewhere"},
        {"title": {"en": "Other"}},
        {"intro": {"en": "We keep everything."}},
        {"consent": {"en": "I agree."}},
        {"dimensions": ["safe"]},
        {"takes_codes": True},
        {"opened_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)},
        {"closed_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)},
    ],
)
def test_what_an_opened_survey_promises_cannot_change(column: dict[str, Any], state: str) -> None:
    survey = make_survey(state=state)
    with pytest.raises(IntegrityError, match="frozen once it has opened"), transaction.atomic():
        Survey.objects.filter(pk=survey.pk).update(**column)


def test_an_anonymous_survey_that_opened_stays_anonymous_by_sql_too() -> None:
    survey = make_survey()
    with pytest.raises(IntegrityError, match="frozen once it has opened"):
        sql("UPDATE surveys_survey SET mode = 'named' WHERE id = %s", survey.pk)


def test_the_method_and_the_day_of_purge_may_change_afterwards() -> None:
    survey = make_survey(state="closed")
    Survey.objects.filter(pk=survey.pk).update(method={"en": "In class."}, purge_on=dt.date(2027, 1, 1))


@pytest.mark.parametrize(
    ("before", "after"), [("draft", "closed"), ("open", "draft"), ("closed", "open"), ("closed", "draft")]
)
def test_a_survey_never_goes_back_nor_skips_being_open(before: str, after: str, now: dt.datetime) -> None:
    survey = make_survey(state=before)
    with pytest.raises(IntegrityError, match="from draft to open to closed"), transaction.atomic():
        Survey.objects.filter(pk=survey.pk).update(
            state=after, opened_at=survey.opened_at or now, closed_at=survey.closed_at or now
        )


@pytest.mark.parametrize("state", ["open", "closed"])
def test_an_opened_survey_cannot_be_deleted(state: str) -> None:
    survey = make_survey([{"key": "q", "kind": "short_text"}], state=state)
    with pytest.raises(IntegrityError, match="cannot be deleted"):
        sql("DELETE FROM surveys_survey WHERE id = %s", survey.pk)


def test_a_draft_can_be_deleted_with_all_its_questions() -> None:
    make_survey(state="draft").delete()
    assert not Choice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_question_slips_in_behind_an_opening_that_is_not_committed_yet() -> None:
    survey = make_survey(state="draft")
    refused: list[str] = []

    def add() -> None:
        try:
            Question.objects.create(survey=survey, key="late", order=9, kind="short_text", label={"en": "Late"})
        except IntegrityError as error:
            refused.append(str(error))
        finally:
            connection.close()

    with transaction.atomic():
        Survey.objects.filter(pk=survey.pk).update(state="open", opened_at=dt.datetime(2026, 9, 1, tzinfo=dt.UTC))
        thread = threading.Thread(target=add)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()  # it waits for this transaction
    thread.join(5)
    assert refused
    assert not survey.questions.filter(key="late").exists()
