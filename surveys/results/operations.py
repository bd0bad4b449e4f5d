"""Making releases, publishing them, and deciding on the words that students wrote."""

import secrets
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from organizing.audit.operations import record
from organizing.people.models import Person
from organizing.web.errors import Refused
from surveys.answering.models import NamedResponse, TextAnswer
from surveys.answering.sealing import seal, unseal
from surveys.design.definition import Definition, definition_of, value_label
from surveys.design.models import Survey
from surveys.results.disclosure import RULES_VERSION
from surveys.results.models import Publication, Release, TextReview
from surveys.results.policy import may_approve_publication
from surveys.results.reports import (
    approved_texts,
    counts_of,
    sizes_of,
    tables_of,
    told_answer,
    waiting_texts,
)

# --- Releases ------------------------------------------------------------------------------------------


@transaction.atomic
def make_release(survey: Survey, *, at: datetime, by: Person | None) -> Release:
    """Freeze what may be told of the answers shuffled so far. Reads tallies, never answers.

    Raises ``Refused`` when the survey is a draft, keeps names or has been purged; when it is open and fewer than k
    have answered; when it is closed and its last answers are not shuffled yet; and when, since the last release, a
    shown group, the small groups together or the whole has changed by 1 to k-1 answers (rule R7: else the difference
    of two releases would tell on those few). A question that so few answered anew keeps the table it had.

    When nothing has changed, returns the last release and makes none. ``by``: ``None`` is the console.
    """
    # The lock makes reading the last release and adding the next one step, and lets answers come in meanwhile.
    survey = Survey.objects.select_for_update(no_key=True).get(pk=survey.pk)
    if not survey.is_anonymous:
        raise Refused(_("This survey keeps names, so its answers are counted as they are and not released in bands."))
    if survey.is_draft:
        raise Refused(_("This survey has not opened yet."))
    if survey.purge_on is not None and survey.purge_on <= at.date():
        raise Refused(_("The answers to this survey have been dropped, as was promised. Its releases stay."))
    if _last_answers_wait(survey):
        raise Refused(_("The last answers are still being shuffled. Try again in a minute."))
    definition = definition_of(survey)
    counts = counts_of(survey)
    tables, basis = tables_of(definition, counts), sizes_of(definition, counts)
    last = survey.releases.newest_first().first()
    if last is None:
        if survey.is_open:
            _refuse_a_small_whole(definition, basis)
    else:
        _refuse_small_changes(definition, basis, last)
        _keep_tables_of_small_changes(definition, tables, basis, last)
    texts = _texts_to_tell(survey)
    if last is not None and last.tables == tables and _same_texts(last.texts, texts):
        return last
    release = Release.objects.create(
        survey=survey,
        number=last.number + 1 if last else 1,
        made_on=at.date(),
        rules_version=RULES_VERSION,
        tables=tables,
        texts=texts,
        basis=basis,
    )
    record("release.make", release, by=by.pk if by else None, at=at, number=release.number)
    return release


def _last_answers_wait(survey: Survey) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT surveys_last_answers_wait(%s)", [survey.pk])
        return bool(cursor.fetchone()[0])


def _refuse_a_small_whole(definition: Definition, basis: dict[str, Any]) -> None:
    """While a survey is open, a first release waits for k answers: each group it shows has as many anyway (R1, R7)."""
    if basis["whole"] < definition.k:
        raise Refused(
            _(
                "While the survey is open, results wait until {k} people have answered. "
                "They can always be released once it is closed."
            ).format(k=definition.k)
        )


def _refuse_small_changes(definition: Definition, basis: dict[str, Any], last: Release) -> None:
    """A new release waits until each shown group has changed by 0 or by at least k answers (R7)."""
    changed = _small_change(basis, last.basis, definition.k)
    if changed is not None:
        dimension, value = changed
        group = _group_name(definition, dimension, value) if dimension else _("all answers together")
        raise Refused(
            _(
                "Since release {number}, “{group}” has changed by fewer than {k} answers. A new release waits until "
                "every group has changed by none or by {k} or more, so that nobody can be found by comparing the two."
            ).format(number=last.number, group=group, k=definition.k)
        )


