"""A form sent many times is one result, and every sender lands on it."""

import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from organizing.people.forms import StayInTouchForm
from organizing.people.models import StayInTouch
from tests.factories import make_organization
from tests.organizing.web.guarded import filled

FORMS, REPLAYS = 8, 5


@pytest.mark.django_db(transaction=True)
def test_forms_sent_five_times_at_once_are_stored_once_each() -> None:
    make_organization()
    opened = timezone.now() - timedelta(minutes=1)
    posts = [
        filled(
            StayInTouchForm(at=opened),
            display_name="Ana",
            email=f"ana{number}@example.org",
            language="en",
            message="",
            is_old_enough="on",
        )
        for number in range(FORMS)
    ]
    start = threading.Barrier(FORMS * REPLAYS)
    landed: list[tuple[int, int, str]] = []

    def send(number: int) -> None:
        client = Client()
        start.wait()
        try:
            response = client.post("/stay-in-touch/", posts[number])
            landed.append((number, response.status_code, response.get("Location", "")))
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(FORMS) for _ in range(REPLAYS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {status for _number, status, _page in landed} == {302}
    assert len(landed) == FORMS * REPLAYS
    assert StayInTouch.objects.count() == FORMS
    assert len({(number, page) for number, _status, page in landed}) == FORMS
    assert len(mail.outbox) == FORMS
