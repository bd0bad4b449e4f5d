"""From rows of cells to answers, or to the reasons why a row is none. Pure: no database.

A column is found by its question's key or label, a choice by its key or label, in any language of the survey, whatever
the case, the accents' encoding and the spaces. A cell is parsed once and remembered, so that a million rows of ten
choices cost ten parses.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from organizing.web.errors import Refused
from surveys.answering.forms import LONG_TEXT_MAX, NAME_MAX, SHORT_TEXT_MAX, clean
from surveys.answering.importing.reading import DELIMITERS, Chunk, Recognised, header
from surveys.design.definition import Content, QuestionDefinition, Texts, value_label
from surveys.design.models import NO_ANSWER, Question

REMEMBERED_MAX = 20_000  # cells of a column; a column with more different ones is read anew each time
COLUMNS_NAMED_MAX = 12  # in a sentence

# What form programs (Google, Microsoft) put beside the answers, in English and Spanish.
TIMES = frozenset(
    {
        *("timestamp", "start time", "completion time", "last modified time", "submitted at", "date submitted"),
        *("marca temporal", "hora de inicio", "hora de finalización", "hora de la última modificación"),
    }
)
EMAILS = frozenset(
    {
        *("email", "e-mail", "email address", "e-mail address", "username"),
        *("correo", "correo electrónico", "dirección de correo electrónico", "nombre de usuario"),
    }
)
NAMES = frozenset(
    {
        *("name", "full name", "your name", "first name", "last name", "surname", "student name"),
        *("nombre", "nombre completo", "tu nombre", "nombre y apellido", "nombre y apellidos", "apellido", "apellidos"),
    }
)

_DAMAGE = re.compile("[\0\ud800-\udfff]")  # NUL, and what broken UTF-8 or UTF-16 leaves behind
_CONTROLS = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NUMBER = re.compile(r"[+\-\u2212]?\d{1,15}(?:[.,]\d{0,15})?", re.ASCII)
_PARTS = re.compile(r"(;\s*|,\s+)")


def plain(text: str) -> str:
    """Return the form in which headers and labels are compared."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class Bad(NamedTuple):
    """A cell that is no answer to its question. The reason does not repeat the cell, which is private."""

    reason: str


class Refusal(NamedTuple):
    """A row that is not taken, or a cell that is why. ``column`` is empty when it is about the whole row."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True)
class Answered:
    """The rows of a chunk that are taken, in their order."""

    answers: list[dict[str, Any]]  # as ``Response.answers``
    texts: list[dict[str, str]]  # what was written, by question
    people: list[tuple[str, str]]  # name and e-mail; empty strings where none is kept


# --- The header -------------------------------------------------------------------------------------------------


@dataclass
class Header:
    """Which column is what. ``notes`` are sentences for the person who sends the file."""

    names: list[str]
    questions: dict[int, QuestionDefinition]
    name_columns: list[int] = field(default_factory=list)
    email_column: int | None = None
    nameless: list[int] = field(default_factory=list)  # hold nothing, or the row is refused
    notes: list[str] = field(default_factory=list)


def find_header(content: Content, file: BinaryIO, how: Recognised) -> tuple[str, Header]:
    """Return the delimiter and the header of a file. Raises Refused as ``header`` and ``read_header`` do."""
    # The delimiter is the one that splits the first line into the most questions; a label may hold the others.
    lines = {delimiter: header(file, how, delimiter) for delimiter in DELIMITERS}
    delimiter = max(lines, key=lambda each: (known_columns(content, lines[each]), len(lines[each])))
    return delimiter, read_header(content, lines[delimiter])


def known_columns(content: Content, names: Sequence[str]) -> int:
    """Count the cells of a header that name a question: the delimiter that gives most of them is the file's."""
    known = _by_name(content)
    return sum(plain(name) in known for name in names)


