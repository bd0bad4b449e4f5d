"""The questions every feature asks about roles."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser

from organizing.people.models import Person
from organizing.roles.models import Grant, Role


def holds(person: Person | AnonymousUser, *roles: Role, at: datetime) -> bool:
    """Tell whether the person holds any of these roles over the whole organization at that moment."""
    if not isinstance(person, Person) or not person.is_active:
        return False
    return Grant.objects.in_force(at=at).filter(person=person, role__in=roles, scope_id__isnull=True).exists()


def is_organizer(person: Person | AnonymousUser, *, at: datetime) -> bool:
    """Organizers and lead organizers."""
    return holds(person, Role.ORGANIZER, Role.LEAD_ORGANIZER, at=at)


def is_lead_organizer(person: Person | AnonymousUser, *, at: datetime) -> bool:
    return holds(person, Role.LEAD_ORGANIZER, at=at)


def is_trustee(person: Person | AnonymousUser, *, at: datetime) -> bool:
    return holds(person, Role.TRUSTEE, at=at)
