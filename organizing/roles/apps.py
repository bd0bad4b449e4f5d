from django.apps import AppConfig


class RolesConfig(AppConfig):
    name = "organizing.roles"
    label = "roles"
