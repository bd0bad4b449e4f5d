"""Everybody the organization knows, with or without a log-in, and the organization itself."""

import uuid
import zoneinfo
from datetime import date
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

ADULT_AGE = 18  # years


class PersonQuerySet(models.QuerySet["Person"]):
    def with_login(self) -> Self:
        return self.filter(is_active=True, email__isnull=False)

    def visible_to(self, person: "Person") -> Self:
        """Everyone sees themselves; who else is seen is decided by roles, above this package."""
        return self.filter(pk=person.pk)


class PersonManager(BaseUserManager["Person"].from_queryset(PersonQuerySet)):  # type: ignore[misc]
    def get_by_natural_key(self, email: str) -> "Person":
        person: Person = self.get(email__iexact=email)
        return person

    def create_user(self, email: str | None = None, password: None = None, **given: Any) -> "Person":
        """Make a person. Nobody has a password: people sign in by e-mailed code or passkey."""
        person: Person = self.model(email=email.strip().lower() if email else None, **given)
        person.set_unusable_password()
        person.save()
        return person


class Person(AbstractBaseUser):
    """Anybody the organization knows. With an address and ``is_active``, they may sign in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("e-mail"), unique=True, null=True, blank=True)  # NULL: none known
    display_name = models.CharField(_("name"), max_length=120)
    pronouns = models.CharField(_("pronouns"), max_length=40, blank=True)
    languages = models.JSONField(_("languages"), default=list, blank=True)  # language codes, preferred first
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True)  # IANA; empty: the organization's
    birth_year = models.PositiveSmallIntegerField(_("birth year"), null=True, blank=True)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(auto_now_add=True)
    wants_news_since = models.DateTimeField(null=True, blank=True)  # NULL: did not ask to be kept in touch
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)  # set: only the id is left

    objects = PersonManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_person_per_email_whatever_its_case"),
            models.CheckConstraint(
                condition=models.Q(email__isnull=True) | ~models.Q(email=""),
                name="no_email_is_null_not_empty",
            ),
            # allauth and every search compare with lower case, so nothing else may get in, by whatever door.
            models.CheckConstraint(
                condition=models.Q(email__isnull=True) | models.Q(email=Lower("email")),
                name="an_email_is_kept_in_lower_case",
            ),
            models.CheckConstraint(
                condition=models.Q(erased_at__isnull=True)
                | models.Q(
                    email__isnull=True,
                    display_name="",
                    pronouns="",
                    birth_year__isnull=True,
                    wants_news_since__isnull=True,
                    is_active=False,
                ),
                name="of_an_erased_person_only_the_id_is_left",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or gettext("somebody who left")

    def is_minor(self, on: date) -> bool | None:
        """Tell whether the person is under 18 on that day. ``None``: unknown, and treated as a minor by every guard.

        Only the year of birth is kept, so whoever may still be 17 counts as a minor.
        """
        if self.birth_year is None:
            return None
        return on.year - self.birth_year <= ADULT_AGE

    def zone(self) -> zoneinfo.ZoneInfo | None:
        return zoneinfo.ZoneInfo(self.time_zone) if self.time_zone else None


class StayInTouch(models.Model):
    """A stranger's wish to hear from us. It touches no person until the address has been confirmed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Written by the server into the form. Unique, so that a form sent twice is one row.
    submission_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    email = models.EmailField()
    display_name = models.CharField(max_length=120)
    language = models.CharField(max_length=10)
    message = models.TextField(blank=True)
    asked_at = models.DateTimeField()
    proof_given = models.BooleanField()  # the browser did the guard's work
    gets_mail = models.BooleanField()  # False: too many were sent already
    confirmed_at = models.DateTimeField(null=True)  # NULL: not confirmed; goes after a week
    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, related_name="wishes")  # NULL: as above

    class Meta:
        indexes = [models.Index(fields=["email", "asked_at"], name="stay_in_touch_by_email")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(confirmed_at__isnull=True, person__isnull=True)
                | models.Q(confirmed_at__isnull=False, person__isnull=False),
                name="a_confirmed_wish_has_its_person",
            ),
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="a_wish_keeps_its_email_in_lower_case"
            ),
        ]

    def __str__(self) -> str:
        return self.display_name


class SetupLink(models.Model):
    """A one-time address under which an organization is set up. Only the hash of its secret is kept."""

    secret_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.expires_at:%Y-%m-%d %H:%M}"


class Organization(models.Model):
    """The organization that runs this site. One row; none until it has been set up."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(_("name"), max_length=120)
    languages = models.JSONField(_("languages"), default=list)  # codes of the languages it speaks, first is default
    time_zone = models.CharField(_("time zone"), max_length=60)
    contact_email = models.EmailField(_("contact e-mail"))
    donate_url = models.URLField(_("donation page"), blank=True)
    set_up_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_organization")]

    def __str__(self) -> str:
        return self.name

    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)
