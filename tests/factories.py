"""Typed factories with sensible defaults. Only what a test is about needs saying."""

import datetime as dt
import itertools
from typing import Any

from organizing.people.models import Person
from organizing.roles.models import Grant, Role

_numbers = itertools.count(1)


def make_person(**given: Any) -> Person:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "email": f"person{number}@example.org",
        "display_name": f"Person {number}",
    }
    return Person.objects.create_user(**{**defaults, **given})


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
