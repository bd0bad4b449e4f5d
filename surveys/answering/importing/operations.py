"""Adding a file of answers to a survey: all of its good rows, or nothing.

The rows are checked and sent to a temporary table first, which only this connection sees and which is gone with it.
Then one transaction does the rest: it opens a draft, moves the rows in random order, counts them, and writes down that
this file is in. Whoever is killed on the way leaves nothing behind and starts again.

Path not taken: one transaction around everything. It would hold its locks, and hide the progress, for minutes.
"""

import contextlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _

from organizing.audit.operations import record
from organizing.people.models import Person
from organizing.web.errors import Refused
from surveys.answering.importing.columns import Answered, Refusal, RowReader, as_counted, count_rows, find_header
from surveys.answering.importing.reading import recognise, records
from surveys.answering.models import Import
from surveys.answering.operations import clear_away
from surveys.answering.sealing import seal
from surveys.answering.tallies import TallyKey, count_answers, write_counts
from surveys.design.definition import Definition, definition_of, with_bands
from surveys.design.models import Question, Survey
from surveys.design.operations import open_survey

SHOWN_MAX = 20  # refusals that an outcome carries; the list has all of them


class TakenOver(Exception):
    """Another worker has claimed the job since, because this one gave no sign of life."""


class RefusalList(Protocol):
    """Where refused rows are listed."""

    def add(self, refusals: Sequence[Refusal]) -> None: ...


