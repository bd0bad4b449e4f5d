from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "organizing.web"
    label = "web"
