"""What this package stores about a person: the roles they hold and held. See organizing/people/privacy.py."""

from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from organizing.people.models import Person
from organizing.people.privacy import Fact, Section
from organizing.roles.models import Grant
from organizing.roles.operations import end_grant


def told(person: Person, *, at: datetime) -> Section:
    return Section(
        key="roles",
        title=gettext_lazy("Your roles"),
        why=gettext_lazy("So that you can do what a role lets you do, and everybody can trust who may do what."),
        on_leaving=gettext_lazy("They end. That a number held them from when to when stays in the log."),
        facts=[Fact(grant.get_role_display(), _span(grant)) for grant in person.grants.order_by("granted_at")],
    )


def _span(grant: Grant) -> str:
    since = date_format(grant.granted_at)
    if grant.until is None:
        return _("since {day}").format(day=since)
    return _("{first} to {last}").format(first=since, last=date_format(grant.until))


def forget(person: Person, *, at: datetime) -> None:
    """End every role. Raises ``Refused`` for the last lead organizer."""
    for grant in person.grants.all():
        end_grant(grant, by=person, at=at)
