"""What is stored about a person, told, handed over and forgotten.

The packages that store something about people do not know each other, and this one knows none of them. Each names a
module in ``settings.PERSONAL_DATA`` with two functions:

``told(person, *, at) -> Section``
    what is stored about the person, for the page "My privacy" and for the export;
``forget(person, *, at) -> None``
    forget it when the person leaves, within the transaction of leaving. Raises ``Refused`` if they may not leave yet.
"""

from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from types import ModuleType
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise

from organizing.audit.operations import record
from organizing.people.models import Person

Text = str | Promise


@dataclass(frozen=True)
class Fact:
    """One thing stored: what it is, and what it says."""

    label: Text
    value: str


@dataclass(frozen=True)
class Section:
    """What one package stores about a person, why, and what becomes of it when they leave."""

    key: str
    title: Text
    why: Text
    on_leaving: Text
    facts: list[Fact] = field(default_factory=list)


def _modules() -> list[ModuleType]:
    return [import_module(name) for name in settings.PERSONAL_DATA]


def sections(person: Person, *, at: datetime) -> list[Section]:
    """Tell everything that is stored about the person."""
    return [module.told(person, at=at) for module in _modules()]


def export(person: Person, *, at: datetime) -> dict[str, Any]:
    """Return everything stored about the person as JSON values."""
    return {
        "format": 1,
        "exported_at": at.isoformat(),
        "person": str(person.pk),
        "sections": {
            section.key: [{"label": str(fact.label), "value": fact.value} for fact in section.facts]
            for section in sections(person, at=at)
        },
    }


@transaction.atomic
def erase(person: Person, *, by: Person, at: datetime) -> None:
    """Forget the person: everywhere something is stored, it goes, and of their row the bare id is left.

    The id stays because the audit trail and what they once approved name it, and both must stay true. A second call
    finds nothing left and does nothing. Raises ``Refused`` if the person may not leave yet.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    if person.erased_at:
        return
    for module in reversed(_modules()):  # whoever may refuse is asked before anything is gone
        module.forget(person, at=at)
    person.email = None
    person.display_name = person.pronouns = person.time_zone = ""
    person.languages = []
    person.birth_year = person.wants_news_since = None
    person.is_active = False
    person.erased_at = at
    person.save()
    record("person.erase", person, by=by.pk, at=at)
