"""When a release may be made, what it holds, and that it stays as it is."""

import datetime as dt
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from organizing.audit.models import AuditEvent
from organizing.web.errors import Refused
from surveys.answering.models import Inbox, Tally
from surveys.answering.operations import shuffle
from surveys.design.models import Survey
from surveys.results.models import Release
from surveys.results.operations import make_release
from tests.factories import make_organizer, make_survey, make_tallies

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 9, 10, 20, 0, tzinfo=dt.UTC)
SCHOOL = {"key": "school", "kind": "single", "choices": ["adams", "brooks", "cross"]}
SAFE = {"key": "safe", "kind": "single", "choices": ["yes", "no"]}
LIKES = {"key": "likes", "kind": "multiple", "choices": ["art", "band"]}
STEPS = {"key": "steps", "kind": "scale", "low": 1, "high": 3}
HOURS = {"key": "hours", "kind": "number", "low": 0, "high": 24, "bands": [5, 10]}
WORDS = {"key": "words", "kind": "long_text"}


def answers(school: str | None, n: int, yes: int, **more: Any) -> list[dict[str, Any]]:
    return [{**({"school": school} if school else {}), "safe": "yes" if i < yes else "no", **more} for i in range(n)]


def make_school_survey(state: str = "closed", **given: Any) -> Survey:
    return make_survey([SCHOOL, SAFE], state=state, dimensions=["school"], **given)


def test_a_release_tells_bands_and_hides_what_would_give_a_group_away() -> None:
    survey = make_school_survey(slug="e1")
    make_tallies(survey, answers("adams", 42, 21) + answers("brooks", 23, 9) + answers("cross", 9, 0))
    release = make_release(survey, at=NOW, by=None)
    nothing = [{"choice": "yes", "low": None, "high": None}, {"choice": "no", "low": None, "high": None}]
    assert release.tables == {
        "survey": "e1",
        "n": {"low": 70, "high": 79},
        "questions": [
            {
                "key": "school",
                "total": [
                    {"choice": "adams", "low": 50, "high": 59},
                    {"choice": "brooks", "low": 30, "high": 39},
                    {"choice": "cross", "low": 11, "high": 19},
                ],
                "by": {},
            },
            {
                "key": "safe",
                "total": [{"choice": "yes", "low": 40, "high": 49}, {"choice": "no", "low": 50, "high": 59}],
                "by": {
                    "school": [
                        {
                            "value": "adams",
                            "shown": True,
                            "choices": [
                                {"choice": "yes", "low": 50, "high": 59},
                                {"choice": "no", "low": 50, "high": 59},
                            ],
                        },
                        {"value": "brooks", "shown": False, "choices": nothing},
                        {"value": "cross", "shown": False, "choices": nothing},
                        {"value": "prefer-not-to-say", "shown": False, "choices": nothing},
                    ]
                },
            },
        ],
    }


def test_every_kind_of_question_is_told_and_words_are_not() -> None:
    survey = make_survey([SAFE, LIKES, STEPS, HOURS, WORDS], state="closed")
    row = {"safe": "yes", "likes": ["art", "band"], "steps": 2, "hours": 7.5, "words": True}
    make_tallies(survey, [row] * 20)
    told = {table["key"]: table["total"] for table in make_release(survey, at=NOW, by=None).tables["questions"]}
    low, high = {"low": 0, "high": 20}, {"low": 80, "high": 100}
    assert told == {
        "safe": [{"choice": "yes", **high}, {"choice": "no", **low}],
        "likes": [{"choice": "art", **high}, {"choice": "band", **high}],
        "steps": [{"choice": "1", **low}, {"choice": "2", **high}, {"choice": "3", **low}],
        "hours": [{"choice": "b0", **low}, {"choice": "b1", **high}, {"choice": "b2", **low}],
    }


def test_a_question_that_fewer_than_k_answered_tells_nothing() -> None:
    survey = make_survey([SAFE, STEPS], state="closed")
    make_tallies(survey, [{"safe": "yes", "steps": 1}] * 9 + [{"safe": "yes"}] * 5)
    safe, steps = make_release(survey, at=NOW, by=None).tables["questions"]
    assert safe["total"][0] == {"choice": "yes", "low": 50, "high": 100}
    assert {choice["low"] for choice in steps["total"]} == {None}


def test_a_greater_k_of_the_survey_holds() -> None:
    survey = make_school_survey(k=30)
    make_tallies(survey, answers("adams", 42, 21) + answers("brooks", 42, 9) + answers("cross", 29, 3))
    safe = make_release(survey, at=NOW, by=None).tables["questions"][1]
    assert [group["shown"] for group in safe["by"]["school"]] == [False, True, False, False]


