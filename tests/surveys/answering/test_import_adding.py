"""Adding a file of answers to a survey: all of its good rows, or nothing."""

import datetime as dt
import io
import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from organizing.audit.models import AuditEvent
from organizing.web.errors import Refused
from surveys.answering.importing.columns import Refusal
from surveys.answering.importing.operations import Outcome, add_file
from surveys.answering.models import Import, Inbox, NamedResponse, Response, Tally, TextAnswer
from surveys.answering.sealing import unseal
from surveys.answering.tallies import count_answers
from surveys.design.bands import band_of
from surveys.design.definition import definition_of
from surveys.design.models import Survey
from tests.factories import make_organizer, make_survey

pytestmark = pytest.mark.django_db

QUESTIONS: list[dict[str, Any]] = [
    {"key": "school", "choices": ["cross", "hillhouse", "other"]},
    {"key": "safe", "choices": ["yes", "no"]},
    {"key": "help", "kind": "multiple", "choices": ["friend", "teacher", "nobody"]},
    {"key": "age", "kind": "number", "low": 10, "high": 30, "bands": [14, 16, 18]},
    {"key": "words", "kind": "long_text"},
]


def a_survey(**given: Any) -> Survey:
    return make_survey(QUESTIONS, **{"dimensions": ["school"], **given})


def a_file(rows: int, *more: str, seed: int = 1) -> bytes:
    """Make a CSV of that many good rows, each telling its own number, and then these lines."""
    chance = random.Random(seed)
    lines = ["school,safe,help,age,words"]
    for number in range(rows):
        school, safe = chance.choice(["cross", "hillhouse", "other", ""]), chance.choice(["yes", "no", ""])
        helping = chance.choice(["friend", "friend;teacher", "", "nobody"])
        lines.append(f"{school},{safe},{helping},{chance.randint(10, 30)},row {number}")
    return "\n".join([*lines, *more, ""]).encode()


class Refusals:
    def __init__(self) -> None:
        self.all: list[Refusal] = []

    def add(self, refusals: Any) -> None:
        self.all += refusals


def add(survey: Survey, data: bytes, at: dt.datetime, **given: Any) -> Outcome:
    return add_file(survey, io.BytesIO(data), **{"file_name": "answers.csv", "by": None, "at": at, **given})


def nothing_is_in(survey: Survey) -> bool:
    kinds = (Response, Inbox, TextAnswer, NamedResponse, Tally, Import)
    return not any(kind.objects.filter(survey=survey).exists() for kind in kinds)


def test_every_row_becomes_a_response_and_every_text_a_text(now: dt.datetime) -> None:
    survey = a_survey()
    outcome = add(survey, a_file(50), now)
    assert (outcome.read, outcome.added, outcome.refused) == (50, 50, 0)
    assert Response.objects.filter(survey=survey).count() == 50
    texts = [unseal(sealed) for sealed in TextAnswer.objects.values_list("sealed", flat=True)]
    assert sorted(texts) == sorted(f"row {number}" for number in range(50))
    assert not any("words" in response.answers for response in Response.objects.all())


def test_the_tallies_are_those_of_a_plain_count(now: dt.datetime) -> None:
    survey = a_survey()
    add(survey, a_file(120), now)
    stored = [{**response.answers, "words": True} for response in Response.objects.filter(survey=survey)]
    counted = count_answers(definition_of(survey), stored)
    keys = ("dimension", "value", "question", "choice")
    assert {tuple(row[:4]): row[4] for row in Tally.objects.values_list(*keys, "count")} == counted


def test_tallies_of_two_files_add_up(now: dt.datetime) -> None:
    survey = a_survey()
    add(survey, a_file(30, seed=1), now)
    add(survey, a_file(30, seed=2), now)
    assert Tally.objects.get(survey=survey, question="", dimension="").count == 60


