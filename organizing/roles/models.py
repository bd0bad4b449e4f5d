"""Who holds which role over what."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from organizing.people.models import Person


class Role(models.TextChoices):
    MEMBER = "member", _("member")
    TEAM_LEAD = "team_lead", _("team lead")
    ORGANIZER = "organizer", _("organizer")
    LEAD_ORGANIZER = "lead_organizer", _("lead organizer")
    ALLY = "ally", _("adult ally")
    TRUSTEE = "trustee", _("trustee")


# Whoever holds one of these must have a second factor before any page of theirs opens.
GUARDED_ROLES = frozenset({Role.ORGANIZER, Role.LEAD_ORGANIZER, Role.TRUSTEE})

# One person proposes these, and another decides.
TWO_PERSON_ROLES = frozenset({Role.LEAD_ORGANIZER, Role.TRUSTEE})


class GrantQuerySet(models.QuerySet["Grant"]):
    def in_force(self, *, at: datetime) -> Self:
        """Grants that count at that moment: begun, approved where two are needed, and not over."""
        return self.filter(
            Q(until__isnull=True) | Q(until__gt=at),
            ~Q(role__in=TWO_PERSON_ROLES) | Q(approved_by__isnull=False) | Q(granted_by__isnull=True),
            granted_at__lte=at,
        )

    def proposed(self, *, at: datetime) -> Self:
        """Grants that wait for a second person."""
        return self.filter(
            Q(until__isnull=True) | Q(until__gt=at),
            role__in=TWO_PERSON_ROLES,
            approved_by__isnull=True,
            granted_by__isnull=False,
        )


class Grant(models.Model):
    """A role that a person holds over a scope, from ``granted_at`` until ``until``."""

    class Scope(models.TextChoices):
        ORGANIZATION = "organization", _("the whole organization")
        CAMPAIGN = "campaign", _("one campaign")
        TEAM = "team", _("one team")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(max_length=20, choices=Role.choices)
    scope = models.CharField(max_length=20, choices=Scope.choices, default=Scope.ORGANIZATION)
    scope_id = models.UUIDField(null=True, blank=True)  # NULL: the whole organization
    granted_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")  # NULL: console
    granted_at = models.DateTimeField()
    approved_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    until = models.DateTimeField(null=True, blank=True)  # NULL: until withdrawn

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(scope="organization", scope_id__isnull=True)
                | (~Q(scope="organization") & Q(scope_id__isnull=False)),
                name="a_grant_over_a_part_names_the_part",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("granted_by")),
                name="a_second_person_approves_a_grant",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("person")),
                name="nobody_approves_their_own_role",
            ),
            models.UniqueConstraint(
                fields=["person", "role", "scope", "scope_id"],
                condition=Q(until__isnull=True),
                nulls_distinct=False,
                name="a_role_is_held_once_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.get_role_display()}"
