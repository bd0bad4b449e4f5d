"""Answers, and what is needed to take them once each.

No answer points at a person, and no anonymous row holds a time, an address, a browser or a serial number.
Answers wait in the inbox and are moved to ``Response`` in shuffled batches, so that neither the order of the
rows nor their transaction ids tell who answered when.

``answers`` is ``{question key: value}``: a choice key, a list of choice keys, or a number. Texts wait sealed in
``Inbox.texts`` and part from the other answers in the shuffle.

Where web processes may not delete, foreign keys do nothing when a survey or question goes: only drafts go (the database
refuses the rest), drafts have no answers, and Django's own cascade would need the right to delete them.
"""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from organizing.people.models import Person
from surveys.design.models import Question, Survey

SILENCE_MAX = timedelta(minutes=5)  # whoever reads a file gives a sign of life every second, but for the last step


class SpentSubmission(models.Model):
    """A form that has been sent. Its id was random and is known to nobody but the browser that sent it."""

    id = models.UUIDField(primary_key=True, editable=False)
    # No index: only the purge looks for it, and an index is one page more to write for each answer.
    survey = models.ForeignKey(Survey, on_delete=models.DO_NOTHING, related_name="+", db_index=False)


class AccessCode(models.Model):
    """An unused code, printed and drawn by a student. Spending it deletes it."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="+")
    locator = models.CharField(max_length=4)  # the part of the code that finds the row
    secret_hash = models.CharField(max_length=120)  # argon2id with its salt, of the rest of the code
    preset = models.JSONField(default=dict)  # answers the code stands for: {"school": "cross"}, or none

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["survey", "locator"], name="a_locator_finds_one_code"),
        ]


class CodeBatch(models.Model):
    """How many codes were printed: a number for the response rate."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="code_batches")
    preset = models.JSONField(default=dict)
    printed = models.PositiveIntegerField()


class Inbox(models.Model):
    """An answer that waits for its batch."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # No index: the table is nearly empty most of the time, and an index is one page more to write for each answer.
    survey = models.ForeignKey(Survey, on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    answers = models.JSONField()
    texts = models.JSONField(default=dict)  # {question key: sealed text}


class Response(models.Model):
    """An answer, shuffled. Written in batches of at least k, or at closing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    survey = models.ForeignKey(Survey, on_delete=models.DO_NOTHING, related_name="+")
    answers = models.JSONField()


class TextAnswer(models.Model):
    """Words that a student wrote, parted from their other answers."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    survey = models.ForeignKey(Survey, on_delete=models.DO_NOTHING, related_name="+")
    question = models.ForeignKey(Question, on_delete=models.DO_NOTHING, related_name="+")
    sealed = models.TextField()


class Tally(models.Model):
    """How many answers there are of a kind: a question's choice, over all or within one value of a dimension.

    ``choice`` empty: how many answered the question. ``question`` empty: how many answered the survey.
    ``dimension`` and ``value`` empty: over all.
    """

    survey = models.ForeignKey(Survey, on_delete=models.DO_NOTHING, related_name="tallies")
    question = models.CharField(max_length=60, blank=True)
    choice = models.CharField(max_length=60, blank=True)
    dimension = models.CharField(max_length=60, blank=True)
    value = models.CharField(max_length=60, blank=True)
    count = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["survey", "dimension", "value", "question", "choice"],
                name="each_thing_is_tallied_once",
            ),
        ]


class NamedResponse(models.Model):
    """An answer of somebody who agreed to give their name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    consent = models.TextField()  # the words agreed to
    answers = models.JSONField()  # texts too
    answered_at = models.DateTimeField()


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, person: Person, *, at: datetime) -> Self:
        """Organizers see every file that was sent, nobody else any."""
        return self.filter(survey__in=Survey.objects.visible_to(person, at=at))

    def due(self, *, at: datetime) -> Self:
        """Files that nobody reads: those that wait, and those whose reader has not been heard of for too long."""
        silent = Q(state=Import.State.RUNNING, heard_at__lt=at - SILENCE_MAX)
        return self.exclude(upload="").filter(Q(state=Import.State.WAITING) | silent)


class Import(models.Model):
    """A file of answers. The same file twice adds nothing twice.

    One sent by a browser waits as a row, and is the job of whichever worker claims it. One added by a command is
    written down when it is in.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("being read")
        DONE = "done", _("added")
        CHECKED = "checked", _("checked")
        FAILED = "failed", _("not added")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="imports")
    content_hash = models.CharField(max_length=64, blank=True)  # SHA-256 of the bytes, once they are in
    file_name = models.CharField(max_length=200)
    upload = models.CharField(max_length=100, blank=True)  # where the file is kept; empty once it is deleted
    all_or_nothing = models.BooleanField(default=False)
    only_check = models.BooleanField(default=False)  # tell what would be added, and add nothing
    language = models.CharField(max_length=10, default="en")  # of whoever sent it: notes and reasons are written in it
    sent_by = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    sent_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    percent = models.PositiveSmallIntegerField(default=0)  # of the file that is read
    rows_read = models.PositiveBigIntegerField(default=0)
    rows_added = models.PositiveBigIntegerField(default=0)
    rows_refused = models.PositiveBigIntegerField(default=0)
    notes = models.JSONField(default=list)  # sentences for the person who sent it
    started_at = models.DateTimeField(null=True, blank=True)  # when it was claimed, last
    heard_at = models.DateTimeField(null=True, blank=True)  # the last sign of life of whoever claimed it
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        ordering = ["-sent_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["survey", "content_hash"],
                condition=models.Q(state="done"),
                name="a_file_is_added_to_a_survey_once",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_over(self) -> bool:
        return self.state not in (self.State.WAITING, self.State.RUNNING)

    @property
    def rows_taken(self) -> int:
        """Rows that were added or, after a check, that would be."""
        return self.rows_read - self.rows_refused
