"""What a survey asks. Everything here freezes when the survey opens, by database trigger too."""

import uuid
from collections.abc import Mapping
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from organizing.people.models import Person
from organizing.roles.policy import is_organizer

K_MIN = 10  # answers; no group smaller than this is ever shown (NCES 2011-603: the most common state minimum)
DIMENSIONS_MAX = 3
DIMENSION_VALUES_MAX = 8
QUESTION_KEY = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
CHOICE_KEY = r"^[^\s,;]([^,;\n\r\t]*[^\s,;])?$"
NO_ANSWER = "prefer-not-to-say"  # the value of a dimension for whoever leaves its question open


def in_language(texts: Mapping[str, str], language: str | None = None) -> str:
    """Return the text in the wanted language (default: the active one), else in English, else any."""
    wanted = (language or get_language() or "en").split("-")[0]
    return texts.get(wanted) or texts.get("en") or next(iter(texts.values()), "")


class SurveyQuerySet(models.QuerySet["Survey"]):
    def visible_to(self, person: Person, *, at: Any) -> Self:
        """Organizers see every survey; nobody else sees one outside its public pages."""
        return self.all() if is_organizer(person, at=at) else self.none()

    def open(self) -> Self:
        return self.filter(state=Survey.State.OPEN)

    def with_question_count(self) -> Self:
        return self.annotate(question_count=models.Count("questions"))


class Survey(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    class Mode(models.TextChoices):
        ANONYMOUS = "anonymous", _("anonymous")
        NAMED = "named", _("with names")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(_("short address"), max_length=60, unique=True)
    title = models.JSONField(default=dict)  # {"en": "…", "es": "…"}, as every text of a survey
    intro = models.JSONField(default=dict, blank=True)
    consent = models.JSONField(default=dict, blank=True)  # named mode: what people agree to
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.ANONYMOUS)
    k = models.PositiveSmallIntegerField(default=K_MIN)
    dimensions = models.JSONField(default=list, blank=True)  # keys of single-choice questions, at most 3
    takes_codes = models.BooleanField(default=False)  # each answer spends a printed code
    method = models.JSONField(default=dict, blank=True)  # {"en": "who was asked, how"}; printed with the results
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    purge_on = models.DateField(null=True, blank=True)  # answers are dropped that day; releases stay
    created_by = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SurveyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(mode="anonymous") | Q(k__gte=K_MIN),
                name="an_anonymous_survey_shows_no_group_under_ten",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(opened_at__isnull=False), name="a_survey_that_opened_says_when"
            ),
            models.CheckConstraint(
                condition=~Q(state="closed") | Q(closed_at__isnull=False),
                name="a_survey_that_closed_says_when",
            ),
        ]

    def __str__(self) -> str:
        return in_language(self.title)

    @property
    def is_anonymous(self) -> bool:
        return self.mode == self.Mode.ANONYMOUS

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    def languages(self) -> list[str]:
        """The languages that the title is written in, by code (jsonb keeps no order)."""
        return sorted(code for code, text in self.title.items() if text)


class Question(models.Model):
    class Kind(models.TextChoices):
        SINGLE = "single", _("one choice")
        MULTIPLE = "multiple", _("several choices")
        SCALE = "scale", _("scale")
        NUMBER = "number", _("number")
        SHORT_TEXT = "short_text", _("short text")
        LONG_TEXT = "long_text", _("long text")

    TEXT_KINDS = frozenset({Kind.SHORT_TEXT, Kind.LONG_TEXT})
    CHOICE_KINDS = frozenset({Kind.SINGLE, Kind.MULTIPLE})

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="questions")
    key = models.CharField(max_length=60)  # letters, digits, "_", "-", "."
    order = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    label = models.JSONField(default=dict)
    help = models.JSONField(default=dict, blank=True)
    is_required = models.BooleanField(default=False)
    low = models.FloatField(null=True, blank=True)  # scale and number: the least and greatest answer taken
    high = models.FloatField(null=True, blank=True)
    # A number is only ever told in bands, fixed before opening: [10, 20] means under 10, 10 to under 20, 20 and over.
    bands = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["order"]
        constraints = [
            models.UniqueConstraint("survey", Lower("key"), name="a_question_key_is_used_once_in_a_survey"),
            models.CheckConstraint(condition=Q(key__regex=QUESTION_KEY), name="a_question_key_is_a_plain_word"),
            models.UniqueConstraint(
                fields=["survey", "order"],
                name="one_question_at_each_place",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(low__isnull=True) | Q(high__isnull=True) | Q(low__lt=F("high")),
                name="a_range_goes_from_low_to_high",
            ),
            models.CheckConstraint(
                condition=~Q(kind="scale") | Q(low__isnull=False, high__isnull=False),
                name="a_scale_has_two_ends",
            ),
        ]

    def __str__(self) -> str:
        return in_language(self.label)

    @property
    def is_text(self) -> bool:
        return self.kind in self.TEXT_KINDS


class Choice(models.Model):
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="choices")
    key = models.CharField(max_length=60)  # no "," and no ";", which part several choices in a CSV cell
    order = models.PositiveSmallIntegerField()
    label = models.JSONField(default=dict)
    population = models.PositiveIntegerField(null=True, blank=True)  # how many people are in that group, when known

    class Meta:
        ordering = ["order"]
        constraints = [
            models.UniqueConstraint("question", Lower("key"), name="a_choice_key_is_used_once_in_a_question"),
            models.CheckConstraint(condition=Q(key__regex=CHOICE_KEY), name="a_choice_key_fits_in_a_cell"),
        ]

    def __str__(self) -> str:
        return in_language(self.label)


class SurveyChangeQuerySet(models.QuerySet["SurveyChange"]):
    def waiting(self) -> Self:
        """Neither approved nor withdrawn."""
        return self.filter(approved_at__isnull=True, withdrawn_at__isnull=True)


class SurveyChange(models.Model):
    """Somebody proposes to open or close a survey; another person, a lead organizer, approves."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="changes")
    to_state = models.CharField(max_length=10, choices=Survey.State.choices)
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = SurveyChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("proposed_by")),
                name="a_second_person_approves_a_survey_change",
            ),
            models.UniqueConstraint(
                fields=["survey"],
                condition=Q(approved_at__isnull=True, withdrawn_at__isnull=True),
                name="one_survey_change_waits_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.survey}: {self.to_state}"
