"""Is this site fit to serve? The answers behind ``/healthz`` and ``manage.py doctor``."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import Error, ProgrammingError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from organizing.celery import app
from organizing.people.models import Person
from organizing.people.signing_in import has_second_factor
from organizing.roles import policy

LOWEST_POSTGRES = 15  # major version
CLOCKS_MAY_DIFFER = 2  # seconds
ROOM_WANTED = 500  # MB


@dataclass(frozen=True)
class Finding:
    """What one look found. ``advice`` says what to do; empty when there is nothing to do."""

    subject: str
    level: Literal["ok", "warn", "fail"]
    told: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.level:4}  {self.subject}: {self.told}" + (f" {self.advice}" if self.advice else "")


def database() -> Finding:
    """Connect, and compare what answers with what is needed."""
    try:
        connection.ensure_connection()
        version = connection.cursor().connection.server_version // 10000
    except Exception as problem:  # whatever it is, it is the finding
        told = str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
        return Finding("database", "fail", told, "Is PostgreSQL running, and is DATABASE_URL right?")
    if version < LOWEST_POSTGRES:
        return Finding("database", "fail", f"PostgreSQL {version}.", f"Use {LOWEST_POSTGRES} or later.")
    return Finding("database", "ok", f"PostgreSQL {version}.")


def migrations() -> Finding:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        return Finding("migrations", "fail", f"{len(waiting)} are not applied.", "Run manage.py migrate.")
    return Finding("migrations", "ok", "all applied.")


def cache_table() -> Finding:
    try:
        cache.get("health")
    except ProgrammingError:
        return Finding("cache", "fail", "its table is missing.", "Run manage.py createcachetable.")
    return Finding("cache", "ok", "its table is there.")


def clock() -> Finding:
    """Compare this machine's clock with the database's: what happens when is decided by both."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    apart = abs((timezone.now() - theirs).total_seconds())
    if apart > CLOCKS_MAY_DIFFER:
        return Finding(
            "clock",
            "fail",
            f"{apart:.0f} seconds from the database's.",
            "Keep the clocks of both machines right with NTP.",
        )
    return Finding("clock", "ok", "agrees with the database's.")


def broker() -> Finding:
    """Look whether the broker answers. Pages work without it; what is to be done later waits."""
    try:
        with app.connection_for_read(settings.CELERY_BROKER_URL, connect_timeout=2) as bell:
            bell.ensure_connection(max_retries=1, timeout=2)
    except Exception:  # of many kinds, and one meaning
        return Finding(
            "broker",
            "warn",
            "no answer: pages work, but background work waits.",
            "Is Redis or Valkey running, and is REDIS_URL right? On a laptop, make run starts it.",
        )
    return Finding("broker", "ok", "answers.")


def storage() -> Finding:
    """Write a file, read it and remove it."""
    try:
        name = default_storage.save("health", ContentFile(b"ok"))
        try:
            with default_storage.open(name) as file:
                intact = file.read() == b"ok"
        finally:
            default_storage.delete(name)
    except OSError as problem:
        return Finding("storage", "fail", f"{problem.strerror}.", f"Make {settings.MEDIA_ROOT} writable for this user.")
    if not intact:
        return Finding("storage", "fail", "a file came back changed.", f"Check the disk under {settings.MEDIA_ROOT}.")
    room = shutil.disk_usage(settings.MEDIA_ROOT).free // 1_000_000
    if room < ROOM_WANTED:
        return Finding("storage", "warn", f"{room} MB left.", "Free some space on the disk.")
    return Finding("storage", "ok", f"writable, {room:,} MB free.")


SERVING: tuple[Callable[[], Finding], ...] = (database, migrations, cache_table, storage, clock, broker)


def findings(checks: tuple[Callable[[], Finding], ...] = SERVING) -> Iterator[Finding]:
    """Look at one thing after another. What cannot even be looked at has failed, and the rest is still looked at."""
    for check in checks:
        try:
            yield check()
        except Error:
            yield Finding(check.__name__.replace("_", " "), "fail", "cannot be seen without the database.")


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Say ``ok`` (200) or ``fail`` (503), and to a lead organizer what was found.

    A stranger costs one short look at the database, and touches no session. A broker that does not answer is not a
    failure: the site serves without it.
    """
    if settings.SESSION_COOKIE_NAME in request.COOKIES and _is_lead_organizer(request):
        found = list(findings())
        lines = [str(finding) for finding in found]
        fit = all(finding.level != "fail" for finding in found)
    else:
        fit = _serves()
        lines = ["ok" if fit else "fail"]
    return HttpResponse("\n".join(lines) + "\n", status=200 if fit else 503, content_type="text/plain; charset=utf-8")


def _is_lead_organizer(request: HttpRequest) -> bool:
    try:
        return has_second_factor(request) and policy.is_lead_organizer(request.user, at=timezone.now())
    except Error:
        return False  # without a database nobody is known


def _serves() -> bool:
    try:
        Person.objects.exists()  # the database answers, and has been migrated
    except Error:
        return False
    return True
