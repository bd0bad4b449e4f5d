"""Everything that writes a survey.

An edit reads the draft as a whole, makes the changed content out of it, checks that as a survey file is checked, and
writes it back, all under the lock of the survey's row: two organizers at work on two questions lose nothing of each
other's. Opening, closing and their two-person rule follow below.

``by`` is the person who does it, or ``None`` for the console.
"""

import enum
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from organizing.audit.operations import record
from organizing.people.models import Person
from organizing.web.errors import Refused
from surveys.design import portable
from surveys.design.definition import Content, QuestionDefinition, definition_of, with_bands
from surveys.design.models import Choice, Question, Survey, SurveyChange
from surveys.design.policy import may_approve

ANSWERS_KEPT_FOR = timedelta(days=180)  # after closing; then they are dropped and releases stay

# What the database says when it refuses, for whoever got past the checks below by being quicker.
_REFUSALS = {
    "surveys_survey_slug_key": gettext_lazy("Another survey has this short address."),
    "an_opened_survey_is_frozen": gettext_lazy("This survey has opened and can no longer be changed."),
    "questions_freeze_when_a_survey_opens": gettext_lazy("This survey has opened and can no longer be changed."),
    "an_opened_survey_stays": gettext_lazy("A survey that has opened cannot be deleted."),
    "a_survey_never_goes_back": gettext_lazy("A survey goes from draft to open to closed, and never back."),
    "one_survey_change_waits_at_a_time": gettext_lazy("A change of this survey is waiting for approval already."),
}


class Outcome(enum.StrEnum):
    CREATED = "created"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


