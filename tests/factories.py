"""Typed factories with sensible defaults. Only what a test is about needs saying."""

import datetime as dt
import itertools
from typing import Any

from django.db import connection
from django.test import Client

from organizing.people.models import Organization, Person
from organizing.roles.models import Grant, Role
from surveys.answering.models import TextAnswer
from surveys.answering.sealing import seal
from surveys.answering.tallies import add_tallies
from surveys.design.definition import definition_of
from surveys.design.models import Choice, Question, Survey

_numbers = itertools.count(1)


def make_person(**given: Any) -> Person:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "email": f"person{number}@example.org",
        "display_name": f"Person {number}",
    }
    return Person.objects.create_user(**{**defaults, **given})


def make_organization(**given: Any) -> Organization:
    defaults: dict[str, Any] = {
        "name": "Citywide Youth Coalition",
        "languages": ["en", "es"],
        "time_zone": "America/New_York",
        "contact_email": "hello@example.org",
        "set_up_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    }
    return Organization.objects.create(**{**defaults, **given})


def make_grant(person: Person, role: Role, **given: Any) -> Grant:
    defaults: dict[str, Any] = {"granted_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}
    return Grant.objects.create(person=person, role=role, **{**defaults, **given})


def make_organizer(**given: Any) -> Person:
    person = make_person(**given)
    make_grant(person, Role.ORGANIZER)
    return person


def make_lead_organizer(**given: Any) -> Person:
    person = make_person(**given)
    make_grant(person, Role.LEAD_ORGANIZER)
    return person


def make_trustee(**given: Any) -> Person:
    person = make_person(**given)
    make_grant(person, Role.TRUSTEE)
    return person


def make_survey(questions: list[dict[str, Any]] | None = None, *, state: str = "open", **given: Any) -> Survey:
    """Make a survey in the given state. A question is ``{"key", "kind", "choices": ["a", "b"], …}``, in order."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "slug": f"survey-{number}",
        "title": {"en": f"Survey {number}", "es": f"Encuesta {number}"},
    }
    survey = Survey.objects.create(**{**defaults, **given})
    for order, question in enumerate(questions or [{"key": "safe", "kind": "single", "choices": ["yes", "no"]}]):
        choices = question.get("choices", [])
        fields = {name: value for name, value in question.items() if name != "choices"}
        row = Question.objects.create(
            survey=survey, order=order, **{"kind": "single", "label": {"en": f"About {question['key']}?"}, **fields}
        )
        for place, key in enumerate(choices):
            Choice.objects.create(question=row, order=place, key=key, label={"en": key.capitalize()})
    # Questions freeze when a survey opens, so the state comes last.
    moment = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
    if state != "draft":
        Survey.objects.filter(pk=survey.pk).update(state="open", opened_at=moment)
    if state == "closed":
        Survey.objects.filter(pk=survey.pk).update(state="closed", closed_at=moment + dt.timedelta(days=7))
    survey.refresh_from_db()
    return survey


def make_tallies(survey: Survey, answers: list[dict[str, Any]]) -> None:
    """Count these answers as if they had been shuffled."""
    with connection.cursor() as cursor:
        add_tallies(definition_of(survey), answers, cursor)


def make_text(survey: Survey, words: str, *, question: str = "words") -> TextAnswer:
    """Make a text that waits for review. It is not counted: see ``make_tallies``."""
    return TextAnswer.objects.create(survey=survey, question=survey.questions.get(key=question), sealed=seal(words))


def sign_in_halfway(client: Client, person: Person) -> None:
    """Sign in as a code by e-mail does: no second factor has been shown. See ``_sign_in_all_the_way`` in conftest."""
    client.force_login(person)
    session = client.session
    del session["account_authentication_methods"]
    session.save()