def read_header(content: Content, names: Sequence[str]) -> Header:
    """Find the question of each column.

    Columns with times are dropped, in an anonymous survey those with names and addresses too, and the notes say so.
    Raises Refused for a column that is none of these, for two columns of one question, for a label that two questions
    share, and when a question that must be answered has no column.
    """
    by_name = _by_name(content)
    header = Header(names=list(names), questions={})
    dropped: list[str] = []
    unknown: list[str] = []
    at: dict[str, int] = {}
    for place, name in enumerate(names):
        heading = plain(name)
        matches = by_name.get(heading, [])
        if len(matches) > 1:
            raise Refused(
                _("Column %(number)d, “%(column)s”, could be any of these questions: %(keys)s. Use the question's key.")
                % {"number": place + 1, "column": _shortened(name), "keys": ", ".join(each.key for each in matches)}
            )
        if matches:
            question = matches[0]
            if question.key in at:
                raise Refused(
                    _("Columns %(one)d and %(other)d both hold the answers to “%(key)s”.")
                    % {"one": at[question.key] + 1, "other": place + 1, "key": question.key}
                )
            at[question.key] = place
            header.questions[place] = question
        elif heading in TIMES:
            dropped.append(_shortened(name))
        elif heading in NAMES and not content.is_anonymous:
            header.name_columns.append(place)
        elif heading in EMAILS and not content.is_anonymous and header.email_column is None:
            header.email_column = place
        elif heading in NAMES | EMAILS and content.is_anonymous:
            dropped.append(_shortened(name))
        elif not heading and place == 0:
            dropped.append(_("column 1 (row numbers)"))  # as R and pandas write them
        elif not heading:
            header.nameless.append(place)
        else:
            unknown.append(f"“{_shortened(name)}”")

    if not header.questions:
        raise Refused(
            _("No column of the file is a question of this survey. The first line must hold these names: %(names)s.")
            % {"names": _listed([question.key for question in content.questions])}
        )
    missing = [question for question in content.questions if question.key not in at]
    if unknown:
        raise Refused(
            ngettext(
                "This column is no question of the survey: %(unknown)s. Rename or remove it.",
                "These columns are no questions of the survey: %(unknown)s. Rename or remove them.",
                len(unknown),
            )
            % {"unknown": _listed(unknown)}
            + (
                " " + _("Questions without a column: %(keys)s.") % {"keys": _listed([each.key for each in missing])}
                if missing
                else ""
            )
        )
    if required := [question.key for question in missing if question.is_required]:
        raise Refused(
            _("These questions must be answered and have no column in the file: %(keys)s.")
            % {"keys": _listed(required)}
        )
    if dropped:
        header.notes.append(_("Dropped, not stored: %(columns)s.") % {"columns": _listed(dropped)})
    if missing:
        header.notes.append(
            _("No column in the file, so not answered: %(keys)s.") % {"keys": _listed([each.key for each in missing])}
        )
    return header


def _by_name(content: Content) -> dict[str, list[QuestionDefinition]]:
    found: dict[str, list[QuestionDefinition]] = {}
    for question in content.questions:
        for name in {plain(question.key), *_labels(question.label)}:
            found.setdefault(name, []).append(question)
    return found


def _labels(label: Texts) -> set[str]:
    return {plain(text) for text in label.values() if plain(text)}


def _shortened(name: str) -> str:
    shown = " ".join(_DAMAGE.sub("\ufffd", _CONTROLS.sub(" ", name)).split())
    return shown if len(shown) <= 60 else shown[:59] + "…"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:COLUMNS_NAMED_MAX])
    more = len(names) - COLUMNS_NAMED_MAX
    return shown if more <= 0 else _("%(names)s and %(more)d more") % {"names": shown, "more": more}


# --- Cells ------------------------------------------------------------------------------------------------------


class Cells(dict[str, Any]):
    """What the cells of one column mean: an answer, ``None`` when not answered, or ``Bad``. Parses on first use."""

    def __init__(self, parse: Callable[[str], Any], *, is_required: bool) -> None:
        self.parse = parse
        self.is_required = is_required

    def __missing__(self, cell: str) -> Any:
        value: Any
        if not cell.strip():
            value = Bad(_("must be answered")) if self.is_required else None
        elif _DAMAGE.search(cell):
            value = Bad(_("holds damaged characters"))
        else:
            value = self.parse(cell)
        if len(self) < REMEMBERED_MAX and len(cell) < 1_000:
            self[cell] = value
        return value


