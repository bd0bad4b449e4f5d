"""Taking answers, shuffling them, printing codes, and letting everything go in the end."""

import json
import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from psycopg2.extras import execute_values

from organizing.audit.operations import record
from organizing.people.models import Person
from organizing.web.errors import Refused
from surveys.answering.codes import Code, draw_code, hash_secret, parse_code, proves, wrong_tries
from surveys.answering.models import (
    AccessCode,
    CodeBatch,
    Inbox,
    NamedResponse,
    Response,
    SpentSubmission,
    Tally,
    TextAnswer,
)
from surveys.answering.sealing import seal
from surveys.answering.tallies import add_tallies
from surveys.design.definition import Definition, definition_of
from surveys.design.models import Question, Survey
from surveys.design.operations import mark_closed

BATCH_MAX = 20_000  # answers moved in one transaction: bounds memory, and how long results wait
MIXED_IN = 1_000  # answers moved earlier that are moved once more with each batch
CODES_MAX = 300  # a batch is a classroom or an event; hashing takes about 10 ms a code on each core

_random = random.SystemRandom()  # the operating system's: whoever knows some draws cannot tell the next


# --- Taking one answer ----------------------------------------------------------------------------


class Outcome(Enum):
    STORED = "stored"
    ALREADY = "already"  # this very form was sent before, and is stored once
    CLOSED = "closed"  # not open, and this form was not sent before
    CODE_SPENT = "code spent"  # somebody was quicker with the same code


# One statement is one transaction, so either everything below happens or nothing does: no BEGIN, no COMMIT, and one
# way to the server and back. What it must never do is fail, because PostgreSQL writes failing statements to its log:
# hence ON CONFLICT instead of catching an error. No conflict target and no RETURNING of a column: either would need
# the right to SELECT from the inbox, which web processes do not have.
STORE = """
WITH {spending} spent AS (
    INSERT INTO surveys_spentsubmission (id, survey_id)
    SELECT %(submission)s, survey.id FROM {given}
    WHERE survey.id = %(survey)s AND survey.state = 'open'
    ON CONFLICT DO NOTHING RETURNING 1
)
INSERT INTO {target} SELECT %(id)s, %(survey)s, {values} FROM spent
"""
WITHOUT_CODE = {"spending": "", "given": "surveys_survey AS survey"}
# Spending the code comes first and the rest hangs on it. A form that was sent before spends none: on a shared machine
# the next student may get the same form from the browser's history and type a code of their own.
WITH_CODE = {
    "spending": """code AS (
    DELETE FROM surveys_accesscode USING surveys_survey AS survey
    WHERE surveys_accesscode.id = %(code)s AND surveys_accesscode.survey_id = survey.id
        AND survey.id = %(survey)s AND survey.state = 'open'
        AND NOT EXISTS (SELECT FROM surveys_spentsubmission WHERE id = %(submission)s)
    RETURNING 1
),""",
    "given": "surveys_survey AS survey, code",
}
INTO_INBOX = {
    "target": "surveys_inbox (id, survey_id, answers, texts)",
    "values": "%(answers)s, %(texts)s",
}
WITH_NAME = {
    "target": "surveys_namedresponse (id, survey_id, name, email, consent, answers, answered_at)",
    "values": "%(name)s, %(email)s, %(consent)s, %(answers)s, %(at)s",
}


def store_answers(
    survey_id: uuid.UUID,
    *,
    submission_id: uuid.UUID,
    answers: dict[str, Any],
    texts: dict[str, str],
    code: "FoundCode | None" = None,
) -> Outcome:
    """Put an anonymous answer into the inbox, spending ``code`` if one is needed. The second call stores nothing.

    ``answers`` and ``texts`` are what ``forms.read`` made of the form. Nothing else is known here, so nothing else
    can be kept.
    """
    sealed = {key: seal(text) for key, text in texts.items()}
    return _store(
        INTO_INBOX,
        submission_id,
        code,
        {
            "survey": str(survey_id),
            "answers": json.dumps(answers, separators=(",", ":")),
            "texts": json.dumps(sealed, separators=(",", ":")),
        },
    )


