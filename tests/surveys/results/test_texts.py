"""The words that students write: two trustees, one wording, and nobody else."""

import datetime as dt

import pytest
from django.db import connection

from organizing.audit.models import AuditEvent
from organizing.people.models import Person
from organizing.web.errors import Refused
from surveys.answering.models import TextAnswer
from surveys.answering.sealing import unseal
from surveys.design.models import Survey
from surveys.results.models import TextReview
from surveys.results.operations import decide_text, make_release, read_text
from surveys.results.reports import review_queues, waiting_texts
from tests.factories import make_survey, make_tallies, make_text, make_trustee

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 9, 10, 20, 0, tzinfo=dt.UTC)
SAFE = {"key": "safe", "kind": "single", "choices": ["yes", "no"]}
WORDS = {"key": "words", "kind": "long_text"}
APPROVE, WITHHOLD, ESCALATE = (str(decision) for decision in TextReview.Decision)


def make_written_survey(n: int = 12) -> Survey:
    """A closed survey whose text question n people answered."""
    survey = make_survey([SAFE, WORDS], state="closed")
    make_tallies(survey, [{"safe": "yes", "words": True}] * n)
    return survey


def decide(text: TextAnswer, decision: str, by: Person, wording: str = "") -> TextReview:
    return decide_text(text, decision=decision, wording=wording, by=by, at=NOW)


def told_words(survey: Survey) -> list[str]:
    words: list[str] = make_release(survey, at=NOW, by=None).texts.get("words", [])
    return words


def test_a_text_is_told_once_two_trustees_approve_the_same_wording() -> None:
    survey = make_written_survey()
    text = make_text(survey, "Mr. Brown searches our bags")
    decide(text, APPROVE, make_trustee(), "[…] searches our bags")
    assert told_words(survey) == []
    decide(text, APPROVE, make_trustee(), "[…] searches our bags")
    assert told_words(survey) == ["[…] searches our bags"]


def test_another_wording_takes_the_first_approval_away() -> None:
    survey = make_written_survey()
    text = make_text(survey, "Mr. Brown searches our bags at Cross")
    first, second = make_trustee(), make_trustee()
    decide(text, APPROVE, first, "[…] searches our bags at Cross")
    assert not waiting_texts(survey, reviewer=first).exists()
    decide(text, APPROVE, second, "[…] searches our bags")
    assert told_words(survey) == []
    assert waiting_texts(survey, reviewer=first).get() == text
    decide(text, APPROVE, first, "[…] searches our bags")
    assert told_words(survey) == ["[…] searches our bags"]


@pytest.mark.parametrize("decision", [WITHHOLD, ESCALATE])
def test_one_trustee_can_keep_a_text_from_everyone(decision: str) -> None:
    survey = make_written_survey()
    text = make_text(survey, "I was hit")
    decide(text, APPROVE, make_trustee(), "I was hit")
    decide(text, decision, make_trustee())
    third = make_trustee()
    assert not waiting_texts(survey, reviewer=third).exists()
    with pytest.raises(Refused, match="decided already"):
        decide(text, APPROVE, third, "I was hit")
    assert told_words(survey) == []


def test_the_same_trustee_cannot_approve_twice() -> None:
    survey = make_written_survey()
    text, trustee = make_text(survey, "More art"), make_trustee()
    decide(text, APPROVE, trustee, "More art")
    with pytest.raises(Refused, match="decided already"):
        decide(text, APPROVE, trustee, "More art")
    assert told_words(survey) == []


def test_a_text_that_anybody_withheld_is_not_told_however_many_approved_it() -> None:
    survey = make_written_survey()
    text = make_text(survey, "More art")
    decide(text, APPROVE, make_trustee(), "More art")
    decide(text, APPROVE, make_trustee(), "More art")
    # No page lets a third trustee decide; should one ever do, the text stays untold.
    TextReview.objects.create(text=text, reviewer=make_trustee(), decision=WITHHOLD, decided_at=NOW)
    assert told_words(survey) == []


def test_an_approval_needs_words() -> None:
    with pytest.raises(Refused, match="Write what may be told"):
        decide(make_text(make_written_survey(), "More art"), APPROVE, make_trustee(), "  ")


def test_texts_of_a_question_that_fewer_than_k_answered_are_neither_read_nor_told() -> None:
    survey = make_written_survey(9)
    text = make_text(survey, "More art")
    assert review_queues(make_trustee()) == []
    with pytest.raises(Refused, match="decided already"):
        decide(text, APPROVE, make_trustee(), "More art")
    assert told_words(survey) == []


def test_texts_are_told_in_an_order_that_is_drawn_once() -> None:
    survey = make_written_survey(40)
    one, two = make_trustee(), make_trustee()
    texts = {make_text(survey, f"Text {number}").pk: f"Text {number}" for number in range(40)}
    for text in TextAnswer.objects.all():
        decide(text, APPROVE, one, texts[text.pk])
        decide(text, APPROVE, two, texts[text.pk])
    release = make_release(survey, at=NOW, by=None)
    told = release.texts["words"]
    assert sorted(told) == sorted(texts.values())
    assert told not in ([*texts.values()], [texts[pk] for pk in sorted(texts)])
    assert make_release(survey, at=NOW, by=None) == release
    release.refresh_from_db()
    assert release.texts["words"] == told


def test_newly_approved_texts_come_with_a_new_release() -> None:
    survey = make_written_survey()
    assert make_release(survey, at=NOW, by=None).number == 1
    text = make_text(survey, "More art")
    decide(text, APPROVE, make_trustee(), "More art")
    decide(text, APPROVE, make_trustee(), "More art")
    release = make_release(survey, at=NOW, by=None)
    assert (release.number, release.texts) == (2, {"words": ["More art"]})


def test_each_reading_is_written_down_without_the_words() -> None:
    text, trustee = make_text(make_written_survey(), "More art"), make_trustee()
    assert read_text(text, by=trustee, at=NOW) == ("More art", "")
    assert read_text(text, by=trustee, at=NOW)[0] == "More art"
    events = AuditEvent.objects.about(text)
    assert [(event.verb, event.actor_id) for event in events] == [("text.read", trustee.pk)] * 2
    assert "art" not in str([event.detail for event in events])


def test_decisions_are_written_down_and_wordings_are_sealed() -> None:
    text, trustee = make_text(make_written_survey(), "More art"), make_trustee()
    review = decide(text, APPROVE, trustee, "More art")
    assert "art" not in review.sealed_wording
    assert unseal(review.sealed_wording) == "More art"
    assert AuditEvent.objects.about(text).get().verb == "text.approve"


def test_the_web_role_may_review_texts_and_may_not_alter_them() -> None:
    text, trustee = make_text(make_written_survey(), "More art"), make_trustee()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE organizing_web")
        read_text(text, by=trustee, at=NOW)
        decide(text, APPROVE, trustee, "More art")
        cursor.execute("SELECT has_table_privilege('surveys_textanswer', 'UPDATE, DELETE, INSERT')")
        assert cursor.fetchone() == (False,)
