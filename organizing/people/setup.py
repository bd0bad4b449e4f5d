"""The one-time address under which a new organization is set up."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from organizing.people.models import Organization, SetupLink
from organizing.web.errors import Refused

VALID_FOR = timedelta(hours=24)


def is_set_up() -> bool:
    """Tell whether the organization exists. Asked of the database until the answer is yes, which stays."""
    global _is_set_up
    _is_set_up = _is_set_up or Organization.objects.exists()
    return _is_set_up


_is_set_up = False


@transaction.atomic
def issue_setup_url(base: str, *, at: datetime | None = None) -> str:
    """Make the address of the set-up page and return it, the only time it can be read. ``at`` defaults to now.

    ``base`` is the address of the site, such as ``http://localhost:8000``. The link works once, for 24 hours; a second
    call makes a new one and ends the one before. Raises ``Refused`` when the organization has been set up.
    """
    if Organization.objects.exists():
        raise Refused(_("This organization has been set up already."))
    secret = secrets.token_urlsafe(32)
    SetupLink.objects.all().delete()
    SetupLink.objects.create(secret_hash=_hash(secret), expires_at=(at or timezone.now()) + VALID_FOR)
    return base.rstrip("/") + reverse("roles:set-up", args=[secret])


def find_link(secret: str, *, at: datetime) -> SetupLink | None:
    """Return the link with that secret, if it still works."""
    return SetupLink.objects.filter(secret_hash=_hash(secret), expires_at__gt=at).first()


def _hash(secret: str) -> str:
    # 256 random bits need no slow hash.
    return hashlib.sha256(secret.encode()).hexdigest()
