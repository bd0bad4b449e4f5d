"""``/healthz``: a word for strangers, the findings for a lead organizer."""

import pytest
from django.db import connection
from django.test import Client

from tests.factories import make_lead_organizer, make_organizer

pytestmark = pytest.mark.django_db


def test_a_stranger_hears_ok_and_gets_no_cookie(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert not answer.cookies


def test_a_stranger_hears_fail_when_the_database_does_not_serve(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE people_person CASCADE")
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (503, b"fail\n")


def test_an_organizer_hears_no_more_than_a_stranger(client: Client) -> None:
    client.force_login(make_organizer())
    assert client.get("/healthz").content == b"ok\n"


def test_a_lead_organizer_hears_what_was_found(client: Client) -> None:
    client.force_login(make_lead_organizer())
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert "ok    database: PostgreSQL" in answer.text
    assert "warn  broker: no answer" in answer.text  # no failure: pages work without it


def test_a_lead_organizer_hears_which_part_fails(client: Client) -> None:
    client.force_login(make_lead_organizer())
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'people'")
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert "Run manage.py migrate." in answer.text
