"""Answers go on their day; what was published stays."""

import datetime as dt
import uuid

import pytest

from organizing.audit.models import AuditEvent
from surveys.answering.models import AccessCode, CodeBatch, Inbox, NamedResponse, Response, Tally, TextAnswer
from surveys.answering.operations import PURGED, close_survey, purge_due, shuffle_due, store_answers
from surveys.answering.tasks import purge_due as purge_task
from surveys.answering.tasks import shuffle_due as shuffle_task
from surveys.design.models import Survey
from tests.factories import make_survey

pytestmark = pytest.mark.django_db


def make_answered(now: dt.datetime) -> Survey:
    survey = make_survey([{"key": "safe", "choices": ["yes"]}, {"key": "words", "kind": "long_text"}])
    for _ in range(12):
        store_answers(survey.pk, submission_id=uuid.uuid4(), answers={"safe": "yes"}, texts={"words": "words"})
    AccessCode.objects.create(survey=survey, locator="AAAA", secret_hash="x")
    CodeBatch.objects.create(survey=survey, printed=30)
    close_survey(survey, by=None, at=now)
    survey.refresh_from_db()
    return survey


def test_answers_are_dropped_180_days_after_closing_and_not_before(now: dt.datetime) -> None:
    survey = make_answered(now)
    day = now.date() + dt.timedelta(days=180)
    assert purge_due(on=day - dt.timedelta(days=1), at=now) == []
    assert Response.objects.count() == 12
    assert purge_due(on=day, at=now) == [survey.slug]
    assert not any(model.objects.filter(survey=survey).exists() for model in PURGED)
    assert {Response, TextAnswer, Inbox, Tally, NamedResponse} <= set(PURGED)
    assert CodeBatch.objects.get().printed == 30
    assert Survey.objects.filter(pk=survey.pk).exists()


def test_the_deletion_is_written_down_by_id_and_done_again_after_a_restore(now: dt.datetime) -> None:
    survey = make_answered(now)
    day = now.date() + dt.timedelta(days=200)
    purge_due(on=day, at=now)
    assert purge_due(on=day, at=now) == []
    event = AuditEvent.objects.get(verb="survey.purge")
    assert (event.object_id, event.detail) == (str(survey.pk), {})
    Response.objects.create(survey=survey, answers={"safe": "yes"})  # a backup brought it back
    assert purge_due(on=day, at=now) == [survey.slug]
    assert not Response.objects.exists()


def test_an_open_survey_is_never_purged(now: dt.datetime) -> None:
    survey = make_survey(purge_on=now.date())
    Inbox.objects.create(survey=survey, answers={})
    assert purge_due(on=now.date() + dt.timedelta(days=999), at=now) == []


def test_the_clock_rings_for_what_is_due(now: dt.datetime) -> None:
    survey = make_survey()
    for _ in range(10):
        store_answers(survey.pk, submission_id=uuid.uuid4(), answers={"safe": "yes"}, texts={})
    shuffle_task()
    assert Response.objects.count() == 10
    assert shuffle_due(at=now) == {}
    purge_task()
    assert Response.objects.count() == 10
