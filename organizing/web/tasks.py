from celery import shared_task
from django.utils import timezone

from organizing.web import ratelimit


@shared_task(name="web.forget_full_buckets")
def forget_full_buckets() -> None:
    """Hourly. Safe to run twice, late, or beside itself."""
    ratelimit.forget_full_buckets(at=timezone.now())
