"""The questions every feature asks about roles."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser

from organizing.people.models import Person
from organizing.roles.models import GUARDED_ROLES, TWO_PERSON_ROLES, Grant, Role


def holds(person: Person | AnonymousUser, *roles: Role, at: datetime) -> bool:
    """Tell whether the person holds any of these roles over the whole organization at that moment."""
    if not isinstance(person, Person) or not person.is_active:
        return False
    return Grant.objects.in_force(at=at).filter(person=person, role__in=roles, scope_id__isnull=True).exists()


def roles_of(person: Person | AnonymousUser, *, at: datetime) -> frozenset[Role]:
    """Return every role the person holds over the whole organization at that moment."""
    if not isinstance(person, Person) or not person.is_active:
        return frozenset()
    held = Grant.objects.in_force(at=at).filter(person=person, scope_id__isnull=True).values_list("role", flat=True)
    return frozenset(Role(role) for role in held)


def is_organizer(person: Person | AnonymousUser, *, at: datetime) -> bool:
    """Organizers and lead organizers."""
    return holds(person, Role.ORGANIZER, Role.LEAD_ORGANIZER, at=at)


def is_lead_organizer(person: Person | AnonymousUser, *, at: datetime) -> bool:
    return holds(person, Role.LEAD_ORGANIZER, at=at)


def is_trustee(person: Person | AnonymousUser, *, at: datetime) -> bool:
    return holds(person, Role.TRUSTEE, at=at)


def needs_second_factor(person: Person | AnonymousUser, *, at: datetime) -> bool:
    """Tell whether the person holds, over anything, a role whose pages open only with a second factor."""
    if not isinstance(person, Person):
        return False
    return Grant.objects.in_force(at=at).filter(person=person, role__in=GUARDED_ROLES).exists()


def may_grant(person: Person | AnonymousUser, role: Role, *, at: datetime) -> bool:
    """Lead organizers grant every role, and trustees propose trustees. For two-person roles this is a proposal."""
    return is_lead_organizer(person, at=at) or (role == Role.TRUSTEE and is_trustee(person, at=at))


def may_approve(person: Person | AnonymousUser, grant: Grant, *, at: datetime) -> bool:
    """Tell whether the person may be the second one: a lead organizer, neither who proposed nor who is meant.

    A trustee may be the second one for another trustee, so that one lead organizer and one trustee are enough.
    """
    if not isinstance(person, Person) or person.pk in (grant.granted_by_id, grant.person_id):
        return False
    return is_lead_organizer(person, at=at) or (grant.role == Role.TRUSTEE and is_trustee(person, at=at))


def may_withdraw(person: Person | AnonymousUser, grant: Grant, *, at: datetime) -> bool:
    """Lead organizers withdraw every role; anybody may give up their own, and take back their own proposal."""
    if not isinstance(person, Person):
        return False
    own = person.pk == grant.person_id or (
        person.pk == grant.granted_by_id and grant.role in TWO_PERSON_ROLES and grant.approved_by_id is None
    )
    return own or is_lead_organizer(person, at=at)