def test_a_closed_survey_can_be_released_however_few_answered() -> None:
    survey = make_school_survey()
    make_tallies(survey, answers("cross", 3, 1))
    tables = make_release(survey, at=NOW, by=None).tables
    assert tables["n"] == {"low": 0, "high": 9}
    assert tables["questions"][1]["total"][0]["low"] is None


def test_an_open_survey_waits_until_k_have_answered() -> None:
    survey = make_school_survey("open")
    make_tallies(survey, answers("adams", 9, 3))
    with pytest.raises(Refused, match="until 10 people have answered"):
        make_release(survey, at=NOW, by=None)
    make_tallies(survey, answers("adams", 11, 3) + answers("brooks", 12, 3))
    assert make_release(survey, at=NOW, by=None).number == 1


def test_a_small_group_is_hidden_and_holds_up_no_first_release() -> None:
    survey = make_school_survey("open")
    make_tallies(survey, answers("adams", 42, 22) + answers("brooks", 33, 11) + answers("cross", 3, 0))
    safe = make_release(survey, at=NOW, by=None).tables["questions"][1]
    assert [group["shown"] for group in safe["by"]["school"]] == [True, False, False, False]


def test_a_new_release_waits_while_the_small_groups_together_have_changed_by_fewer_than_k() -> None:
    survey = make_school_survey("open")
    make_tallies(survey, answers("adams", 40, 20) + answers("brooks", 3, 1) + answers("cross", 2, 0))
    make_release(survey, at=NOW, by=None)
    make_tallies(survey, answers("adams", 10, 5) + answers("brooks", 1, 1) + answers("cross", 1, 1))
    with pytest.raises(Refused, match="the small groups together” has changed by fewer than 10"):
        make_release(survey, at=NOW, by=None)


def test_a_draft_and_a_survey_with_names_are_not_released() -> None:
    with pytest.raises(Refused, match="not opened"):
        make_release(make_survey(state="draft"), at=NOW, by=None)
    with pytest.raises(Refused, match="keeps names"):
        make_release(make_survey(state="closed", mode="named"), at=NOW, by=None)


def released_survey() -> Survey:
    survey = make_school_survey("open")
    make_tallies(survey, answers("adams", 42, 21) + answers("brooks", 23, 9) + answers("cross", 15, 0))
    make_release(survey, at=NOW, by=None)
    return survey


@pytest.mark.parametrize("more", [1, 9])
def test_a_new_release_waits_while_a_group_has_changed_by_fewer_than_k(more: int) -> None:
    survey = released_survey()
    make_tallies(survey, answers("adams", 10, 1) + answers("cross", more, 1))
    with pytest.raises(Refused, match="Since release 1, “About school\\?: Cross” has changed by fewer than 10"):
        make_release(survey, at=NOW, by=None)
    assert survey.releases.count() == 1


def test_a_new_release_waits_while_the_whole_has_changed_by_fewer_than_k() -> None:
    survey = make_survey([SAFE])
    make_tallies(survey, [{"safe": "yes"}] * 20)
    make_release(survey, at=NOW, by=None)
    make_tallies(survey, [{"safe": "no"}] * 9)
    with pytest.raises(Refused, match="all answers together"):
        make_release(survey, at=NOW, by=None)


def test_closing_does_not_excuse_a_small_change() -> None:
    survey = released_survey()
    make_tallies(survey, answers("cross", 1, 1))
    Survey.objects.filter(pk=survey.pk).update(state="closed", closed_at=NOW)
    with pytest.raises(Refused, match="fewer than 10"):
        make_release(survey, at=NOW, by=None)


def test_groups_that_grew_by_k_or_not_at_all_allow_a_new_release() -> None:
    survey = released_survey()
    make_tallies(survey, answers("adams", 10, 10) + answers("cross", 30, 30))
    release = make_release(survey, at=NOW, by=None)
    assert release.number == 2
    assert release.basis["groups"]["school"] == {
        "adams": 52,
        "brooks": 23,
        "cross": 45,
        "prefer-not-to-say": 0,
    }


def test_a_question_that_few_answered_anew_keeps_its_table() -> None:
    survey = make_survey([SCHOOL, SAFE, STEPS], dimensions=["school"])
    make_tallies(survey, answers("adams", 20, 10, steps=1) + answers("brooks", 20, 10, steps=1))
    first = make_release(survey, at=NOW, by=None)
    make_tallies(survey, answers("adams", 9, 9, steps=3) + answers("adams", 11, 11))
    second = make_release(survey, at=NOW, by=None)
    assert second.number == 2
    assert second.tables["questions"][1] != first.tables["questions"][1]
    assert second.tables["questions"][2] == first.tables["questions"][2]
    assert second.basis["questions"]["steps"]["kept_from"] == 1
    # The nine are not forgotten: with one more they are ten.
    make_tallies(survey, answers("adams", 1, 1, steps=3) + answers("adams", 9, 9))
    third = make_release(survey, at=NOW, by=None)
    assert third.tables["questions"][2] != first.tables["questions"][2]
    assert "kept_from" not in third.basis["questions"]["steps"]


