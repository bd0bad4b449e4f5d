"""The bell: a file has come, and once a minute for those whose bell was not heard or whose worker died."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from surveys.answering.importing import jobs


@shared_task(name="surveys.run_import")
def run_import(job_id: str) -> None:
    """Read one file. Safe to run twice, late, or beside itself."""
    jobs.run_job(UUID(job_id), clock=timezone.now)


@shared_task(name="surveys.run_imports_due")
def run_imports_due() -> None:
    """Every minute. Safe to run twice, late, or beside itself."""
    jobs.run_due(clock=timezone.now)
