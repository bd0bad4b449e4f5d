"""One view answers htmx and a browser without JavaScript."""

from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from organizing.web.answer import answer_with, go_to

pytestmark = pytest.mark.urls("tests.organizing.web.signup_pages")

TEMPLATE = """{% load partials %}<html><body><h1>Page</h1>
{% partialdef part inline %}<form>{{ form }}</form>{% endpartialdef %}</body></html>"""


class NameForm(forms.Form):
    name = forms.CharField()


@pytest.fixture(autouse=True)
def template(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "answers.html").write_text(TEMPLATE)
    templates = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    settings.TEMPLATES = templates


def asked(**headers: str) -> HttpRequest:
    return RequestFactory().get("/", headers=headers)


def answer(request: HttpRequest, **context: Any) -> HttpResponse:
    return answer_with(request, "answers.html", "part", **context)


def test_a_browser_gets_the_page() -> None:
    response = answer(asked(), form=NameForm())
    assert b"<h1>" in response.content
    assert b"<form>" in response.content
    assert response.status_code == 200


def test_htmx_gets_the_part() -> None:
    response = answer(asked(hx_request="true"), form=NameForm())
    assert b"<h1>" not in response.content
    assert b"<form>" in response.content


@pytest.mark.parametrize("header", ["hx_boosted", "hx_history_restore_request"])
def test_htmx_gets_the_page_when_it_needs_all_of_it(header: str) -> None:
    assert b"<h1>" in answer(asked(hx_request="true", **{header: "true"})).content


@pytest.mark.parametrize("headers", [{}, {"hx_request": "true"}])
def test_a_form_with_mistakes_is_422_both_ways(headers: dict[str, str]) -> None:
    response = answer(asked(**headers), form=NameForm({}))
    assert response.status_code == 422
    assert b"required" in response.content


def test_a_refused_operation_is_422() -> None:
    form = NameForm({"name": "Ana"})
    assert form.is_valid()
    form.add_error(None, "The meeting is full.")
    assert answer(asked(), form=form).status_code == 422


def test_a_form_without_mistakes_is_200() -> None:
    assert answer(asked(), form=NameForm({"name": "Ana"})).status_code == 200


def test_a_browser_is_redirected() -> None:
    response = go_to(asked(), "/there/")
    assert (response.status_code, response["Location"]) == (302, "/there/")


def test_htmx_is_told_to_go_itself() -> None:
    response = go_to(asked(hx_request="true"), "/there/")
    assert (response.status_code, response["HX-Redirect"]) == (200, "/there/")
    assert "Location" not in response


def test_caches_keep_page_and_part_apart() -> None:
    assert "HX-Request" in answer(asked())["Vary"]
    assert "HX-Request" in go_to(asked(), "/there/")["Vary"]
