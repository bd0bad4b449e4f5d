"""What surveys store about a person: answers given with a name and their address. See organizing/people/privacy.py."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from organizing.people.models import Person
from organizing.people.privacy import Fact, Section
from surveys.answering.models import NamedResponse


def _given_by(person: Person) -> QuerySet[NamedResponse]:
    """Answers are tied to nobody; whoever gave an address with them is found by it."""
    if not person.email:
        return NamedResponse.objects.none()
    return NamedResponse.objects.filter(email__iexact=person.email).select_related("survey").order_by("answered_at")


def told(person: Person, *, at: datetime) -> Section:
    return Section(
        key="surveys",
        title=_("Your answers to surveys with names"),
        why=_(
            "You agreed to give your name and address with them. Answers to anonymous surveys are not here:"
            " nobody knows which are yours."
        ),
        on_leaving=_("All of them go at once."),
        facts=[
            Fact(str(answer.survey), f"{date_format(answer.answered_at)}: {_told_answers(answer)}")
            for answer in _given_by(person)
        ],
    )


def _told_answers(answer: NamedResponse) -> str:
    return "; ".join(
        f"{key}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in answer.answers.items()
    )


def forget(person: Person, *, at: datetime) -> None:
    _given_by(person).delete()
