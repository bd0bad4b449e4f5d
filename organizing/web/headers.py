"""What every answer tells the browser beside its content.

The content security policy and what Django sends are in the settings, signing out is in ``roles.middleware``.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# Everything a page could ask of a device is off, but passkeys on our own pages.
_OFF = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "clipboard-read",
    "compute-pressure",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "keyboard-map",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "private-state-token-issuance",
    "private-state-token-redemption",
    "screen-wake-lock",
    "serial",
    "storage-access",
    "sync-xhr",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)
PERMISSIONS_POLICY = ", ".join(
    [f"{feature}=()" for feature in _OFF] + ["publickey-credentials-create=(self)", "publickey-credentials-get=(self)"]
)
SURVEYS = "/s/"


def headers(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Stand outermost, so that no answer goes out without them: neither an error, nor a static file."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response["Permissions-Policy"] = PERMISSIONS_POLICY
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        if _is_private(request, response) and "Cache-Control" not in response:
            # A shared computer keeps no page that the next person can go back to (ASVS 14.3.2).
            response["Cache-Control"] = "no-store"
        return response

    return answer


def _is_private(request: HttpRequest, response: HttpResponseBase) -> bool:
    # The cookie is looked at, not the session, which would cost a query on pages that need none.
    session = settings.SESSION_COOKIE_NAME
    return session in request.COOKIES or session in response.cookies or request.path_info.startswith(SURVEYS)
