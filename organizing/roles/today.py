"""What about roles waits for somebody's decision. See organizing/web/today.py."""

from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils.translation import gettext as _

from organizing.people.models import Person
from organizing.roles import policy
from organizing.roles.models import Grant
from organizing.web.today import Item


def waiting(person: Person | AnonymousUser, *, at: datetime) -> Iterator[Item]:
    """Roles that wait for a second person, of whom this is one."""
    for grant in Grant.objects.proposed(at=at).select_related("person", "granted_by").order_by("granted_at"):
        if policy.may_approve(person, grant, at=at):
            yield Item(
                title=_("Make {person} a {role}?").format(person=grant.person, role=grant.get_role_display()),
                url=reverse("roles:person-detail", args=[grant.person_id]),
                detail=_("Proposed by {person}").format(person=grant.granted_by),
            )
