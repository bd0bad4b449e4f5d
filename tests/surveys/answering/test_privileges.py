"""What the web role may not do, PostgreSQL refuses."""

import datetime as dt
import importlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction

from surveys.answering.models import Inbox, Response, SpentSubmission
from surveys.answering.operations import Outcome, store_answers
from surveys.design.operations import delete_draft
from tests.factories import make_survey

pytestmark = pytest.mark.django_db

FORBIDDEN = [
    "SELECT FROM surveys_inbox",
    "SELECT count(*) FROM surveys_inbox",
    "SELECT answers FROM surveys_inbox",
    "SELECT xmin, ctid FROM surveys_inbox",
    "UPDATE surveys_inbox SET texts = '{}'",
    "DELETE FROM surveys_inbox",
    "TRUNCATE surveys_inbox",
    "SELECT answers FROM surveys_response",
    "SELECT count(*) FROM surveys_response",
    "INSERT INTO surveys_response SELECT gen_random_uuid(), '{}', id FROM surveys_survey",
    "UPDATE surveys_response SET answers = '{}'",
    "DELETE FROM surveys_response",
    "SELECT xmin FROM surveys_spentsubmission",
    "SELECT survey_id FROM surveys_spentsubmission",
    "UPDATE surveys_spentsubmission SET id = id",
    "DELETE FROM surveys_spentsubmission",
    "UPDATE surveys_accesscode SET preset = '{}'",
    "INSERT INTO surveys_tally (survey_id, count) SELECT id, 1 FROM surveys_survey",
    "UPDATE surveys_tally SET count = 0",
    "DELETE FROM surveys_tally",
    "INSERT INTO surveys_textanswer SELECT gen_random_uuid()",
    "UPDATE surveys_textanswer SET sealed = ''",
    "DELETE FROM surveys_textanswer",
    "UPDATE audit_auditevent SET verb = ''",
    "DELETE FROM audit_auditevent",
    "TRUNCATE audit_auditevent",
    "TRUNCATE people_person",
    "CREATE TABLE public.mine (id int)",
    "ALTER TABLE surveys_inbox ADD COLUMN ip inet",
    "DROP TABLE surveys_inbox",
]
ALLOWED = [
    "SELECT count(*) FROM surveys_survey",
    "SELECT id FROM surveys_spentsubmission",
    "SELECT locator, secret_hash FROM surveys_accesscode",
    "DELETE FROM surveys_accesscode WHERE id = 1",
    "SELECT count FROM surveys_tally",
    "SELECT sealed FROM surveys_textanswer",
    "SELECT verb FROM audit_auditevent",
    "UPDATE people_person SET pronouns = '' WHERE FALSE",
]


@contextmanager
def as_web() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE organizing_web")
        try:
            yield
        finally:
            cursor.execute("RESET ROLE")


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_web_role_may_not(statement: str) -> None:
    with as_web(), pytest.raises(DatabaseError, match=r"permission denied|must be owner"), transaction.atomic():
        connection.cursor().execute(statement)


@pytest.mark.parametrize("statement", ALLOWED)
def test_the_web_role_may(statement: str) -> None:
    with as_web():
        connection.cursor().execute(statement)


def test_the_web_role_stores_an_answer_once_without_seeing_the_inbox() -> None:
    survey = make_survey()
    submission = uuid.uuid4()
    with as_web():
        outcomes = [
            store_answers(survey.pk, submission_id=submission, answers={"safe": "yes"}, texts={}) for _ in range(2)
        ]
    assert outcomes == [Outcome.STORED, Outcome.ALREADY]
    assert (Inbox.objects.count(), SpentSubmission.objects.count(), Response.objects.count()) == (1, 1, 0)


def test_the_web_role_edits_and_deletes_drafts(now: dt.datetime) -> None:
    survey = make_survey(state="draft")
    with as_web():
        survey.questions.all().delete()
        delete_draft(survey, by=None, at=now)


def test_a_login_that_may_not_make_roles_is_told_what_to_run() -> None:
    make_role = importlib.import_module("organizing.audit.migrations.0002_database_roles").MAKE_ROLE
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE ROLE somebody_plain_for_a_test NOLOGIN")
        cursor.execute("SET LOCAL ROLE somebody_plain_for_a_test")
        with pytest.raises(DatabaseError, match="GRANT organizing_web TO somebody_plain_for_a_test;"):
            cursor.execute(make_role)
        transaction.set_rollback(True)
