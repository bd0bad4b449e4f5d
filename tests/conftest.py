"""What every test stands on: a PostgreSQL of its own, no network, no skipping, a fixed moment.

Settings come from the environment, so the environment is put in order here, before anything reads them.
"""

import datetime as dt
import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

    from organizing.local.servers import Valkey

NOW = dt.datetime(2026, 9, 10, 20, 0, tzinfo=dt.UTC)

# Every run has a directory of its own, made by the first process and handed to the xdist workers it starts.
IS_FIRST_PROCESS = "PYTEST_XDIST_WORKER" not in os.environ
if IS_FIRST_PROCESS:
    for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "DATABASE_ROLE", "DEMO", "DEBUG", "SECURE", "SECRET_KEY"):
        os.environ.pop(name, None)
    # The test's web server closes its connections with each request, or they would stay as long as a browser's do.
    os.environ["CONN_MAX_AGE"] = "0"
    os.environ["ORGANIZING_VAR"] = tempfile.mkdtemp(prefix="organizing-test-", dir="/tmp")
os.environ["DJANGO_SETTINGS_MODULE"] = "organizing.settings"
VAR = Path(os.environ["ORGANIZING_VAR"])


@pytest.fixture
def now() -> dt.datetime:
    return NOW


@pytest.fixture(autouse=True)
def in_english() -> None:
    """A page shown in Spanish leaves its language to the thread, and so to the next test."""
    from django.utils import translation

    translation.activate("en")


# --- The run ------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    from organizing.local import servers, translations

    # Pages are tested without gathering the static files first.
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    if IS_FIRST_PROCESS:
        for language in translations.languages():
            translations.compile_catalog(language)
        _clear_up_after_killed_runs()
        servers.hold_postgres(VAR, durable=False)  # held to the end, so that every worker finds it running
    _keep_off_the_network()


def pytest_sessionstart(session: pytest.Session) -> None:
    _let_tests_empty_the_audit_trail()
    _sign_in_all_the_way()


def pytest_unconfigure(config: pytest.Config) -> None:
    from organizing.local import servers

    if IS_FIRST_PROCESS:
        servers.release_postgres(VAR)
        _remove(VAR)


def _clear_up_after_killed_runs() -> None:
    """Stop the servers of runs that had no chance to do it themselves."""
    from organizing.local import servers

    for var in Path("/tmp").glob("organizing-test-*"):  # noqa: S108
        ours = var != VAR and var.stat().st_uid == os.geteuid() and (var / "postgres").exists()
        if ours and servers.stop_unused_postgres(var):
            for data in var.glob("*/valkey"):
                servers.Valkey(data.parent).stop_left_behind()
                _remove(data.parent)
            _remove(var)


def _remove(var: Path) -> None:
    from organizing.local.services import socket_dir

    shutil.rmtree(socket_dir(var), ignore_errors=True)
    shutil.rmtree(var, ignore_errors=True)


