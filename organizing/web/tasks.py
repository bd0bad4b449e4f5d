from celery import shared_task
from django.utils import timezone

from organizing.web import cache, ratelimit


@shared_task(name="web.forget_visitors")
def forget_visitors() -> None:
    """Hourly: forget how often somebody asked, once it no longer counts. Safe to run twice, late, or beside itself."""
    at = timezone.now()
    ratelimit.forget_full_buckets(at=at)
    cache.forget_expired(at=at)
