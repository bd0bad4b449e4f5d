"""The demo lets anybody in as anybody, so it never runs beside real data."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

DEMO = "demo"  # the tag


def demo_is_not_deployed(app_configs: Any, **_kwargs: Any) -> list[CheckMessage]:
    """Refuse DEMO together with DATABASE_URL. Registered under the tag ``demo``, which wsgi.py runs as well."""
    if not (settings.DEMO and settings.DEPLOYED):
        return []
    return [
        Error(
            "DEMO is on and DATABASE_URL is set: the demo would let anybody into real data.",
            hint="Unset one of them.",
            id="organizing.E001",
        )
    ]
