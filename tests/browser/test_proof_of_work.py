"""The work that a guarded form asks of a browser, under this site's content security policy."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

NewPage = Callable[..., "Page"]
SLOW_PHONE = 6  # times slower than this machine
BOUND = 3.0  # seconds

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.organizing.web.signup_pages"),
]


def open_form(page: "Page") -> None:
    page.goto("/")
    page.wait_for_timeout(3100)  # the minimum time
    page.get_by_label("Name").fill("Ana")


def test_the_browser_does_the_work_while_a_person_types(phone: "Page") -> None:
    open_form(phone)
    phone.get_by_role("button").click()
    assert "proof given: True" in phone.locator("p").inner_text()


def test_a_browser_without_javascript_sends_the_form_without_proof(new_page: NewPage) -> None:
    page = new_page(javascript=False)
    open_form(page)
    page.get_by_role("button").click()
    assert "proof given: False" in page.locator("p").inner_text()


def test_a_slow_phone_is_done_in_three_seconds(phone: "Page") -> None:
    phone.goto("/")
    phone.context.new_cdp_session(phone).send("Emulation.setCPUThrottlingRate", {"rate": SLOW_PHONE})
    started = time.monotonic()
    phone.get_by_label("Name").focus()
    phone.wait_for_function("document.querySelector('[data-challenge]').value !== ''", timeout=30_000)
    assert time.monotonic() - started < BOUND
