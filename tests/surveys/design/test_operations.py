"""Editing drafts, opening, closing, and the second person."""

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, transaction

from organizing.audit.models import AuditEvent
from organizing.people.models import Person
from organizing.web.errors import Refused
from surveys.design import portable
from surveys.design.definition import ChoiceDefinition, QuestionDefinition, definition_of, load_definition
from surveys.design.models import NO_ANSWER, Survey, SurveyChange
from surveys.design.operations import (
    add_question,
    approve_change,
    create_survey,
    delete_draft,
    edit_method,
    edit_question,
    edit_settings,
    mark_closed,
    move_question,
    open_survey,
    propose_change,
    remove_question,
    withdraw_change,
)
from tests.factories import make_lead_organizer, make_organizer, make_survey

pytestmark = pytest.mark.django_db

TEXT = QuestionDefinition(key="why", kind="long_text", label={"en": "Why?"})
THREE = [{"key": key, "kind": "short_text"} for key in "abc"]


def keys(survey: Survey) -> list[str]:
    return [question.key for question in definition_of(survey).questions]


def verbs() -> list[str]:
    return [event.verb for event in AuditEvent.objects.order_by("id")]


# --- Drafts ---


def test_a_question_is_added_at_the_end_moved_edited_and_removed(now: dt.datetime) -> None:
    survey = make_survey(THREE, state="draft")
    add_question(survey, TEXT, by=None, at=now)
    assert keys(survey) == ["a", "b", "c", "why"]
    move_question(survey, "why", to=1, by=None, at=now)
    assert keys(survey) == ["a", "why", "b", "c"]
    move_question(survey, "a", to=99, by=None, at=now)
    assert keys(survey) == ["why", "b", "c", "a"]
    edit_question(survey, "b", replace(TEXT, key="b2", help={"en": "Take your time."}), by=None, at=now)
    assert keys(survey) == ["why", "b2", "c", "a"]
    remove_question(survey, "why", by=None, at=now)
    assert keys(survey) == ["b2", "c", "a"]


def test_a_key_is_used_once_whatever_its_case(now: dt.datetime) -> None:
    survey = make_survey(THREE, state="draft")
    with pytest.raises(portable.NotASurvey, match='"A" is used twice'):
        add_question(survey, replace(TEXT, key="A"), by=None, at=now)


def test_a_dimension_follows_its_question(now: dt.datetime) -> None:
    survey = make_survey([{"key": "school", "choices": ["x", "y"]}], state="draft", dimensions=["school"])
    school = definition_of(survey).questions[0]
    edit_question(survey, "school", replace(school, key="place"), by=None, at=now)
    assert definition_of(survey).dimensions == ("place",)
    with pytest.raises(portable.NotASurvey, match="not a question with one choice"):
        edit_question(survey, "place", replace(school, key="place", kind="multiple"), by=None, at=now)
    remove_question(survey, "place", by=None, at=now)
    assert definition_of(survey).dimensions == ()


def test_what_somebody_else_removed_meanwhile_is_refused_in_words(now: dt.datetime) -> None:
    survey = make_survey(THREE, state="draft")
    remove_question(survey, "a", by=None, at=now)
    with pytest.raises(Refused, match="no longer there"):
        edit_question(survey, "a", TEXT, by=None, at=now)
    delete_draft(survey, by=None, at=now)
    with pytest.raises(Refused, match="has been deleted"):
        remove_question(survey, "b", by=None, at=now)


def test_a_short_address_is_taken_once(now: dt.datetime) -> None:
    first, second = make_survey(state="draft"), make_survey(state="draft")
    with pytest.raises(Refused, match="Another survey has this short address"):
        edit_settings(second, replace(definition_of(second).content, slug=first.slug), by=None, at=now)
    with pytest.raises(Refused, match="Another survey has this short address"):
        create_survey(replace(definition_of(second).content, slug=first.slug), by=None, at=now)


def test_settings_leave_the_questions_alone(now: dt.datetime) -> None:
    survey = make_survey(THREE, state="draft")
    settings = replace(definition_of(survey).content, title={"en": "Other"}, k=20, questions=())
    edit_settings(survey, settings, by=None, at=now)
    assert (keys(survey), definition_of(survey).k) == (["a", "b", "c"], 20)


def test_an_edit_that_changes_nothing_writes_nothing(now: dt.datetime) -> None:
    survey = make_survey(THREE, state="draft")
    move_question(survey, "a", to=0, by=None, at=now)
    assert verbs() == []


