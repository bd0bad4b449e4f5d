"""Counting what was answered, and laying out what a release tells. No answer is read here, only tallies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from organizing.people.models import Person
from surveys.answering.models import NamedResponse, Tally, TextAnswer
from surveys.answering.tallies import count_answers
from surveys.design.definition import (
    Definition,
    QuestionDefinition,
    definition_of,
    tally_choices,
    tally_label,
    value_label,
)
from surveys.design.models import Question, Survey, in_language
from surveys.results.disclosure import Answered, Band, disclose_question, percent, size_band
from surveys.results.models import Release, TextReview

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# --- Counts -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counts:
    """The tallies of a survey, by dimension, value, question and choice. What is not there is 0."""

    tallies: Mapping[tuple[str, str, str, str], int]

    def of(self, question: str = "", choice: str = "", *, dimension: str = "", value: str = "") -> int:
        return self.tallies.get((dimension, value, question, choice), 0)


def counts_of(survey: Survey) -> Counts:
    """Return the tallies of a survey in one query, whose size does not grow with the answers."""
    rows = Tally.objects.filter(survey=survey).values_list("dimension", "value", "question", "choice", "count")
    return Counts({(dimension, value, question, choice): n for dimension, value, question, choice, n in rows})


def sizes_of(definition: Definition, counts: Counts) -> dict[str, Any]:
    """Return the group sizes that tables stand on; the next release is measured against them.

    ``{"whole": n, "groups": {dimension: {value: n}}, "questions": {key: {"whole", "groups"}}}``, a question's sizes
    being those of the people who answered it.
    """

    def sizes(question: str) -> dict[str, Any]:
        return {
            "whole": counts.of(question),
            "groups": {
                dimension: {
                    value: counts.of(question, dimension=dimension, value=value)
                    for value in definition.dimension_values(dimension)
                }
                for dimension in definition.dimensions
            },
        }

    return {**sizes(""), "questions": {question.key: sizes(question.key) for question in definition.questions}}


def tables_of(definition: Definition, counts: Counts) -> dict[str, Any]:
    """Return what may be told of the counts, in the form that releases keep and exports give out."""
    low, high = size_band(counts.of())
    return {
        "survey": definition.slug,
        "n": {"low": low, "high": high},
        "questions": [
            _table(definition, question, counts) for question in definition.questions if tally_choices(question)
        ],
    }


def _table(definition: Definition, question: QuestionDefinition, counts: Counts) -> dict[str, Any]:
    keys = tally_choices(question)
    one_choice_each = question.kind != Question.Kind.MULTIPLE

    def answered(dimension: str = "", value: str = "") -> Answered:
        return Answered(
            value,
            counts.of(question.key, dimension=dimension, value=value),
            tuple(counts.of(question.key, key, dimension=dimension, value=value) for key in keys),
        )

    total, _whole = disclose_question([answered()], k=definition.k, one_choice_each=one_choice_each)
    by = {}
    for dimension in definition.dimensions:
        if dimension == question.key:  # the answer that makes a group a group says nothing about it
            continue
        groups = [answered(dimension, value) for value in definition.dimension_values(dimension)]
        _total, told = disclose_question(groups, k=definition.k, one_choice_each=one_choice_each)
        by[dimension] = [
            {"value": group.label, "shown": group.shown, "choices": _bands(keys, group.bands)} for group in told
        ]
    return {"key": question.key, "total": _bands(keys, total), "by": by}


def _bands(keys: Sequence[str], bands: Sequence[Band | None]) -> list[dict[str, Any]]:
    return [
        {"choice": key, "low": band.low if band else None, "high": band.high if band else None}
        for key, band in zip(keys, bands, strict=True)
    ]


# --- Free text ---------------------------------------------------------------------------------------


def reviewable_texts(survey: Survey) -> QuerySet[TextAnswer]:
    """Texts of questions that at least k people answered. The others are never shown, so nobody need read them."""
    counts = counts_of(survey)
    enough = [
        question.key
        for question in definition_of(survey).questions
        if question.is_text and counts.of(question.key) >= survey.k
    ]
    return TextAnswer.objects.filter(survey=survey, question__key__in=enough)


def waiting_texts(survey: Survey, *, reviewer: Person) -> QuerySet[TextAnswer]:
    """Texts that still need a decision, and this reviewer's, in an order that tells nothing."""
    decided = TextReview.objects.filter(text=OuterRef("pk"))
    return (
        reviewable_texts(survey)
        .filter(
            ~Exists(decided.exclude(decision=TextReview.Decision.APPROVE)),
            ~Exists(decided.filter(reviewer=reviewer)),
        )
        .annotate(approvals=Count("reviews"))
        .filter(approvals__lt=TextReview.NEEDED)
        .order_by("pk")
    )