def _keep_tables_of_small_changes(
    definition: Definition, tables: dict[str, Any], basis: dict[str, Any], last: Release
) -> None:
    """Put back the last release's table of each question that a few more people answered (R7 by question).

    Groups may have changed by k answers while fewer of those people answered one question; the difference of its two
    tables would be theirs. Its sizes are put back too, so that the few add up until there are k of them.
    """
    earlier_tables = {table["key"]: table for table in last.tables["questions"]}
    for place, table in enumerate(tables["questions"]):
        key = table["key"]
        earlier = last.basis["questions"][key]
        if _small_change(basis["questions"][key], earlier, definition.k) is not None:
            tables["questions"][place] = earlier_tables[key]
            basis["questions"][key] = {"kept_from": last.number, **earlier}


def _small_change(now: dict[str, Any], then: dict[str, Any], k: int) -> tuple[str, str] | None:
    """Return the (dimension, value) of a group that changed by 1 to k-1; ``None``: none did.

    Looked at are the groups large enough to be shown in either release, those too small for both taken together
    (they are told as one, by subtraction), and the whole, which is ("", "").
    """

    def is_small(before: int, after: int) -> bool:
        return 0 < abs(after - before) < k

    for dimension, sizes in now["groups"].items():
        rest_then = rest_now = 0
        for value, n in sizes.items():
            earlier = then["groups"][dimension][value]
            if max(n, earlier) < k:
                rest_then, rest_now = rest_then + earlier, rest_now + n
            elif is_small(earlier, n):
                return dimension, value
        if is_small(rest_then, rest_now):
            return dimension, ""
    return ("", "") if is_small(then["whole"], now["whole"]) else None


def _group_name(definition: Definition, dimension: str, value: str) -> str:
    language = get_language() or "en"
    question = definition.question_by_key[dimension]
    name = value_label(definition, dimension, value, language) if value else _("the small groups together")
    return f"{question.label_in(language)}: {name}"


def _texts_to_tell(survey: Survey) -> dict[str, list[str]]:
    """Return the approved wordings by question, shuffled: their order says nothing of who wrote when (R8)."""
    told: dict[str, list[str]] = {}
    for text in approved_texts(survey):
        told.setdefault(text.question.key, []).append(unseal(text.reviews.all()[0].sealed_wording))
    for wordings in told.values():
        secrets.SystemRandom().shuffle(wordings)
    return told


def _same_texts(one: dict[str, list[str]], other: dict[str, list[str]]) -> bool:
    return {key: sorted(texts) for key, texts in one.items()} == {key: sorted(texts) for key, texts in other.items()}


# --- Publishing ----------------------------------------------------------------------------------------


@transaction.atomic
def propose_publication(release: Release, *, by: Person, at: datetime) -> Publication:
    """Propose to show a release to everyone. A second proposal, by whomever, changes nothing."""
    publication, is_new = Publication.objects.get_or_create(
        release=release, defaults={"proposed_by": by, "proposed_at": at}
    )
    if is_new:
        record("release.propose_publication", release, by=by.pk, at=at, number=release.number)
    return publication


@transaction.atomic
def approve_publication(release: Release, *, by: Person, at: datetime) -> Publication:
    """Show a proposed release to everyone. Approving a second time changes nothing.

    Raises ``Refused`` if it was not proposed, or ``by`` is not a lead organizer or proposed it themselves.
    """
    publication = Publication.objects.select_for_update().filter(release=release).first()
    if publication is None:
        raise Refused(_("Nobody has proposed to publish this release yet."))
    if publication.approved_at is not None:
        return publication
    if publication.proposed_by_id == by.pk:
        raise Refused(_("You proposed this yourself: another lead organizer has to approve it."))
    release.publication = publication
    if not may_approve_publication(by, release, at=at):
        raise Refused(_("Only a lead organizer can approve a publication."))
    publication.approved_by, publication.approved_at = by, at
    publication.save(update_fields=["approved_by", "approved_at"])
    record("release.publish", release, by=by.pk, at=at, number=release.number)
    return publication


