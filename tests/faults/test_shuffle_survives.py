"""A shuffle that is killed has done nothing; two at once do it once; and nobody who answers waits for one."""

import threading
import uuid

import pytest
from django.db import connection

from surveys.answering.models import Inbox, Response, Tally, TextAnswer
from surveys.answering.operations import Outcome, shuffle, store_answers
from surveys.design.models import Survey
from tests.conftest import NOW
from tests.factories import make_survey
from tests.faults.conftest import all_at_once, somebody_holding, somebody_waits_for, start_command, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def make_waiting_answers(count: int) -> Survey:
    survey = make_survey(
        [{"key": "safe", "choices": ["yes", "no"]}, {"key": "words", "kind": "long_text"}], dimensions=["safe"]
    )
    for number in range(count):
        store_answers(
            survey.pk,
            submission_id=uuid.uuid4(),
            answers={"safe": "yes" if number % 2 else "no"},
            texts={"words": f"{number}"},
        )
    return survey


def total(survey: Survey) -> int:
    tally = Tally.objects.filter(survey=survey, dimension="", question="").first()
    return tally.count if tally else 0


def counts(survey: Survey) -> tuple[int, int, int, int]:
    return Inbox.objects.count(), Response.objects.count(), TextAnswer.objects.count(), total(survey)


@pytest.mark.parametrize("table", ["surveys_response", "surveys_tally", "surveys_textanswer"])
def test_a_worker_killed_in_mid_shuffle_loses_nothing_and_doubles_nothing(table: str) -> None:
    """The worker is stopped with -9 at three places: before, at and after the tallies; then another one takes over."""
    survey = make_waiting_answers(30)
    shuffle(survey, at=NOW)
    for number in range(20):
        store_answers(
            survey.pk, submission_id=uuid.uuid4(), answers={"safe": "yes"}, texts={"words": f"later {number}"}
        )
    with somebody_holding(table):
        worker = start_command("shuffle")
        wait_until(lambda: somebody_waits_for(table))
        worker.kill()
        worker.wait()
    wait_until(lambda: not somebody_waits_for(table))
    assert counts(survey) == (20, 30, 30, 30)
    assert shuffle(survey, at=NOW) == 20
    assert counts(survey) == (0, 50, 50, 50)
    assert Tally.objects.get(survey=survey, dimension="safe", value="yes", question="", choice="").count == 35


def test_two_shuffles_at_once_move_each_answer_once() -> None:
    survey = make_waiting_answers(60)
    moved = all_at_once(lambda _number: shuffle(survey, at=NOW), range(4))
    assert sum(moved) == 60
    assert counts(survey) == (0, 60, 60, 60)


def test_a_second_shuffle_does_not_run_off_with_less_than_k() -> None:
    """It waits for the first one, and then sees that the answers it had counted are gone."""
    survey = make_waiting_answers(12)
    moved: list[int] = []

    def shuffle_elsewhere() -> None:
        moved.append(shuffle(survey, at=NOW))
        connection.close()

    first, second = threading.Thread(target=shuffle_elsewhere), threading.Thread(target=shuffle_elsewhere)
    with somebody_holding("surveys_tally"):
        first.start()
        wait_until(lambda: somebody_waits_for("surveys_tally"))
        for _ in range(3):
            store_answers(survey.pk, submission_id=uuid.uuid4(), answers={"safe": "yes"}, texts={})
        second.start()
        wait_until(lambda: waiting_backends() == 2)
    first.join()
    second.join()
    assert sorted(moved) == [0, 12]
    assert Inbox.objects.count() == 3


def waiting_backends() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def test_answers_come_in_while_a_shuffle_is_under_way() -> None:
    survey = make_waiting_answers(20)

    def shuffle_elsewhere() -> None:
        shuffle(survey, at=NOW)
        connection.close()

    thread = threading.Thread(target=shuffle_elsewhere)
    with somebody_holding("surveys_tally"):
        thread.start()
        wait_until(lambda: somebody_waits_for("surveys_tally"))
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 2000")  # ms
            outcome = store_answers(survey.pk, submission_id=uuid.uuid4(), answers={"safe": "yes"}, texts={})
            cursor.execute("RESET lock_timeout")
    thread.join()
    assert outcome is Outcome.STORED
    assert counts(survey) == (1, 20, 20, 20)
