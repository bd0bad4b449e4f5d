"""Files that browsers send: claimed by one worker, read once, deleted."""

import datetime as dt
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.translation import get_language

from organizing.people.models import Person
from organizing.web.errors import Refused
from surveys.answering.importing.jobs import receive_file, refusal_path, run_due, run_job, store
from surveys.answering.models import Import, Response
from surveys.design.models import Survey
from tests.factories import make_lead_organizer, make_organizer, make_person, make_survey

pytestmark = pytest.mark.django_db

GOOD = b"safe\n" + b"yes\nno\n" * 10
MIXED = GOOD + b"maybe\n"


@pytest.fixture(autouse=True)
def _media(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def clock(now: dt.datetime) -> Callable[[], dt.datetime]:
    """Two seconds pass between two looks at this clock."""
    moment = now

    def look() -> dt.datetime:
        nonlocal moment
        moment += dt.timedelta(seconds=2)
        return moment

    return look


def a_job(survey: Survey, now: dt.datetime, data: bytes = GOOD, **given: Any) -> Import:
    by = given.pop("by", None) or make_lead_organizer()
    upload = SimpleUploadedFile("answers.csv", data)
    return receive_file(survey, upload, **{"by": by, "at": now, "language": "en", **given})


def files() -> list[str]:
    return store().listdir("")[1] if store().exists("") else []


def test_a_file_is_kept_for_this_program_alone_and_deleted_when_it_is_in(
    now: dt.datetime, clock: Callable[[], dt.datetime]
) -> None:
    survey = make_survey()
    job = a_job(survey, now)
    path = Path(store().path(job.upload))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    run_job(job.pk, clock=clock)
    job.refresh_from_db()
    assert (job.state, job.rows_read, job.rows_added, job.percent, job.upload) == ("done", 20, 20, 100, "")
    assert files() == []


def test_a_job_that_is_run_twice_adds_its_rows_once(now: dt.datetime, clock: Callable[[], dt.datetime]) -> None:
    survey = make_survey()
    job = a_job(survey, now)
    run_job(job.pk, clock=clock)
    run_job(job.pk, clock=clock)
    run_due(clock=clock)
    assert Response.objects.filter(survey=survey).count() == 20


def test_a_job_that_somebody_is_at_is_left_alone(now: dt.datetime, clock: Callable[[], dt.datetime]) -> None:
    job = a_job(make_survey(), now)
    Import.objects.update(state="running", started_at=now, heard_at=now)
    run_job(job.pk, clock=clock)
    job.refresh_from_db()
    assert job.state == "running"


def test_a_job_whose_worker_died_is_finished_by_another(now: dt.datetime, clock: Callable[[], dt.datetime]) -> None:
    survey = make_survey()
    job = a_job(survey, now)
    long_ago = now - dt.timedelta(minutes=6)
    Import.objects.update(state="running", started_at=long_ago, heard_at=long_ago, rows_read=7)
    run_due(clock=clock)
    job.refresh_from_db()
    assert (job.state, job.rows_read) == ("done", 20)
    assert Response.objects.filter(survey=survey).count() == 20


def test_a_worker_that_was_only_slow_adds_nothing_once_its_job_is_taken_over(
    now: dt.datetime,
) -> None:
    survey = make_survey()
    job = a_job(survey, now)
    looks = 0

    def clock() -> dt.datetime:
        nonlocal looks
        looks += 1
        if looks == 3:  # it is reading; time stands still for it while another one claims the job
            Import.objects.update(started_at=now + dt.timedelta(hours=1))
        return now

    run_job(job.pk, clock=clock)
    job.refresh_from_db()
    assert job.state == "running"
    assert files() == [job.upload]
    assert not Response.objects.exists()


def test_a_slow_worker_stops_reading_at_its_next_sign_of_life(
    now: dt.datetime, clock: Callable[[], dt.datetime]
) -> None:
    job = a_job(make_survey(), now, b"safe\n" + b"yes\n" * 60_000)
    looks = 0

    def late() -> dt.datetime:
        nonlocal looks
        looks += 1
        if looks == 2:
            Import.objects.update(started_at=now - dt.timedelta(hours=1))
        return clock()

    run_job(job.pk, clock=late)
    job.refresh_from_db()
    assert job.rows_read == 0
    assert looks == 4  # it claimed, began, and gave one sign of life
    assert not Response.objects.exists()


def test_what_is_refused_row_by_row_can_be_downloaded(now: dt.datetime, clock: Callable[[], dt.datetime]) -> None:
    job = a_job(make_survey(), now, MIXED)
    run_job(job.pk, clock=clock)
    job.refresh_from_db()
    assert (job.rows_added, job.rows_refused) == (20, 1)
    assert refusal_path(job).read_text("utf-8-sig").splitlines()[1].startswith("22,safe,")


@pytest.mark.parametrize(
    ("data", "given", "said"),
    [
        (b"", {}, "The file is empty."),
        (b"PK\x03\x04", {}, "This is not a CSV file"),
        (MIXED, {"all_or_nothing": True}, "Nothing was added: 1 of 21 rows"),
    ],
)
def test_a_file_that_is_refused_ends_its_job_with_the_reason(
    data: bytes, given: dict[str, Any], said: str, now: dt.datetime, clock: Callable[[], dt.datetime]
) -> None:
    job = a_job(make_survey(), now, data, **given)
    run_job(job.pk, clock=clock)
    job.refresh_from_db()
    assert job.state == "failed"
    assert job.notes[0].startswith(said)
    assert job.upload not in files()


def test_the_same_file_again_says_that_it_is_in(now: dt.datetime, clock: Callable[[], dt.datetime]) -> None:
    survey = make_survey()
    for expected in ["done", "failed"]:
        job = a_job(survey, now)
        run_job(job.pk, clock=clock)
        job.refresh_from_db()
        assert job.state == expected
    assert "in already" in job.notes[0]
    assert Response.objects.filter(survey=survey).count() == 20


def test_a_check_adds_nothing_and_the_file_can_be_sent_for_good_after_it(
    now: dt.datetime, clock: Callable[[], dt.datetime]
) -> None:
    survey = make_survey(state="draft")
    job = a_job(survey, now, MIXED, only_check=True, by=make_organizer())
    run_job(job.pk, clock=clock)
    job.refresh_from_db()
    survey.refresh_from_db()
    assert (job.state, job.rows_taken, job.rows_refused, job.rows_added) == ("checked", 20, 1, 0)
    assert survey.is_draft
    assert not Response.objects.exists()
    assert refusal_path(job).exists()
    job = a_job(survey, now, MIXED)
    run_job(job.pk, clock=clock)
    assert Response.objects.count() == 20


def test_a_draft_is_opened_by_a_lead_organizer_and_nobody_else(
    now: dt.datetime, clock: Callable[[], dt.datetime]
) -> None:
    survey = make_survey(state="draft")
    with pytest.raises(Refused, match="lead organizer"):
        a_job(survey, now, by=make_organizer())
    assert files() == []
    run_job(a_job(survey, now).pk, clock=clock)
    survey.refresh_from_db()
    assert survey.is_open


def test_reasons_are_written_in_the_language_of_whoever_sent_the_file(now: dt.datetime) -> None:
    spoken = []

    def listen() -> dt.datetime:
        spoken.append(get_language())
        return now

    run_job(a_job(make_survey(), now, language="es").pk, clock=listen)
    assert set(spoken[1:]) == {"es"}


def test_an_error_of_ours_ends_the_job_and_is_told_to_whoever_runs_the_site(now: dt.datetime) -> None:
    job = a_job(make_survey(), now)
    looks = 0

    def breaks_once() -> dt.datetime:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise ZeroDivisionError
        return now

    with pytest.raises(ZeroDivisionError):
        run_job(job.pk, clock=breaks_once)
    job.refresh_from_db()
    assert (job.state, job.notes) == ("failed", ["Something went wrong here. Nothing was added."])
    assert files() == []


def test_a_file_that_is_gone_is_told(now: dt.datetime, clock: Callable[[], dt.datetime]) -> None:
    job = a_job(make_survey(), now)
    store().delete(job.upload)
    run_due(clock=clock)
    job.refresh_from_db()
    assert (job.state, job.notes) == ("failed", ["The file is gone. Please send it again."])


def test_no_file_is_kept_longer_than_a_day_and_no_list_longer_than_a_month(
    now: dt.datetime, clock: Callable[[], dt.datetime]
) -> None:
    survey = make_survey()
    job = a_job(survey, now - dt.timedelta(days=2))
    Import.objects.update(state="running", started_at=now, heard_at=now)
    for name, age in [("stray.csv", 2), ("new.csv", 0), ("a.rejected.csv", 2), ("b.rejected.csv", 31)]:
        path = Path(store().path(name))
        path.touch()
        then = (now - dt.timedelta(days=age)).timestamp()
        os.utime(path, (then, then))
    run_due(clock=clock)
    job.refresh_from_db()
    assert job.state == "failed"
    assert sorted(files()) == ["a.rejected.csv", "new.csv"]


# --- Pages --------------------------------------------------------------------------------------


@pytest.fixture
def _no_broker(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app.conf, "broker_url", "redis+socket:///nowhere.sock")


def signed_in(client: Client, person: Person) -> Client:
    client.force_login(person)
    return client


@pytest.mark.usefixtures("_no_broker")
def test_a_file_sent_while_the_broker_is_down_waits_for_the_next_round(
    client: Client, now: dt.datetime, clock: Callable[[], dt.datetime]
) -> None:
    survey = make_survey()
    signed_in(client, make_organizer())
    upload = SimpleUploadedFile("my <answers>.csv", MIXED)
    answer = client.post(reverse("surveys:import-new", args=[survey.slug]), {"file": upload})
    (job,) = Import.objects.all()
    page = reverse("surveys:import-detail", args=[survey.slug, job.pk])
    assert answer.headers["Location"] == page
    assert "waits for its turn" in client.get(page).content.decode()
    assert 'http-equiv="refresh"' in client.get(page).content.decode()
    run_due(clock=clock)
    shown = client.get(page).content.decode()
    assert "hx-trigger" not in shown
    assert "Rows not taken, with reasons" in shown
    listed = client.get(reverse("surveys:import-rejected", args=[survey.slug, job.pk]))
    assert b"22,safe," in listed.getvalue()
    part = client.get(page, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "Rows not taken" in part


@pytest.mark.parametrize(
    ("name", "data", "said"), [("a.xlsx", b"PK", "another kind of file"), ("a.csv", b"", "is empty")]
)
def test_what_the_door_refuses_is_told_on_the_form(client: Client, name: str, data: bytes, said: str) -> None:
    survey = make_survey()
    signed_in(client, make_organizer())
    answer = client.post(reverse("surveys:import-new", args=[survey.slug]), {"file": SimpleUploadedFile(name, data)})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Import.objects.exists()


def test_a_draft_is_refused_to_an_organizer_on_the_form(client: Client) -> None:
    survey = make_survey(state="draft")
    signed_in(client, make_organizer())
    answer = client.post(reverse("surveys:import-new", args=[survey.slug]), {"file": SimpleUploadedFile("a.csv", GOOD)})
    assert answer.status_code == 422
    assert "lead organizer" in answer.content.decode()


def test_only_organizers_learn_that_a_file_was_sent(client: Client, now: dt.datetime) -> None:
    job = a_job(make_survey(), now)
    signed_in(client, make_person())
    for name in ["import-detail", "import-rejected"]:
        assert client.get(reverse(f"surveys:{name}", args=[job.survey.slug, job.pk])).status_code == 404
    assert client.get(reverse("surveys:import-new", args=[job.survey.slug])).status_code == 404


def test_a_job_is_found_under_its_own_survey_only(client: Client, now: dt.datetime) -> None:
    job = a_job(make_survey(), now)
    signed_in(client, make_organizer())
    assert client.get(reverse("surveys:import-detail", args=[make_survey().slug, job.pk])).status_code == 404
