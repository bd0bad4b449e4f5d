"""The demo: nobody in it exists, every role is there, and it comes whole or not at all."""

from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from organizing.local import demo
from organizing.people.models import Organization, Person
from organizing.roles.models import Grant, Role

pytestmark = pytest.mark.django_db


def test_everybody_is_plainly_fictional(now: datetime) -> None:
    demo.load(at=now)
    assert "(demo)" in Organization.objects.get().name
    for person in Person.objects.filter(email__isnull=False):
        assert person.display_name.endswith("(fictional)")
        assert person.email.endswith("@example.org")


def test_somebody_holds_each_role(now: datetime) -> None:
    demo.load(at=now)
    assert set(Grant.objects.in_force(at=now).values_list("role", flat=True)) == set(Role)


def test_it_is_wanted_in_an_empty_demo_only(settings: Any, now: datetime) -> None:
    assert demo.is_wanted()
    settings.DEMO = False
    assert not demo.is_wanted()
    settings.DEMO = True
    demo.load(at=now)
    assert not demo.is_wanted()
    assert demo.is_here()


def test_a_second_load_is_refused(now: datetime) -> None:
    demo.load(at=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        demo.load(at=now)


def break_down(*, at: datetime) -> None:
    raise RuntimeError


def test_a_load_that_fails_leaves_nothing(settings: Any, now: datetime) -> None:
    settings.DEMO_LOADERS = [f"{__name__}.break_down"]
    with pytest.raises(RuntimeError):
        demo.load(at=now)
    assert demo.is_wanted()
