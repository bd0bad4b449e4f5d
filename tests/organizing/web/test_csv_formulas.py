"""No cell of an export is run by a spreadsheet, and none loses its text."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizing.web.csv import BOM, csv_response, csv_writer, guarded_text, plain_text
from tests.web_payloads import FORMULAS, is_live_cell


def exported(*cells: object) -> list[list[str]]:
    response = csv_response("table.csv", ["a"], [cells])
    text = b"".join(response).decode()
    assert text.startswith(BOM)
    return list(csv.reader(io.StringIO(text[1:], newline="")))


@pytest.mark.parametrize("payload", FORMULAS)
def test_a_formula_is_written_as_text(payload: str) -> None:
    [_header, [cell]] = exported(payload)
    assert not is_live_cell(cell)
    assert plain_text(cell) == payload


@pytest.mark.parametrize("payload", FORMULAS)
def test_a_formula_in_a_header_is_written_as_text(payload: str) -> None:
    response = csv_response("table.csv", [payload], [])
    [[cell]] = csv.reader(io.StringIO(b"".join(response).decode()[1:], newline=""))
    assert not is_live_cell(cell)


@pytest.mark.parametrize("text", ["Ana", "a=b", "5 - 3", "'tis", "", "ñandú", "a,b;c", 'say "no"', "two\nlines", "🙂"])
def test_ordinary_text_is_left_alone(text: str) -> None:
    [_header, [cell]] = exported(text) if text else [[], [guarded_text(text)]]
    assert cell == text


@given(st.text())
def test_every_text_comes_back_as_it_was(text: str) -> None:
    assert plain_text(guarded_text(text)) == text
    assert not is_live_cell(guarded_text(text))


def test_numbers_stay_numbers() -> None:
    [_header, row] = exported(-5, -2.5, Decimal("-1.10"), 0, None)
    assert row == ["-5", "-2.5", "-1.10", "0", ""]


def test_a_negative_number_that_is_text_stays_text() -> None:
    [_header, [cell]] = exported("-5")
    assert cell == "'-5"


def test_a_download_has_a_safe_name_and_is_not_kept() -> None:
    response = csv_response('a"b\r\nSet-Cookie: x=1.csv', ["a"], [])
    assert response["Content-Disposition"].startswith("attachment")
    assert "\r" not in response["Content-Disposition"]
    assert "\n" not in response["Content-Disposition"]
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Type"] == "text/csv; charset=utf-8"


def test_rows_are_made_while_they_are_sent() -> None:
    made: list[int] = []

    def rows() -> Iterator[list[int]]:
        for number in range(10):
            made.append(number)
            yield [number]

    stream = iter(csv_response("table.csv", ["n"], rows()))
    next(stream)
    assert made == []
    next(stream)
    assert made == [0]


def test_a_file_on_disk_is_guarded_too(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv_writer(file).writerows([["=1+1", 2]])
    assert path.read_bytes() == BOM.encode() + b"'=1+1,2\r\n"
