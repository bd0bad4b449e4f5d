from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "organizing.people"
    label = "people"
