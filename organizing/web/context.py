"""What every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Return what every page needs: whether this is the demo, and the organization once set up."""
    return {"is_demo": settings.DEMO}
