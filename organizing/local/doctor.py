"""What `manage.py doctor` looks at beyond `/healthz`: what an operator can have set up wrongly."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core import checks, mail
from django.db import connection

from organizing.local import translations
from organizing.web import health
from organizing.web.health import Finding

ROLES = ("organizing_web",)  # the database roles that processes work under, made by the migrations


def configuration() -> Finding:
    """Let Django look at the settings, on a deployed site with the eyes of an attacker."""
    found = checks.run_checks(include_deployment_checks=settings.DEPLOYED)
    if found:
        told = "; ".join(f"{message.id}: {message.msg}" for message in found)
        return Finding("settings", "fail", told, "Run manage.py check --deploy, which says more.")
    if settings.DEPLOYED and settings.DEBUG:
        return Finding("settings", "fail", "DEBUG is on.", "Unset DEBUG: it shows secrets to strangers.")
    if settings.DEPLOYED and settings.SURVEY_KEYS[0] == settings.SECRET_KEY:
        return Finding("settings", "warn", "SURVEY_KEYS is not set.", "Give it keys of its own, beside SECRET_KEY.")
    return Finding("settings", "ok", "as they should be.")


def database_roles() -> Finding:
    """Look whether the roles exist and this login may take them on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND pg_has_role(session_user, oid, 'MEMBER')",
            [list(ROLES)],
        )
        usable = {name for (name,) in cursor.fetchall()}
    missing = [role for role in ROLES if role not in usable]
    if missing:
        return Finding(
            "roles",
            "fail",
            f"{', '.join(missing)}: missing, or not for this login.",
            "Run manage.py migrate as a login that may make roles.",
        )
    return Finding("roles", "ok", f"{', '.join(ROLES)}.")


def statement_log() -> Finding:
    """Look whether the database writes statements down, which carry answers. The migrations forbid it if they may."""
    silent = {"log_statement": "none", "log_min_error_statement": "panic", "log_min_duration_statement": "-1"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(silent)])
        loud = [name for name, setting in cursor.fetchall() if setting != silent[name]]
    if loud:
        return Finding(
            "statement log",
            "warn",
            f"{', '.join(sorted(loud))}: the database may log what students answer.",
            "Set " + ", ".join(f"{name} = {silent[name]}" for name in sorted(loud)) + " on the database server.",
        )
    return Finding("statement log", "ok", "off.")


def mail_server() -> Finding:
    """Connect to the mail server and sign in there. Sends nothing."""
    backend = settings.EMAIL_BACKEND.rsplit(".", 2)[-2]
    if backend in {"console", "dummy", "locmem", "filebased"}:
        told = f"goes to {backend}, nobody gets any."
        return Finding("mail", "ok", told) if settings.DEMO else Finding("mail", "warn", told, "Set EMAIL_URL.")
    try:
        server = mail.get_connection()
        server.open()
        server.close()
    except Exception as problem:  # whatever it is, it is the finding
        told = (str(problem).splitlines() or [""])[0] or type(problem).__name__
        return Finding("mail", "fail", f"{told}.", "Is EMAIL_URL right, and does the mail server answer from here?")
    return Finding("mail", "ok", "the mail server answers.")


def static_files() -> Finding:
    """Look whether every file of the pages has been gathered, in the version of this release."""
    if isinstance(staticfiles_storage, ManifestFilesMixin):
        gathered = staticfiles_storage.hashed_files
        missing = [
            path
            for finder in get_finders()
            for path, _ in finder.list([])
            if gathered.get(path) is None or not Path(settings.STATIC_ROOT, gathered[path]).exists()
        ]
        if missing:
            advice = "Run manage.py collectstatic. On a laptop, make run does."
            return Finding("static files", "fail", f"{len(missing)} are not gathered, such as {missing[0]}.", advice)
    return Finding("static files", "ok", "gathered.")


def compiled_translations() -> Finding:
    for language in translations.languages():
        source = translations.catalog_path(language)
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            return Finding("translations", "fail", f"{language} is not compiled.", "Run manage.py messages --compile.")
    return Finding("translations", "ok", f"{', '.join(translations.languages())}.")


ALL: tuple[Callable[[], Finding], ...] = (
    configuration,
    health.database,
    health.migrations,
    database_roles,
    statement_log,
    health.cache_table,
    health.clock,
    health.broker,
    mail_server,
    health.storage,
    static_files,
    compiled_translations,
)
