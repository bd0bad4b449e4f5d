"""Sending a file of answers in a browser, and watching it go in."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from celery import current_app
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from surveys.answering.importing import jobs
from surveys.answering.models import Import, Response
from surveys.design.models import Survey
from tests.browser.test_look import assert_good_at_every_width, sign_in
from tests.factories import make_lead_organizer, make_organization, make_survey

if TYPE_CHECKING:
    from playwright.sync_api import Page

NewPage = Callable[..., "Page"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def survey(transactional_db: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Survey:
    settings.MEDIA_ROOT = tmp_path / "media"
    # Nobody hears the bell, so that each test decides when the file is read.
    monkeypatch.setattr(current_app.conf, "broker_url", "redis+socket:///nowhere.sock")
    make_organization()
    return make_survey(
        [
            {"key": "school", "choices": ["adams", "brooks", "cross"], "is_required": True},
            {"key": "safe", "kind": "scale", "low": 1, "high": 5},
            {"key": "help", "kind": "multiple", "choices": ["friend", "teacher", "nobody"]},
            {"key": "words", "kind": "long_text"},
        ],
        slug="walks",
        title={"en": "How we walk to school", "es": "Cómo vamos a la escuela"},
        dimensions=["school"],
        state="draft",
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Form answers.csv"
    path.write_text("Timestamp,school,safe\n" + "10:00,adams,4\n10:01,Brooks,2\n" * 20 + "10:02,mars,9\n")
    return path


def send(page: "Page", file: Path) -> None:
    page.goto("/surveys/walks/answers/")
    page.get_by_label("File of answers").set_input_files(file)
    page.get_by_role("button", name="Send the file").click()
    expect(page.get_by_text("The file waits for its turn")).to_be_visible()


def test_a_file_goes_in_and_its_page_tells_so_by_itself(
    desktop: "Page", survey: Survey, file: Path, live_server: LiveServer
) -> None:
    sign_in(desktop, make_lead_organizer(), live_server)
    send(desktop, file)
    desktop.reload()
    expect(desktop.get_by_text("The file waits for its turn")).to_be_visible()
    jobs.run_due(clock=timezone.now)
    expect(desktop.get_by_text("Rows not taken, with reasons")).to_be_visible()
    expect(desktop.get_by_text("Dropped, not stored: Timestamp.")).to_be_visible()
    with desktop.expect_download() as download:
        desktop.get_by_text("Rows not taken, with reasons").click()
    assert "42,school" in download.value.path().read_text("utf-8-sig")
    assert Response.objects.count() == 40
    survey.refresh_from_db()
    assert survey.is_open


def test_without_javascript_the_page_asks_again_by_itself(
    new_page: NewPage, survey: Survey, file: Path, live_server: LiveServer
) -> None:
    page = new_page(javascript=False)
    sign_in(page, make_lead_organizer(), live_server)
    send(page, file)
    jobs.run_due(clock=timezone.now)
    expect(page.get_by_text("Rows not taken, with reasons")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_files_are_good_at_every_width(
    new_page: NewPage, survey: Survey, file: Path, live_server: LiveServer, scheme: str
) -> None:
    page = new_page(scheme=scheme)
    sign_in(page, make_lead_organizer(), live_server)
    send(page, file)
    Import.objects.update(
        state="running", rows_read=123_456, percent=40, started_at=timezone.now(), heard_at=timezone.now()
    )
    page.reload()
    assert_good_at_every_width(page)
    Import.objects.update(heard_at=timezone.now() - dt.timedelta(hours=1))
    jobs.run_due(clock=timezone.now)
    page.reload()
    assert_good_at_every_width(page)
    page.goto("/surveys/walks/answers/")
    assert_good_at_every_width(page)
