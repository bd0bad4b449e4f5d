"""``manage.py doctor``: one line for each thing the site stands on, and what to do about it."""

import io
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from organizing.local import doctor
from organizing.local.servers import Valkey
from organizing.web import health
from tests.conftest import SmtpSink

pytestmark = pytest.mark.django_db


def test_a_healthy_site_passes() -> None:
    told = io.StringIO()
    call_command("doctor", stdout=told)
    subjects = [line.split()[1] for line in told.getvalue().splitlines()]
    assert subjects == [
        *(
            "settings:",
            "database:",
            "migrations:",
            "roles:",
            "statement",
            "cache:",
            "clock:",
            "broker:",
            "mail:",
            "storage:",
        ),
        *("static", "translations:"),
    ]
    assert "fail" not in told.getvalue()


def test_what_is_wrong_fails_the_command_and_says_what_to_do() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'people'")
    told = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", stdout=told)
    assert ended.value.code == 1
    assert "Run manage.py migrate." in told.getvalue()


def test_a_database_that_logs_statements_is_warned_of() -> None:
    assert doctor.statement_log().level == "ok"
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL log_min_error_statement = 'error'")
    finding = doctor.statement_log()
    assert (finding.level, finding.advice) == (
        "warn",
        "Set log_min_error_statement = panic on the database server.",
    )


def test_an_old_database_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    assert health.database().level == "ok"
    monkeypatch.setattr(health, "LOWEST_POSTGRES", 99)
    assert health.database().level == "fail"


def test_a_missing_cache_table_fails() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE cache")
    assert health.cache_table().advice == "Run manage.py createcachetable."


def test_clocks_that_differ_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    assert health.clock().level == "ok"
    late = timezone.now() - timedelta(seconds=30)
    monkeypatch.setattr(timezone, "now", lambda: late)
    assert health.clock().told == "30 seconds from the database's."


def test_a_role_that_is_missing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.database_roles().level == "ok"
    monkeypatch.setattr(doctor, "ROLES", ("organizing_web", "organizing_nobody"))
    assert doctor.database_roles().told == "organizing_nobody: missing, or not for this login."


def test_storage_that_cannot_be_written_fails(settings: Any, tmp_path: Path) -> None:
    assert health.storage().level == "ok"
    blocked = tmp_path / "file"
    blocked.touch()
    settings.MEDIA_ROOT = str(blocked / "media")
    assert health.storage().level == "fail"


def test_a_mail_server_that_answers_is_fine(smtp: SmtpSink) -> None:
    assert doctor.mail_server().level == "ok"
    assert not smtp.messages


def test_a_mail_server_that_does_not_answer_fails(settings: Any) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = nobody.getsockname()
        assert doctor.mail_server().level == "fail"


def test_a_real_organization_without_a_mail_server_is_warned(settings: Any) -> None:
    settings.DEMO = False
    assert doctor.mail_server().advice == "Set EMAIL_URL."


def test_a_broker_that_answers_is_fine(valkey: Valkey, settings: Any) -> None:
    assert health.broker().level == "warn"
    settings.CELERY_BROKER_URL = valkey.url
    assert health.broker().level == "ok"


def test_static_files_that_were_not_gathered_fail(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    assert doctor.static_files().level == "fail"


def test_translations_that_were_not_compiled_fail(settings: Any, tmp_path: Path) -> None:
    settings.LOCALE_PATHS = [tmp_path]
    (tmp_path / "es" / "LC_MESSAGES").mkdir(parents=True)
    (tmp_path / "es" / "LC_MESSAGES" / "django.po").touch()
    assert doctor.compiled_translations().level == "fail"
