"""The demo signs in with one click, in the demo and nowhere else."""

import datetime as dt
import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse

from organizing.local import demo
from organizing.local.demo import PEOPLE, DemoPerson
from organizing.roles.models import GUARDED_ROLES, Role
from tests.factories import make_lead_organizer, make_organization


@pytest.fixture
def demo_people(db: None, now: dt.datetime, settings: Any) -> None:
    settings.DEMO_LOADERS = []
    demo.load(at=now)


@pytest.mark.parametrize("someone", PEOPLE, ids=lambda someone: someone.name)
@pytest.mark.usefixtures("demo_people")
def test_one_click_signs_in_and_counts_as_second_factor(client: Client, someone: DemoPerson) -> None:
    assert someone.display_name in client.get(reverse("local:demo")).content.decode()
    client.post(reverse("local:demo-sign-in"), {"email": someone.email})
    page = client.get(reverse("people:me"))
    assert page.status_code == 200
    assert page.context["user"].email == someone.email
    is_organizer = someone.role in (Role.ORGANIZER, Role.LEAD_ORGANIZER)
    assert client.get(reverse("web:today")).status_code == (200 if is_organizer else 404)
    assert someone.role in GUARDED_ROLES or not is_organizer


@pytest.mark.usefixtures("demo_people")
def test_going_from_one_person_to_another_leaves_nothing_of_the_first(client: Client) -> None:
    client.post(reverse("local:demo-sign-in"), {"email": PEOPLE[0].email})
    first = client.session.session_key
    client.post(reverse("local:demo-sign-in"), {"email": PEOPLE[4].email})
    assert client.session.session_key != first
    assert client.get(reverse("web:today")).status_code == 404


@pytest.mark.usefixtures("demo_people")
def test_it_signs_in_as_nobody_but_the_people_of_the_demo(client: Client) -> None:
    real = make_lead_organizer(email="real@example.org")
    assert client.post(reverse("local:demo-sign-in"), {"email": real.email}).status_code == 404
    assert client.get(reverse("people:me")).status_code == 302


@pytest.mark.usefixtures("demo_people")
def test_reading_signs_nobody_in(client: Client) -> None:
    assert client.get(reverse("local:demo-sign-in"), {"email": PEOPLE[0].email}).status_code == 405


@pytest.mark.parametrize("given", [{"DEMO": False}, {"DEPLOYED": True}])
@pytest.mark.usefixtures("demo_people")
def test_outside_the_demo_the_pages_are_not_there(client: Client, settings: Any, given: dict[str, bool]) -> None:
    for name, value in given.items():
        setattr(settings, name, value)
    assert client.get(reverse("local:demo")).status_code == 404
    assert client.post(reverse("local:demo-sign-in"), {"email": PEOPLE[0].email}).status_code == 404


@pytest.mark.django_db
def test_a_real_organization_has_no_such_page(client: Client, settings: Any) -> None:
    make_organization()
    settings.DEMO = False
    assert client.get(reverse("local:demo")).status_code == 404


def test_the_demo_beside_a_real_database_is_an_error(settings: Any) -> None:
    assert run_checks(tags=["demo"]) == []
    settings.DEPLOYED = True
    assert [problem.id for problem in run_checks(tags=["demo"])] == ["organizing.E001"]


@pytest.mark.parametrize("entry", [["-m", "django", "check"], ["-c", "import organizing.wsgi"]])
def test_neither_commands_nor_the_web_server_start_with_both(entry: list[str]) -> None:
    given = {
        "DEMO": "1",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "SECRET_KEY": "x" * 60,
        "DJANGO_SETTINGS_MODULE": "organizing.settings",
    }
    run = subprocess.run(
        [sys.executable, *entry], env={**os.environ, **given}, capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode != 0
    assert "DEMO is on and DATABASE_URL is set" in run.stderr
    assert "Traceback" not in run.stderr
