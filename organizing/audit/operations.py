"""The one way to write an audit row."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from organizing.audit.models import AuditEvent


def record(
    verb: str,
    thing: models.Model,
    *,
    by: UUID | None,
    at: datetime,
    reason: str = "",
    **detail: Any,
) -> AuditEvent:
    """Write down that ``by`` did ``verb`` to ``thing``, in the caller's transaction.

    ``detail`` holds JSON values and must not hold what the thing keeps secret. A second call writes a second row.
    """
    return AuditEvent.objects.create(
        verb=verb,
        object_kind=thing._meta.label_lower,
        object_id=str(thing.pk),
        actor_id=by,
        at=at,
        reason=reason,
        detail=detail,
    )
