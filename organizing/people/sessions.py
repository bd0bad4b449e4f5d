"""What is kept about where somebody is signed in: enough to recognize one's own devices, and no more."""

import ipaddress
from datetime import datetime, timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

KEPT_FOR = timedelta(days=30)

# The first sign found in a user agent decides, so whoever also names others comes first. Each name is its own sign, so
# that what we wrote ourselves is recognized again.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Opera", "Opera"),
    ("Firefox", "Firefox"),
    ("Chromium", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chrome,", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "Chromebook"),
    ("Chromebook", "Chromebook"),
    ("Windows", "Windows"),
    ("Mac", "Mac"),
    ("Linux", "Linux"),
)
OTHER = "?"


def browser_name(user_agent: str) -> str:
    """Return the kind of browser and device, such as ``Firefox, Android``; ``?`` stands for what is not known.

    Idempotent: what it returns comes out as it is.
    """
    browser, system = (
        next((name for sign, name in names if sign in user_agent), OTHER) for names in (BROWSERS, SYSTEMS)
    )
    return f"{browser}, {system}"


def network_of(address: str) -> str:
    """Return the first address of the network: /24 of IPv4, /48 of IPv6, as regulators accept for statistics."""
    ip = ipaddress.ip_address(address)
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False).network_address)


def shorten(instance: UserSession, **_kwargs: Any) -> None:
    """Cut down what allauth is about to store. Receives Django's ``pre_save``: allauth has no other door for it."""
    instance.ip = network_of(instance.ip)
    instance.user_agent = browser_name(instance.user_agent)


def prune_sessions(*, at: datetime) -> int:
    """Remove sessions begun more than 30 days ago, and those that have ended. Return how many of the former.

    A second call removes nothing more.
    """
    Session.objects.filter(expire_date__lt=at).delete()
    removed, _by_model = UserSession.objects.filter(created_at__lt=at - KEPT_FOR).delete()
    return int(removed)
