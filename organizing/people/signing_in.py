"""How people sign in: what allauth leaves to the project.

Everybody signs in by a code sent to their address, or with a passkey. Nobody has a password, so there is none to guess,
reuse or lose. There is no sign-up page either: whoever an organizer has added, or who has confirmed "Stay in touch",
is known, and whoever is known may sign in and sees what is their own. Path not taken: open sign-up, which would only
let strangers fill the table of people with addresses that are not theirs.
"""

import base64
import functools
import logging
from smtplib import SMTPException
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import (
    clear_authentication_records,
    get_authentication_records,
    record_authentication,
)
from allauth.account.models import EmailAddress
from allauth.core import context as current
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from organizing.people.models import Organization, Person
from organizing.web.mail import one_line

log = logging.getLogger(__name__)

MFA = "mfa"  # allauth's name of the method
DEMO = "demo"  # the demo's one-click sign-in, see organizing/local/pages.py
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def has_second_factor(request: HttpRequest) -> bool:
    """Tell whether this very session has shown a second factor. In the demo its one-click sign-in is as good."""
    person = request.user
    if not isinstance(person, Person):
        return False
    counted = {MFA, DEMO} if settings.DEMO else {MFA}
    return any(record["method"] in counted for record in get_authentication_records(request, person))


def is_enrolled(person: Person) -> bool:
    """Tell whether the person has a second factor to show."""
    return bool(Authenticator.objects.filter(user=person, type__in=FACTORS).exists())


def note_enrolment(request: HttpRequest, user: Person, authenticator: Authenticator, **_kwargs: Any) -> None:
    """Count a factor just added as shown: whoever added it holds it. Receives allauth's ``authenticator_added``."""
    if authenticator.type in FACTORS:
        # "Reauthenticated", or allauth would ask for it again before it shows the recovery codes.
        about = {"type": authenticator.type, "id": authenticator.pk, "reauthenticated": True}
        record_authentication(request, user, method=MFA, **about)


def note_removal(request: HttpRequest, user: Person, **_kwargs: Any) -> None:
    """Whoever removes their last factor has none to show any more. Receives allauth's ``authenticator_removed``."""
    if not is_enrolled(user):
        clear_authentication_records(request)


def organization_name() -> str:
    """Return the name as a message may carry it, in its subject too."""
    organization = Organization.objects.first()
    return one_line(organization.name) if organization else _("Organizing")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "incorrect_code": gettext_lazy("That is not the code. Look again: it has 8 digits."),
        "too_many_login_attempts": gettext_lazy("That was tried too often. Wait a quarter of an hour, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_login(self, request: HttpRequest, user: Person, **about: Any) -> HttpResponse | None:
        """Note that an address is theirs when the code sent to it has come back. Whoever was added has no such note."""
        records = get_authentication_records(request, user)
        if user.email and records and (records[-1]["method"], records[-1].get("email")) == ("code", user.email):
            EmailAddress.objects.update_or_create(
                user=user, email=user.email, defaults={"verified": True, "primary": True}
            )
        response: HttpResponse | None = super().pre_login(request, user, **about)
        return response

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send one mail in the language of the page. When the mail server fails, say so on the page that follows.

        The page says the same for a known and an unknown address: both are sent one mail, and both may fail.
        """
        about = {
            "organization_name": organization_name(),
            "stay_in_touch": current.request.build_absolute_uri(reverse("people:stay-in-touch")),
        }
        try:
            super().send_mail(template_prefix, email, {**context, **about})
        except (OSError, SMTPException) as problem:
            log.error("mail could not be handed over: %s", type(problem).__name__)
            messages.error(
                current.request, _("The mail could not be sent just now. Please try again in a few minutes.")
            )


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    def encrypt(self, text: str) -> str:
        """Seal the secrets of authenticator apps, so that a dump of the database alone makes no codes."""
        return _box((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _box((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)).decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return organization_name()

    def _get_site_name(self) -> str:
        return organization_name()


@functools.lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet(
        Fernet(
            base64.urlsafe_b64encode(
                HKDF(SHA256(), length=32, salt=None, info=b"organizing.people.second_factor").derive(key.encode())
            )
        )
        for key in keys
    )