@dataclass
class Progress:
    """How far a file is read. ``done`` is the part of its bytes, 0 to 1."""

    read: int = 0
    refused: int = 0
    done: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What became of a file. ``added`` is 0 after a dry run and when the file was in already."""

    read: int
    taken: int
    refused: int
    added: int
    was_in_already: bool = False
    waits: bool = False  # too few rows for a batch of their own: they wait in the inbox
    opened: bool = False
    notes: list[str] = field(default_factory=list)
    first_refusals: list[Refusal] = field(default_factory=list)


def add_file(
    survey: Survey,
    file: BinaryIO,
    *,
    file_name: str,
    by: Person | None,
    at: datetime,
    refusals: RefusalList | None = None,
    dry_run: bool = False,
    all_or_nothing: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    job: Import | None = None,
) -> Outcome:
    """Add the answers of a CSV file to a survey. A draft opens with it.

    ``file`` must be seekable. ``job`` is the row of an upload that the caller has claimed; without one, a row is
    written when the file is in. Adding the same bytes again adds nothing and says so. An anonymous file of fewer rows
    than k goes to the inbox, as answers from the form do, because rows of one transaction can be told from others.

    Raises TakenOver when ``job`` is another worker's by now. Raises Refused for a closed survey, a file or header that
    cannot be read, a file without a single good row, or with one bad row when ``all_or_nothing``; what was refused row
    by row is in ``refusals`` by then.
    """
    definition = _as_opened(definition_of(survey))
    if definition.state == Survey.State.CLOSED:
        raise Refused(_("This survey is closed and takes no more answers."))
    how = recognise(file)
    if Import.objects.filter(survey=survey, content_hash=how.sha256, state=Import.State.DONE).exists():
        return Outcome(0, 0, 0, 0, was_in_already=True)
    delimiter, header = find_header(definition, file, how)

    reader = RowReader(definition, header)
    progress = Progress()
    counts: Counter[TallyKey] = Counter()
    shown: list[Refusal] = []
    with _staged(connection.cursor(), dry_run=dry_run) as stage:
        first = True
        for chunk in records(file, how, delimiter):
            if first and chunk.rows:
                del chunk.rows[0], chunk.lines[0]
                first = False
            answered, bad = reader.read(chunk)
            progress.read += len(chunk.rows) + len(chunk.unreadable)
            progress.refused += count_rows(bad)
            progress.done = min(1.0, file.tell() / how.size)
            shown += bad[: SHOWN_MAX - len(shown)]
            if refusals and bad:
                refusals.add(bad)
            if not (all_or_nothing and progress.refused):  # read on all the same, to list every bad row
                if not dry_run:
                    stage(definition, answered)
                if definition.is_anonymous:  # answers with a name are read one by one, not by their counts
                    counts.update(count_answers(definition, as_counted(answered)))
            if on_progress:
                on_progress(progress)

        taken = progress.read - progress.refused
        outcome = Outcome(progress.read, taken, progress.refused, 0, notes=list(header.notes), first_refusals=shown)
        if all_or_nothing and progress.refused:
            raise Refused(
                _("Nothing was added: %(refused)d of %(read)d rows cannot be taken.")
                % {"refused": progress.refused, "read": progress.read}
            )
        if not taken:
            raise Refused(_("Nothing was added: the file has no row that can be taken."))
        if dry_run:
            return outcome
        try:
            return _commit(definition, outcome, counts, how.sha256, file_name=file_name, by=by, at=at, job=job)
        except IntegrityError as error:
            # Two people sent the same file in the same minute.
            if "a_file_is_added_to_a_survey_once" not in str(error):
                raise
            return Outcome(0, 0, 0, 0, was_in_already=True)


def _as_opened(definition: Definition) -> Definition:
    """Return what a draft will ask once it is open: that is when bands which were left open are cut."""
    return replace(definition, questions=with_bands(definition.content).questions)


@contextlib.contextmanager
def _staged(cursor: CursorWrapper, *, dry_run: bool) -> Iterator[Callable[[Definition, Answered], None]]:
    """Give the function that puts rows aside, in tables that only this connection sees."""

    def put_aside(definition: Definition, answered: Answered) -> None:
        rows: Iterable[tuple[dict[str, Any], dict[str, str]]] = zip(answered.answers, answered.texts, strict=True)
        if definition.is_anonymous:
            rows = ((answers, {key: seal(text) for key, text in texts.items()}) for answers, texts in rows)
        else:
            rows = (({**answers, **texts}, {}) for answers, texts in rows)
        # The text format of COPY: tabs and line ends part the fields, and JSON writes both as escapes.
        lines = [
            "\t".join((_json(answers), _json(texts), _escaped(name), _escaped(email)))
            for (answers, texts), (name, email) in zip(rows, answered.people, strict=True)
        ]
        if not lines:
            return
        cursor.copy_expert(
            "COPY import_rows (answers, texts, name, email) FROM STDIN", io.StringIO("\n".join(lines) + "\n")
        )

    if dry_run:
        yield put_aside
        return
    cursor.execute("DROP TABLE IF EXISTS pg_temp.import_rows")
    cursor.execute("CREATE TEMPORARY TABLE import_rows (answers text, texts text, name text, email text)")
    try:
        yield put_aside
    finally:
        with contextlib.suppress(DatabaseError):  # it is gone with the connection at the latest
            cursor.execute("DROP TABLE import_rows")
        cursor.close()


_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _json(value: object) -> str:
    return _escaped(_encoder.encode(value))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\")


@transaction.atomic
def _commit(
    definition: Definition,
    outcome: Outcome,
    counts: Counter[TallyKey],
    content_hash: str,
    *,
    file_name: str,
    by: Person | None,
    at: datetime,
    job: Import | None,
) -> Outcome:
    # Answers on their way go on: their foreign key does not wait for this lock. Closing and other imports do.
    survey = Survey.objects.select_for_update(no_key=True).get(pk=definition.id)
    if survey.state == Survey.State.CLOSED:
        raise Refused(_("This survey is closed and takes no more answers."))
    opened = survey.is_draft
    if opened:
        # The rows were checked against what it asked then.
        if _as_opened(definition_of(survey)).content != definition.content:
            raise Refused(_("The survey was changed while the file was read. Nothing was added; send it again."))
        open_survey(survey, by=by, at=at)
    waits = definition.is_anonymous and outcome.taken < definition.k
    with connection.cursor() as cursor:
        if not definition.is_anonymous:
            _move_named(cursor, definition, at=at)
        elif waits:
            cursor.execute(
                "INSERT INTO surveys_inbox (id, survey_id, answers, texts)"
                " SELECT gen_random_uuid(), %s, answers::jsonb, texts::jsonb FROM import_rows ORDER BY random()",
                [survey.pk],
            )
        else:
            _move_anonymous(cursor, definition)
        if definition.is_anonymous and not waits:
            write_counts(definition, counts, cursor)
            clear_away()
    done = {
        "state": Import.State.DONE,
        "content_hash": content_hash,
        "rows_read": outcome.read,
        "rows_added": outcome.taken,
        "rows_refused": outcome.refused,
        "notes": outcome.notes,
        "percent": 100,
        "ended_at": at,
    }
    if job is None:
        Import.objects.create(survey=survey, file_name=file_name[:200], sent_by=by, sent_at=at, started_at=at, **done)
    # Another worker took the job over while this one seemed dead: it is theirs.
    elif not Import.objects.filter(pk=job.pk, state=Import.State.RUNNING, started_at=job.started_at).update(**done):
        raise TakenOver
    record("survey.import", survey, by=by.pk if by else None, at=at, file=content_hash, rows=outcome.taken)
    return Outcome(
        outcome.read,
        outcome.taken,
        outcome.refused,
        outcome.taken,
        waits=waits,
        opened=opened,
        notes=outcome.notes,
        first_refusals=outcome.first_refusals,
    )


def _move_anonymous(cursor: CursorWrapper, definition: Definition) -> None:
    # Random order over the whole file: the order of the rows on disk is not the order of the sheets on the table.
    cursor.execute("SET LOCAL work_mem = '64MB'")
    cursor.execute(
        "INSERT INTO surveys_response (id, survey_id, answers)"
        " SELECT gen_random_uuid(), %s, answers::jsonb FROM import_rows ORDER BY random()",
        [definition.id],
    )
    questions: dict[str, UUID] = dict(
        Question.objects.filter(survey_id=definition.id, kind__in=Question.TEXT_KINDS).values_list("key", "id")
    )
    if questions:
        cursor.execute(
            "INSERT INTO surveys_textanswer (id, survey_id, question_id, sealed)"
            " SELECT gen_random_uuid(), %s, (%s::jsonb ->> key)::uuid, value"
            " FROM import_rows, jsonb_each_text(texts::jsonb) ORDER BY random()",
            [definition.id, json.dumps({key: str(pk) for key, pk in questions.items()})],
        )


def _move_named(cursor: CursorWrapper, definition: Definition, *, at: datetime) -> None:
    cursor.execute(
        "INSERT INTO surveys_namedresponse (id, survey_id, name, email, consent, answers, answered_at)"
        " SELECT gen_random_uuid(), %s, name, email, %s, answers::jsonb, %s FROM import_rows",
        [definition.id, definition.consent_in("en"), at],
    )
