"""One address, one person, whatever its case; and a person who is erased is gone."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction

from organizing.people.models import Person
from tests.factories import make_person

pytestmark = pytest.mark.django_db

INSERT = """
INSERT INTO people_person (id, password, email, display_name, pronouns, languages, time_zone, is_active, joined_at)
VALUES (gen_random_uuid(), '!', %s, 'x', '', '[]', '', true, now())
"""


def insert(email: str | None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, [email])


def test_an_address_is_stored_in_lower_case() -> None:
    assert make_person(email=" Sam@Example.ORG ").email == "sam@example.org"


@pytest.mark.parametrize("again", ["sam@example.org", "SAM@example.org", "Sam@Example.Org"])
def test_an_address_belongs_to_one_person_whatever_its_case(again: str) -> None:
    make_person(email="sam@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_person(email=again)


@pytest.mark.parametrize("email", ["sam@example.org", "SAM@example.org", "Other@example.org", ""])
def test_not_even_raw_sql_stores_it_twice_or_in_another_case_or_empty(email: str) -> None:
    make_person(email="sam@example.org")
    with pytest.raises(IntegrityError):
        insert(email)


def test_many_people_have_no_address() -> None:
    insert(None)
    insert(None)
    assert Person.objects.filter(email=None).count() == 2


@pytest.mark.parametrize(
    ("born", "is_minor"), [(None, None), (2007, False), (2008, True), (2009, True)], ids=["unknown", "19", "18", "17"]
)
def test_whoever_may_still_be_under_18_counts_as_a_minor(born: int | None, is_minor: bool | None) -> None:
    assert make_person(birth_year=born).is_minor(dt.date(2026, 9, 10)) is is_minor


@pytest.mark.parametrize("left", [{"email": "a@example.org"}, {"display_name": "Sam"}, {"is_active": True}])
def test_of_an_erased_person_the_database_keeps_only_the_id(now: dt.datetime, left: dict[str, object]) -> None:
    person = make_person()
    gone = {"email": None, "display_name": "", "is_active": False, "erased_at": now}
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.filter(pk=person.pk).update(**{**gone, **left})
    Person.objects.filter(pk=person.pk).update(**gone)