def test_a_closed_survey_waits_until_its_last_answers_are_shuffled() -> None:
    survey = make_school_survey()
    make_tallies(survey, answers("adams", 42, 21))
    # One answer was on its way while the survey closed. Released without it, it could never follow.
    Inbox.objects.create(survey=survey, answers={"school": "adams", "safe": "yes"})
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE organizing_web")
        with pytest.raises(Refused, match="still being shuffled"):
            make_release(survey, at=NOW, by=None)
        cursor.execute("RESET ROLE")
    shuffle(survey, at=NOW)
    assert make_release(survey, at=NOW, by=None).basis["whole"] == 43


def test_pages_cannot_ask_what_waits_in_a_survey_that_is_open() -> None:
    survey = make_school_survey("open")
    Inbox.objects.create(survey=survey, answers={"school": "adams", "safe": "yes"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT surveys_last_answers_wait(%s)", [survey.pk])
        assert cursor.fetchone() == (False,)


def test_a_survey_whose_answers_were_dropped_keeps_its_releases_and_makes_none() -> None:
    survey = make_school_survey(purge_on=NOW.date())
    make_tallies(survey, answers("adams", 42, 21))
    first = make_release(survey, at=NOW - dt.timedelta(days=1), by=None)
    Tally.objects.filter(survey=survey).delete()
    with pytest.raises(Refused, match="have been dropped"):
        make_release(survey, at=NOW, by=None)
    assert survey.releases.get() == first


@pytest.mark.django_db(transaction=True)
def test_two_people_who_release_at_once_make_one_release() -> None:
    survey = make_school_survey()
    make_tallies(survey, answers("adams", 42, 21))
    start = threading.Barrier(4)

    def release(_number: int) -> int:
        try:
            start.wait()
            return make_release(survey, at=NOW, by=None).number
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(release, range(4))) == [1, 1, 1, 1]
    assert survey.releases.count() == 1


def test_releasing_again_without_new_answers_returns_the_same_release() -> None:
    survey = make_school_survey()
    make_tallies(survey, answers("adams", 42, 21))
    first = make_release(survey, at=NOW, by=None)
    assert make_release(survey, at=NOW + dt.timedelta(days=1), by=None) == first
    assert survey.releases.count() == 1


def test_making_a_release_is_written_down_with_who_did_it() -> None:
    organizer = make_organizer()
    survey = make_school_survey()
    release = make_release(survey, at=NOW, by=organizer)
    event = AuditEvent.objects.about(release).get()
    assert (event.verb, event.actor_id, event.at) == ("release.make", organizer.pk, NOW)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE surveys_release SET tables = '{}'",
        "UPDATE surveys_release SET made_on = made_on",
        "DELETE FROM surveys_release",
    ],
)
def test_the_database_refuses_to_alter_or_remove_a_release(statement: str) -> None:
    make_release(make_school_survey(), at=NOW, by=None)
    with pytest.raises(IntegrityError, match="never altered"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Release.objects.count() == 1


def test_the_web_role_may_make_a_release_and_may_not_alter_one() -> None:
    survey = make_school_survey()
    make_tallies(survey, answers("adams", 42, 21))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE organizing_web")
        release = make_release(survey, at=NOW, by=None)
        assert release.number == 1
        cursor.execute("SELECT has_table_privilege('surveys_release', 'UPDATE, DELETE')")
        assert cursor.fetchone() == (False,)


def test_the_command_prints_the_tables_as_json() -> None:
    survey = make_school_survey(slug="walks")
    make_tallies(survey, answers("adams", 42, 21))
    out = StringIO()
    call_command("release_results", "walks", "--json", stdout=out)
    assert json.loads(out.getvalue()) == survey.releases.get().tables


def test_the_command_prints_the_tables_for_reading() -> None:
    survey = make_school_survey(slug="walks")
    make_tallies(survey, answers("adams", 42, 21) + answers("brooks", 23, 9) + answers("cross", 9, 0))
    out = StringIO()
    call_command("release_results", "walks", stdout=out)
    assert "  Yes: 40–49 %" in out.getvalue()
    assert "    Adams: Yes 50–59 %, No 50–59 %" in out.getvalue()
    assert "    not shown: Brooks, Cross, Prefer not to say" in out.getvalue()


def test_the_command_says_in_one_line_what_is_wrong() -> None:
    with pytest.raises(CommandError, match="no survey with the short address “nowhere”"):
        call_command("release_results", "nowhere")
    make_survey(slug="draft", state="draft")
    with pytest.raises(CommandError, match="not opened"):
        call_command("release_results", "draft")