def test_the_order_on_disk_is_not_the_order_of_the_file(now: dt.datetime) -> None:
    survey = a_survey()
    rows = "\n".join(f"{10 + number / 10}" for number in range(200))
    add(survey, f"age\n{rows}\n".encode(), now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT (answers ->> 'age')::float FROM surveys_response ORDER BY ctid")
        ages = [age for (age,) in cursor.fetchall()]
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM surveys_response")
        (transactions,) = cursor.fetchone()
    assert sorted(ages) != ages
    neighbours = sum(abs(one - other) < 0.11 for one, other in itertools.pairwise(ages))
    assert neighbours < 20  # 2 of 199 by chance
    assert transactions == 1


def test_texts_lie_in_another_order_than_the_answers(now: dt.datetime) -> None:
    survey = a_survey()
    rows = "\n".join(f"{10 + number / 10},{10 + number / 10}" for number in range(200))
    add(survey, f"age,words\n{rows}\n".encode(), now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT (answers ->> 'age')::float FROM surveys_response ORDER BY ctid")
        ages = [age for (age,) in cursor.fetchall()]
        cursor.execute("SELECT sealed FROM surveys_textanswer ORDER BY ctid")
        texts = [float(unseal(sealed)) for (sealed,) in cursor.fetchall()]
    assert sum(age == text for age, text in zip(ages, texts, strict=True)) < 10
    assert sum(abs(one - other) < 0.11 for one, other in itertools.pairwise(texts)) < 20


def test_bad_rows_are_listed_and_the_rest_goes_in(now: dt.datetime) -> None:
    survey = a_survey()
    refusals = Refusals()
    outcome = add(survey, a_file(20, "mars,yes,,,", ",maybe,,11,"), now, refusals=refusals)
    assert (outcome.read, outcome.added, outcome.refused) == (22, 20, 2)
    assert [(refusal.line, refusal.column) for refusal in refusals.all] == [(22, "school"), (23, "safe")]
    assert outcome.first_refusals == refusals.all
    assert Response.objects.filter(survey=survey).count() == 20


def test_all_or_nothing_adds_nothing_for_one_bad_row_and_lists_every_one(now: dt.datetime) -> None:
    survey = a_survey(state="draft")
    refusals = Refusals()
    data = a_file(5, "mars,,,,") + a_file(5, "venus,,,,")[len("school,safe,help,age,words\n") :]
    with pytest.raises(Refused, match="2 of 12"):
        add(survey, data, now, refusals=refusals, all_or_nothing=True)
    assert len(refusals.all) == 2
    assert nothing_is_in(survey)
    survey.refresh_from_db()
    assert survey.is_draft


def test_a_dry_run_tells_what_would_be_and_writes_nothing(now: dt.datetime) -> None:
    survey = a_survey(state="draft")
    outcome = add(survey, a_file(20, "mars,,,,"), now, dry_run=True)
    assert (outcome.read, outcome.taken, outcome.refused, outcome.added) == (21, 20, 1, 0)
    assert nothing_is_in(survey)
    assert not AuditEvent.objects.about(survey).exists()
    survey.refresh_from_db()
    assert survey.is_draft


def test_the_same_file_twice_adds_nothing_twice(now: dt.datetime) -> None:
    survey = a_survey()
    add(survey, a_file(20), now)
    again = add(survey, a_file(20), now)
    assert again.was_in_already
    assert again.added == 0
    assert Response.objects.filter(survey=survey).count() == 20
    assert add(survey, a_file(20), now, dry_run=True).was_in_already
    other = a_survey()
    assert add(other, a_file(20), now).added == 20


def test_a_draft_opens_and_freezes_with_its_first_file(now: dt.datetime) -> None:
    survey = a_survey(state="draft")
    outcome = add(survey, a_file(20), now)
    survey.refresh_from_db()
    assert outcome.opened
    assert survey.is_open
    assert survey.opened_at == now
    assert not add(survey, a_file(20, seed=3), now).opened


def test_numbers_of_a_draft_are_tallied_in_the_bands_that_its_opening_cuts(now: dt.datetime) -> None:
    survey = make_survey([{"key": "age", "kind": "number", "low": 10, "high": 20}], state="draft")
    add(survey, ("age\n" + "12\n" * 20).encode(), now)
    (band,) = Tally.objects.filter(survey=survey, question="age", count=20).exclude(choice="")
    assert band.choice == band_of(definition_of(survey).question_by_key["age"], 12)


def test_a_closed_survey_takes_no_file(now: dt.datetime) -> None:
    survey = a_survey(state="closed")
    for dry_run in (True, False):
        with pytest.raises(Refused, match="closed"):
            add(survey, a_file(20), now, dry_run=dry_run)
    assert nothing_is_in(survey)


def test_a_survey_closed_while_the_file_is_read_takes_none_of_it(now: dt.datetime) -> None:
    survey = a_survey()

    def close(progress: Any) -> None:
        Survey.objects.filter(pk=survey.pk).update(state="closed", closed_at=now)

    with pytest.raises(Refused, match="closed"):
        add(survey, a_file(20), now, on_progress=close)
    assert nothing_is_in(survey)


def test_a_draft_changed_while_the_file_is_read_takes_none_of_it(now: dt.datetime) -> None:
    survey = a_survey(state="draft")

    def change(progress: Any) -> None:
        survey.questions.filter(key="age").update(high=25)

    with pytest.raises(Refused, match="changed"):
        add(survey, a_file(20), now, on_progress=change)
    assert nothing_is_in(survey)


def test_a_file_without_one_good_row_is_refused_and_opens_nothing(now: dt.datetime) -> None:
    survey = a_survey(state="draft")
    for data in [b"school,safe\n", b"school,safe\nmars,yes\n"]:
        with pytest.raises(Refused, match="no row"):
            add(survey, data, now)
    assert nothing_is_in(survey)
    survey.refresh_from_db()
    assert survey.is_draft


def test_fewer_anonymous_rows_than_k_wait_in_the_inbox(now: dt.datetime) -> None:
    survey = a_survey()
    outcome = add(survey, a_file(9), now)
    assert outcome.waits
    assert not Response.objects.filter(survey=survey).exists()
    assert not Tally.objects.filter(survey=survey).exists()
    waiting = Inbox.objects.filter(survey=survey)
    assert sorted(unseal(each.texts["words"]) for each in waiting) == [f"row {number}" for number in range(9)]


def test_a_survey_with_names_keeps_them_with_the_texts_and_the_consent(now: dt.datetime) -> None:
    survey = a_survey(mode="named", consent={"en": "Keep my name."})
    add(survey, "Name,E-mail,safe,words\nAda,ada@example.org,yes,“Hi”\\\t\n".encode(), now)
    (response,) = NamedResponse.objects.filter(survey=survey)
    assert (response.name, response.email, response.consent) == ("Ada", "ada@example.org", "Keep my name.")
    assert response.answers == {"safe": "yes", "words": "“Hi”\\"}
    assert response.answered_at == now
    assert not Response.objects.exists()


def test_every_character_of_a_text_comes_through(now: dt.datetime) -> None:
    survey = a_survey()
    text = 'a\\b\\n\\\\ "quoted" \t tab\n\nlines; مرحبا 👩🏽‍🎓 \\N \\. €'
    quoted = text.replace('"', '""')
    add(survey, f'words\n"{quoted}"\n'.encode() + b"\\N\n\\.\n" * 10, now)
    texts = {unseal(sealed) for sealed in TextAnswer.objects.values_list("sealed", flat=True)}
    assert texts == {text, "\\N", "\\."}


def test_the_file_and_whoever_sent_it_are_written_down(now: dt.datetime) -> None:
    survey, organizer = a_survey(), make_organizer()
    add(survey, a_file(20, "mars,,,,"), now, by=organizer)
    (entry,) = Import.objects.filter(survey=survey)
    assert (entry.state, entry.rows_read, entry.rows_added, entry.rows_refused) == ("done", 21, 20, 1)
    assert len(entry.content_hash) == 64
    (event,) = AuditEvent.objects.about(survey).filter(verb="survey.import")
    assert event.actor_id == organizer.pk
    assert event.detail["rows"] == 20


def test_progress_goes_up_to_the_end_of_the_file(now: dt.datetime) -> None:
    seen: list[tuple[int, float]] = []
    add(a_survey(), a_file(12_000), now, on_progress=lambda progress: seen.append((progress.read, progress.done)))
    assert [read for read, _done in seen] == [4_999, 9_999, 12_000]
    assert seen[-1][1] == 1.0
    assert 0 < seen[0][1] < 1


# --- The command --------------------------------------------------------------------------------


def command(capsys: pytest.CaptureFixture[str], *args: Any) -> str:
    call_command("import_responses", *map(str, args))
    return capsys.readouterr().out


def test_the_command_says_what_became_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    survey = a_survey(state="draft")
    file = tmp_path / "my answers.csv"
    file.write_bytes(b"Timestamp,school\n" + b"1/2/2026 10:00,cross\n" * 20 + b"x,mars\n")
    said = command(capsys, survey.slug, file)
    assert "Dropped, not stored: Timestamp." in said
    assert "line 22: 'school' is none of the choices (cross, hillhouse, other)" in said
    assert "is open now" in said
    assert said.endswith(f"{survey.slug}: 21 rows read, 20 added, 1 refused.\n")
    rejected = (tmp_path / "my answers.csv.rejected.csv").read_text("utf-8-sig")
    assert rejected.splitlines() == [
        "line,column,reason",
        '22,school,"is none of the choices (cross, hillhouse, other)"',
    ]
    assert "already" in command(capsys, survey.slug, file)


def test_the_command_lists_nothing_when_nothing_was_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    survey = a_survey()
    file = tmp_path / "answers.csv"
    (tmp_path / "answers.csv.rejected.csv").write_text("of an earlier try")
    file.write_bytes(a_file(20))
    command(capsys, survey.slug, file)
    assert [path.name for path in tmp_path.iterdir()] == ["answers.csv"]


def test_a_dry_run_of_the_command_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    survey = a_survey()
    file = tmp_path / "answers.csv"
    file.write_bytes(a_file(20, "mars,,,,"))
    said = command(capsys, survey.slug, file, "--dry-run")
    assert "20 would be added, 1 refused" in said
    assert "line 22" in said
    assert [path.name for path in tmp_path.iterdir()] == ["answers.csv"]


@pytest.mark.parametrize(
    ("slug", "data", "said"),
    [
        ("unknown", b"safe\nyes\n", "no survey with the short address “unknown”"),
        ("", b"", "empty"),
        ("", b"PK\x03\x04", "xlsx"),
        ("", b"nothing,known\n1,2\n", "must hold these names"),
        ("", b",".join(b"c%d" % number for number in range(10_000)), "10000 columns"),
        ("", b"safe\nmaybe\n", "no row that can be taken.*rejected.csv"),
        ("", None, "No such file"),
    ],
)
def test_the_command_refuses_in_one_plain_line(tmp_path: Path, slug: str, data: bytes | None, said: str) -> None:
    file = tmp_path / "answers.csv"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(CommandError, match=said) as refused:
        call_command("import_responses", slug or a_survey().slug, str(file))
    assert "\n" not in str(refused.value)
