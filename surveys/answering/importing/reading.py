"""From the bytes of a file to its rows. Pure: nothing here knows a survey or a database.

The file is read twice and never held: once to learn what it is (`recognise`), once for its rows (`records`).
"""

import codecs
import contextlib
import csv
import hashlib
import io
import itertools
from collections.abc import Generator
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext as _

from organizing.web.errors import Refused

BYTES_MAX = 1024**3  # of a file; the door of the browser upload is narrower
PIECE = 1024**2  # bytes read at a time, and so the longest line taken is under two pieces
COLUMNS_MAX = 1_000
CELL_MAX = 131_072  # characters of one cell; a quotation mark that is never closed runs into this
DELIMITERS = ",;\t"

# What people send when they mean the CSV that their program can save.
_OTHER_KINDS = {
    b"PK\x03\x04": "Excel (.xlsx), LibreOffice (.ods), ZIP",
    b"\xd0\xcf\x11\xe0": "Excel (.xls)",
    b"%PDF": "PDF",
    b"\x1f\x8b": "gzip",
}
# Bytes that a text may hold: all but the controls, of which tab, line feed, form feed, carriage return and, because old
# programs end a file with it, substitute are common.
_TEXT = bytes({9, 10, 11, 12, 13, 26} | set(range(32, 256)) - {127})


@dataclass(frozen=True)
class Recognised:
    """What a file is. ``errors`` is how its bytes are decoded: damage becomes surrogates, found later row by row."""

    encoding: str
    errors: str
    skip: int  # bytes of the byte order mark
    sha256: str
    size: int


@dataclass(frozen=True)
class Chunk:
    """Rows that follow one another, with the line that each starts on. A blank line is no row."""

    lines: list[int]
    rows: list[list[str]]
    unreadable: list[tuple[int, str]]  # line and reason of a record that is not CSV


