"""Opening and sending a survey's form the way a browser without JavaScript does."""

import re
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.test import Client

from surveys.design.models import Survey

FORM = "application/x-www-form-urlencoded"


def address(survey: Survey) -> str:
    return f"/s/{survey.slug}/"


def open_form(survey: Survey, client: Client | None = None, **headers: str) -> str:
    """Open the form and return its submission id."""
    page = (client or Client()).get(address(survey), headers=headers).content.decode()
    found = re.search(r'name="submission_id" value="([0-9a-f-]{36})"', page)
    assert found is not None, page
    return found[1]


def send(
    survey: Survey,
    answers: dict[str, Any],
    *,
    submission_id: str | None = None,
    client: Client | None = None,
    **headers: str,
) -> HttpResponse:
    """Send answers, ``{question key: value or list of values}``; other fields by their name with a leading dot."""
    fields = {name[1:] if name.startswith(".") else f"q-{name}": value for name, value in answers.items()}
    if submission_id is None:
        submission_id = open_form(survey)
    body = urlencode({"submission_id": submission_id, **fields}, doseq=True)
    response: HttpResponse = (client or Client()).post(address(survey), body, content_type=FORM, headers=headers)  # type: ignore[assignment]
    return response
