"""The one settings file. Everything comes from the environment; the defaults are safe.

Three ways to run, told apart by the environment alone:

* on a laptop: nothing set. Embedded PostgreSQL and Valkey under ``var/``, demo mode, loopback only.
* a real organization on one machine: ``DEMO=0``. Embedded servers, no demo data, first-run set-up page.
* deployed: ``DATABASE_URL`` set. Real servers, ``SECRET_KEY`` and ``ALLOWED_HOSTS`` required, secure cookies.
"""

import logging.config
from pathlib import Path

import environ
from csp.constants import NONCE, NONE, SELF, STRICT_DYNAMIC
from django.utils.translation import gettext_lazy as _

from organizing.local import services

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- Where we run -------------------------------------------------------------------------------
DEPLOYED = "DATABASE_URL" in env
DEMO = env.bool("DEMO", default=not DEPLOYED)
VAR_DIR = Path(env.str("ORGANIZING_VAR", default=str(BASE_DIR / "var"))).resolve()

DEBUG = env.bool("DEBUG", default=False)
# A laptop gets a key of its own, made once and kept beside its data; a deployed site must bring one.
SECRET_KEY = env.str("SECRET_KEY") if DEPLOYED else services.local_secret(VAR_DIR)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Seals the words that students write. A key of its own, so that rotating SECRET_KEY loses no answer.
SURVEY_KEYS = env.list("SURVEY_KEYS", default=[SECRET_KEY, *SECRET_KEY_FALLBACKS])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if DEPLOYED else ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# How many proxies of ours stand in front. Rate limits read the client's address past exactly that many.
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)

# --- What is installed --------------------------------------------------------------------------
INSTALLED_APPS = [
    "organizing.local",
    "organizing.web",
    "organizing.audit",
    "organizing.people",
    "organizing.roles",
    "meetings",
    "surveys",
    "campaigns",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",  # templates of allauth say "3 days ago" with it
    "django.forms",  # so that project templates may replace those of widgets
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "crispy_forms",
    "crispy_bootstrap5",
    "bootstrap",
    "django_htmx",
    "lucide",
    "csp",
    "template_partials",
]

MIDDLEWARE = [
    "organizing.web.headers.headers",
    "django.middleware.security.SecurityMiddleware",
    "surveys.answering.middleware.short_way",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "organizing.roles.middleware.SetUpFirst",
    "organizing.roles.middleware.SignedIn",
]

ROOT_URLCONF = "organizing.urls"
WSGI_APPLICATION = "organizing.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "organizing.web.context.site",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- What waits for whom: functions of features, see organizing/web/today.py ------------------------
TODAY: list[str] = ["organizing.roles.today.waiting", "surveys.design.today.waiting", "surveys.results.today.waiting"]
TO_DO: list[str] = ["surveys.results.today.texts"]
ASKS: list[str] = ["surveys.design.today.asks"]
FINDINGS: list[str] = ["surveys.results.today.findings"]

# --- What the demo shows: functions of features, called as load(at=), see organizing/local/demo.py ---
DEMO_LOADERS: list[str] = ["surveys.demo.load"]

# --- Data ---------------------------------------------------------------------------------------
# Each kind of process works under a database role of its own, made by the migrations: the web role cannot
# read answers. Empty: the role that the address names (migrations, commands).
DATABASE_ROLE = env.str("DATABASE_ROLE", default="")
DATABASES = {"default": env.db("DATABASE_URL") if DEPLOYED else services.embedded_database(VAR_DIR)}
DATABASES["default"].update(CONN_MAX_AGE=env.int("CONN_MAX_AGE", default=60), CONN_HEALTH_CHECKS=True)
if DATABASE_ROLE:
    DATABASES["default"].setdefault("OPTIONS", {})["options"] = f"-c role={DATABASE_ROLE}"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "people.Person"

# Sessions, cache and rate limits live in PostgreSQL, so that log-in and surveys work while Redis is down.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "KEY_FUNCTION": "organizing.web.cache.nameless_key",
        # Rate limits live here: with Django's 300, whoever sends 300 requests would make the limits forgotten.
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
}

# --- Celery: the bell, never the book -----------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="") or services.embedded_redis_url(VAR_DIR)
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SOFT_TIME_LIMIT = 3600
CELERY_TASK_TIME_LIMIT = 3660
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 7200}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "forget visitors": {"task": "web.forget_visitors", "schedule": 3600},
    "shuffle answers": {"task": "surveys.shuffle_due", "schedule": 60},  # seconds
    "read files of answers": {"task": "surveys.run_imports_due", "schedule": 60},
    "prune people": {"task": "organizing.people.tasks.prune_people", "schedule": 24 * 3600},
    "purge answers": {"task": "surveys.purge_due", "schedule": 24 * 3600},
}

# --- Mail ---------------------------------------------------------------------------------------
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="organizing@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- Sign-in: a code by e-mail or a passkey, never a password ---------------------------------------
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_REDIRECT_URL = "web:member-home"
LOGIN_URL = "account_login"
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "length": 8, "dashed": True}
ACCOUNT_FORMS = {"confirm_login_code": "organizing.people.forms.CodeForm"}
ACCOUNT_ADAPTER = "organizing.people.signing_in.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 3 * 60
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 3
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True  # an unknown address gets one mail too, so that nobody can tell by waiting
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60
ACCOUNT_SESSION_REMEMBER = True  # for SESSION_COOKIE_AGE; organizers' sessions end sooner, see roles/middleware.py
# A class signs in behind one address, so the limit per address is wide; the one per account is narrow.
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "60/m/ip,5/5m/key",
    "request_login_code": "60/m/ip,5/15m/key",
    "confirm_email": "1/10s/key",
    "manage_email": "10/h/user",
    "reauthenticate": "10/m/user",
}
MFA_ADAPTER = "organizing.people.signing_in.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "add_webauthn": "organizing.people.forms.PasskeyForm",
    "edit_webauthn": "organizing.people.forms.RenamePasskeyForm",
}
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not DEPLOYED  # passkeys on http://localhost
MFA_RECOVERY_CODES_SHOW_ONCE = True
USERSESSIONS_TRACK_ACTIVITY = False
# Modules that keep something about a person; each tells what, and forgets it. See organizing/people/privacy.py.
PERSONAL_DATA = ["organizing.people.traces", "organizing.roles.traces", "surveys.answering.traces"]

# --- Language and time --------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "organizing" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files and uploads -------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(VAR_DIR / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Browser safety -----------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [NONCE, STRICT_DYNAMIC],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-src": [SELF],
        "frame-ancestors": [NONE],
    }
}
SECURE = env.bool("SECURE", default=DEPLOYED)  # over HTTPS
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
LANGUAGE_COOKIE_NAME = "__Host-language" if SECURE else "language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # whoever watches asks from inside
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
# Other sites learn nothing. Path not taken: "no-referrer", under which browsers send "Origin: null" with our own forms
# and Django's CSRF guard refuses every one of them.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE and TRUSTED_PROXY_COUNT else None
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
UPLOAD_BYTES_MAX = 65 * 1024 * 1024  # of a whole request with files; each door in organizing/web/uploads.py is narrower
FILE_UPLOAD_HANDLERS = [
    "organizing.web.uploads.UploadCap",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Logs: what happened, never who asked for it --------------------------------------------------
LOGGING_CONFIG = None
logging.config.dictConfig(
    {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
    }
)
