"""What stands between a request and the pages of whoever is signed in."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from organizing.people.models import Person
from organizing.people.setup import is_set_up
from organizing.people.signing_in import has_second_factor, is_enrolled
from organizing.roles import policy

GetResponse = Callable[[HttpRequest], HttpResponse]

# How long a session lasts. The first two are for whoever holds a guarded role.
IDLE = timedelta(minutes=30)
WORKING_DAY = timedelta(hours=12)
LONGEST = timedelta(days=14)
NOTED_EVERY = timedelta(minutes=1)  # a request a minute is enough to know that somebody is there

BEGAN_AT, SEEN_AT = "began_at", "seen_at"  # in the session, seconds since 1970

# Where a second factor is added or shown, and the way out.
OPEN_WITHOUT_SECOND_FACTOR = frozenset(
    {
        "mfa_index",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_list_webauthn",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
        "account_reauthenticate",
        "account_logout",
        "web:language-set",
        "web:healthz",
        "local:demo",
        "local:demo-sign-in",
    }
)
OPEN_BEFORE_SET_UP = frozenset(
    {"roles:set-up", "roles:set-up-code", "roles:not-set-up", "web:healthz", "web:language-set"}
)


class SetUpFirst:
    """Before the organization has been set up, nothing opens but the page for doing that."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if settings.DEMO or _name(request) in OPEN_BEFORE_SET_UP or is_set_up():
            return None
        return redirect("roles:not-set-up")


class SignedIn:
    """Ends sessions in time, asks guarded roles for their second factor, and clears the browser at signing out.

    A request without a session cookie passes untouched, so that public pages stay without a session.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if _name(request) == "account_logout" and request.method == "POST":
            response["Clear-Site-Data"] = '"cache", "cookies", "storage"'
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or _name(request) == "web:healthz":
            return None
        person = request.user
        if not isinstance(person, Person):
            return None
        at = timezone.now()
        guarded = policy.needs_second_factor(person, at=at)
        if _is_over(request.session, guarded=guarded, at=at):
            logout(request)
            messages.info(request, _("You were signed out because some time has passed. Please sign in again."))
            return _send(request, "account_login")
        if guarded and not has_second_factor(request) and _name(request) not in OPEN_WITHOUT_SECOND_FACTOR:
            if is_enrolled(person):  # in another browser, or before this session had the role
                return _send(request, "account_reauthenticate")
            return _send(request, "mfa_index")
        return None


def _name(request: HttpRequest) -> str:
    return request.resolver_match.view_name if request.resolver_match else ""


def _is_over(session: SessionBase, *, guarded: bool, at: datetime) -> bool:
    """Tell whether the session has lasted, or lain idle, too long; note that somebody is there."""
    now = at.timestamp()
    began = session.setdefault(BEGAN_AT, now)
    if now - began > (WORKING_DAY if guarded else LONGEST).total_seconds():
        return True
    if not guarded:
        return False
    seen = session.setdefault(SEEN_AT, now)
    if now - seen > IDLE.total_seconds():
        return True
    if now - seen > NOTED_EVERY.total_seconds():
        session[SEEN_AT] = now
    return False


def _send(request: HttpRequest, url_name: str) -> HttpResponse:
    """Send the browser there, and afterwards back to the page it asked for. htmx is told to load the whole page."""
    back = request.get_full_path() if request.method == "GET" and not request.headers.get("HX-Request") else ""
    url = reverse(url_name) + ("?" + urlencode({"next": back}) if back else "")
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(url)
    return redirect(url)
