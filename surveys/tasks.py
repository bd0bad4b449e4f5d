"""Celery finds the app's tasks here; each feature keeps its own."""

from surveys.answering.importing.tasks import run_import, run_imports_due  # noqa: F401
from surveys.answering.tasks import purge_due, shuffle_due  # noqa: F401
