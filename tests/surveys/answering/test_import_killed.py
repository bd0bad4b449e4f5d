"""A process that is killed while it adds a file leaves nothing behind, and the file can be sent again."""

import contextlib
import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from surveys.answering.importing.jobs import receive_file, run_due
from surveys.answering.models import Import, Response, Tally, TextAnswer
from surveys.design.models import Survey
from tests.factories import make_lead_organizer, make_survey

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 12_000
# The command as a process of its own, on the database of this test.
COMMAND = """
import sys, django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from django.core.management import call_command
call_command("import_responses", *sys.argv[2:], skip_checks=True)
"""
# A worker reading a file that a browser sent.
WORKER = """
import sys, uuid, django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
settings.MEDIA_ROOT = sys.argv[3]
django.setup()
from django.utils import timezone
from surveys.answering.importing.jobs import run_job
run_job(uuid.UUID(sys.argv[2]), clock=timezone.now)
"""


@pytest.fixture
def survey() -> Survey:
    return make_survey(
        [{"key": "safe", "choices": ["yes", "no"]}, {"key": "words", "kind": "short_text"}], state="draft"
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv"
    path.write_text("safe,words\n" + "yes,because\nno,\n" * (ROWS // 2))
    return path


class NeverMind(Exception):
    """Take back what a test did to stand in the way."""


def importing(survey: Survey, file: Path) -> contextlib.AbstractContextManager["subprocess.Popen[bytes]"]:
    return running(COMMAND, survey.slug, str(file))


@contextlib.contextmanager
def running(program: str, *args: str) -> Iterator["subprocess.Popen[bytes]"]:
    name = str(connection.settings_dict["NAME"])
    with subprocess.Popen([sys.executable, "-c", program, name, *args], env=os.environ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(query: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until another connection is in that state."""
    patience = time.monotonic() + 30
    while time.monotonic() < patience and process.poll() is None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees the same activity for ever
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND " + query)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError(f"the import never came to where {query}")


def nothing_is_in(survey: Survey) -> bool:
    kinds = (Response, TextAnswer, Import, Tally)
    return not any(kind.objects.filter(survey=survey).exists() for kind in kinds)


def send_again(survey: Survey, file: Path) -> None:
    call_command("import_responses", survey.slug, str(file))
    assert Response.objects.filter(survey=survey).count() == ROWS
    assert TextAnswer.objects.filter(survey=survey).count() == ROWS // 2
    assert Tally.objects.get(survey=survey, dimension="", question="safe", choice="yes").count == ROWS // 2


def test_killed_while_reading(survey: Survey, file: Path) -> None:
    with importing(survey, file) as process:
        wait_until("query LIKE 'COPY import_rows%'", process)
        process.send_signal(signal.SIGKILL)
    assert nothing_is_in(survey)
    send_again(survey, file)


def test_killed_before_the_transaction(survey: Survey, file: Path) -> None:
    with transaction.atomic():
        Survey.objects.select_for_update().get(pk=survey.pk)
        with importing(survey, file) as process:
            wait_until("wait_event_type = 'Lock'", process)
            process.send_signal(signal.SIGKILL)
    assert nothing_is_in(survey)
    survey.refresh_from_db()
    assert survey.is_draft
    send_again(survey, file)


def test_killed_with_everything_written_but_the_end(survey: Survey, file: Path) -> None:
    Survey.objects.filter(pk=survey.pk).update(state="open", opened_at=survey.created_at)
    # A tally that somebody else is writing stops it after the answers.
    with contextlib.suppress(NeverMind), transaction.atomic():
        Tally.objects.create(survey=survey, count=0)
        with importing(survey, file) as process:
            wait_until("wait_event_type = 'Lock' AND query LIKE '%surveys_tally%'", process)
            process.send_signal(signal.SIGKILL)
        raise NeverMind
    assert nothing_is_in(survey)
    send_again(survey, file)


@pytest.mark.parametrize("place", ["query LIKE 'COPY import_rows%'", "wait_event_type = 'Lock'"])
def test_a_file_whose_worker_was_killed_is_read_by_the_next_one(
    place: str, survey: Survey, file: Path, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    job = receive_file(
        survey,
        SimpleUploadedFile("answers.csv", file.read_bytes()),
        by=make_lead_organizer(),
        at=timezone.now(),
        language="en",
    )
    with transaction.atomic():
        if "Lock" in place:
            Survey.objects.select_for_update().get(pk=survey.pk)
        with running(WORKER, str(job.pk), str(settings.MEDIA_ROOT)) as process:
            wait_until(place, process)
            process.send_signal(signal.SIGKILL)
    job.refresh_from_db()
    assert (job.state, job.rows_added) == ("running", 0)
    run_due(clock=timezone.now)
    assert not Response.objects.exists()  # it may still be alive, as far as anybody knows
    run_due(clock=lambda: timezone.now() + dt.timedelta(minutes=6))
    job.refresh_from_db()
    assert (job.state, job.rows_added, job.upload) == ("done", ROWS, "")
    assert Response.objects.filter(survey=survey).count() == ROWS