def cells_of(content: Content, question: QuestionDefinition) -> Cells:
    """Return the reader of a question's cells."""
    parse: Callable[[str], Any]
    if question.kind == Question.Kind.SINGLE:
        parse = _single(question, _declined(content) if question.key in content.dimensions else frozenset())
    elif question.kind == Question.Kind.MULTIPLE:
        parse = _multiple(question)
    elif question.is_text:
        parse = _text(question)
    else:
        parse = _number(question)
    return Cells(parse, is_required=question.is_required)


def _choices(question: QuestionDefinition) -> dict[str, set[str]]:
    """Return the choices' keys by all their names."""
    named: dict[str, set[str]] = {}
    for choice in question.choices:
        for name in {plain(choice.key), *_labels(choice.label)}:
            named.setdefault(name, set()).add(choice.key)
    return named


def _no_choice(question: QuestionDefinition) -> Bad:
    return Bad(_("is none of the choices (%(keys)s)") % {"keys": _listed([each.key for each in question.choices])})


def _declined(content: Content) -> frozenset[str]:
    """Return how somebody who does not name their group is written in a file: not answered, whatever the words."""
    words = [value_label(content, content.dimensions[0], NO_ANSWER, language) for language in content.languages]
    return frozenset(map(plain, [NO_ANSWER, *words]))


def _single(question: QuestionDefinition, declined: frozenset[str]) -> Callable[[str], str | Bad | None]:
    named = _choices(question)

    def parse(cell: str) -> str | Bad | None:
        found = named.get(plain(cell), set())
        if not found and not question.is_required and plain(cell) in declined:
            return None
        if len(found) > 1:
            return Bad(_("is the name of several choices; use the choice's key"))
        return next(iter(found)) if found else _no_choice(question)

    return parse


def _multiple(question: QuestionDefinition) -> Callable[[str], list[str] | Bad]:
    named = _choices(question)
    longest = max((len(_PARTS.split(name)[::2]) for name in named), default=1)

    def parse(cell: str) -> list[str] | Bad:
        # A label may itself hold "; " or ", ", so pieces are put together again, as many as make a name.
        pieces = _PARTS.split(cell.strip())
        taken: set[str] = set()
        place = 0
        while place < len(pieces):
            if not pieces[place].strip():  # "a;b;" ends with a separator
                place += 2
                continue
            for end in range(min(len(pieces), place + 2 * longest), place, -1):
                found = named.get(plain("".join(pieces[place:end])), set())
                if len(found) > 1:
                    return Bad(_("is the name of several choices; use the choice's key"))
                if found:
                    taken |= found
                    place = end + 1
                    break
            else:
                return _no_choice(question)
        return [choice.key for choice in question.choices if choice.key in taken] or _no_choice(question)

    return parse


def _number(question: QuestionDefinition) -> Callable[[str], float | Bad]:
    low, high = question.low, question.high
    is_scale = question.kind == Question.Kind.SCALE

    def parse(cell: str) -> float | Bad:
        text = unicodedata.normalize("NFKC", cell).strip()
        if not _NUMBER.fullmatch(text):
            return Bad(_("is not a number"))
        value = float(text.replace(",", ".").replace("\u2212", "-"))
        if is_scale and not value.is_integer():
            return Bad(_("is not a whole number"))
        if low is not None and value < low:
            return Bad(_("is under %(low)s") % {"low": f"{low:g}"})
        if high is not None and value > high:
            return Bad(_("is over %(high)s") % {"high": f"{high:g}"})
        return int(value) if value.is_integer() else value

    return parse


def _text(question: QuestionDefinition) -> Callable[[str], str | Bad]:
    limit = SHORT_TEXT_MAX if question.kind == Question.Kind.SHORT_TEXT else LONG_TEXT_MAX

    def parse(cell: str) -> str | Bad:
        text = clean(cell)
        if len(text) > limit:
            return Bad(_("is longer than %(limit)d characters") % {"limit": limit})
        return text

    return parse


