"""From the bytes of a file to its rows."""

import codecs
import contextlib
import csv
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizing.web.errors import Refused
from surveys.answering.importing import reading
from surveys.answering.importing.reading import header, recognise, records

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]


def rows_of(data: bytes, delimiter: str = ",") -> list[list[str]]:
    file = io.BytesIO(data)
    return [row for chunk in records(file, recognise(file), delimiter) for row in chunk.rows]


def lines_of(data: bytes) -> tuple[list[int], list[int]]:
    """Lines on which good and unreadable records start."""
    file = io.BytesIO(data)
    chunks = list(records(file, recognise(file), ","))
    return (
        [line for chunk in chunks for line in chunk.lines],
        [line for chunk in chunks for line, _reason in chunk.unreadable],
    )


def refusal_of(data: bytes) -> str:
    file = io.BytesIO(data)
    with pytest.raises(Refused) as refused:
        header(file, recognise(file), ",")
    return str(refused.value)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_encoding_delimiter_and_line_end_gives_the_same_rows(
    encoding: str, delimiter: str, line_end: str
) -> None:
    rows = [["key", "¿Cuántos años?"], ["a", "Sí, señora"], ["b", "línea 1\nlínea 2"], ["c", 'dice "no"']]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(rows)
    assert rows_of(text.getvalue().encode(encoding), delimiter) == rows


def test_a_file_whose_first_accent_is_in_its_last_line_is_not_taken_for_utf_8() -> None:
    data = b"key\n" + b"plain\n" * 400_000 + "caf\xe9\n".encode("cp1252")
    assert rows_of(data)[-1] == ["café"]


def test_utf_8_that_is_cut_inside_its_last_character_is_not_utf_8() -> None:
    file = io.BytesIO("key\ncafé".encode()[:-1])
    assert recognise(file).encoding == "cp1252"


def test_emoji_and_right_to_left_text_come_through() -> None:
    rows = [["key"], ["👩🏽‍🎓 🇵🇷"], ["\u202bمرحبا\u202c"], ["שלום"]]
    for encoding in ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]:
        text = "\r\n".join(row[0] for row in rows)
        assert rows_of(text.encode(encoding)) == rows


def test_a_lone_surrogate_spoils_its_cell_and_not_the_file() -> None:
    data = (
        codecs.BOM_UTF16_LE + "key\r\nfine\r\n".encode("utf-16-le") + b"\x00\xd8" + "\r\nalso\r\n".encode("utf-16-le")
    )
    assert rows_of(data) == [["key"], ["fine"], ["\ud800"], ["also"]]
    assert rows_of(b"key\nfine\n\xed\xa0\x80\n") == [["key"], ["fine"], ["\ud800"]]


def test_a_byte_that_is_no_utf_8_spoils_its_cell_in_a_file_that_says_it_is_utf_8() -> None:
    assert rows_of(codecs.BOM_UTF8 + b"key\nfine\n\xff\n") == [["key"], ["fine"], ["\udcff"]]


def test_a_record_is_told_by_the_line_it_starts_on() -> None:
    good, bad = lines_of(b'key,other\n\na,"1\n2\n3"\nb,"x"y\nc,d\n')
    assert good == [1, 3, 7]
    assert bad == [6]


def test_a_quotation_mark_that_is_never_closed_is_told_and_what_follows_is_read() -> None:
    data = b'key,other\na,"b\n' + b"c,d\n" * 60_000
    good, bad = lines_of(data)
    assert bad[0] == 2
    assert len(good) > 20_000
    assert lines_of(b'key\n"open') == ([1], [2])


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\xff\xfe", b" \r\n\r\n", b"\n" * 5])
def test_an_empty_file_is_refused(data: bytes) -> None:
    assert "empty" in refusal_of(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04rest of a workbook", "xlsx"),
        (b"%PDF-1.7 rest", "PDF"),
        (b"\x1f\x8b\x08 rest", "gzip"),
        (b"\xd0\xcf\x11\xe0 rest", "xls"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not a text file"),
        (b"\x7fELF\x02\x01\x01\0\0\0", "not a text file"),
        (b"ke\0y,other\na,b\n", "not a text file"),
        (b"ke\x07y,other\na,b\n", "not a text file"),
        (b"k\xe9y\nunassigned \x81\n", "Windows-1252"),
        (codecs.BOM_UTF16_LE + "key\na".encode("utf-16-le") + b"\0", "cut short"),
    ],
)
def test_what_is_not_text_is_refused_by_name(data: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said):
        rows_of(data)


def test_ten_thousand_columns_are_refused() -> None:
    assert "10000 columns" in refusal_of(b",".join(b"c%d" % number for number in range(10_000)) + b"\n1\n")


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    file = io.BytesIO(b"x" * 8 * 1024**2)
    tracemalloc.start()
    with pytest.raises(Refused, match="million characters"):
        recognise(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 1024**2


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BYTES_MAX", 1000)
    with pytest.raises(Refused, match="too large"):
        recognise(io.BytesIO(b"key\n" * 251))


def test_a_file_is_never_held_whole() -> None:
    file = io.BytesIO(b"key,other\n" + b"some,cells\n" * 1_000_000)
    tracemalloc.start()
    rows = sum(len(chunk.rows) for chunk in records(file, recognise(file), ","))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 1_000_001
    assert peak < 8 * 1024**2


def test_the_file_stays_open_for_its_owner() -> None:
    file = io.BytesIO(b"key\na\n")
    how = recognise(file)
    header(file, how, ",")
    with contextlib.closing(records(file, how, ",", rows_a_chunk=1)) as chunks:
        next(chunks)
    assert not file.closed
    assert sum(len(chunk.rows) for chunk in records(file, how, ",")) == 2


# Anything a person may have typed: every character but the damaged ones.
CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\r\t,;\"'"), max_size=20)


@given(
    rows=st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=8),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    delimiter=st.sampled_from(",;\t"),
)
def test_what_a_csv_writer_wrote_is_read_back(rows: list[list[str]], encoding: str, delimiter: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([["key", "other"], *rows])
    assert rows_of(text.getvalue().encode(encoding), delimiter) == [["key", "other"], *rows]


@given(st.binary(max_size=300))
def test_whatever_the_bytes_it_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(Refused):
        rows_of(data)