def escalated_texts(survey: Survey) -> QuerySet[TextAnswer]:
    """Texts that a trustee marked as telling of an incident. Trustees alone see that they are there."""
    return (
        TextAnswer.objects.filter(survey=survey, reviews__decision=TextReview.Decision.ESCALATE)
        .order_by("pk")
        .distinct()
    )


def approved_texts(survey: Survey) -> QuerySet[TextAnswer]:
    """Texts that two people approved and nobody withheld or escalated."""
    approvals = Count("reviews", filter=Q(reviews__decision=TextReview.Decision.APPROVE))
    return (
        reviewable_texts(survey)
        .annotate(decisions=Count("reviews"), approvals=approvals)
        .filter(approvals__gte=TextReview.NEEDED, approvals=F("decisions"))
        .order_by("pk")
        .select_related("question")
        .prefetch_related("reviews")
    )


@dataclass(frozen=True)
class Queue:
    """What a trustee has to do for one survey."""

    survey: Survey
    waiting: int
    next_text: TextAnswer | None
    escalated: tuple[TextAnswer, ...]


def review_queues(reviewer: Person) -> list[Queue]:
    """Return the surveys that have texts for this trustee to decide on, or escalated ones."""
    surveys = Survey.objects.filter(pk__in=TextAnswer.objects.values("survey")).order_by("opened_at")
    queues = []
    for survey in surveys:
        waiting = waiting_texts(survey, reviewer=reviewer)
        queue = Queue(survey, waiting.count(), waiting.first(), tuple(escalated_texts(survey)))
        if queue.waiting or queue.escalated:
            queues.append(queue)
    return queues


# --- The page of a release ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Share:
    """A choice and the band it is told in. No band: fewer than k answers."""

    label: str
    band: Band | None

    @property
    def text(self) -> str:
        """The band in words and figures."""
        if self.band is None:
            return "–"
        low, high = self.band.low, self.band.high
        if (low, high) == (0, 49):
            return _("under half")
        if (low, high) == (50, 100):
            return _("half or more")
        if low == 0:
            return _("{percent} % or less").format(percent=high)
        if high == 100:
            return _("{percent} % or more").format(percent=low)
        return f"{low} %" if low == high else f"{low}–{high} %"


@dataclass(frozen=True)
class Breakdown:
    """A question by one dimension: a row for each group shown, with a share for each choice."""

    dimension: str
    choices: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Share, ...]], ...]
    hidden: tuple[str, ...]  # names of the groups that are not told


@dataclass(frozen=True)
class ToldQuestion:
    key: str
    label: str
    takes_several: bool
    shares: tuple[Share, ...]
    breakdowns: tuple[Breakdown, ...]
    texts: tuple[str, ...]
    kept_from: int | None  # number of the earlier release whose table this still is

    @property
    def is_told(self) -> bool:
        return any(share.band for share in self.shares)


@dataclass(frozen=True)
class Method:
    """Who was asked, how and when, and how many of them answered."""

    words: str
    opened_at: datetime | None
    closed_at: datetime | None
    population: int | None
    coverage: str  # "19–20 %"; empty when the population is unknown


@dataclass(frozen=True)
class Told:
    """A release in one language, ready to lay out."""

    release: Release
    title: str
    size: str
    k: int
    questions: tuple[ToldQuestion, ...]
    method: Method


def published_surveys() -> list[Release]:
    """Return the newest published release of each survey, lately published first."""
    newest = (
        Release.objects.published()
        .order_by("survey_id", "-number")
        .distinct("survey_id")
        .select_related("survey", "publication")
        .defer("tables", "texts", "basis")
    )
    return sorted(newest, key=lambda release: release.publication.approved_at or EPOCH, reverse=True)


def told_by(release: Release, language: str) -> Told:
    """Lay a release out. Reads no tally and no answer, so it takes as long for ten answers as for a million.

    ``release.survey`` should have been fetched with it.
    """
    definition = definition_of(release.survey)
    tables = {table["key"]: table for table in release.tables["questions"]}
    return Told(
        release=release,
        title=definition.title_in(language),
        size=_size_words(**release.tables["n"]),
        k=definition.k,
        questions=tuple(
            _told_question(definition, question, tables.get(question.key), release, language)
            for question in definition.questions
            if question.key in tables or release.texts.get(question.key)
        ),
        method=_method(definition, release, language),
    )


def _size_words(low: int, high: int) -> str:
    if high < 10:
        return _("fewer than 10 answers")
    if low == high:
        return ngettext("{n} answer", "{n} answers", low).format(n=f"{low:,}")
    return _("{low}–{high} answers").format(low=low, high=high)


