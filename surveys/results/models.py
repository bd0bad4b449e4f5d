"""What is told of the answers. A release is made once and never altered."""

import uuid
from typing import Self

from django.db import models
from django.db.models import F, Q

from organizing.people.models import Person
from surveys.answering.models import TextAnswer
from surveys.design.models import Survey


class ReleaseQuerySet(models.QuerySet["Release"]):
    def published(self) -> Self:
        """Releases that a second person approved for the public."""
        return self.filter(publication__approved_at__isnull=False)

    def newest_first(self) -> Self:
        return self.order_by("-number")


class Release(models.Model):
    """Tables that are safe to publish, frozen."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="releases")
    number = models.PositiveSmallIntegerField()
    made_on = models.DateField()
    rules_version = models.CharField(max_length=20)
    tables = models.JSONField()  # what is told, and nothing more: see surveys/results/README.md
    texts = models.JSONField(default=dict)  # {question key: [words two trustees approved, in no order]}
    basis = models.JSONField()  # group sizes it stands on, for the next release's rule; never shown

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "number"], name="releases_of_a_survey_are_numbered"),
        ]

    def __str__(self) -> str:
        return f"{self.survey}: {self.number}"

    @property
    def is_published(self) -> bool:
        publication = getattr(self, "publication", None)
        return publication is not None and publication.approved_at is not None


class Publication(models.Model):
    """Somebody proposes to publish a release; another person, a lead organizer, approves."""

    release = models.OneToOneField(Release, on_delete=models.CASCADE, primary_key=True)
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("proposed_by")),
                name="a_second_person_approves_a_publication",
            ),
        ]

    def __str__(self) -> str:
        return str(self.release)


class TextReview(models.Model):
    """One trustee's decision on one text. Two different trustees must approve the same wording.

    Approvals of a text always agree: who approves another wording takes the earlier approvals away, and the text
    goes back to those reviewers. One decision to withhold or to escalate is enough to keep a text from everyone.
    """

    NEEDED = 2  # approvals by different people

    class Decision(models.TextChoices):
        APPROVE = "approve"
        WITHHOLD = "withhold"
        ESCALATE = "escalate"

    text = models.ForeignKey(TextAnswer, on_delete=models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=10, choices=Decision.choices)
    sealed_wording = models.TextField(blank=True)  # as it may be told, names removed
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["text", "reviewer"], name="a_reviewer_decides_once_on_a_text"),
        ]

    def __str__(self) -> str:
        return f"{self.text_id}: {self.decision}"
