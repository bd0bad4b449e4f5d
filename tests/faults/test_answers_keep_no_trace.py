"""Nothing of who answered is left: in database, Valkey or log. And a whole dump links nobody to anything."""

import json
import math
import os
import random
import subprocess
import uuid
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import redis
from django.conf import settings
from django.db import connection

from organizing.local import servers
from surveys.answering.models import Inbox, Response, SpentSubmission, TextAnswer
from surveys.answering.operations import close_survey, shuffle, store_answers
from surveys.answering.sealing import unseal
from surveys.design.models import Survey
from tests.conftest import NOW
from tests.factories import make_survey
from tests.faults.conftest import Site, all_at_once

if TYPE_CHECKING:
    from organizing.local.servers import Valkey

pytestmark = pytest.mark.django_db(transaction=True)

STUDENTS = 500
CANARIES = {
    "X-Forwarded-For": "203.0.113.77",
    "X-Real-IP": "203.0.113.78",
    "Forwarded": "for=203.0.113.79",
    "User-Agent": "CanaryBrowser/77.7",
    "Cookie": "canary-cookie=canary-crumb; session=canary-session",
    "Referer": "http://canary-referer.example/",
}
WORDS = ["203.0.113.7", "CanaryBrowser", "canary", "127.0.0.1"]