@pytest.mark.parametrize("state", ["open", "closed"])
def test_an_opened_survey_refuses_every_edit_in_words(state: str, now: dt.datetime) -> None:
    survey = make_survey(THREE, state=state)
    edits: list[Callable[[], object]] = [
        lambda: add_question(survey, TEXT, by=None, at=now),
        lambda: edit_question(survey, "a", TEXT, by=None, at=now),
        lambda: move_question(survey, "a", to=2, by=None, at=now),
        lambda: remove_question(survey, "a", by=None, at=now),
        lambda: edit_settings(survey, definition_of(survey).content, by=None, at=now),
    ]
    for edit in edits:
        with pytest.raises(Refused, match="can no longer be changed"):
            edit()
    with pytest.raises(Refused, match="cannot be deleted"):
        delete_draft(survey, by=None, at=now)
    edit_method(survey, {"en": "In class."}, by=None, at=now)
    definition = load_definition(survey.slug)
    assert definition is not None
    assert definition.method == {"en": "In class."}


@pytest.mark.django_db(transaction=True)
def test_two_organizers_editing_two_questions_lose_nothing(now: dt.datetime) -> None:
    survey = make_survey(THREE, state="draft")

    def edit(key: str) -> None:
        edit_question(survey, key, replace(TEXT, key=key, label={"en": f"{key} anew"}), by=None, at=now)

    def edit_elsewhere(key: str) -> None:
        try:
            edit(key)
        finally:
            connection.close()

    with transaction.atomic():
        edit("a")
        other = threading.Thread(target=edit_elsewhere, args=("b",))
        other.start()
        other.join(0.5)
        assert other.is_alive()  # it waits until this edit is done, and then reads what it made
    other.join(5)
    assert [question.label["en"] for question in definition_of(survey).questions] == ["a anew", "b anew", "About c?"]


# --- Opening and closing ---


def test_opening_cuts_the_bands_that_were_left_open_and_freezes_them(now: dt.datetime) -> None:
    survey = make_survey(
        [
            {"key": "age", "kind": "number", "low": 10, "high": 20},
            {"key": "hours", "kind": "number", "low": 0, "high": 40, "bands": [5, 20]},
            {"key": "number", "kind": "number"},
        ],
        state="draft",
    )
    open_survey(survey, by=None, at=now)
    definition = definition_of(survey)
    assert [question.bands for question in definition.questions] == [(12, 14, 16, 18), (5, 20), ()]
    assert (definition.is_open, verbs()) == (True, ["survey.open"])


def test_opening_twice_opens_once(now: dt.datetime) -> None:
    survey = make_survey(state="draft")
    open_survey(survey, by=None, at=now)
    survey = open_survey(survey, by=None, at=now + dt.timedelta(days=1))
    assert (survey.opened_at, verbs()) == (now, ["survey.open"])


def test_a_survey_without_questions_does_not_open(now: dt.datetime) -> None:
    survey = make_survey(THREE[:1], state="draft")
    remove_question(survey, "a", by=None, at=now)
    with pytest.raises(Refused, match="no question yet"):
        open_survey(survey, by=None, at=now)
    with pytest.raises(Refused, match="no question yet"):
        propose_change(survey, to_state="open", by=make_organizer(), at=now)


def test_closing_says_when_answers_will_be_dropped_and_is_final(now: dt.datetime) -> None:
    survey = make_survey(state="open")
    mark_closed(survey, by=None, at=now)
    survey = mark_closed(survey, by=None, at=now + dt.timedelta(days=1))
    assert (survey.closed_at, survey.purge_on) == (now, dt.date(2027, 3, 9))
    with pytest.raises(Refused, match="cannot open again"):
        open_survey(survey, by=None, at=now)
    with pytest.raises(Refused, match="has not opened yet"):
        mark_closed(make_survey(state="draft"), by=None, at=now)


def test_a_definition_follows_the_state_and_not_an_opening_that_was_rolled_back(now: dt.datetime) -> None:
    survey = make_survey(THREE, state="draft")
    with transaction.atomic():
        open_survey(survey, by=None, at=now)
        assert keys(survey) == ["a", "b", "c"]
        transaction.set_rollback(True)
    remove_question(survey, "a", by=None, at=now)
    open_survey(survey, by=None, at=now + dt.timedelta(seconds=1))
    assert keys(survey) == ["b", "c"]
    mark_closed(survey, by=None, at=now)
    assert definition_of(survey).state == "closed"


def test_an_opened_definition_is_read_with_one_query(now: dt.datetime, django_assert_num_queries: object) -> None:
    survey = make_survey(THREE, state="open")
    load_definition(survey.slug)
    with django_assert_num_queries(1):  # type: ignore[operator]
        load_definition(survey.slug)


