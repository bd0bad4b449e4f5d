from django.apps import AppConfig
from django.core.checks import register


class LocalConfig(AppConfig):
    name = "organizing.local"
    label = "local"

    def ready(self) -> None:
        from organizing.local import checks

        register(checks.demo_is_not_deployed, checks.DEMO)
