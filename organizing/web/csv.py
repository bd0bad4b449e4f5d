"""The one writer of CSV. A cell that a spreadsheet would run as a formula is written as text.

Spreadsheets run a cell that begins with ``= + - @``, a tab or a line end, also after spaces and in full-width letters
(OWASP ASVS 5.0, 1.2.10). Such a cell gets an apostrophe in front, which spreadsheets take as "this is text";
``plain_text`` takes it off again. Numbers stay numbers: only text is guarded, so give numbers as numbers.
"""

import csv
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Protocol

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

_LIVE = tuple("=+-@\t\r\n\0")
_UNSEEN = " \u00a0\u2060\ufeff\u200b\u200c\u200d\u200e\u200f"  # what looks like nothing, and may be stripped on the way
BOM = "\ufeff"  # without it, Excel reads UTF-8 as the machine's own encoding


class Sink(Protocol):
    def write(self, text: str, /) -> object: ...


class _Echo:
    def write(self, text: str, /) -> str:
        return text


class CsvWriter:
    """Writes guarded rows. Cells may be text, numbers, or anything with a ``str``; ``None`` is an empty cell."""

    def __init__(self, sink: Sink) -> None:
        self._writer = csv.writer(sink)

    def writerow(self, cells: Iterable[object]) -> object:
        return self._writer.writerow([_cell(cell) for cell in cells])

    def writerows(self, rows: Iterable[Iterable[object]]) -> None:
        for row in rows:
            self.writerow(row)


def csv_writer(sink: Sink) -> CsvWriter:
    """Return a writer onto a file opened with ``newline=""`` (and ``encoding="utf-8-sig"``, for spreadsheets)."""
    return CsvWriter(sink)


def csv_response(filename: str, header: Iterable[object], rows: Iterable[Iterable[object]]) -> StreamingHttpResponse:
    """Return a download that is written while it is sent, so that a long table needs no memory."""
    return StreamingHttpResponse(
        _lines(header, rows),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": content_disposition_header(True, filename) or "attachment",
            "Cache-Control": "no-store",
        },
    )


def _lines(header: Iterable[object], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    writer = CsvWriter(_Echo())
    yield BOM + str(writer.writerow(header))
    for row in rows:
        yield str(writer.writerow(row))


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, int | float | Decimal):
        return value
    return guarded_text(str(value))


def guarded_text(text: str) -> str:
    """Return the text as a cell that no spreadsheet runs. ``plain_text`` gives back exactly what came in."""
    return f"'{text}" if _is_live(text) else text


def plain_text(cell: str) -> str:
    """Return the text of a guarded cell."""
    return cell[1:] if cell.startswith("'") and _is_live(cell[1:]) else cell


def _is_live(text: str) -> bool:
    # Apostrophes are looked through, so that text which came with one is told from text which was given one.
    start = text.lstrip("'").lstrip(_UNSEEN)[:1]
    return unicodedata.normalize("NFKC", start).startswith(_LIVE)