def full_dump() -> str:
    return subprocess.run(
        [
            servers.postgres_bin() / "pg_dump",
            "--host=" + connection.settings_dict["HOST"],
            "--port=" + str(connection.settings_dict["PORT"] or 5432),
            "--username=" + connection.settings_dict["USER"],
            connection.settings_dict["NAME"],
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_five_hundred_answers_leave_no_address_browser_or_cookie(
    start_site: Callable[..., Site], valkey: "Valkey"
) -> None:
    survey = make_survey(
        [
            {"key": "safe", "kind": "single", "choices": ["yes", "no"]},
            {"key": "words", "kind": "long_text"},
        ]
    )
    site = start_site(REDIS_URL=valkey.url)
    path = f"/s/{survey.slug}/"

    def student(numbers: range) -> int:
        stored = 0
        for number in numbers:
            form = site.open_form(path, **CANARIES)
            # Every tenth errs first, one kind of error each: refusals must not be written down either.
            if number % 10 == 0:
                wrong = [{"q-safe": "maybe"}, {"q-words": "x" * 6_000}, {"leave_this_open": "x"}][number // 10 % 3]
                assert site.send(path, wrong, form, **CANARIES)[0] == 422
            stored += site.send(path, {"q-safe": "yes", "q-words": "words"}, form, **CANARIES)[0] == 303
        return stored

    assert sum(all_at_once(student, [range(start, STUDENTS, 8) for start in range(8)])) == STUDENTS
    assert site.ask("POST", path, "x=%00", {**CANARIES, "Origin": "http://canary.example"})[0] == 403
    assert site.ask("GET", "/s/canary-no-such-survey/", headers=CANARIES)[0] == 404
    assert Inbox.objects.count() == STUDENTS
    close_survey(survey, by=None, at=NOW)

    dump = full_dump()
    assert str(survey.pk) in dump
    store = redis.Redis.from_url(valkey.url.replace("redis+socket", "unix"))
    kept_in_valkey = " ".join(f"{key!r}{store.dump(key)!r}" for key in store.keys("*"))
    logs = site.log.read_text() + (settings.VAR_DIR / "postgres.log").read_text(errors="replace")
    assert "Booting worker" in logs
    for word in WORDS:
        assert word not in dump
        assert word not in kept_in_valkey
        assert word not in logs.replace(f"http://127.0.0.1:{site.port}", "")  # gunicorn says where it listens
    assert path not in logs


# --- The attack on a dump -------------------------------------------------------------------------
#
# The attacker saw in which order the students answered, and has the whole database: rows in their physical order, with
# transaction ids. By every order there is they guess that the n-th student's answer is the n-th row, and that whoever
# came next is the next row.

DIGITS = 5  # questions with four choices: 4⁵ = 1024 different answers, so that each student's can be told apart
# Two guesses by each of four orders make eight tries, so one in a hundred becomes one in eight hundred for each.
RARE = 0.01 / 8
ORDERS = ["ctid", "xmin::text::bigint, ctid", "id", "ctid DESC"]


def answers_of(student: int) -> dict[str, str]:
    return {f"d{place}": "abcd"[student >> 2 * place & 3] for place in range(DIGITS)}


def student_of(answers: dict[str, str]) -> int:
    return sum("abcd".index(answers[f"d{place}"]) << 2 * place for place in range(DIGITS))


def chance_of(hits: int, tries: int) -> float:
    """The exact binomial probability of at least that many hits when each of ``tries`` guesses has one in ``tries``."""
    odds = 1 / tries
    below = sum(math.comb(tries, n) * odds**n * (1 - odds) ** (tries - n) for n in range(hits))
    return 1 - below


def rows(table: str, column: str, order: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY {order}")
        return [row[0] for row in cursor.fetchall()]


def hits(guessed: Sequence[int], truth: Sequence[int]) -> int:
    """How many stand in the same place, or how many have the same one after them, whichever is more."""
    followers = set(pairwise(truth))
    return max(
        sum(one == other for one, other in zip(guessed, truth, strict=True)),
        sum(pair in followers for pair in pairwise(guessed)),
    )


def make_survey_to_attack() -> Survey:
    questions = [{"key": f"d{place}", "choices": list("abcd")} for place in range(DIGITS)]
    return make_survey([*questions, {"key": "words", "kind": "long_text"}])


def answer_all(survey: Survey, *, last_batch: int | None) -> list[int]:
    """Let 500 students answer, shuffling now and then as the site does. Return them in the order they came in.

    ``last_batch`` of them come after the last shuffle and wait for the closing; ``None``: nobody shuffles at all.
    """
    came = random.Random(7).sample(range(4**DIGITS), STUDENTS)
    pauses = random.Random(11)
    for place, student in enumerate(came):
        store_answers(
            survey.pk, submission_id=uuid.uuid4(), answers=answers_of(student), texts={"words": f"I am {student}"}
        )
        if last_batch and place < STUDENTS - last_batch and pauses.random() < 0.05:
            shuffle(survey, at=NOW)
        if last_batch == STUDENTS - 1 - place:
            shuffle(survey, at=NOW)
    if last_batch:
        close_survey(survey, by=None, at=NOW)
    return came


@pytest.fixture
def repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same order at each run, so that the test does not fail once in two hundred times by honest chance."""
    monkeypatch.setattr("surveys.answering.operations._random", random.Random(13))


@pytest.mark.usefixtures("repeatable")
@pytest.mark.parametrize("last_batch", [1, 60])
def test_a_dump_links_students_to_answers_no_better_than_chance(last_batch: int) -> None:
    survey = make_survey_to_attack()
    came = answer_all(survey, last_batch=last_batch)
    assert Response.objects.count() == STUDENTS
    assert not Inbox.objects.exists()
    for order in ORDERS:
        guessed = [student_of(json.loads(answers)) for answers in rows("surveys_response", "answers::text", order)]
        assert sorted(guessed) == sorted(came)
        assert chance_of(hits(guessed, came), STUDENTS) > RARE, order
    # Nor do the spent forms, which lie in the order they came in, share anything with the answers.
    assert SpentSubmission.objects.count() == STUDENTS
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM surveys_spentsubmission s JOIN surveys_response r ON s.xmin = r.xmin OR s.id = r.id"
        )
        assert cursor.fetchone() == (0,)
        # One transaction wrote all that is left, so it tells neither batches nor the one who came last.
        for table in ("surveys_response", "surveys_textanswer", "surveys_tally"):
            cursor.execute(f"SELECT count(DISTINCT xmin::text) FROM {table}")
            assert cursor.fetchone() == (1,), table


@pytest.mark.usefixtures("repeatable")
def test_a_dump_links_words_to_answers_no_better_than_chance() -> None:
    survey = make_survey_to_attack()
    came = answer_all(survey, last_batch=60)
    for order in ORDERS:
        said = [int(unseal(sealed).removeprefix("I am ")) for sealed in rows("surveys_textanswer", "sealed", order)]
        answered = [student_of(json.loads(answers)) for answers in rows("surveys_response", "answers::text", order)]
        assert chance_of(hits(said, answered), STUDENTS) > RARE, order
        assert chance_of(hits(said, came), STUDENTS) > RARE, order
    assert TextAnswer.objects.count() == STUDENTS


def test_the_same_attack_on_answers_that_were_not_shuffled_names_everybody() -> None:
    """The control: the attack works where nothing protects."""
    survey = make_survey_to_attack()
    came = answer_all(survey, last_batch=None)
    guessed = [student_of(json.loads(answers)) for answers in rows("surveys_inbox", "answers::text", "ctid")]
    assert hits(guessed, came) == STUDENTS
    assert chance_of(STUDENTS, STUDENTS) < 0.01


def test_deleted_rows_are_taken_out_of_the_files() -> None:
    """A deleted row stays in its file until VACUUM, with its words and its transaction. The shuffle ends with one."""
    survey = make_survey_to_attack()
    answer_all(survey, last_batch=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_filepath('surveys_inbox'), pg_relation_size('surveys_inbox')")
        path, size = cursor.fetchone()
    assert size == 0, path
    assert os.path.getsize(settings.VAR_DIR / "postgres" / path) == 0
