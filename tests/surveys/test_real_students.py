"""The answers of 237 real students, from the file to the published bands, checked against a count of their own.

The count below reads the CSV by itself and knows nothing of the program: neither its tallies nor its rules' code.
"""

import csv
import datetime as dt
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Page

from surveys import demo
from surveys.answering.operations import close_survey
from surveys.design.models import Survey

HERE = Path(demo.__file__).parent
K = 10
ORDER = ["sex", "exercise", "smoke"]  # the dimensions
BANDS: dict[str, list[float]] = {  # where the survey file cuts its numbers
    "writing-span": [16, 18, 20, 22],
    "other-span": [16, 18, 20, 22],
    "pulse": [60, 70, 80, 90],
    "height": [160, 170, 180, 190],
    "age": [18, 19, 20, 25],
}
NOT_SAID = "prefer-not-to-say"

Student = dict[str, str]


def students() -> list[Student]:
    """Each student's answers, numbers as the band they fall in, open questions left out."""
    with (HERE / "adelaide.csv").open(encoding="utf-8", newline="") as file:
        return [told(row) for row in csv.DictReader(file)]


def told(row: Student) -> Student:
    answers = {}
    for key, cell in row.items():
        if cell:
            cuts = BANDS.get(key)
            answers[key] = cell if cuts is None else f"b{sum(float(cell) >= cut for cut in cuts)}"
    return answers


def band(part: int, whole: int) -> tuple[int, int]:
    """The published range of a share: rule R3, read from the rule's own words."""
    percent = (200 * part + whole) // (2 * whole)  # rounded half up
    if whole < 20:
        return (0, 49) if 2 * part < whole else (50, 100)
    if whole < 40:
        edges = [(0, 20), (21, 39), (40, 59), (60, 79), (80, 100)]
    elif whole < 100:
        edges = [(0, 10), (11, 19), *((low, low + 9) for low in range(20, 90, 10)), (90, 100)]
    elif whole < 300:
        edges = [(0, 5), (6, 9), *((low, low + 4) for low in range(10, 95, 5)), (95, 100)]
    else:
        edges = [(0, 1), *((whole_percent, whole_percent) for whole_percent in range(2, 99)), (99, 100)]
    (found,) = [edge for edge in edges if edge[0] <= percent <= edge[1]]
    return found


def check(released: dict[str, Any], answers: list[Student]) -> None:
    """Check every figure of a release against the answers."""
    checked = 0
    for question in released["questions"]:
        key = question["key"]
        answered = [student for student in answers if key in student]
        given = Counter(student[key] for student in answered)
        for choice in question["total"]:
            assert (choice["low"], choice["high"]) == band(given[choice["choice"]], len(answered)), (key, choice)
            checked += 1
        assert set(question["by"]) == set(ORDER) - {key}
        for dimension, groups in question["by"].items():
            sizes = Counter(student.get(dimension, NOT_SAID) for student in answered)
            hidden = [sizes[group["value"]] for group in groups if not group["shown"] and sizes[group["value"]]]
            # R1 and R2: who is hidden is never alone, and never few.
            assert not hidden or (len(hidden) >= 2 and sum(hidden) >= K), (key, dimension)
            assert {value for value, size in sizes.items() if 0 < size < K} <= {
                group["value"] for group in groups if not group["shown"]
            }
            assert sum(sizes[group["value"]] for group in groups) == len(answered)
            for group in groups:
                in_group = [student for student in answered if student.get(dimension, NOT_SAID) == group["value"]]
                of_group = Counter(student[key] for student in in_group)
                for choice in group["choices"]:
                    expected = band(of_group[choice["choice"]], len(in_group)) if group["shown"] else (None, None)
                    assert (choice["low"], choice["high"]) == expected, (key, dimension, group["value"], choice)
                    checked += 1
    assert checked > 300


def released(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    call_command("release_results", "adelaide", "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.django_db
def test_every_published_band_is_that_of_the_answers(now: dt.datetime, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import_survey", str(HERE / "adelaide.json"))
    call_command("import_responses", "adelaide", str(HERE / "adelaide.csv"))
    assert "237 rows read, 237 added, 0 refused" in capsys.readouterr().out
    survey = Survey.objects.get(slug="adelaide")
    close_survey(survey, by=None, at=now)
    results = released(capsys)
    assert results["n"] == {"low": 230, "high": 239}
    check(results, students())


BY_HAND: list[Student] = [
    {"sex": "female", "exercise": "often", "smoke": "never", "age": "17.5", "pulse": "64", "writing-hand": "left"},
    {"sex": "male", "exercise": "none", "smoke": "regularly", "age": "21", "height": "181,5"},
    {"exercise": "some", "fold": "neither", "clap": "right", "units": "imperial"},
]


def fill_in(page: Page, answers: Student) -> None:
    """Answer on a phone as a student does: part by part, in the order of the page."""
    page.goto("/s/adelaide/")
    left = dict(answers)
    for _part in range(9):
        for key, answer in list(left.items()):
            field = page.locator(f'[name="q-{key}"]')
            if key in BANDS and field.is_visible():
                field.fill(answer)
            elif key not in BANDS and field.first.is_visible():
                page.locator(f'[name="q-{key}"][value="{answer}"]').check()
            else:
                continue
            del left[key]
        if not page.locator("#on").is_visible():
            break
        page.locator("#on").click()
    assert not left
    page.get_by_role("button", name="Send my answers").click()
    page.wait_for_url("**/thanks/**")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_answers_given_by_hand_are_in_the_published_bands(
    phone: Page, now: dt.datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_survey", str(HERE / "adelaide.json"))
    call_command("import_responses", "adelaide", str(HERE / "adelaide.csv"))
    for answers in BY_HAND:
        fill_in(phone, answers)
    close_survey(Survey.objects.get(slug="adelaide"), by=None, at=now)
    by_hand = [told({key: answer.replace(",", ".") for key, answer in answers.items()}) for answers in BY_HAND]
    results = released(capsys)
    assert results["n"] == {"low": 240, "high": 249}
    check(results, students() + by_hand)