def _keep_off_the_network() -> None:
    """Refuse every connection that leaves this machine."""

    def guarded(connect: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
        def connect_at_home(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_at_home(address[0]):
                raise AssertionError(f"A test tried to reach {address[0]}. Tests never leave this machine.")
            return connect(self, address)

        return connect_at_home

    for verb in ("connect", "connect_ex"):
        setattr(socket.socket, verb, guarded(getattr(socket.socket, verb)))


def _let_tests_empty_the_audit_trail() -> None:
    """Tests with real transactions end by emptying every table, which the audit trail refuses. So its guard rests."""
    from django.db.backends.postgresql.operations import DatabaseOperations

    sql_flush = DatabaseOperations.sql_flush

    def with_the_guard_at_rest(self: DatabaseOperations, *args: Any, **kwargs: Any) -> list[str]:
        statements = sql_flush(self, *args, **kwargs)
        if not any("audit_auditevent" in statement for statement in statements):
            return statements
        return [
            "ALTER TABLE audit_auditevent DISABLE TRIGGER is_never_emptied",
            *statements,
            "ALTER TABLE audit_auditevent ENABLE ALWAYS TRIGGER is_never_emptied",
        ]

    DatabaseOperations.sql_flush = with_the_guard_at_rest  # type: ignore[assignment, method-assign]


def _sign_in_all_the_way() -> None:
    """Let ``client.force_login(person)`` count as signing in with a second factor, which organizers need.

    ``tests.factories.sign_in_halfway(client, person)`` is signing in without one.
    """
    import time

    from django.test import Client

    force_login = Client.force_login

    def with_second_factor(self: Client, user: Any, backend: str | None = None) -> None:
        force_login(self, user, backend)
        session = self.session
        session["account_authentication_methods"] = [{"method": "mfa", "at": time.time()}]
        session["account_authentication_methods_user"] = str(user.pk)
        session.save()

    Client.force_login = with_second_factor  # type: ignore[assignment, method-assign]


def _is_at_home(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _fail_what_was_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    expected_to_fail = hasattr(report, "wasxfail")
    if expected_to_fail:
        del report.wasxfail  # pytest does not count what carries it
    if report.skipped or expected_to_fail:
        report.outcome = "failed"
        report.longrepr = f"Skipped or expected to fail, which no test may be: {report.longrepr}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report: pytest.TestReport = yield  # type: ignore[assignment]
    _fail_what_was_skipped(report)
    return report  # type: ignore[return-value]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    report: pytest.CollectReport = yield  # type: ignore[assignment]
    _fail_what_was_skipped(report)
    return report  # type: ignore[return-value]


# --- Servers ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def valkey(worker_id: str) -> Iterator["Valkey"]:
    """A running Valkey of this worker's own. Its address is ``valkey.url``."""
    from organizing.local import servers

    var = VAR / worker_id
    server = servers.Valkey(var)
    server.start()
    yield server
    server.stop()
    _remove(var)


class SmtpSink:
    """What the mail server of a test was given."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        from email import message_from_bytes, policy

        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"


@pytest.fixture
def smtp(settings: Any) -> Iterator[SmtpSink]:
    """A real SMTP server, which Django's mail goes to during the test."""
    from aiosmtpd.controller import Controller

    sink = SmtpSink()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield sink
    controller.stop()


# --- The browser --------------------------------------------------------------------------------

PHONE, DESKTOP = (390, 844), (1280, 900)  # CSS pixels
NewPage = Callable[..., "Page"]


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    from django.db import connections
    from playwright.sync_api import sync_playwright

    from tests.chromium import installed_browser

    # From here on the thread runs in another context, where Django opens a connection of its own: the one it has now
    # would stay open, out of everybody's reach, and be company to a restore.
    connections.close_all()

    # Playwright keeps an event loop in this thread, which Django takes for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=installed_browser(), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: "Browser", live_server: "LiveServer") -> Iterator[NewPage]:
    """Open pages of the live server: ``new_page(size=PHONE, scheme="dark", javascript=False, locale="es")``.

    Every page has its own cookies; addresses are relative to the server. The test fails if a page asked for anything
    from elsewhere, broke the content security policy, or if a script of it failed.
    """
    home = urlsplit(live_server.url).netloc
    complaints: list[str] = []
    contexts = []

    def at_home_only(route: Any) -> None:
        address = urlsplit(route.request.url)
        if address.scheme in ("data", "blob") or address.netloc == home:
            route.continue_()
        else:
            complaints.append(f"asked for {route.request.url}")
            route.abort()

    def listen(message: Any) -> None:
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            complaints.append(message.text)

    def open_page(
        *,
        size: tuple[int, int] = DESKTOP,
        scheme: Literal["light", "dark"] = "light",
        javascript: bool = True,
        locale: str = "en-US",
    ) -> "Page":
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            has_touch=size == PHONE,
            java_script_enabled=javascript,
            locale=locale,
        )
        context.set_default_timeout(10_000)
        context.route("**/*", at_home_only)
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(f"script failed: {error}"))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def phone(new_page: NewPage) -> "Page":
    return new_page(size=PHONE)


@pytest.fixture
def desktop(new_page: NewPage) -> "Page":
    return new_page(size=DESKTOP)


@pytest.fixture
def phone_dark(new_page: NewPage) -> "Page":
    return new_page(size=PHONE, scheme="dark")


@pytest.fixture
def desktop_dark(new_page: NewPage) -> "Page":
    return new_page(size=DESKTOP, scheme="dark")