def test_the_values_of_a_dimension_end_with_having_said_nothing() -> None:
    content = portable.read(
        {
            "format": 1,
            "slug": "s",
            "title": "S",
            "dimensions": ["q"],
            "questions": [
                {
                    "key": "q",
                    "kind": "single",
                    "label": "Q",
                    "choices": [{"key": "a", "label": "A"}, {"key": "b", "label": "B"}],
                }
            ],
        }
    )
    assert content.dimension_values("q") == ("a", "b", NO_ANSWER)
    said = replace(
        content.questions[0],
        choices=(*content.questions[0].choices, ChoiceDefinition(key=NO_ANSWER, label={"en": "I'd rather not"})),
    )
    assert replace(content, questions=(said,)).dimension_values("q") == ("a", "b", NO_ANSWER)


# --- Two people ---


@pytest.fixture
def organizer() -> Person:
    return make_organizer()


@pytest.fixture
def lead() -> Person:
    return make_lead_organizer()


def test_an_organizer_proposes_and_a_lead_organizer_opens(organizer: Person, lead: Person, now: dt.datetime) -> None:
    survey = make_survey(state="draft")
    change = propose_change(survey, to_state="open", by=organizer, at=now)
    approve_change(change, by=lead, at=now)
    survey.refresh_from_db()
    assert survey.is_open
    assert verbs() == ["survey.propose", "survey.approve", "survey.open"]
    assert approve_change(change, by=lead, at=now).approved_at == now  # again changes nothing
    assert len(verbs()) == 3


def test_a_lead_organizer_does_not_approve_their_own_proposal(lead: Person, now: dt.datetime) -> None:
    survey = make_survey(state="draft")
    change = propose_change(survey, to_state="open", by=lead, at=now)
    with pytest.raises(Refused, match="other than the person who proposed"):
        approve_change(change, by=lead, at=now)
    with pytest.raises(IntegrityError, match="a_second_person_approves_a_survey_change"), transaction.atomic():
        SurveyChange.objects.filter(pk=change.pk).update(approved_by=lead, approved_at=now)
    survey.refresh_from_db()
    assert survey.is_draft


def test_another_organizer_is_not_enough(organizer: Person, now: dt.datetime) -> None:
    change = propose_change(make_survey(state="draft"), to_state="open", by=organizer, at=now)
    with pytest.raises(Refused, match="lead organizer"):
        approve_change(change, by=make_organizer(), at=now)


def test_closing_needs_two_people_as_well(organizer: Person, lead: Person, now: dt.datetime) -> None:
    survey = make_survey(state="open")
    change = propose_change(survey, to_state="closed", by=organizer, at=now)
    approve_change(change, by=lead, at=now)
    survey.refresh_from_db()
    assert survey.state == "closed"


def test_one_change_waits_at_a_time_and_leads_to_the_next_state(organizer: Person, now: dt.datetime) -> None:
    survey = make_survey(state="draft")
    with pytest.raises(Refused, match="from draft to open to closed"):
        propose_change(survey, to_state="closed", by=organizer, at=now)
    change = propose_change(survey, to_state="open", by=organizer, at=now)
    with pytest.raises(Refused, match="waiting for approval already"):
        propose_change(survey, to_state="open", by=organizer, at=now)
    withdraw_change(change, by=organizer, at=now)
    withdraw_change(change, by=organizer, at=now)
    propose_change(survey, to_state="open", by=organizer, at=now)


def test_a_proposal_that_was_withdrawn_is_not_approved_nor_the_reverse(
    organizer: Person, lead: Person, now: dt.datetime
) -> None:
    survey = make_survey(state="draft")
    change = propose_change(survey, to_state="open", by=organizer, at=now)
    withdraw_change(change, by=organizer, at=now)
    with pytest.raises(Refused, match="withdrawn"):
        approve_change(change, by=lead, at=now)
    change = propose_change(survey, to_state="open", by=organizer, at=now)
    approve_change(change, by=lead, at=now)
    with pytest.raises(Refused, match="approved already"):
        withdraw_change(change, by=organizer, at=now)


def test_an_edit_withdraws_the_proposal_so_that_what_was_proposed_is_what_opens(
    organizer: Person, lead: Person, now: dt.datetime
) -> None:
    survey = make_survey(THREE, state="draft")
    change = propose_change(survey, to_state="open", by=organizer, at=now)
    remove_question(survey, "a", by=organizer, at=now)
    with pytest.raises(Refused, match="withdrawn"):
        approve_change(change, by=lead, at=now)