def store_named_answers(
    survey_id: uuid.UUID,
    *,
    submission_id: uuid.UUID,
    name: str,
    email: str,
    consent: str,
    answers: dict[str, Any],
    code: "FoundCode | None" = None,
    at: datetime,
) -> Outcome:
    """Store the answer of somebody who agreed, in the words of ``consent``, to give their name. Once, as above."""
    return _store(
        WITH_NAME,
        submission_id,
        code,
        {
            "survey": str(survey_id),
            "name": name,
            "email": email,
            "consent": consent,
            "answers": json.dumps(answers, separators=(",", ":")),
            "at": at,
        },
    )


def _store(into: dict[str, str], submission_id: uuid.UUID, code: "FoundCode | None", values: dict[str, Any]) -> Outcome:
    statement = STORE.format(**into, **(WITH_CODE if code else WITHOUT_CODE))
    values |= {"submission": str(submission_id), "id": str(uuid.uuid4()), "code": code.id if code else None}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        if cursor.rowcount:
            return Outcome.STORED
    # Not stored, and seldom so. A twin of this form that was stored in the same moment has committed by now: the
    # statement waited for it.
    if was_sent(submission_id):
        return Outcome.ALREADY
    return Outcome.CODE_SPENT if code and is_open(code.survey_id) else Outcome.CLOSED


def is_open(survey_id: uuid.UUID) -> bool:
    """Tell whether a survey takes answers. In plain SQL: a whole school asks this at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM surveys_survey WHERE id = %s AND state = 'open')", [str(survey_id)])
        return bool(cursor.fetchone()[0])


def was_sent(submission_id: uuid.UUID) -> bool:
    """Tell whether this form was sent before and is stored."""
    return SpentSubmission.objects.filter(pk=submission_id).exists()


@dataclass(frozen=True)
class FoundCode:
    id: int
    survey_id: uuid.UUID
    preset: dict[str, str]  # answers that the code stands for


def find_code(survey_id: uuid.UUID, typed: str) -> FoundCode:
    """Return the unused code that was typed. Raises ``Refused`` with what to do; changes nothing.

    A code that was used and a code that never was look the same from here, since using one deletes it; the message
    says so.
    """
    code = parse_code(typed)
    if code is None:
        raise Refused(_("A code has 12 letters and digits, like K7QF-3MWX-9TGD. Please compare with your slip."))
    if not wrong_tries.may_try(survey_id, code.locator):
        raise Refused(_("This code was typed wrong many times. Please wait a minute, or ask for another slip."))
    row = (
        AccessCode.objects.filter(survey_id=survey_id, locator=code.locator)
        .values("id", "secret_hash", "preset")
        .first()
    )
    if row is not None and proves(code, row["secret_hash"]):
        return FoundCode(row["id"], survey_id, row["preset"])
    if row is not None:
        wrong_tries.was_wrong(survey_id, code.locator)
    raise Refused(code_is_gone())


def code_is_gone() -> str:
    return _(
        "This code opens nothing. Either it is not typed as on your slip, or an answer with it has been received "
        "already: a code is destroyed when it is used, so we cannot tell which."
    )


# --- Shuffling ------------------------------------------------------------------------------------

TAKE_WAITING = """
    DELETE FROM surveys_inbox WHERE id IN (SELECT id FROM surveys_inbox WHERE survey_id = %s LIMIT %s)
    RETURNING answers, texts
"""

# Ids are random, so the rows after a random point of the index are a random sample, whatever the table's size.
TAKE_SOME_BACK = """
    DELETE FROM surveys_response WHERE id IN (
        (SELECT id FROM surveys_response WHERE survey_id = %(survey)s AND id >= %(point)s ORDER BY id LIMIT %(count)s)
        UNION ALL
        (SELECT id FROM surveys_response WHERE survey_id = %(survey)s AND id < %(point)s ORDER BY id LIMIT %(count)s)
        LIMIT %(count)s
    ) RETURNING answers
"""
TAKE_SOME_TEXTS_BACK = """
    DELETE FROM surveys_textanswer WHERE id IN (
        SELECT id FROM surveys_textanswer WHERE survey_id = %(survey)s AND NOT EXISTS (
            SELECT FROM surveys_textreview WHERE text_id = surveys_textanswer.id)
        ORDER BY random() LIMIT %(count)s
    ) RETURNING id, question_id, sealed