def _name(cell: str) -> str | Bad:
    name = " ".join(_CONTROLS.sub(" ", cell).split())
    return name if len(name) <= NAME_MAX else Bad(_("is longer than %(limit)d characters") % {"limit": NAME_MAX})


def _email(cell: str) -> str | Bad:
    address = cell.strip()
    try:
        validate_email(address)
    except ValidationError:
        return Bad(_("is not an e-mail address"))
    return address


# --- Rows -------------------------------------------------------------------------------------------------------


class RowReader:
    """Reads chunk after chunk, column by column."""

    def __init__(self, content: Content, header: Header) -> None:
        self.header = header
        self.width = len(header.names)
        self.cells = {place: cells_of(content, question) for place, question in header.questions.items()}
        self.cells |= {place: Cells(_name, is_required=False) for place in header.name_columns}
        if header.email_column is not None:
            self.cells[header.email_column] = Cells(_email, is_required=False)

    def read(self, chunk: Chunk) -> tuple[Answered, list[Refusal]]:
        """Part the rows that are taken from those that are not. Every bad cell of a row is told."""
        refusals = [Refusal(line, "", reason) for line, reason in chunk.unreadable]
        lines, rows = self._of_right_width(chunk, refusals)
        columns = list(zip(*rows, strict=True)) if rows else [()] * self.width
        values = {place: list(map(cells.__getitem__, columns[place])) for place, cells in self.cells.items()}

        bad: set[int] = set()
        for place, column in values.items():
            # Mostly no cell is bad, and the types of a column are found faster than its bad cells.
            if Bad in set(map(type, column)):
                for number, value in enumerate(column):
                    if type(value) is Bad:
                        bad.add(number)
                        refusals.append(Refusal(lines[number], self.header.names[place], value.reason))
        for place in self.header.nameless:
            for number, cell in enumerate(columns[place]):
                if cell.strip():
                    bad.add(number)
                    refusals.append(
                        Refusal(lines[number], "", _("column %(number)d has no name") % {"number": place + 1})
                    )

        answered = Answered([], [], [])
        keys = {place: (question.key, question.is_text) for place, question in self.header.questions.items()}
        closed = [(key, values[place]) for place, (key, is_text) in keys.items() if not is_text]
        written = [(key, values[place]) for place, (key, is_text) in keys.items() if is_text]
        name_columns = [values[place] for place in self.header.name_columns]
        emails = None if self.header.email_column is None else values[self.header.email_column]
        for number in range(len(rows)):
            if number in bad:
                continue
            answers = {key: column[number] for key, column in closed if column[number] is not None}
            texts = {key: column[number] for key, column in written if column[number]}
            if not answers and not texts:
                refusals.append(Refusal(lines[number], "", _("nothing is answered")))
                continue
            answered.answers.append(answers)
            answered.texts.append(texts)
            names = [column[number] for column in name_columns if column[number]]
            answered.people.append((" ".join(names)[:NAME_MAX], (emails[number] or "") if emails else ""))
        refusals.sort()
        return answered, refusals

    def _of_right_width(self, chunk: Chunk, refusals: list[Refusal]) -> tuple[list[int], list[list[str]]]:
        if set(map(len, chunk.rows)) <= {self.width}:
            return chunk.lines, chunk.rows
        lines, rows = [], []
        for line, row in zip(chunk.lines, chunk.rows, strict=True):
            if len(row) != self.width and (len(row) < self.width or any(map(str.strip, row[self.width :]))):
                refusals.append(
                    Refusal(
                        line,
                        "",
                        _("has %(cells)d cells, the first line has %(columns)d")
                        % {"cells": len(row), "columns": self.width},
                    )
                )
                continue
            lines.append(line)
            rows.append(row[: self.width])
        return lines, rows


def count_rows(refusals: Sequence[Refusal]) -> int:
    """Tell how many rows these are about: a row with two bad cells is told of twice."""
    return len({refusal.line for refusal in refusals})


def as_counted(answered: Answered) -> list[Mapping[str, Any]]:
    """Return the answers as tallies count them: of a text, only that there is one."""
    return [
        {**answers, **dict.fromkeys(texts, True)} if texts else answers
        for answers, texts in zip(answered.answers, answered.texts, strict=True)
    ]
