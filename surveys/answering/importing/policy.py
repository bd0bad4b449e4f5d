"""Who may add answers from files."""

from datetime import datetime

from organizing.people.models import Person
from organizing.roles.policy import is_lead_organizer, is_organizer
from surveys.design.models import Survey


def may_import(person: Person, survey: Survey, *, at: datetime) -> bool:
    """Organizers, into a survey that is open. Answers open a draft, so a draft takes a lead organizer."""
    if survey.is_draft:
        return is_lead_organizer(person, at=at)
    return survey.is_open and is_organizer(person, at=at)