"""

# Rows that are gone stay in the file until VACUUM takes them out, with the number of the transaction that brought
# them: the same number for a code, a spent form and an answer.
CLEAR_AWAY = "VACUUM surveys_inbox, surveys_accesscode, surveys_response, surveys_textanswer, surveys_tally"


def shuffle(survey: Survey, *, at: datetime) -> int:
    """Move what waits in the inbox into responses, in random order and under new ids. Return how many were moved.

    Waits for k answers, or for the survey to be closed; before that it moves nothing and returns 0. Words part from the
    other answers and are shuffled by themselves. Tallies grow in the same transaction. Two calls at once take turns,
    and the second finds nothing left; a process killed on the way has moved nothing of its batch.

    With each batch up to ``MIXED_IN`` answers that were moved before are moved once more. Without that, a dump would
    tell the batches apart by transaction id (``xmin``) and place (``ctid``), so that a student who answered on a known
    day would be one of ten; and the one student who comes after the last full batch would be alone. In a survey of up
    to 1,000 answers all rows look alike at any time.
    """
    definition = definition_of(survey)
    moved = 0
    while batch := _move_batch(definition):
        moved += batch
    if moved:
        clear_away()
    return moved


def _move_batch(definition: Definition) -> int:
    survey_id = str(definition.id)
    with transaction.atomic(), connection.cursor() as cursor:
        # Shufflers of one survey take turns. Not FOR UPDATE: that would make every answer on its way wait, as its
        # foreign key locks the same row (FOR KEY SHARE).
        survey = Survey.objects.select_for_update(no_key=True).get(pk=definition.id)
        if survey.state != Survey.State.CLOSED:
            cursor.execute(
                "SELECT count(*) FROM (SELECT FROM surveys_inbox WHERE survey_id = %s LIMIT %s) AS waiting",
                [survey_id, survey.k],
            )
            if cursor.fetchone()[0] < survey.k:
                return 0
        cursor.execute(TAKE_WAITING, [survey_id, BATCH_MAX])
        # JSON comes as text here, and goes on as text: only the counting reads it.
        waiting: list[tuple[str, str]] = cursor.fetchall()
        if not waiting:
            return 0
        cursor.execute(TAKE_SOME_BACK, {"survey": survey_id, "point": str(uuid.uuid4()), "count": MIXED_IN})
        responses = [answers for answers, _texts in waiting] + [answers for (answers,) in cursor.fetchall()]
        cursor.execute(TAKE_SOME_TEXTS_BACK, {"survey": survey_id, "count": MIXED_IN})
        # Texts keep their ids, which are random, say nothing, and may stand on a page that a trustee has open.
        texts: list[tuple[str, str, str]] = cursor.fetchall()

        ids = dict(Question.objects.filter(survey=survey).values_list("key", "id"))
        rows = []
        for answers, sealed in waiting:
            given = json.loads(sealed)
            texts += [(str(uuid.uuid4()), str(ids[key]), words) for key, words in given.items()]
            rows.append({**given, **json.loads(answers)})
        add_tallies(definition, rows, cursor)

        _random.shuffle(responses)
        _random.shuffle(texts)
        execute_values(
            cursor.cursor,
            "INSERT INTO surveys_response (id, survey_id, answers) VALUES %s",
            [(str(uuid.uuid4()), survey_id, answers) for answers in responses],
            template="(%s::uuid, %s::uuid, %s::jsonb)",
            page_size=1_000,
        )
        execute_values(
            cursor.cursor,
            "INSERT INTO surveys_textanswer (id, survey_id, question_id, sealed) VALUES %s",
            [(text_id, survey_id, question_id, sealed) for text_id, question_id, sealed in texts],
            template="(%s::uuid, %s::uuid, %s::uuid, %s)",
            page_size=1_000,
        )
        return len(waiting)


def clear_away() -> None:
    """Take out of the files what was deleted, once the transaction that deleted it is over."""

    def vacuum() -> None:
        with connection.cursor() as cursor:
            cursor.execute(CLEAR_AWAY)

    transaction.on_commit(vacuum)


def shuffle_due(*, at: datetime) -> dict[str, int]:
    """Shuffle every survey that has k answers waiting, or any at all once it is closed. Return what was moved, by slug.

    An answer that was on its way while its survey closed is caught here, a minute later.
    """
    waiting = set(Inbox.objects.order_by().values_list("survey_id", flat=True).distinct())
    return {
        survey.slug: moved
        for survey in Survey.objects.filter(pk__in=waiting).order_by("pk")
        if (moved := shuffle(survey, at=at))
    }


def close_survey(survey: Survey, *, by: Person | None, at: datetime) -> int:
    """Take no more answers and move those that wait, however few. Return how many were moved.

    The last answers may be fewer than k. They are mixed with up to 1,000 earlier ones, so they are not alone; and if
    the whole survey has fewer than k, no figure of it is ever shown. Closing a closed survey moves what came late.
    For the worker and commands: web processes may not read the inbox, so a page marks the survey as closed, and the
    worker does the rest within a minute (``shuffle_due``).
    """
    mark_closed(survey, by=by, at=at)
    return shuffle(survey, at=at)


# --- The end --------------------------------------------------------------------------------------

PURGED = (TextAnswer, Response, Inbox, NamedResponse, SpentSubmission, AccessCode, Tally)


def purge_due(*, on: date, at: datetime) -> list[str]:
    """Drop the answers of every survey whose day has come. Return the slugs. A second call finds nothing.

    Releases stay, and so do the numbers of printed codes. Tallies go: the counts of small groups are what disclosure
    control hides, and no further release can come. The deletion is written down, by the survey's id alone; after a
    restore from a backup the answers are there again, past their day, and the next run drops them again.
    """
    purged = []
    for survey in Survey.objects.filter(state=Survey.State.CLOSED, purge_on__lte=on).order_by("pk"):
        if purge(survey, at=at):
            purged.append(survey.slug)
    return purged


@transaction.atomic
def purge(survey: Survey, *, at: datetime) -> bool:
    """Drop all answers to a survey and write the deletion down. Return whether there was anything to drop."""
    Survey.objects.select_for_update(no_key=True).get(pk=survey.pk)
    dropped = [model.objects.filter(survey=survey).delete()[0] for model in PURGED]
    if not any(dropped):
        return False
    record("survey.purge", survey, by=None, at=at)
    clear_away()
    return True


# --- Codes ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CodeCounts:
    printed: int
    unused: int


def code_counts(survey: Survey) -> CodeCounts:
    """How many codes were printed for a survey, and how many are still unused."""
    printed = CodeBatch.objects.filter(survey=survey).aggregate(total=Sum("printed"))["total"] or 0
    return CodeCounts(printed=printed, unused=AccessCode.objects.filter(survey=survey).count())


def print_codes(
    survey: Survey, *, batch_id: uuid.UUID, count: int, preset: dict[str, str], by: Person, at: datetime
) -> list[Code]:
    """Make codes and return them, to be printed now: they are never seen again.

    A second call with the same ``batch_id`` (a page reloaded) is ``Refused`` and makes none.

    ``preset``: what each code answers by itself, ``{dimension: value}``. Raises ``Refused`` when the survey takes no
    codes or is closed, or when there are too many.
    """
    definition = definition_of(survey)
    if not survey.takes_codes:
        raise Refused(_("This survey takes no codes."))
    if survey.state == Survey.State.CLOSED:
        raise Refused(_("This survey is closed."))
    if not 1 <= count <= CODES_MAX:
        raise Refused(_("Please print between 1 and %(most)s codes at a time.") % {"most": CODES_MAX})
    for dimension, value in preset.items():
        if dimension not in definition.dimensions or value not in definition.question_by_key[dimension].choice_by_key:
            raise Refused(_("There is no such group in this survey."))
    taken = set(AccessCode.objects.filter(survey=survey).values_list("locator", flat=True))
    codes: list[Code] = []
    while len(codes) < count:
        code = draw_code()
        if code.locator not in taken:
            taken.add(code.locator)
            codes.append(code)
    with ThreadPoolExecutor() as threads:  # argon2 works outside the interpreter's lock
        hashes = list(threads.map(hash_secret, codes))
    rows = [
        AccessCode(survey=survey, locator=code.locator, secret_hash=secret_hash, preset=preset)
        for code, secret_hash in zip(codes, hashes, strict=True)
    ]
    # The row ids run in one order and the slips in another, so a slip's place in the pile says nothing about its row.
    _random.shuffle(rows)
    with transaction.atomic():
        try:
            with transaction.atomic():
                SpentSubmission.objects.create(pk=batch_id, survey=survey)
        except IntegrityError:
            raise Refused(_("These slips have been made already, and cannot be shown again. Make new ones.")) from None
        AccessCode.objects.bulk_create(rows)
        CodeBatch.objects.create(survey=survey, preset=preset, printed=count)
        record("survey.print_codes", survey, by=by.pk, at=at, printed=count, preset=preset)
    return codes
