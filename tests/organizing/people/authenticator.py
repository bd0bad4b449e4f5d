"""An authenticator app, as far as tests need one."""

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)

from organizing.people.models import Person


def add_app(person: Person) -> str:
    """Give the person an app, and return its secret."""
    secret: str = generate_totp_secret()
    TOTP.activate(person, secret)
    assert Authenticator.objects.filter(user=person, type="totp").exists()
    return secret


def code_of(secret: str) -> str:
    """Return what the app shows now."""
    code: str = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    return code
