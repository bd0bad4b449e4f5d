"""Who may do what with results. Who may see a survey at all is ``Survey.objects.visible_to``."""

from datetime import datetime

from organizing.people.models import Person
from organizing.roles.policy import is_lead_organizer, is_organizer, is_trustee
from surveys.results.models import Release


def may_release(person: Person, *, at: datetime) -> bool:
    """Organizers make releases: they see nothing in one that the public may not."""
    return is_organizer(person, at=at)


def may_propose_publication(person: Person, *, at: datetime) -> bool:
    return is_organizer(person, at=at)


def may_decide_publications(person: Person, *, at: datetime) -> bool:
    return is_lead_organizer(person, at=at)


def may_approve_publication(person: Person, release: Release, *, at: datetime) -> bool:
    """A lead organizer other than the one who proposed it."""
    publication = getattr(release, "publication", None)
    return (
        publication is not None
        and publication.approved_at is None
        and publication.proposed_by_id != person.pk
        and is_lead_organizer(person, at=at)
    )


def may_review_texts(person: Person, *, at: datetime) -> bool:
    """Trustees only: organizers see texts after two trustees approved them, in a release, as everyone does."""
    return is_trustee(person, at=at)


def may_see_names(person: Person, *, at: datetime) -> bool:
    """Answers that people gave with their name."""
    return is_organizer(person, at=at)


def may_see_contact(person: Person, *, at: datetime) -> bool:
    """E-mail addresses: whoever answered may be a minor, so they are for lead organizers alone."""
    return is_lead_organizer(person, at=at)
