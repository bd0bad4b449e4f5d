"""Signing in stands on PostgreSQL and mail alone: Redis may be down."""

import re
import statistics
import time
from collections.abc import Callable
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
from django.conf import settings

from tests.conftest import SmtpSink
from tests.factories import make_organization, make_person
from tests.faults.conftest import Site, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 8


def sign_in(base: str, email: str, smtp: SmtpSink) -> list[float]:
    """Sign in with the mailed code as a browser does. Return how long each page took, in seconds."""
    browser = build_opener(HTTPCookieProcessor())
    times: list[float] = []

    def ask(path: str, fields: dict[str, str] | None = None) -> tuple[str, str]:
        """Return the path and the page where the browser ends up. Anything but a success raises."""
        began = time.monotonic()
        with browser.open(base + path, urlencode(fields).encode() if fields else None) as answer:
            page = answer.read().decode()
            times.append(time.monotonic() - began)
            return answer.url.removeprefix(base), page

    def send(path: str, page: str, **fields: str) -> tuple[str, str]:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None, page
        return ask(path, {"csrfmiddlewaretoken": token[1], **fields})

    mails = len(smtp.messages)
    path, page = send(*ask("/account/login/"), email=email)
    wait_until(lambda: len(smtp.messages) == mails + 1)
    body = smtp.messages[-1].get_body(("plain",))
    assert body is not None
    code = re.search(r"\b\d{4}-\d{4}\b", body.get_content())
    assert code is not None, body.get_content()
    path, page = send(path, page, code=code[0])
    assert path == "/home/"
    assert email in ask("/me/privacy/")[1]
    return times


def test_signing_in_needs_no_broker(start_site: Callable[..., Site], smtp: SmtpSink) -> None:
    make_organization()
    site = start_site(REDIS_URL="redis://127.0.0.1:1/0", EMAIL_URL=f"smtp://127.0.0.1:{settings.EMAIL_PORT}")
    times = [
        seconds
        for _ in range(PEOPLE)
        for seconds in sign_in(f"http://127.0.0.1:{site.port}", str(make_person().email), smtp)
    ]
    assert statistics.quantiles(times, n=20)[-1] <= 1  # p95
