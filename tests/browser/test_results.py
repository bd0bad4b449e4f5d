"""Results in a browser: readable by everyone, in both themes, at every width, without a script and on paper."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from pytest_django.live_server_helper import LiveServer

from surveys.design.models import Survey
from surveys.results.operations import approve_publication, decide_text, make_release, propose_publication
from tests.browser.test_look import assert_good_at_every_width, sign_in
from tests.conftest import PHONE
from tests.factories import (
    make_lead_organizer,
    make_organizer,
    make_survey,
    make_tallies,
    make_text,
    make_trustee,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

NewPage = Callable[..., "Page"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NOW = dt.datetime(2026, 9, 10, 20, 0, tzinfo=dt.UTC)


def answers(school: str, n: int, yes: int) -> list[dict[str, Any]]:
    return [{"school": school, "safe": "yes" if i < yes else "no", "words": i < 12} for i in range(n)]


@pytest.fixture
def survey(transactional_db: None) -> Survey:
    survey = make_survey(
        [
            {"key": "school", "kind": "single", "choices": ["adams", "brooks", "cross"]},
            {"key": "safe", "kind": "single", "choices": ["yes", "no"]},
            {"key": "words", "kind": "long_text"},
        ],
        slug="walks",
        state="closed",
        dimensions=["school"],
    )
    make_tallies(survey, answers("adams", 142, 73) + answers("brooks", 46, 9) + answers("cross", 30, 12))
    text = make_text(survey, "More counselors who listen")
    for _ in range(2):
        decide_text(text, decision="approve", wording="More counselors who listen", by=make_trustee(), at=NOW)
    make_text(survey, "Mr. Brown searches our bags")
    return survey


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_published_results_are_accessible(new_page: NewPage, survey: Survey, scheme: str) -> None:
    release = make_release(survey, at=NOW, by=None)
    page = new_page(scheme=scheme, javascript=True)
    page.goto("/s/walks/results/")
    assert page.get_by_role("heading", name="No results yet").is_visible()
    propose_publication(release, by=make_organizer(), at=NOW)
    approve_publication(release, by=make_lead_organizer(), at=NOW)
    for path in ("/s/walks/results/", "/results/"):
        page.goto(path)
        assert_good_at_every_width(page)


def test_a_release_goes_from_an_organizer_to_a_lead_organizer_to_everyone_without_a_script(
    new_page: NewPage, live_server: LiveServer, survey: Survey
) -> None:
    organizer = new_page(size=PHONE, javascript=False)
    sign_in(organizer, make_organizer(), live_server)
    organizer.goto("/surveys/walks/results/")
    organizer.get_by_role("button", name="Make the first release").click()
    organizer.get_by_role("button", name="Propose to publish").click()
    assert organizer.get_by_text("Waits for approval").is_visible()
    lead = new_page(size=PHONE, javascript=False)
    sign_in(lead, make_lead_organizer(), live_server)
    lead.goto("/surveys/walks/results/")
    lead.get_by_role("button", name="Approve and publish").click()
    visitor = new_page(size=PHONE, javascript=False)
    visitor.goto("/s/walks/results/")
    assert visitor.get_by_text("More counselors who listen").is_visible()
    with visitor.expect_download() as download:
        visitor.get_by_role("link", name="Tables as CSV").click()
    assert download.value.suggested_filename == "walks-1.csv"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_organizers_and_trustees_are_accessible(
    new_page: NewPage, live_server: LiveServer, survey: Survey, scheme: str
) -> None:
    page = new_page(scheme=scheme)
    sign_in(page, make_organizer(), live_server)
    page.goto("/surveys/walks/results/")
    assert_good_at_every_width(page)
    page.get_by_role("button", name="Make the first release").click()
    assert_good_at_every_width(page)
    trustee = new_page(scheme=scheme)
    sign_in(trustee, make_trustee(), live_server)
    trustee.goto("/texts/")
    assert_good_at_every_width(trustee)
    trustee.get_by_role("link", name="Read the next one").click()
    assert_good_at_every_width(trustee)
    trustee.get_by_label("What may be told").fill("[…] searches our bags")
    trustee.get_by_role("button", name="Approve this wording").click()
    assert trustee.get_by_text("Nothing to read").is_visible()


def test_results_print_without_the_frame_of_the_site(new_page: NewPage, survey: Survey) -> None:
    release = make_release(survey, at=NOW, by=None)
    propose_publication(release, by=make_organizer(), at=NOW)
    approve_publication(release, by=make_lead_organizer(), at=NOW)
    page = new_page()
    page.goto("/s/walks/results/")
    page.emulate_media(media="print")
    assert page.get_by_role("heading", name="About safe?").is_visible()
    assert page.get_by_role("heading", name="How we asked").is_visible()
    assert not page.get_by_role("link", name="Tables as CSV").is_visible()
    assert not page.get_by_role("navigation").first.is_visible()
