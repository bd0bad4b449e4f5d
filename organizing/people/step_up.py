"""Asking again who somebody is, before what cannot be taken back: exports, role grants, settings."""

import functools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Concatenate, ParamSpec

from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from organizing.people.models import Person
from organizing.people.signing_in import DEMO, MFA, is_enrolled

RECENT = timedelta(minutes=10)

P = ParamSpec("P")


def showed_factor_recently(request: HttpRequest, *, at: datetime) -> bool:
    """Tell whether this session has shown a second factor within ten minutes. Signing in counts."""
    if not isinstance(request.user, Person):
        return False
    return any(
        (record["method"] == MFA and at.timestamp() - record["at"] < RECENT.total_seconds())
        or (record["method"] == DEMO and settings.DEMO)  # there is nothing else to show in the demo
        for record in get_authentication_records(request, request.user)
    )


def steps_up(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let a POST through only after a second factor was shown within ten minutes; else ask for it, then go on.

    Reading (GET) goes through, so the form can be filled in first; what was filled in is kept while asking. Put it
    below ``login_required``, above the view.
    """

    @functools.wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method == "POST" and not showed_factor_recently(request, at=timezone.now()):
            if isinstance(request.user, Person) and is_enrolled(request.user):
                raise ReauthenticationRequired  # allauth's middleware asks, keeps the form, and comes back
            return redirect("mfa_index")
        return view(request, *args, **kwargs)

    return guarded
