from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "organizing.people"
    label = "people"

    def ready(self) -> None:
        from allauth.mfa.signals import authenticator_added, authenticator_removed
        from allauth.usersessions.models import UserSession
        from django.db.models.signals import pre_save

        from organizing.people import sessions, signing_in

        pre_save.connect(sessions.shorten, sender=UserSession)
        authenticator_added.connect(signing_in.note_enrolment)
        authenticator_removed.connect(signing_in.note_removal)
