"""The pages that belong to no feature, and what every page shares."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries

from organizing.people.models import Person
from organizing.roles.models import Role
from organizing.web import views
from organizing.web.navigation import entries
from organizing.web.today import Item, items
from tests.factories import make_lead_organizer, make_organization, make_organizer, make_person, make_trustee

pytestmark = pytest.mark.django_db

SOURCES = ("TODAY", "TO_DO", "ASKS", "FINDINGS")


def two_things(person: Person | AnonymousUser, *, at: datetime) -> Iterator[Item]:
    yield Item("Answer a survey", "/first", "Closes Friday")
    yield Item("Read the minutes", "/second", action="Read")


def name_and_time(person: Person | AnonymousUser, *, at: datetime) -> list[Item]:
    return [Item(f"{person} {at:%H:%M}", "/mine")]


@pytest.fixture
def quiet(settings: Any) -> None:
    for name in SOURCES:
        setattr(settings, name, [])


@pytest.fixture
def busy(settings: Any) -> None:
    for name in SOURCES:
        setattr(settings, name, [f"{__name__}.two_things"])


def test_sources_are_asked_in_order_for_the_person_and_the_moment(now: datetime) -> None:
    person = make_person(display_name="Ana")
    found = items([f"{__name__}.name_and_time", f"{__name__}.two_things"], person=person, at=now)
    assert [item.url for item in found] == ["/mine", "/first", "/second"]
    assert found[0].title == "Ana 20:00"


@pytest.mark.usefixtures("busy")
def test_the_front_page_makes_the_first_ask_its_one_button(client: Client) -> None:
    page = client.get("/").content.decode()
    assert page.count("btn-primary") == 1
    assert page.index("Answer a survey") < page.index("More you can do") < page.index("Read the minutes")


@pytest.mark.usefixtures("quiet")
def test_a_front_page_without_asks_offers_to_write(client: Client) -> None:
    make_organization(contact_email="hello@example.org")
    page = client.get("/").content.decode()
    assert 'class="btn btn-primary btn-lg" href="mailto:hello@example.org"' in page
    assert "No results yet" in page


@pytest.mark.usefixtures("busy")
def test_the_donation_page_is_linked_once_there_is_one(client: Client) -> None:
    organization = make_organization()
    assert "Donate" not in client.get("/").content.decode()
    organization.donate_url = "https://example.org/give"
    organization.save()
    assert 'href="https://example.org/give"' in client.get("/").content.decode()


@pytest.mark.usefixtures("busy")
def test_today_is_for_organizers(client: Client) -> None:
    assert client.get("/today/").status_code == 302
    client.force_login(make_person())
    assert client.get("/today/").status_code == 404
    client.force_login(make_organizer())
    page = client.get("/today/").content.decode()
    assert "2 things wait for a decision" in page
    assert "Read<span" in page


@pytest.mark.usefixtures("quiet")
def test_an_empty_today_says_what_will_stand_there(client: Client) -> None:
    client.force_login(make_organizer())
    assert "lists only what needs a decision" in client.get("/today/").content.decode()


@pytest.mark.usefixtures("busy")
def test_the_members_home_begins_with_the_first_thing_to_do(client: Client) -> None:
    client.force_login(make_person(display_name="Ana"))
    page = client.get("/home/").content.decode()
    assert page.index("Good to see you, Ana") < page.index("Answer a survey") < page.index("Also yours")


@pytest.mark.usefixtures("quiet")
def test_an_empty_home_says_what_will_stand_there(client: Client) -> None:
    client.force_login(make_person())
    assert "Nothing is asked of you right now" in client.get("/home/").content.decode()


def menu_of(person: Person, client: Client, path: str) -> str:
    client.force_login(person)
    page = client.get(path).content.decode()
    return page[page.index('<nav class="menu"') : page.index("</nav>")]


def test_a_menu_shows_only_what_exists() -> None:
    shown = {entry.url_name for entry in entries("ORGANIZER", path="/today/", roles=set(Role))}
    assert "web:today" in shown
    assert "notifications:message-list" not in shown


def test_a_menu_marks_where_one_is() -> None:
    marks = {
        entry.url_name: (entry.is_current, entry.is_page)
        for entry in entries("ORGANIZER", path="/surveys/x/", roles=set(Role))
    }
    assert marks["surveys:survey-list"] == (True, False)
    assert marks["web:today"] == (False, False)


@pytest.mark.usefixtures("quiet")
def test_a_menu_shows_only_what_one_may_open(client: Client) -> None:
    assert "/today/" not in menu_of(make_person(), client, "/home/")
    assert "/today/" in menu_of(make_organizer(), client, "/home/")
    assert "/settings/" not in menu_of(make_organizer(), client, "/today/")
    assert "/settings/" in menu_of(make_lead_organizer(), client, "/today/")
    assert "/texts/" in menu_of(make_trustee(), client, "/home/")


def test_a_survey_page_asks_the_database_nothing(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_organization()
    with django_assert_num_queries(0):
        answer = client.get("/style/survey/")
    assert answer.status_code == 200
    assert not answer.cookies


@pytest.mark.usefixtures("quiet")
def test_a_page_that_is_only_read_sets_no_cookie(client: Client) -> None:
    for path in ("/", "/privacy/"):
        assert not client.get(path).cookies


def test_what_went_wrong_is_said_without_asking_the_database(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/no/such/page")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


@pytest.mark.parametrize(
    ("view", "status"),
    [(views.bad_request, 400), (views.forbidden, 403), (views.not_found, 404), (views.server_error, 500)],
)
def test_every_error_says_what_happened_and_what_to_do_next(
    rf: RequestFactory, view: Any, status: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        answer = view(rf.get("/"))
    assert answer.status_code == status
    page = answer.content.decode()
    assert page.count("<h1") == 1
    assert "btn-primary" in page


def out_of_order(request: HttpRequest) -> dict[str, Any]:
    raise RuntimeError("no database, no context")


def test_what_breaks_every_page_does_not_break_the_one_that_says_so(rf: RequestFactory, settings: Any) -> None:
    templates = deepcopy(settings.TEMPLATES)
    templates[0]["OPTIONS"]["context_processors"].append(f"{__name__}.out_of_order")
    settings.TEMPLATES = templates
    with pytest.raises(RuntimeError):
        views.not_found(rf.get("/"))
    assert views.server_error(rf.get("/")).status_code == 500


def test_a_form_that_is_too_old_is_refused_in_plain_words(client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_person())
    answer = strict.post("/account/logout/")
    assert answer.status_code == 403
    assert "That form was too old to send" in answer.content.decode()


def test_a_language_is_remembered_without_a_token_and_without_a_session() -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/language/", {"language": "es", "next": "/privacy/"})
    assert answer.headers["Location"] == "/privacy/"
    assert list(answer.cookies) == ["language"]
    assert strict.get("/privacy/").headers["Content-Language"] == "es"


def test_choosing_a_language_leads_nowhere_else(client: Client) -> None:
    answer = client.post("/language/", {"language": "es", "next": "https://elsewhere.example/"})
    assert answer.headers["Location"] == "/"
    assert client.get("/language/").status_code == 405


def test_the_style_pages_are_not_on_a_real_site(client: Client, settings: Any) -> None:
    assert client.get("/style/").status_code == 200
    settings.DEMO = settings.DEBUG = False
    make_organization()
    assert client.get("/style/").status_code == 404
    assert client.get("/style/survey/").status_code == 404


@pytest.mark.usefixtures("quiet")
def test_the_demo_says_so_on_every_page_and_a_real_site_does_not(client: Client, settings: Any) -> None:
    make_organization()
    for path in ("/", "/style/survey/", "/no/such/page"):
        assert 'class="banner"' in client.get(path).content.decode()
    settings.DEMO = False
    assert 'class="banner"' not in client.get("/").content.decode()