@contextmanager
def _refusing() -> Iterator[None]:
    """One transaction; what the database refuses by name is ``Refused`` with a sentence."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if name not in _REFUSALS:
            raise
        raise Refused(str(_REFUSALS[name])) from error


def _lock(survey: Survey) -> Survey:
    # Not FOR UPDATE: every answer on its way would wait, as its foreign key locks the same row (FOR KEY SHARE).
    locked = Survey.objects.select_for_update(no_key=True).filter(pk=survey.pk).first()
    if locked is None:
        raise Refused(_("This survey has been deleted."))
    return locked


# --- Drafts ---


def save_survey(content: Content, *, by: Person | None, at: datetime) -> tuple[Survey, Outcome]:
    """Make the survey that a file describes, or replace the draft of the same short address by it.

    The same content twice changes nothing. A survey that has opened is only ever unchanged: other content is Refused.
    """
    with _refusing():
        survey = Survey.objects.select_for_update(no_key=True).filter(slug=content.slug).first()
        if survey is None:
            return _create(content, by=by, at=at), Outcome.CREATED
        # An opened survey holds bands that its file may leave to the opening.
        if definition_of(survey).content in (content, with_bands(content)):
            return survey, Outcome.UNCHANGED
        if not survey.is_draft:
            raise Refused(
                _("The survey %(slug)s has opened, and the file differs from it. Give the file another short address.")
                % {"slug": content.slug}
            )
        _write(survey, content)
        _unpropose(survey, at=at)
        record("survey.replace", survey, by=by.pk if by else None, at=at)
        return survey, Outcome.REPLACED


def create_survey(content: Content, *, by: Person | None, at: datetime) -> Survey:
    """Make a new survey. A second call is Refused, for the short address is taken."""
    with _refusing():
        return _create(content, by=by, at=at)


def _create(content: Content, *, by: Person | None, at: datetime) -> Survey:
    survey = Survey(created_by=by, slug=content.slug)
    _write(survey, content)
    record("survey.create", survey, by=by.pk if by else None, at=at)
    return survey


def _write(survey: Survey, content: Content) -> None:
    """Make the row and its questions what ``content`` says. The caller holds the lock of the row, if it is saved."""
    for name in ("slug", "mode", "k", "takes_codes"):
        setattr(survey, name, getattr(content, name))
    for name in ("title", "intro", "consent", "method"):
        setattr(survey, name, dict(getattr(content, name)))
    survey.dimensions = list(content.dimensions)
    survey.save()
    survey.questions.all().delete()
    rows = [
        Question(
            survey=survey,
            order=order,
            key=question.key,
            kind=question.kind,
            label=dict(question.label),
            help=dict(question.help),
            is_required=question.is_required,
            low=question.low,
            high=question.high,
            bands=list(question.bands),
        )
        for order, question in enumerate(content.questions)
    ]
    Question.objects.bulk_create(rows)
    Choice.objects.bulk_create(
        Choice(question=row, order=order, key=choice.key, label=dict(choice.label), population=choice.population)
        for row, question in zip(rows, content.questions, strict=True)
        for order, choice in enumerate(question.choices)
    )


def _unpropose(survey: Survey, *, at: datetime) -> None:
    """Withdraw a waiting proposal: whoever approves must open what was proposed, not what became of it since."""
    survey.changes.waiting().update(withdrawn_at=at)


def _edit(survey: Survey, change: Callable[[Content], Content], *, by: Person | None, at: datetime) -> Survey:
    with _refusing():
        locked = _lock(survey)
        if not locked.is_draft:
            raise Refused(_("This survey has opened and can no longer be changed."))
        before = definition_of(locked).content
        # A file of the new content must be readable, so that is asked of the reader of files.
        after = portable.read(portable.document_of(change(before)))
        if after != before:
            _write(locked, after)
            _unpropose(locked, at=at)
            record("survey.edit", locked, by=by.pk if by else None, at=at)
        return locked


def edit_settings(survey: Survey, settings: Content, *, by: Person | None, at: datetime) -> Survey:
    """Take everything but the questions from ``settings``. The same settings again change nothing."""
    return _edit(survey, lambda content: replace(settings, questions=content.questions), by=by, at=at)


def add_question(survey: Survey, question: QuestionDefinition, *, by: Person | None, at: datetime) -> Survey:
    """Put a question at the end. A second call is Refused, for its key is taken."""
    return _edit(survey, lambda content: replace(content, questions=(*content.questions, question)), by=by, at=at)


def edit_question(survey: Survey, key: str, question: QuestionDefinition, *, by: Person | None, at: datetime) -> Survey:
    """Put a question in the place of the one with that key. A dimension keeps up with a new key."""

    def change(content: Content) -> Content:
        place = _place(content, key)
        return replace(
            content,
            dimensions=tuple(question.key if each == key else each for each in content.dimensions),
            questions=(*content.questions[:place], question, *content.questions[place + 1 :]),
        )

    return _edit(survey, change, by=by, at=at)


def move_question(survey: Survey, key: str, *, to: int, by: Person | None, at: datetime) -> Survey:
    """Put the question at place ``to``, counted from 0; past either end is that end. Again changes nothing."""

    def change(content: Content) -> Content:
        questions = list(content.questions)
        question = questions.pop(_place(content, key))
        questions.insert(max(0, to), question)
        return replace(content, questions=tuple(questions))

    return _edit(survey, change, by=by, at=at)


def remove_question(survey: Survey, key: str, *, by: Person | None, at: datetime) -> Survey:
    """Take a question away, also as a dimension. A second call is Refused."""

    def change(content: Content) -> Content:
        place = _place(content, key)
        return replace(
            content,
            dimensions=tuple(each for each in content.dimensions if each != key),
            questions=content.questions[:place] + content.questions[place + 1 :],
        )

    return _edit(survey, change, by=by, at=at)


def _place(content: Content, key: str) -> int:
    for place, question in enumerate(content.questions):
        if question.key == key:
            return place
    raise Refused(_("This question is no longer there. Somebody may have removed or renamed it."))


def delete_draft(survey: Survey, *, by: Person | None, at: datetime) -> None:
    """Delete a survey that has never opened. Others are Refused."""
    with _refusing():
        locked = _lock(survey)
        if not locked.is_draft:
            raise Refused(str(_REFUSALS["an_opened_survey_stays"]))
        record("survey.delete", locked, by=by.pk if by else None, at=at, slug=locked.slug)
        locked.delete()


def edit_method(survey: Survey, method: dict[str, str], *, by: Person | None, at: datetime) -> Survey:
    """Say who was asked and how. Possible at any time: it is known for sure only afterwards."""
    with _refusing():
        locked = _lock(survey)
        if locked.method != method:
            locked.method = method
            locked.save(update_fields=["method"])
            record("survey.method", locked, by=by.pk if by else None, at=at)
        return locked


# --- Opening and closing ---


def open_survey(survey: Survey, *, by: Person | None, at: datetime) -> Survey:
    """Take answers from now on, and freeze what is asked. Opening an open survey changes nothing.

    Refused without questions and once closed. Bands that were left open are cut first (``with_bands``).
    """
    with _refusing():
        survey = _lock(survey)
        if survey.is_open:
            return survey
        if not survey.is_draft:
            raise Refused(_("This survey is closed and cannot open again: its results may be out."))
        content = definition_of(survey).content
        if not content.questions:
            raise Refused(_("This survey has no question yet."))
        for question in with_bands(content).questions:
            if question.bands:
                survey.questions.filter(key=question.key).update(bands=list(question.bands))
        survey.state = Survey.State.OPEN
        survey.opened_at = at
        survey.save(update_fields=["state", "opened_at"])
        record("survey.open", survey, by=by.pk if by else None, at=at)
        return survey


def mark_closed(survey: Survey, *, by: Person | None, at: datetime) -> Survey:
    """Take no more answers. Closing a closed survey changes nothing; a draft is Refused.

    Answers that still wait for their batch are not this package's: answering moves them once it sees a closed survey.
    """
    with _refusing():
        survey = _lock(survey)
        if survey.state == Survey.State.CLOSED:
            return survey
        if survey.is_draft:
            raise Refused(_("This survey has not opened yet."))
        survey.state = Survey.State.CLOSED
        survey.closed_at = at
        survey.purge_on = survey.purge_on or (at + ANSWERS_KEPT_FOR).date()
        survey.save(update_fields=["state", "closed_at", "purge_on"])
        record("survey.close", survey, by=by.pk if by else None, at=at)
        return survey


_NEXT = {Survey.State.DRAFT: Survey.State.OPEN, Survey.State.OPEN: Survey.State.CLOSED}


def next_state(survey: Survey) -> Survey.State | None:
    """What a survey can become: open, closed, or (``None``) nothing more."""
    return _NEXT.get(Survey.State(survey.state))


def propose_change(survey: Survey, *, to_state: str, by: Person, at: datetime) -> SurveyChange:
    """Ask that the survey be opened or closed. A second proposal is Refused while the first one waits."""
    with _refusing():
        survey = _lock(survey)
        if to_state != next_state(survey):
            raise Refused(_("A survey goes from draft to open to closed, and never back."))
        if to_state == Survey.State.OPEN and not survey.questions.exists():
            raise Refused(_("This survey has no question yet."))
        change = SurveyChange.objects.create(survey=survey, to_state=to_state, proposed_by=by, proposed_at=at)
        record("survey.propose", survey, by=by.pk, at=at, to_state=to_state)
        return change


def approve_change(change: SurveyChange, *, by: Person, at: datetime) -> SurveyChange:
    """Open or close the survey as proposed. Refused to anybody but a lead organizer who did not propose it.

    A change that was approved before stays as it is; one that was withdrawn is Refused.
    """
    with _refusing():
        survey = _lock(change.survey)
        change = SurveyChange.objects.select_for_update().get(pk=change.pk)
        if change.approved_at is not None:
            return change
        if change.withdrawn_at is not None:
            raise Refused(_("This proposal has been withdrawn."))
        if not may_approve(by, change, at=at):
            raise Refused(_("A lead organizer other than the person who proposed it must approve this."))
        change.approved_by, change.approved_at = by, at
        change.save(update_fields=["approved_by", "approved_at"])
        record("survey.approve", survey, by=by.pk, at=at, to_state=change.to_state)
        if change.to_state == Survey.State.OPEN:
            open_survey(survey, by=by, at=at)
        else:
            mark_closed(survey, by=by, at=at)
        return change


def withdraw_change(change: SurveyChange, *, by: Person, at: datetime) -> SurveyChange:
    """Take a proposal back, or turn it down. Again changes nothing; what was approved is Refused."""
    with _refusing():
        survey = _lock(change.survey)
        change = SurveyChange.objects.select_for_update().get(pk=change.pk)
        if change.approved_at is not None:
            raise Refused(_("This has been approved already."))
        if change.withdrawn_at is None:
            change.withdrawn_at = at
            change.save(update_fields=["withdrawn_at"])
            record("survey.withdraw", survey, by=by.pk, at=at, to_state=change.to_state)
        return change