# --- Free text (R8) --------------------------------------------------------------------------------------


@transaction.atomic
def read_text(text: TextAnswer, *, by: Person, at: datetime) -> tuple[str, str]:
    """Open a text for a trustee: the words as written, and the wording a first trustee approved, if any.

    Each call writes an audit row, before anything is opened.
    """
    record("text.read", text, by=by.pk, at=at, survey=str(text.survey_id))
    proposed = text.reviews.filter(decision=TextReview.Decision.APPROVE).first()
    return unseal(text.sealed), unseal(proposed.sealed_wording) if proposed else ""


@transaction.atomic
def decide_text(text: TextAnswer, *, decision: str, wording: str = "", by: Person, at: datetime) -> TextReview:
    """Record a trustee's decision on a text. ``wording``: what may be told, for an approval.

    Approving another wording than a first trustee did takes the first approval away, so that the two always agree.
    Raises ``Refused`` when there is nothing left to decide for this person, also on a second call.
    """
    # Web processes may not lock texts, so reviewers of one survey wait for each other here.
    survey = Survey.objects.select_for_update(no_key=True).get(pk=text.survey_id)
    if not waiting_texts(survey, reviewer=by).filter(pk=text.pk).exists():
        raise Refused(_("This text has been decided already."))
    sealed = ""
    if decision == TextReview.Decision.APPROVE:
        wording = "\n".join(wording.strip().splitlines())
        if not wording:
            raise Refused(_("Write what may be told, or withhold the text."))
        approvals = text.reviews.filter(decision=TextReview.Decision.APPROVE)
        for review in approvals:
            if unseal(review.sealed_wording) != wording:
                review.delete()
                record("text.return", text, by=by.pk, at=at, to=str(review.reviewer_id))
        sealed = seal(wording)
    review = TextReview.objects.create(text=text, reviewer=by, decision=decision, sealed_wording=sealed, decided_at=at)
    record(f"text.{decision}", text, by=by.pk, at=at, survey=str(survey.pk))
    return review


# --- Answers with names -----------------------------------------------------------------------------------


@transaction.atomic
def named_rows(
    survey: Survey, *, with_contact: bool, reason: str, by: Person, at: datetime
) -> tuple[list[str], list[list[Any]]]:
    """Return header and rows of the answers that people gave with their name, each with the words agreed to.

    Choices are given by their labels, several joined by "; ". ``with_contact`` adds e-mail addresses. Each call writes
    an audit row with the reason. Raises ``Refused`` for an anonymous survey, always, and without a reason.
    """
    if survey.is_anonymous:
        raise Refused(_("Answers to an anonymous survey are never exported one by one."))
    if not reason.strip():
        raise Refused(_("Say what the answers are needed for."))
    definition = definition_of(survey)
    language = get_language() or "en"
    responses = NamedResponse.objects.filter(survey=survey).order_by("answered_at", "pk")
    header = [
        _("Name"),
        *([_("E-mail")] if with_contact else []),
        _("Answered"),
        *(question.label_in(language) for question in definition.questions),
        _("Agreed to"),
    ]
    rows = [
        [
            response.name,
            *([response.email] if with_contact else []),
            response.answered_at,
            *(told_answer(question, response.answers.get(question.key), language) for question in definition.questions),
            response.consent,
        ]
        for response in responses
    ]
    record("survey.export_names", survey, by=by.pk, at=at, reason=reason.strip(), rows=len(rows), contact=with_contact)
    return header, rows
