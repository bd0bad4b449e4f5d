"""What Celery calls. Safe to run twice, late, or beside itself."""

from celery import shared_task
from django.utils import timezone

from organizing.people import operations, sessions


@shared_task
def prune_people() -> None:
    at = timezone.now()
    sessions.prune_sessions(at=at)
    operations.prune_wishes(at=at)