def _told_question(
    definition: Definition,
    question: QuestionDefinition,
    table: dict[str, Any] | None,
    release: Release,
    language: str,
) -> ToldQuestion:
    labels = {key: tally_label(question, key, language) for key in tally_choices(question)}

    def shares(choices: list[dict[str, Any]]) -> tuple[Share, ...]:
        return tuple(
            Share(
                labels[choice["choice"]],
                None if choice["low"] is None else Band(choice["low"], choice["high"]),
            )
            for choice in choices
        )

    breakdowns = [
        Breakdown(
            dimension=definition.question_by_key[dimension].label_in(language),
            choices=tuple(labels.values()),
            rows=tuple(
                (value_label(definition, dimension, group["value"], language), shares(group["choices"]))
                for group in groups
                if group["shown"]
            ),
            hidden=tuple(
                value_label(definition, dimension, group["value"], language) for group in groups if not group["shown"]
            ),
        )
        for dimension, groups in (table["by"] if table else {}).items()
    ]
    return ToldQuestion(
        key=question.key,
        label=question.label_in(language),
        takes_several=question.kind == Question.Kind.MULTIPLE,
        shares=shares(table["total"]) if table else (),
        breakdowns=tuple(breakdowns),
        texts=tuple(release.texts.get(question.key, ())),
        kept_from=release.basis["questions"].get(question.key, {}).get("kept_from"),
    )


def _method(definition: Definition, release: Release, language: str) -> Method:
    population = _population(definition)
    coverage = ""
    if population:
        low, high = release.tables["n"]["low"], release.tables["n"]["high"]
        # Down and up to whole percents, so that the range holds the truth.
        least, most = low * 100 // population, -(-high * 100 // population)
        coverage = f"{least} %" if least == most else f"{least}–{most} %"
    return Method(
        words=in_language(dict(definition.method), language),
        opened_at=release.survey.opened_at,
        closed_at=release.survey.closed_at,
        population=population,
        coverage=coverage,
    )


def _population(definition: Definition) -> int | None:
    """How many people could have answered: the sum of the first dimension whose every choice says its own."""
    for dimension in definition.dimensions:
        populations = [choice.population for choice in definition.question_by_key[dimension].choices]
        known = [population for population in populations if population is not None]
        if known and len(known) == len(populations):
            return sum(known)
    return None


# --- Answers with names --------------------------------------------------------------------------------


@dataclass(frozen=True)
class CountedQuestion:
    """A question of a survey with names: how many answered it, and each choice as (label, count, percent)."""

    label: str
    answered: int
    takes_several: bool
    choices: tuple[tuple[str, int, int], ...]


def counted(survey: Survey, language: str) -> tuple[int, list[CountedQuestion]]:
    """Return how many answered a survey with names, and exact counts. Raises ``ValueError`` for an anonymous one."""
    if survey.is_anonymous:
        raise ValueError("Exact counts of an anonymous survey are never shown.")
    definition = definition_of(survey)
    answers = list(NamedResponse.objects.filter(survey=survey).values_list("answers", flat=True))
    counts = Counts(count_answers(definition, answers))
    return counts.of(), [
        CountedQuestion(
            question.label_in(language),
            answered := counts.of(question.key),
            question.kind == Question.Kind.MULTIPLE,
            tuple(
                (
                    tally_label(question, key, language),
                    count := counts.of(question.key, key),
                    percent(count, answered) if answered else 0,
                )
                for key in tally_choices(question)
            ),
        )
        for question in definition.questions
    ]


def told_answer(question: QuestionDefinition, answer: Any, language: str) -> str:
    """Return an answer as a person reads it: labels for choices, several joined by "; "."""
    if answer is None:
        return ""
    keys = answer if isinstance(answer, list) else [answer]
    if question.has_choices:
        keys = [
            question.choice_by_key[key].label_in(language) if key in question.choice_by_key else key for key in keys
        ]
    return "; ".join(str(key) for key in keys)


# --- Exports -----------------------------------------------------------------------------------------

CSV_HEADER = ("question", "dimension", "value", "shown", "choice", "low_percent", "high_percent")


def csv_rows(release: Release) -> list[tuple[str, str, str, str, str, int | None, int | None]]:
    """Return the tables of a release as rows under ``CSV_HEADER``: what the tables hold and nothing more."""
    rows = []
    for table in release.tables["questions"]:
        groups = [("", "", True, table["total"])]
        groups += [
            (dimension, group["value"], group["shown"], group["choices"])
            for dimension, told in table["by"].items()
            for group in told
        ]
        rows += [
            (
                table["key"],
                dimension,
                value,
                "yes" if shown and choice["low"] is not None else "no",
                choice["choice"],
                choice["low"],
                choice["high"],
            )
            for dimension, value, shown, choices in groups
            for choice in choices
        ]
    return rows
