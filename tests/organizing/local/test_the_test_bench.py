"""The things that all other tests rely on."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings
from django.core.mail import send_mail
from django.db import connection

from organizing.local.servers import Valkey
from tests.conftest import NewPage, SmtpSink


@pytest.mark.django_db
def test_tests_run_on_the_embedded_postgresql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int, current_setting('log_statement')")
        version, log_statement = cursor.fetchone()
    assert version >= 180000
    assert log_statement == "none"


def test_no_test_reaches_the_network() -> None:
    with socket.socket() as connection, pytest.raises(AssertionError, match="never leave this machine"):
        connection.connect(("192.0.2.1", 80))


def test_a_message_arrives_at_the_sink(smtp: SmtpSink) -> None:
    send_mail("Hello", "Words.", "from@example.org", ["to@example.org"])
    assert [message["Subject"] for message in smtp.messages] == ["Hello"]
    assert smtp.recipients == [["to@example.org"]]


def test_a_message_travels_through_the_embedded_valkey(valkey: Valkey) -> None:
    app = Celery(broker=valkey.url)
    app.send_task("ring", task_id="a")
    with app.connection_for_read() as broker:
        message = broker.SimpleQueue("celery").get(timeout=5)
    assert message.headers["task"] == "ring"
    assert valkey.pid is not None


def test_a_browser_sees_the_live_server(new_page: NewPage) -> None:
    page = new_page()
    answer = page.goto("/healthz")
    assert answer is not None
    assert answer.status == 200


@pytest.mark.parametrize(
    "test",
    [
        "import pytest\n\ndef test_it():\n    pytest.skip('later')",
        "import pytest\n\n@pytest.mark.xfail\ndef test_it(): assert False",
        "import pytest\n\npytest.importorskip('nothing_of_that_name')",
    ],
)
def test_a_skipped_test_fails_the_run(tmp_path: Path, test: str) -> None:
    (tmp_path / "test_it.py").write_text(test)
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c", "/dev/null", tmp_path],
        cwd=settings.BASE_DIR,
        env=outside,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "Skipped or expected to fail, which no test may be" in run.stdout
