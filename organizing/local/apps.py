from django.apps import AppConfig


class LocalConfig(AppConfig):
    name = "organizing.local"
    label = "local"
