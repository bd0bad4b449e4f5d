"""Who read or changed what is sensitive. Rows can be added, never altered or removed."""

from django.db import models


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def about(self, thing: models.Model) -> "AuditEventQuerySet":
        return self.filter(object_kind=thing._meta.label_lower, object_id=str(thing.pk))


class AuditEvent(models.Model):
    """One sensitive read or change.

    People and things are named by id, not by foreign key: the row outlives what it tells of.
    """

    at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)  # NULL: nobody was signed in, or the console
    verb = models.CharField(max_length=60)  # "role.grant", "survey.publish"
    object_kind = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60)
    reason = models.TextField(blank=True)
    detail = models.JSONField(default=dict)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["object_kind", "object_id"], name="audit_by_object"),
            models.Index(fields=["actor_id", "at"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_kind} {self.object_id}"
