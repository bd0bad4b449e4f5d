"""How every shell and component looks to those who see little, press with a thumb, or pay for each kilobyte."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django.live_server_helper import LiveServer

from organizing.local import demo
from organizing.people.models import Organization, Person
from organizing.web import views
from tests.conftest import PHONE
from tests.factories import make_organization, make_organizer

if TYPE_CHECKING:
    from playwright.sync_api import Page

NewPage = Callable[..., "Page"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTHS = (320, 390, 1280, 1440)  # CSS pixels
PUBLIC = ("/", "/privacy/", "/style/", "/style/survey/", "/no/such/page")
SIGNED_IN = ("/home/", "/today/")
KB = 1024
SURVEY_BUDGET, PUBLIC_BUDGET = 60 * KB, 150 * KB  # bytes over the wire, first visit

SMALL_TARGETS = """() => [...document.querySelectorAll('button, .btn, .menu a, .choice, .form-check, .form-control')]
    .filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 43.5)
    .map(e => e.outerHTML.slice(0, 90))"""


@pytest.fixture(autouse=True)
def organization(transactional_db: None) -> None:
    make_organization(donate_url="https://example.org/give")


def sign_in(page: "Page", person: Person, live_server: LiveServer) -> None:
    client = Client()
    client.force_login(person)
    cookie = client.cookies["session"].value
    page.context.add_cookies([{"name": "session", "value": cookie, "url": live_server.url}])


def assert_good_at_every_width(page: "Page") -> None:
    page.wait_for_load_state()  # a click does not wait for the style sheets of the page it leads to
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        problems = Axe().run(page)
        assert problems.violations_count == 0, f"{page.url} at {width} px: {problems.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} scrolls at {width} px"
        assert page.evaluate(SMALL_TARGETS) == [], f"{page.url} at {width} px has targets a thumb misses"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_are_accessible_at_every_width_in_both_themes(new_page: NewPage, path: str, scheme: str) -> None:
    page = new_page(scheme=scheme)
    page.goto(path)
    assert_good_at_every_width(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_behind_sign_in_are_accessible_too(new_page: NewPage, live_server: LiveServer, scheme: str) -> None:
    page = new_page(scheme=scheme)
    sign_in(page, make_organizer(display_name="Amara Diallo"), live_server)
    for path in SIGNED_IN:
        response = page.goto(path)
        assert response is not None
        assert response.status == 200
        assert page.url.endswith(path)
        assert_good_at_every_width(page)


@pytest.mark.parametrize("view", [views.bad_request, views.forbidden, views.not_found, views.server_error])
def test_error_pages_are_accessible(new_page: NewPage, rf: RequestFactory, view: Callable[..., HttpResponse]) -> None:
    answer = view(rf.get("/broken"))
    page = new_page()
    page.route("**/broken", lambda route: route.fulfill(body=answer.content, content_type="text/html"))
    page.goto("/broken")
    assert page.get_by_role("heading", level=1).bounding_box() is not None
    assert_good_at_every_width(page)


@contextmanager
def weighed(page: "Page") -> Iterator[Callable[[], int]]:
    """Count the bytes that cross the wire, headers included, as the browser's own network layer does."""
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    received: list[int] = []
    wire.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    yield lambda: int(sum(received))


@pytest.mark.parametrize(
    ("path", "budget"), [("/", PUBLIC_BUDGET), ("/privacy/", PUBLIC_BUDGET), ("/style/survey/", SURVEY_BUDGET)]
)
def test_a_first_visit_stays_within_its_budget(phone: "Page", path: str, budget: int) -> None:
    with weighed(phone) as weight:
        phone.goto(path, wait_until="networkidle")
        assert 2 * KB < weight() <= budget


def test_the_results_of_a_whole_survey_stay_within_the_budget_too(phone: "Page", now: datetime) -> None:
    Organization.objects.all().delete()
    demo.load(at=now)
    with weighed(phone) as weight:
        phone.goto("/s/adelaide/results/", wait_until="networkidle")
        assert phone.locator(".bar").count() > 100
        assert weight() <= PUBLIC_BUDGET


def test_the_survey_stylesheet_is_tiny(phone: "Page") -> None:
    response = phone.goto("/static/css/survey.css")
    assert response is not None
    assert len(response.body()) < 12 * KB


def test_the_menu_opens_and_closes_without_a_script(new_page: NewPage) -> None:
    page = new_page(size=PHONE, javascript=False)
    page.goto("/")
    link = page.get_by_role("link", name="Sign in")
    assert not link.is_visible()
    page.get_by_role("button", name="Menu").click()
    assert link.is_visible()
    page.keyboard.press("Escape")
    assert not link.is_visible()


def test_a_language_is_chosen_without_a_script_and_remembered(new_page: NewPage) -> None:
    page = new_page(javascript=False)
    page.goto("/privacy/")
    assert page.context.cookies() == []
    page.get_by_role("button", name="Español").click()
    assert page.url.endswith("/privacy/")
    assert page.locator("html").get_attribute("lang") == "es"
    assert [cookie["name"] for cookie in page.context.cookies()] == ["language"]


def test_what_is_to_be_mended_has_the_focus_and_leads_to_its_field(desktop: "Page") -> None:
    desktop.goto("/style/")
    summary = desktop.get_by_role("alert").first
    assert summary.evaluate("e => e === document.activeElement")
    summary.get_by_role("link", name="E-mail").click()
    assert desktop.evaluate("document.activeElement.name") == "email"


def test_on_paper_there_is_no_menu(desktop: "Page") -> None:
    desktop.goto("/privacy/")
    desktop.emulate_media(media="print")
    assert not desktop.get_by_role("navigation").is_visible()
    assert not desktop.get_by_role("contentinfo").is_visible()
    assert desktop.get_by_role("heading", level=1).is_visible()


def test_right_to_left_pages_do_not_scroll_sideways(phone: "Page") -> None:
    for path in ("/", "/style/", "/style/survey/"):
        phone.goto(path)
        phone.evaluate("document.documentElement.dir = 'rtl'")
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
