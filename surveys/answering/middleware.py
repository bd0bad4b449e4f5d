"""The short way for students: no session, no account, no cookie, no log of who asked.

The pages at ``/s/<slug>/`` need nothing that the rest of the middleware brings, and what it brings must not be there:
a session or a language cookie would be a trace, and twelve layers are time that a whole school waits for at once. So
this middleware, right behind those that send browsers to HTTPS and set the headers of every page, answers those
addresses itself.

What the layers behind it would have done and is still needed is here: the content security policy and keeping errors
in hand.
CSRF tokens are not needed and would need a cookie; see ``views.comes_from_elsewhere``.
"""

import functools
import logging
import secrets
import traceback
from collections.abc import Callable

from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from surveys.answering import pages

log = logging.getLogger(__name__)

URLCONF = "surveys.answering.public_urls"
NONCE_BYTES = 16


def short_way(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def answer(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/s/"):
            return get_response(request)
        try:
            match = resolve(request.path_info, URLCONF)
        except Resolver404:  # results are at /s/<slug>/results/, and go the long way
            return get_response(request)
        nonce = secrets.token_urlsafe(NONCE_BYTES)
        request.csp_nonce = nonce  # type: ignore[attr-defined]
        try:
            response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        except Exception as error:
            # Nothing of the request goes into the log: neither its address or its words, nor the message of the error,
            # which may quote them. Where it happened is enough to mend it.
            log.error("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
            response = pages.trouble_page(request)
        response["Cache-Control"] = "no-store"
        response["X-Frame-Options"] = settings.X_FRAME_OPTIONS
        response["Content-Security-Policy"] = _policy().replace(NONCE_GOES_HERE, nonce)
        # Django writes refusals down with their address and moment. Here that would be a diary of who erred when.
        response._has_been_logged = True  # type: ignore[attr-defined]
        response["Content-Length"] = str(len(response.content))
        return response

    return answer


NONCE_GOES_HERE = "NONCE-GOES-HERE"


@functools.cache
def _policy() -> str:
    """The policy of the whole site, made once."""
    return str(build_policy(config=settings.CONTENT_SECURITY_POLICY["DIRECTIVES"], nonce=NONCE_GOES_HERE))