def recognise(file: BinaryIO) -> Recognised:
    """Tell the encoding and the content hash of a file, reading it once through.

    UTF-8 with or without byte order mark; UTF-16 with a mark, or without one when its zero bytes tell; else
    Windows-1252. Raises Refused for a file that is empty, too large, not text or has lines without end.
    """
    file.seek(0)
    head = file.read(4096)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0"):
        raise Refused(_("The file is empty."))
    for magic, name in _OTHER_KINDS.items():
        if head.startswith(magic):
            raise Refused(_("This is not a CSV file but %(kind)s. Save it as CSV first.") % {"kind": name})
    marked = _by_mark(head)
    encoding, errors, skip = marked or _by_zeros(head) or ("utf-8", "surrogatepass", 0)
    # One control character is a damaged row; many, or one in the header, are another kind of file.
    strange = head.translate(None, _TEXT)
    if encoding == "utf-8" and (len(strange) * 10 > len(head) or head.split(b"\n", 1)[0].translate(None, _TEXT)):
        raise Refused(_("This is not a text file."))

    digest = hashlib.sha256()
    size = 0
    # "Is it UTF-8?" needs the whole file: the first accent may stand in its last line.
    utf8: codecs.IncrementalDecoder | None = None
    if encoding == "utf-8" and not marked:
        utf8 = codecs.getincrementaldecoder("utf-8")("surrogatepass")
    stray: set[int] = set()
    file.seek(0)
    while piece := file.read(PIECE):
        size += len(piece)
        if size > BYTES_MAX:
            raise Refused(_("The file is too large: at most %(limit)d MB are taken.") % {"limit": BYTES_MAX // 1024**2})
        if len(piece) == PIECE and b"\n" not in piece and b"\r" not in piece:
            raise Refused(_("The file has a line of more than a million characters. It is not a table of answers."))
        digest.update(piece)
        if utf8:
            try:
                utf8.decode(piece)
            except UnicodeDecodeError:
                utf8 = None
                encoding, errors = "cp1252", "strict"
        if not marked:
            stray.update(byte for byte in b"\x81\x8d\x8f\x90\x9d" if byte in piece)
    if utf8:
        try:
            utf8.decode(b"", final=True)
        except UnicodeDecodeError:
            encoding, errors = "cp1252", "strict"
    if encoding == "cp1252" and stray:
        # Windows-1252 leaves five bytes without a meaning.
        raise Refused(_("The file is neither UTF-8, UTF-16 nor Windows-1252 text. Save it as “CSV UTF-8”."))
    return Recognised(encoding=encoding, errors=errors, skip=skip, sha256=digest.hexdigest(), size=size)


def _by_mark(head: bytes) -> tuple[str, str, int] | None:
    # A marked file is what it says it is: bytes that do not fit are damage, not another encoding.
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8", "surrogateescape", 3
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le", "surrogatepass", 2
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be", "surrogatepass", 2
    return None


def _by_zeros(head: bytes) -> tuple[str, str, int] | None:
    # Delimiters and line ends are ASCII in any language, so UTF-16 has many zeros, on one side of its pairs.
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 16 < len(head) or min(even, odd) * 10 > max(even, odd):
        return None
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    first_line = head.decode(encoding, "replace").splitlines()[0]
    return (encoding, "surrogatepass", 0) if first_line.replace("\t", "").isprintable() else None


def _text(file: BinaryIO, how: Recognised) -> io.TextIOWrapper:
    file.seek(how.skip)
    # newline="": line ends inside quotation marks belong to the answer.
    return io.TextIOWrapper(file, encoding=how.encoding, errors=how.errors, newline="")


def header(file: BinaryIO, how: Recognised, delimiter: str) -> list[str]:
    """Return the first row that is not blank, split at ``delimiter``. Raises Refused when it is not a header."""
    with contextlib.closing(records(file, how, delimiter, rows_a_chunk=1)) as chunks:
        for chunk in chunks:
            for _at, reason in chunk.unreadable:
                raise Refused(_("The first line is not CSV: %(reason)s.") % {"reason": reason})
            for row in chunk.rows:
                if len(row) > COLUMNS_MAX:
                    raise Refused(
                        _("The file has %(count)d columns: at most %(limit)d are taken.")
                        % {"count": len(row), "limit": COLUMNS_MAX}
                    )
                return row
    raise Refused(_("The file is empty."))


def records(
    file: BinaryIO, how: Recognised, delimiter: str, *, rows_a_chunk: int = 5_000
) -> Generator[Chunk, None, None]:
    """Yield all rows, the header too, in chunks. Raises Refused when the file breaks off inside a character."""
    file.seek(how.skip)
    # newline="": line ends inside quotation marks belong to the answer.
    text = io.TextIOWrapper(file, encoding=how.encoding, errors=how.errors, newline="")
    csv.field_size_limit(CELL_MAX)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        more = True
        while more:
            chunk = Chunk([], [], [])
            seen = 0
            # The reader knows the line it has come to; a record starts on the line after its forerunner's last.
            line = reader.line_num + 1
            try:
                for row in itertools.islice(reader, rows_a_chunk):
                    if row:
                        chunk.rows.append(row)
                        chunk.lines.append(line)
                    line = reader.line_num + 1
                    seen += 1
                more = seen == rows_a_chunk
            except csv.Error as error:
                chunk.unreadable.append((line, _reason(error)))  # the reader goes on with the next line
            except UnicodeDecodeError as error:
                raise Refused(_("The file breaks off inside a character: it is damaged or cut short.")) from error
            yield chunk
    finally:
        text.detach()  # leaves the file open for its owner


def _reason(error: csv.Error) -> str:
    said = str(error)
    if "field larger" in said:
        return _("a quotation mark is opened here and not closed, or a cell is longer than %(limit)d characters") % {
            "limit": CELL_MAX
        }
    if "unexpected end" in said:
        return _("a quotation mark is opened here and not closed")
    return _("a quotation mark stands in the wrong place")
