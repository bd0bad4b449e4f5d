"""What every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from organizing.people.models import Organization
from organizing.roles import policy


def site(request: HttpRequest) -> dict[str, Any]:
    """Return what every page needs: whether this is the demo, the organization, the roles of whoever looks.

    The last two are asked for only when a template uses them, so a survey page asks the database nothing.
    ``organization`` is false until it has been set up; ``roles_held`` counts roles over the whole organization.
    """
    return {
        "is_demo": settings.DEMO,
        "organization": SimpleLazyObject(lambda: Organization.objects.first()),
        "roles_held": SimpleLazyObject(lambda: policy.roles_of(request.user, at=timezone.now())),
    }
