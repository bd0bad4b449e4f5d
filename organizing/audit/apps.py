from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "organizing.audit"
    label = "audit"
