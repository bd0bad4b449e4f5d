"""Who may do what to a survey. Seeing one is ``Survey.objects.visible_to``."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser

from organizing.people.models import Person
from organizing.roles.policy import is_lead_organizer, is_organizer
from surveys.design.models import SurveyChange


def may_design(person: Person | AnonymousUser, *, at: datetime) -> bool:
    """Make surveys, edit drafts, read and write survey files, print posters."""
    return is_organizer(person, at=at)


def may_propose(person: Person | AnonymousUser, *, at: datetime) -> bool:
    """Propose to open or to close a survey, and withdraw what was proposed."""
    return is_organizer(person, at=at)


def may_approve(person: Person | AnonymousUser, change: SurveyChange, *, at: datetime) -> bool:
    """Open or close it: a lead organizer, and never the one who proposed it."""
    return is_lead_organizer(person, at=at) and person.pk != change.proposed_by_id
