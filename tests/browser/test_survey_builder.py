"""The builder in a real browser: moving questions by arrow and by hand, and how its pages look."""

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from pytest_django.live_server_helper import LiveServer

from organizing.people.models import Person
from surveys.design.definition import definition_of
from surveys.design.models import Survey
from surveys.design.operations import propose_change
from tests.conftest import DESKTOP, NOW, PHONE, NewPage
from tests.factories import make_lead_organizer, make_organizer, make_survey
from tests.surveys.design.signing_in import signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def sign_in(page: "Page", person: Person, live_server: LiveServer) -> None:
    cookie = signed_in(person).cookies["session"].value
    page.context.add_cookies([{"name": "session", "value": cookie, "url": live_server.url}])


@pytest.fixture
def survey() -> Survey:
    return make_survey(
        [{"key": "school", "choices": ["x", "y"]}, *({"key": key, "kind": "short_text"} for key in "abc")],
        state="draft",
        slug="s",
    )


def keys(survey: Survey) -> list[str]:
    return [question.key for question in definition_of(survey).questions]


def shown(page: "Page") -> list[str]:
    return [row.get_attribute("id") or "" for row in page.locator(".question-list > li").all()]


@pytest.mark.parametrize("javascript", [True, False])
def test_arrows_move_a_question_with_and_without_javascript(
    javascript: bool, survey: Survey, new_page: NewPage, live_server: LiveServer
) -> None:
    page = new_page(javascript=javascript)
    sign_in(page, make_organizer(), live_server)
    page.goto("/surveys/s/")
    page.locator("#down-school").click()
    page.locator(".question-list > li:nth-child(2)#question-school").wait_for()
    assert shown(page) == ["question-a", "question-school", "question-b", "question-c"]
    page.locator("#up-c").click()
    page.locator(".question-list > li:nth-child(3)#question-c").wait_for()
    assert keys(survey) == ["a", "school", "c", "b"]


def test_moving_to_the_end_leaves_the_focus_on_an_arrow_that_works(
    survey: Survey, desktop: "Page", live_server: LiveServer
) -> None:
    sign_in(desktop, make_organizer(), live_server)
    desktop.goto("/surveys/s/")
    desktop.locator("#down-b").focus()
    desktop.keyboard.press("Enter")
    desktop.locator(".question-list > li:nth-child(4)#question-b").wait_for()
    desktop.wait_for_function("document.activeElement.id === 'up-b'")


def test_a_question_is_dragged_to_another_place(survey: Survey, desktop: "Page", live_server: LiveServer) -> None:
    sign_in(desktop, make_organizer(), live_server)
    desktop.goto("/surveys/s/")
    with desktop.expect_response("**/move/"):
        desktop.locator("#question-c .handle").drag_to(
            desktop.locator("#question-school"), target_position={"x": 200, "y": 5}
        )
    desktop.locator(".question-list > li:nth-child(1)[data-place='0']#question-c").wait_for()
    assert keys(survey) == ["c", "school", "a", "b"]


def test_a_question_that_is_dropped_elsewhere_goes_back(
    survey: Survey, desktop: "Page", live_server: LiveServer
) -> None:
    sign_in(desktop, make_organizer(), live_server)
    desktop.goto("/surveys/s/")
    desktop.locator("#question-c .handle").drag_to(desktop.locator("h1"))
    desktop.wait_for_function("!document.querySelector('.is-dragged')")
    assert shown(desktop) == ["question-school", "question-a", "question-b", "question-c"]
    assert keys(survey) == ["school", "a", "b", "c"]


def test_nothing_is_sent_from_the_preview(survey: Survey, desktop: "Page", live_server: LiveServer) -> None:
    sign_in(desktop, make_organizer(), live_server)
    posted: list[str] = []
    desktop.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    desktop.goto("/surveys/s/preview/")
    frame = desktop.frame_locator("iframe")
    frame.get_by_text("About school?").first.wait_for()
    frame.locator("form").first.evaluate("form => form.requestSubmit()")
    desktop.wait_for_timeout(300)
    assert posted == []


PAGES = (
    "/surveys/",
    "/surveys/new/",
    "/surveys/upload/",
    "/surveys/s/",
    "/surveys/s/settings/",
    "/surveys/s/method/",
    "/surveys/s/question/",
    "/surveys/s/question/school/",
    "/surveys/s/question/?kind=number",
    "/surveys/s/preview/",
    "/surveys/s/poster/en/",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_accessible_and_never_scrolls_sideways(
    path: str, scheme: str, survey: Survey, new_page: NewPage, live_server: LiveServer
) -> None:
    propose_change(survey, to_state="open", by=make_organizer(), at=NOW)
    page = new_page(scheme=scheme)
    sign_in(page, make_lead_organizer(), live_server)
    for width, height in ((320, 700), PHONE, DESKTOP):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(path)
        problems = Axe().run(page)
        assert problems.violations_count == 0, f"{path} at {width} px: {problems.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} scrolls at {width} px"


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize(
    "title", ["Safe", "Escuelas seguras para todas y todos", "How safe do we feel at school? " * 6]
)
def test_a_poster_fills_one_sheet(title: str, paper: str, desktop: "Page", live_server: LiveServer) -> None:
    make_survey(slug="s", title={"en": title.strip()}, takes_codes=True)
    sign_in(desktop, make_organizer(), live_server)
    desktop.goto("/surveys/s/poster/en/")
    assert desktop.pdf(format=paper, print_background=True).count(b"/Type /Page\n") == 1
    desktop.emulate_media(media="print")
    desktop.set_viewport_size({"width": 703, "height": 952})  # A4 and Letter inside the margins: 186 × 252 mm
    promise = desktop.locator(".promise").bounding_box()
    poster = desktop.locator(".poster").bounding_box()
    assert promise is not None
    assert poster is not None
    assert promise["y"] + promise["height"] <= poster["y"] + poster["height"]  # nothing is cut off
