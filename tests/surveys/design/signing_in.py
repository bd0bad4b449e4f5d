"""A client signed in as somebody, second factor included."""

from django.test import Client

from organizing.people.models import Person


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    session = client.session
    session["account_authentication_methods"] = [{"method": "demo", "at": session.get_expiry_date().timestamp()}]
    session.save()
    return client
