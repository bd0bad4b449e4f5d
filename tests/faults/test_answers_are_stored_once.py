"""However often and however simultaneously a form is sent, it is stored once; and a whole class gets in."""

import statistics
import time
import uuid
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection

from surveys.answering.models import AccessCode, Inbox, SpentSubmission
from surveys.answering.operations import FoundCode, Outcome, find_code, print_codes, store_answers, was_sent
from surveys.design.models import Survey
from tests.conftest import NOW
from tests.factories import make_organizer, make_survey
from tests.faults.conftest import Site, all_at_once

pytestmark = pytest.mark.django_db(transaction=True)

FORMS, TIMES = 12, 5


def test_forms_sent_five_times_at_once_are_stored_once_each(start_site: Callable[..., Site]) -> None:
    survey = make_survey()
    site = start_site()
    path = f"/s/{survey.slug}/"
    forms = [site.open_form(path) for _ in range(FORMS)]
    answers = all_at_once(lambda form: site.send(path, {"q-safe": "yes"}, form), forms * TIMES)
    answers += [site.send(path, {"q-safe": "yes"}, form) for form in forms]  # and once more, later
    assert set(answers) == {(303, f"{path}thanks/?lang=en")}
    assert (Inbox.objects.count(), SpentSubmission.objects.count()) == (FORMS, FORMS)


def test_without_the_spent_form_the_same_race_stores_more_than_once() -> None:
    """The control: looking first and storing then is what the one statement replaces."""
    survey = make_survey()

    def look_then_store(form: uuid.UUID) -> None:
        if not was_sent(form):
            time.sleep(0.01)
            Inbox.objects.create(survey=survey, answers={})

    form = uuid.uuid4()
    all_at_once(look_then_store, [form] * TIMES)
    assert Inbox.objects.count() > 1


def store_with(survey: Survey, code: FoundCode, form: uuid.UUID) -> Outcome:
    return store_answers(survey.pk, submission_id=form, answers={"safe": "yes"}, texts={}, code=code)


def test_one_code_sent_with_different_forms_at_once_is_good_for_one() -> None:
    survey = make_survey(takes_codes=True)
    organizer = make_organizer()
    made = print_codes(survey, batch_id=uuid.uuid4(), count=4, preset={}, by=organizer, at=NOW)
    for code in made:
        found = find_code(survey.pk, str(code))
        outcomes = all_at_once(partial(store_with, survey, found), [uuid.uuid4() for _ in range(TIMES)])
        assert sorted(outcome.value for outcome in outcomes) == ["code spent"] * (TIMES - 1) + ["stored"]
    assert (Inbox.objects.count(), AccessCode.objects.count()) == (4, 0)
    assert SpentSubmission.objects.count() == 4 + 1  # the losers spent nothing; one is the batch of slips


def test_one_form_sent_with_its_code_at_once_is_stored_once_and_thanked_each_time() -> None:
    survey = make_survey(takes_codes=True)
    made = print_codes(survey, batch_id=uuid.uuid4(), count=4, preset={}, by=make_organizer(), at=NOW)
    for code in made:
        found, form = find_code(survey.pk, str(code)), uuid.uuid4()
        outcomes = all_at_once(partial(store_with, survey, found), [form] * TIMES)
        assert sorted(outcome.value for outcome in outcomes) == ["already"] * (TIMES - 1) + ["stored"]
    assert Inbox.objects.count() == 4


def test_thirty_five_students_behind_one_address_all_get_in(start_site: Callable[..., Site]) -> None:
    """A class with codes, in less than the three minutes it has; some mistype their code first."""
    survey = make_survey(takes_codes=True)
    made = print_codes(survey, batch_id=uuid.uuid4(), count=35, preset={}, by=make_organizer(), at=NOW)
    site = start_site()
    path = f"/s/{survey.slug}/"
    one_address = {"X-Forwarded-For": "203.0.113.7"}

    def student(number: int) -> int:
        form = site.open_form(path, **one_address)
        code = str(made[number])
        if number % 3 == 0:
            wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
            status, page = site.send(path, {"q-safe": "yes", "code": wrong}, form, **one_address)
            assert status == 422
            assert "This code opens nothing" in page
        return site.send(path, {"q-safe": "yes", "code": code.lower()}, form, **one_address)[0]

    assert all_at_once(student, range(35)) == [303] * 35
    assert (Inbox.objects.count(), AccessCode.objects.count()) == (35, 0)


def test_programs_without_a_code_store_nothing(start_site: Callable[..., Site]) -> None:
    survey = make_survey(takes_codes=True)
    print_codes(survey, batch_id=uuid.uuid4(), count=5, preset={}, by=make_organizer(), at=NOW)
    site = start_site()
    path = f"/s/{survey.slug}/"
    statuses = {
        site.send(path, {"q-safe": "yes", "code": f"K7QF-3MWX-{number:04d}"}, str(uuid.uuid4()))[0]
        for number in range(100)
    }
    assert statuses == {422}
    assert (Inbox.objects.count(), AccessCode.objects.count()) == (0, 5)


def test_answering_needs_no_broker(start_site: Callable[..., Site]) -> None:
    survey = make_survey()
    site = start_site(REDIS_URL="redis://127.0.0.1:1/0")
    path = f"/s/{survey.slug}/"
    for _ in range(6):  # both processes have read their code and rendered the form
        site.open_form(path)
    times = []
    for _ in range(40):
        opened = time.monotonic()
        form = site.open_form(path)
        sent = time.monotonic()
        assert site.send(path, {"q-safe": "yes"}, form)[0] == 303
        times += [sent - opened, time.monotonic() - sent]
    assert Inbox.objects.count() == 40
    assert statistics.quantiles(times, n=20)[-1] <= 1  # p95, seconds


def test_answering_goes_on_after_the_database_has_dropped_its_connections(start_site: Callable[..., Site]) -> None:
    survey = make_survey()
    site = start_site()
    path = f"/s/{survey.slug}/"
    forms = [site.open_form(path) for _ in range(8)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert [site.send(path, {"q-safe": "yes"}, form)[0] for form in forms] == [303] * 8
    assert Inbox.objects.count() == 8


def test_an_outcome_is_told_even_when_the_survey_closes_in_between() -> None:
    survey = make_survey(state="closed")
    assert store_answers(survey.pk, submission_id=uuid.uuid4(), answers={}, texts={}) is Outcome.CLOSED
