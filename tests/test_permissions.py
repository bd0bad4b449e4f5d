"""Walks the table of tests/permissions.py: every address, every role, every method, one's own and others'."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from organizing.people.models import Person
from organizing.roles.models import Grant
from tests.permissions import ACTORS, SIGN_IN, TABLE, ByActor, Status, World

ANYBODYS = "other"  # the scope of what is nobody's in particular


def names(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from names(each, before + (f"{each.namespace}:" if each.namespace else ""))
        elif isinstance(each, URLPattern):
            yield f"{before}{each.name}"


def test_every_address_is_in_the_table_and_nothing_else() -> None:
    assert set(names(get_resolver())) == set(TABLE)


def test_every_row_says_something_about_every_actor() -> None:
    for name, row in TABLE.items():
        assert set(row.GET) == set(row.POST) == set(ACTORS), name


def scopes(statuses: ByActor, actor: str) -> Mapping[str, Status]:
    found = statuses[actor]
    return found if isinstance(found, Mapping) else {ANYBODYS: found}


def told(response: Any) -> Status:
    if response.status_code == 302 and response["Location"].startswith(reverse("account_login")):
        return SIGN_IN
    return int(response.status_code)


class Bench:
    """Asks for one page as many people, one after the other, and takes back what each of them did."""

    def __init__(self, name: str) -> None:
        self.name, self.row, self.world = name, TABLE[name], World()
        for actor in ACTORS[1:]:
            self.world.person(actor)

    def answer(self, method: str, actor: str, scope: str = ANYBODYS, *, disabled: bool = False) -> Status:
        person, owner = self.world.person(actor), self.world.owner(actor, scope)
        url = reverse(self.name, kwargs=self.row.kwargs(self.world, owner))
        data = urlencode(self.row.data(self.world, owner)) if method == "POST" else ""
        client = Client(raise_request_exception=False)
        before = transaction.savepoint()
        if actor != "V":
            client.force_login(person)
            _prove(client)
        if disabled:
            Person.objects.filter(pk=person.pk).update(is_active=False)
        response = client.generic(method, url, data, content_type="application/x-www-form-urlencoded")
        transaction.savepoint_rollback(before)
        return told(response)


def _prove(client: Client) -> None:
    """Have the second factor shown once more just now, so that what shows is the right and not the asking."""
    session = client.session
    session["account_authentication_methods"][-1]["reauthenticated"] = True
    session.save()


@pytest.mark.django_db
@pytest.mark.parametrize("name", TABLE)
def test_everybody_gets_what_the_table_says(name: str) -> None:
    bench = Bench(name)
    for method in ("GET", "POST"):
        said = {actor: dict(scopes(getattr(bench.row, method), actor)) for actor in ACTORS}
        found = {actor: {scope: bench.answer(method, actor, scope) for scope in said[actor]} for actor in ACTORS}
        assert found == said, method


@pytest.mark.django_db
@pytest.mark.parametrize("name", TABLE)
def test_a_disabled_account_gets_what_a_visitor_gets(name: str) -> None:
    bench = Bench(name)
    for method in ("GET", "POST"):
        visitors = next(iter(scopes(getattr(bench.row, method), "V").values()))
        for actor in ("S", "L"):
            assert bench.answer(method, actor, disabled=True) == visitors, (method, actor)


def _are_for_a_role() -> Iterator[tuple[str, str]]:
    """Pages that open for a lead organizer or a trustee, and not for a student."""
    for name, row in TABLE.items():
        for actor in ("L", "T"):
            if (scopes(row.GET, actor).get(ANYBODYS), scopes(row.GET, "S").get(ANYBODYS)) == (200, 404):
                yield name, actor


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "actor"), list(_are_for_a_role()))
def test_a_role_taken_away_mid_session_counts_at_the_next_request(name: str, actor: str) -> None:
    bench = Bench(name)
    person, client = bench.world.person(actor), Client()
    url = reverse(name, kwargs=bench.row.kwargs(bench.world, bench.world.owner(actor, ANYBODYS)))
    client.force_login(person)
    assert client.get(url).status_code == 200
    Grant.objects.filter(person=person).update(until=timezone.now())
    assert client.get(url).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if not row.is_allauths])
def test_no_page_takes_a_method_that_is_not_in_the_table(name: str) -> None:
    bench = Bench(name)
    for method in ("PUT", "PATCH", "DELETE"):
        for actor in ("V", "L"):
            assert bench.answer(method, actor) in (403, 404, 405, SIGN_IN), (method, actor)
