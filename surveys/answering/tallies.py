"""Counting answers as they arrive, so that reading results never scans responses.

What is counted, by the columns of ``Tally``:

=========  =====  ========  ======  ==============================================================
dimension  value  question  choice  count of
=========  =====  ========  ======  ==============================================================
""         ""     ""        ""      answers to the survey
""         ""     q         ""      answers that answer q (texts too)
""         ""     q         c       answers that give c to q
d          v      ""        ""      answers whose dimension d is v
d          v      q         ""      of these, those that answer q (no texts, and not d itself)
d          v      q         c       of these, those that give c to q
=========  =====  ========  ======  ==============================================================

``c`` is one of ``tally_choices(q)``; ``v`` one of ``dimension_values(d)``, which holds ``NO_ANSWER`` for whoever left
the question of the dimension open.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper
from psycopg2.extras import execute_values

from surveys.design.bands import band_of
from surveys.design.definition import Definition, QuestionDefinition, tally_choices
from surveys.design.models import NO_ANSWER, Question

Answers = Mapping[str, Any]  # {question key: choice key, list of choice keys, number, or for texts anything true}
TallyKey = tuple[str, str, str, str]  # dimension, value, question, choice

UPSERT = """
    INSERT INTO surveys_tally (survey_id, dimension, value, question, choice, count) VALUES %s
    ON CONFLICT (survey_id, dimension, value, question, choice)
    DO UPDATE SET count = surveys_tally.count + EXCLUDED.count
"""


def count_answers(definition: Definition, rows: Sequence[Answers]) -> Counter[TallyKey]:
    """Count the answers of ``rows`` under every key there is, also those that nobody gave (0).

    Works by columns: one pass over the rows for each question and dimension, in C where it can be.
    """
    counts: Counter[TallyKey] = Counter(dict.fromkeys(tally_keys(definition), 0))
    counts["", "", "", ""] += len(rows)

    dimensions = {key: [row.get(key) or NO_ANSWER for row in rows] for key in definition.dimensions}
    for dimension, values in dimensions.items():
        for value, count in Counter(values).items():
            counts[dimension, value, "", ""] += count

    for question in definition.questions:
        column = [row.get(question.key) for row in rows]
        if question.is_text:
            counts["", "", question.key, ""] += sum(map(bool, column))
            continue
        _count_column(counts, question, column, "", None)
        for dimension, values in dimensions.items():
            if dimension != question.key:
                _count_column(counts, question, column, dimension, values)
    return counts


def _count_column(
    counts: Counter[TallyKey],
    question: QuestionDefinition,
    column: Sequence[Any],
    dimension: str,
    values: Sequence[str] | None,
) -> None:
    """Add one question's answers to the counts, over all (``values`` is None) or by the values of a dimension."""
    choices_of = _choices_given(question)
    # A list of choices cannot be a key, its tuple can; everything else counts as it is.
    keys = [tuple(answer) if isinstance(answer, list) else answer for answer in column]
    for (value, answer), count in Counter(zip(values or [""] * len(keys), keys, strict=True)).items():
        if answer is None or answer == ():
            continue
        counts[dimension, value, question.key, ""] += count
        for choice in choices_of(answer):
            counts[dimension, value, question.key, choice] += count


def _choices_given(question: QuestionDefinition) -> Callable[[Any], Iterable[str]]:
    match question.kind:
        case Question.Kind.MULTIPLE:
            return lambda answer: answer
        case Question.Kind.SCALE:
            return lambda answer: (str(int(answer)),)
        case Question.Kind.NUMBER:
            return lambda answer: (band_of(question, answer),) if question.bands else ()
        case _:
            return lambda answer: (answer,)


def tally_keys(definition: Definition) -> list[TallyKey]:
    """Every key under which this survey is tallied, sorted."""
    keys: list[TallyKey] = [("", "", "", "")]
    groups = [
        (dimension, value) for dimension in definition.dimensions for value in definition.dimension_values(dimension)
    ]
    keys += [(dimension, value, "", "") for dimension, value in groups]
    for question in definition.questions:
        choices = ("", *tally_choices(question))
        keys += [("", "", question.key, choice) for choice in choices]
        if not question.is_text:
            keys += [
                (dimension, value, question.key, choice)
                for dimension, value in groups
                if dimension != question.key
                for choice in choices
            ]
    return sorted(keys)


def add_tallies(definition: Definition, rows: Sequence[Answers], cursor: CursorWrapper) -> None:
    """Add the answers of ``rows`` to the survey's tallies, in the caller's transaction. A second call adds again."""
    write_counts(definition, count_answers(definition, rows), cursor)


def write_counts(definition: Definition, counts: Mapping[TallyKey, int], cursor: CursorWrapper) -> None:
    """Add what ``count_answers`` has counted, of one or of many parts, in the caller's transaction.

    Every tally of the survey is written each time, zeros too: if only those that grew were, the transaction ids of the
    rows (``xmin``) would tell what the last few answers said. They are written in one order, so that two writers wait
    for each other and never deadlock.
    """
    execute_values(
        cursor.cursor,
        UPSERT,
        [(str(definition.id), *key, counts[key]) for key in sorted(counts)],
        template="(%s::uuid, %s, %s, %s, %s, %s)",
        page_size=5000,
    )
