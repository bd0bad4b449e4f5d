"""The bell: rung by the clock, never by a student's request, which must not wait for a broker."""

from celery import shared_task
from django.utils import timezone

from surveys.answering import operations


@shared_task(name="surveys.shuffle_due")
def shuffle_due() -> None:
    """Every minute. Safe to run twice, late, or beside itself."""
    operations.shuffle_due(at=timezone.now())


@shared_task(name="surveys.purge_due")
def purge_due() -> None:
    """Every day. A second run finds nothing."""
    now = timezone.now()
    operations.purge_due(on=now.date(), at=now)
