"""A student answers on a phone: with and without JavaScript, with and without a connection."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from surveys.answering.models import AccessCode, Inbox, SpentSubmission
from surveys.answering.operations import print_codes
from surveys.answering.sealing import unseal
from surveys.design.models import Survey
from tests.browser.test_look import assert_good_at_every_width, sign_in, weighed
from tests.conftest import NOW, PHONE
from tests.factories import make_organization, make_organizer, make_survey

if TYPE_CHECKING:
    from playwright.sync_api import Page

NewPage = Callable[..., "Page"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

KB = 1024
BUDGET = 60 * KB  # bytes over the wire, first visit
QUESTIONS: list[dict[str, Any]] = [
    {"key": "school", "kind": "single", "choices": ["north", "south"], "is_required": True},
    {"key": "seen", "kind": "multiple", "choices": ["hall", "gate", "bus"]},
    {"key": "trust", "kind": "scale", "low": 1, "high": 5},
    {"key": "stops", "kind": "number", "low": 0, "high": 30},
    {"key": "place", "kind": "short_text"},
    {"key": "words", "kind": "long_text"},
]


@pytest.fixture
def survey(transactional_db: None) -> Survey:
    return make_survey(
        QUESTIONS,
        title={"en": "Police in our schools", "es": "Policía en nuestras escuelas"},
        intro={"en": "Six questions, about two minutes.", "es": "Seis preguntas, unos dos minutos."},
    )


def kept(page: "Page") -> Any:
    return page.evaluate("JSON.stringify(localStorage)")


def fill_first_part(page: "Page") -> None:
    page.get_by_label("North").check()
    page.get_by_label("Gate").check()
    page.get_by_label("4", exact=True).check()


def fill_second_part(page: "Page") -> None:
    page.get_by_label("About stops?").fill("3")
    page.get_by_label("About words?").fill("At the bus stop")


def stored() -> list[tuple[dict[str, Any], dict[str, str]]]:
    return [
        (row.answers, {key: unseal(text) for key, text in row.texts.items()}) for row in Inbox.objects.order_by("id")
    ]


ALL = ({"school": "north", "seen": ["gate"], "trust": 4, "stops": 3}, {"words": "At the bus stop"})


def test_a_student_answers_without_javascript(new_page: NewPage, survey: Survey) -> None:
    page = new_page(size=PHONE, javascript=False)
    page.goto(f"/s/{survey.slug}/")
    fill_first_part(page)
    fill_second_part(page)
    page.get_by_role("button", name="Send my answers").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you!")
    assert stored() == [ALL]
    assert page.context.cookies() == []


def test_a_student_answers_part_by_part(phone: "Page", survey: Survey) -> None:
    phone.goto(f"/s/{survey.slug}/")
    expect(phone.get_by_text("Part 1 of 2").first).to_be_visible()
    assert not phone.get_by_label("About words?").is_visible()
    phone.get_by_role("button", name="Next").click()  # the first question wants an answer
    assert not phone.get_by_label("About words?").is_visible()
    fill_first_part(phone)
    phone.get_by_role("button", name="Next").click()
    expect(phone.locator("progress")).to_have_attribute("max", "2")
    expect(phone.get_by_text("Part 2 of 2").first).to_be_visible()
    fill_second_part(phone)
    phone.get_by_role("button", name="Back").click()
    assert phone.get_by_label("North").is_checked()
    phone.get_by_role("button", name="Next").click()
    phone.get_by_role("button", name="Send my answers").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Thank you!")
    assert stored() == [ALL]
    assert phone.context.cookies() == []
    assert kept(phone) == "{}"


def test_enter_in_a_text_field_does_not_send_from_the_first_part(phone: "Page", transactional_db: None) -> None:
    survey = make_survey([{"key": f"text{n}", "kind": "short_text"} for n in range(5)])
    phone.goto(f"/s/{survey.slug}/")
    phone.get_by_label("About text0?").press("Enter")
    expect(phone.get_by_text("Part 2 of 2").first).to_be_visible()
    assert stored() == []


def test_a_mistake_brings_the_whole_form_back_with_the_focus_on_what_to_mend(new_page: NewPage, survey: Survey) -> None:
    for javascript in (False, True):
        page = new_page(size=PHONE, javascript=javascript)
        page.goto(f"/s/{survey.slug}/")
        fill_first_part(page)
        if javascript:
            page.get_by_role("button", name="Next").click()
        page.get_by_label("About stops?").fill("many")
        page.get_by_label("About words?").fill("words")
        page.get_by_role("button", name="Send my answers").click()
        expect(page.get_by_role("alert")).to_contain_text("About stops?: Please write a number, in digits.")
        expect(page.get_by_role("alert")).to_be_focused()
        assert page.get_by_label("North").is_checked()
        assert page.get_by_label("About words?").input_value() == "words"
        page.get_by_role("link", name="About stops?").click()
        page.get_by_label("About stops?").fill("3")
        page.get_by_role("button", name="Send my answers").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Thank you!")
    assert Inbox.objects.count() == 2


def test_answers_wait_on_the_device_while_there_is_no_connection_and_are_sent_once(
    phone: "Page", survey: Survey
) -> None:
    phone.goto(f"/s/{survey.slug}/")
    fill_first_part(phone)
    phone.get_by_role("button", name="Next").click()
    fill_second_part(phone)
    assert kept(phone) == "{}"  # nothing is kept before a sending fails
    phone.context.set_offline(True)
    phone.get_by_role("button", name="Send my answers").click()
    expect(phone.get_by_role("status")).to_contain_text("There is no connection.")
    assert "bus+stop" in kept(phone)
    phone.get_by_role("button", name="Try to send now").click()
    assert stored() == []
    phone.context.set_offline(False)
    expect(phone.get_by_role("heading", level=1)).to_have_text("Thank you!")
    assert stored() == [ALL]
    assert kept(phone) == "{}"


def test_an_answer_that_arrived_although_its_thanks_got_lost_is_stored_once(phone: "Page", survey: Survey) -> None:
    phone.goto(f"/s/{survey.slug}/")
    fill_first_part(phone)
    phone.get_by_role("button", name="Next").click()
    fill_second_part(phone)

    def deliver_and_drop(route: Any) -> None:
        route.fetch(max_redirects=0)
        route.abort()

    posts = f"**/s/{survey.slug}/?lang=en"
    phone.route(posts, deliver_and_drop)
    phone.get_by_role("button", name="Send my answers").click()
    expect(phone.get_by_role("status")).to_contain_text("There is no connection.")
    assert stored() == [ALL]
    phone.unroute(posts)
    phone.get_by_role("button", name="Try to send now").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Thank you!")
    assert stored() == [ALL]


def test_the_next_student_at_a_shared_device_sees_nothing_of_what_waits_and_is_not_disturbed(
    phone: "Page", survey: Survey
) -> None:
    phone.goto(f"/s/{survey.slug}/")
    fill_first_part(phone)
    phone.get_by_role("button", name="Next").click()
    fill_second_part(phone)
    phone.route("**/s/*/?lang=en", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    phone.get_by_role("button", name="Send my answers").click()
    expect(phone.get_by_role("status")).to_contain_text("There is no connection.")
    phone.goto(f"/s/{survey.slug}/")
    expect(phone.get_by_role("status")).to_contain_text("are still kept on this device")
    assert "bus stop" not in phone.content()
    phone.get_by_label("South").check()
    phone.unroute("**/s/*/?lang=en")
    phone.get_by_role("button", name="Try to send now").click()
    expect(phone.get_by_role("status")).to_contain_text("have been sent, once")
    assert phone.get_by_label("South").is_checked()
    assert stored() == [ALL]
    assert kept(phone) == "{}"


def test_clear_this_device_clears_it(phone: "Page", survey: Survey) -> None:
    phone.goto(f"/s/{survey.slug}/")
    fill_first_part(phone)
    phone.get_by_role("button", name="Next").click()
    phone.context.set_offline(True)
    phone.get_by_role("button", name="Send my answers").click()
    phone.get_by_role("button", name="Clear this device").click()
    expect(phone.get_by_role("status")).to_contain_text("Nothing is kept on this device")
    assert kept(phone) == "{}"
    phone.context.set_offline(False)
    phone.wait_for_timeout(300)
    assert stored() == []


def test_what_is_older_than_an_hour_is_dropped_unsent(phone: "Page", survey: Survey) -> None:
    phone.goto(f"/s/{survey.slug}/")
    draft = {str(uuid.uuid4()): {"body": "q-school=north", "until": 1}}
    phone.evaluate(
        "([place, draft]) => localStorage.setItem(place, draft)", [f"survey-draft:/s/{survey.slug}/", json.dumps(draft)]
    )
    phone.reload()
    phone.wait_for_timeout(300)
    assert kept(phone) == "{}"
    assert not SpentSubmission.objects.exists()


def test_a_code_comes_from_behind_the_hash_and_leaves_the_address(phone: "Page", transactional_db: None) -> None:
    survey = make_survey(takes_codes=True)
    code = print_codes(survey, batch_id=uuid.uuid4(), count=1, preset={}, by=make_organizer(), at=NOW)[0]
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url + str(request.headers)))
    phone.goto(f"/s/{survey.slug}/?lang=en#{code}")
    expect(phone.get_by_label("The code on your slip")).to_have_value(str(code))
    assert str(code) not in phone.url
    assert not any(str(code) in request for request in asked)
    phone.get_by_label("Yes").check()
    phone.get_by_role("button", name="Send my answers").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Thank you!")
    assert not AccessCode.objects.exists()


def test_the_first_visit_weighs_little(phone: "Page", survey: Survey) -> None:
    with weighed(phone) as weight:
        phone.goto(f"/s/{survey.slug}/", wait_until="networkidle")
        assert 2 * KB < weight() <= BUDGET


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_a_student_sees_is_accessible(new_page: NewPage, transactional_db: None, scheme: str) -> None:
    survey = make_survey(QUESTIONS, takes_codes=True, intro={"en": "Two minutes."})
    named = make_survey(QUESTIONS, mode="named")
    closed = make_survey(QUESTIONS, state="closed")
    page = new_page(scheme=scheme)
    for path in (f"/s/{survey.slug}/", f"/s/{survey.slug}/thanks/", f"/s/{closed.slug}/", "/s/nothing/"):
        page.goto(path)
        assert_good_at_every_width(page)
    page.goto(f"/s/{named.slug}/")
    page.evaluate("document.getElementById('survey').submit()")  # past the browser's own checks
    expect(page.get_by_role("alert")).to_contain_text("Please write your name.")
    assert_good_at_every_width(page)


@contextmanager
def printed(page: "Page") -> Iterator[None]:
    page.emulate_media(media="print")
    yield
    page.emulate_media(media="screen")


def test_slips_are_accessible_and_print_without_the_frame(
    desktop: "Page", live_server: LiveServer, transactional_db: None
) -> None:
    make_organization()
    survey = make_survey(QUESTIONS, takes_codes=True, dimensions=["school"])
    sign_in(desktop, make_organizer(), live_server)
    desktop.goto(f"/surveys/{survey.slug}/codes/")
    assert Axe().run(desktop).violations_count == 0
    desktop.get_by_label("How many slips?").fill("6")
    desktop.get_by_role("button", name="Make and show the slips").click()
    expect(desktop.locator(".slips li")).to_have_count(6)
    desktop.wait_for_load_state()
    problems = Axe().run(desktop)
    assert problems.violations_count == 0, problems.generate_report()
    with printed(desktop):
        assert not desktop.get_by_text("Print this page now.").is_visible()
        assert desktop.locator(".slips li").first.is_visible()
