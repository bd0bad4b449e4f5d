"""The verbs of roles: grant, approve, withdraw, and setting up the organization with its first lead organizer."""

from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from organizing.audit.operations import record
from organizing.people.models import Organization, Person, SetupLink
from organizing.roles import policy
from organizing.roles.models import TWO_PERSON_ROLES, Grant, Role
from organizing.web.errors import Refused


@transaction.atomic
def grant_role(person: Person, role: Role, *, until: datetime | None, by: Person, at: datetime) -> Grant:
    """Give a person a role over the whole organization, or propose it where two people are needed.

    Raises ``PermissionDenied`` if ``by`` may not, ``Refused`` if the person holds the role or it waits for approval
    (so a second call is refused), has left, or if ``until`` has passed.
    """
    if not policy.may_grant(by, role, at=at):
        raise PermissionDenied
    # The lock makes looking and granting one step for this person.
    person = Person.objects.select_for_update().get(pk=person.pk)
    if not person.is_active:
        raise Refused(_("This person's account is closed."))
    if until is not None and until <= at:
        raise Refused(_("The last day must lie ahead."))
    standing = Grant.objects.in_force(at=at) | Grant.objects.proposed(at=at)
    if standing.filter(person=person, role=role, scope_id__isnull=True).exists():
        raise Refused(_("They hold this role already, or it waits for a second person."))
    grant = Grant.objects.create(person=person, role=role, granted_by=by, granted_at=at, until=until)
    verb = "role.propose" if role in TWO_PERSON_ROLES else "role.grant"
    record(verb, grant, by=by.pk, at=at, role=role, person=str(person.pk), until=until and until.isoformat())
    return grant


@transaction.atomic
def approve_grant(grant: Grant, *, by: Person, at: datetime) -> Grant:
    """Be the second person. Raises ``PermissionDenied`` if ``by`` may not, ``Refused`` if nothing waits any more.

    A second call is refused.
    """
    if not policy.may_approve(by, grant, at=at):
        raise PermissionDenied
    waiting = Grant.objects.proposed(at=at).select_for_update(of=("self",)).filter(pk=grant.pk).first()
    if waiting is None:
        raise Refused(_("This no longer waits for anybody."))
    waiting.approved_by = by
    waiting.save(update_fields=["approved_by"])
    record("role.approve", waiting, by=by.pk, at=at, role=waiting.role, person=str(waiting.person_id))
    return waiting


@transaction.atomic
def withdraw_role(grant: Grant, *, by: Person, at: datetime) -> None:
    """End a role, or a proposal, from this moment on. A second call changes nothing.

    Raises ``PermissionDenied`` if ``by`` may not, ``Refused`` for the last lead organizer: somebody must be able to
    grant roles.
    """
    if not policy.may_withdraw(by, grant, at=at):
        raise PermissionDenied
    end_grant(grant, by=by, at=at)


def end_grant(grant: Grant, *, by: Person, at: datetime) -> None:
    """End a grant within the caller's transaction. Raises ``Refused`` for the last lead organizer."""
    if grant.role == Role.LEAD_ORGANIZER:
        # All leads are locked in one order: two who leave at once go one after the other, and the second stays.
        leads = list(
            Grant.objects.filter(role=Role.LEAD_ORGANIZER)
            .select_for_update(of=("self",))
            .order_by("pk")
            .in_force(at=at)
        )
        others = Grant.objects.filter(pk__in=[lead.pk for lead in leads], until__isnull=True, person__is_active=True)
        if grant in leads and not others.exclude(person=grant.person_id).exists():
            raise Refused(_("The last lead organizer stays: first make somebody else a lead organizer for good."))
    ended = (Grant.objects.in_force(at=at) | Grant.objects.proposed(at=at)).filter(pk=grant.pk).update(until=at)
    if ended:
        record("role.withdraw", grant, by=by.pk, at=at, role=grant.role, person=str(grant.person_id))


@dataclass(frozen=True)
class Beginning:
    """What the set-up page asks for."""

    name: str
    languages: list[str]
    time_zone: str
    contact_email: str
    donate_url: str
    lead_name: str
    lead_email: str


@transaction.atomic
def set_up(beginning: Beginning, link: SetupLink, *, at: datetime) -> Person:
    """Make the organization and its first lead organizer, whose address has been confirmed. Uses up the link.

    Raises ``Refused`` if the link has been used or replaced meanwhile, so of two calls one wins.
    """
    if not SetupLink.objects.filter(pk=link.pk, expires_at__gt=at).delete()[0] or Organization.objects.exists():
        raise Refused(_("This address has been used already."))
    organization = Organization.objects.create(
        name=beginning.name,
        languages=beginning.languages,
        time_zone=beginning.time_zone,
        contact_email=beginning.contact_email,
        donate_url=beginning.donate_url,
        set_up_at=at,
    )
    email = beginning.lead_email.strip().lower()
    # With an old database somebody may be there already; then they become the lead.
    lead = Person.objects.filter(email=email).first() or Person.objects.create_user(
        email=email, display_name=beginning.lead_name, languages=beginning.languages[:1]
    )
    EmailAddress.objects.update_or_create(user=lead, email=email, defaults={"verified": True, "primary": True})
    grant = Grant.objects.create(person=lead, role=Role.LEAD_ORGANIZER, granted_by=None, granted_at=at)
    record("organization.set_up", organization, by=lead.pk, at=at)
    record("role.grant", grant, by=None, at=at, role=grant.role, person=str(lead.pk))
    return lead


@transaction.atomic
def change_settings(organization: Organization, *, by: Person, at: datetime, **changed: object) -> None:
    """Change what the organization says of itself. Raises ``PermissionDenied`` unless ``by`` is a lead organizer."""
    if not policy.is_lead_organizer(by, at=at):
        raise PermissionDenied
    for name, value in changed.items():
        setattr(organization, name, value)
    organization.save(update_fields=list(changed))
    record("organization.change", organization, by=by.pk, at=at, fields=sorted(changed))


def read_contact(person: Person, *, by: Person, at: datetime) -> str:
    """Return a person's address to an organizer, and write down that they looked. Every call writes a row."""
    if not policy.is_organizer(by, at=at):
        raise PermissionDenied
    record("person.read_contact", person, by=by.pk, at=at)
    return person.email or ""
