"""Who may give and take which role; two people for the heavy ones; every grant is written down."""

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from organizing.audit.models import AuditEvent
from organizing.people.models import Person
from organizing.roles import policy, today
from organizing.roles.models import Grant, Role
from organizing.roles.operations import approve_grant, grant_role, read_contact, withdraw_role
from organizing.web.errors import Refused
from tests.factories import make_grant, make_lead_organizer, make_organizer, make_person, make_trustee

pytestmark = pytest.mark.django_db

ORDINARY = [Role.MEMBER, Role.TEAM_LEAD, Role.ALLY, Role.ORGANIZER]
TWO_PERSON = [Role.LEAD_ORGANIZER, Role.TRUSTEE]
Make = Callable[[], Person]


def verbs() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("verb", flat=True))


@pytest.mark.parametrize("role", ORDINARY)
def test_a_lead_organizer_gives_a_role_that_counts_at_once_and_is_written_down(role: Role, now: dt.datetime) -> None:
    lead, person = make_lead_organizer(), make_person()
    grant = grant_role(person, role, until=None, by=lead, at=now)
    assert policy.holds(person, role, at=now)
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor_id, event.object_id) == ("role.grant", lead.pk, str(grant.pk))
    assert event.detail == {"role": role, "person": str(person.pk), "until": None}


@pytest.mark.parametrize("role", TWO_PERSON)
def test_the_heavy_roles_count_when_a_second_person_has_approved(role: Role, now: dt.datetime) -> None:
    first, second, person = make_lead_organizer(), make_lead_organizer(), make_person()
    grant = grant_role(person, role, until=None, by=first, at=now)
    assert not policy.holds(person, role, at=now)
    assert not policy.needs_second_factor(person, at=now)
    approve_grant(grant, by=second, at=now)
    assert policy.holds(person, role, at=now)
    assert verbs() == ["role.propose", "role.approve"]


@pytest.mark.parametrize("role", TWO_PERSON)
def test_neither_who_proposed_nor_who_is_meant_can_be_the_second_person(role: Role, now: dt.datetime) -> None:
    first, meant = make_lead_organizer(), make_trustee()
    if role == Role.TRUSTEE:
        meant = make_lead_organizer()
    grant = grant_role(meant, role, until=None, by=first, at=now)
    for person in (first, meant, make_organizer(), make_person()):
        with pytest.raises(PermissionDenied):
            approve_grant(grant, by=person, at=now)
    assert not policy.holds(meant, role, at=now)


def test_not_even_the_database_takes_one_person_for_two(now: dt.datetime) -> None:
    first, person = make_lead_organizer(), make_person()
    grant = grant_role(person, Role.LEAD_ORGANIZER, until=None, by=first, at=now)
    for second in (first, person):
        with pytest.raises(IntegrityError), transaction.atomic():
            Grant.objects.filter(pk=grant.pk).update(approved_by=second)


def test_a_trustee_and_a_lead_organizer_make_a_trustee_either_way_round(now: dt.datetime) -> None:
    lead, trustee = make_lead_organizer(), make_trustee()
    for first, second in ((lead, trustee), (trustee, lead)):
        person = make_person()
        approve_grant(grant_role(person, Role.TRUSTEE, until=None, by=first, at=now), by=second, at=now)
        assert policy.is_trustee(person, at=now)


@pytest.mark.parametrize("make", [make_person, make_organizer])
@pytest.mark.parametrize("role", list(Role))
def test_nobody_else_gives_a_role(make: Make, role: Role, now: dt.datetime) -> None:
    with pytest.raises(PermissionDenied):
        grant_role(make_person(), role, until=None, by=make(), at=now)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("role", [role for role in Role if role != Role.TRUSTEE])
def test_a_trustee_gives_no_other_role(role: Role, now: dt.datetime) -> None:
    with pytest.raises(PermissionDenied):
        grant_role(make_person(), role, until=None, by=make_trustee(), at=now)


def test_somebody_whose_own_proposal_waits_approves_nothing(now: dt.datetime) -> None:
    lead, candidate = make_lead_organizer(), make_person()
    grant_role(candidate, Role.LEAD_ORGANIZER, until=None, by=lead, at=now)
    other = grant_role(make_person(), Role.LEAD_ORGANIZER, until=None, by=lead, at=now)
    with pytest.raises(PermissionDenied):
        approve_grant(other, by=candidate, at=now)


def test_the_same_role_twice_is_refused(now: dt.datetime) -> None:
    lead, person = make_lead_organizer(), make_person()
    for role in (Role.ORGANIZER, Role.TRUSTEE):
        grant_role(person, role, until=now + dt.timedelta(days=9), by=lead, at=now)
        with pytest.raises(Refused):
            grant_role(person, role, until=None, by=lead, at=now)
    assert Grant.objects.filter(person=person).count() == 2


def test_a_role_may_be_given_again_after_it_ended(now: dt.datetime) -> None:
    lead, person = make_lead_organizer(), make_person()
    grant_role(person, Role.ORGANIZER, until=now + dt.timedelta(days=1), by=lead, at=now)
    later = now + dt.timedelta(days=2)
    assert not policy.is_organizer(person, at=later)
    grant_role(person, Role.ORGANIZER, until=None, by=lead, at=later)
    assert policy.is_organizer(person, at=later)


def test_a_role_ends_by_itself_on_its_last_day(now: dt.datetime) -> None:
    end = now + dt.timedelta(days=1)
    person = make_person()
    grant_role(person, Role.ORGANIZER, until=end, by=make_lead_organizer(), at=now)
    assert policy.is_organizer(person, at=end - dt.timedelta(seconds=1))
    assert not policy.is_organizer(person, at=end)


def test_a_last_day_in_the_past_and_a_closed_account_are_refused(now: dt.datetime) -> None:
    lead = make_lead_organizer()
    with pytest.raises(Refused):
        grant_role(make_person(), Role.ORGANIZER, until=now, by=lead, at=now)
    with pytest.raises(Refused):
        grant_role(make_person(is_active=False), Role.ORGANIZER, until=None, by=lead, at=now)


def test_approving_twice_is_refused_and_withdrawn_proposals_wait_no_more(now: dt.datetime) -> None:
    first, second = make_lead_organizer(), make_lead_organizer()
    grant = grant_role(make_person(), Role.TRUSTEE, until=None, by=first, at=now)
    approve_grant(grant, by=second, at=now)
    with pytest.raises(Refused):
        approve_grant(grant, by=second, at=now)
    other = grant_role(make_person(), Role.TRUSTEE, until=None, by=first, at=now)
    withdraw_role(other, by=first, at=now)
    with pytest.raises(Refused):
        approve_grant(other, by=second, at=now)


def test_withdrawing_counts_at_once_is_written_down_and_twice_is_once(now: dt.datetime) -> None:
    lead, person = make_lead_organizer(), make_person()
    grant = grant_role(person, Role.ORGANIZER, until=None, by=lead, at=now)
    later = now + dt.timedelta(hours=1)
    withdraw_role(grant, by=lead, at=later)
    withdraw_role(grant, by=lead, at=later)
    assert not policy.is_organizer(person, at=later)
    assert verbs() == ["role.grant", "role.withdraw"]


def test_one_may_give_up_ones_own_role_and_nobody_elses(now: dt.datetime) -> None:
    one, other = make_organizer(), make_organizer()
    with pytest.raises(PermissionDenied):
        withdraw_role(other.grants.get(), by=one, at=now)
    withdraw_role(one.grants.get(), by=one, at=now)
    assert not policy.is_organizer(one, at=now)


def test_the_last_lead_organizer_stays(now: dt.datetime) -> None:
    first, second = make_lead_organizer(), make_lead_organizer()
    withdraw_role(first.grants.get(), by=second, at=now)
    with pytest.raises(Refused):
        withdraw_role(second.grants.get(), by=second, at=now)
    assert policy.is_lead_organizer(second, at=now)


@pytest.mark.parametrize("other", ["closed", "proposed", "ends"])
def test_a_lead_who_is_closed_or_waits_or_ends_some_day_is_no_other_lead(other: str, now: dt.datetime) -> None:
    lead = make_lead_organizer()
    if other == "closed":
        make_lead_organizer(is_active=False)
    elif other == "proposed":
        grant_role(make_person(), Role.LEAD_ORGANIZER, until=None, by=lead, at=now)
    else:
        make_grant(make_person(), Role.LEAD_ORGANIZER, until=now + dt.timedelta(days=30))
    with pytest.raises(Refused):
        withdraw_role(lead.grants.get(), by=lead, at=now)


@pytest.mark.django_db(transaction=True)
def test_of_two_lead_organizers_who_leave_at_once_one_stays(now: dt.datetime) -> None:
    for number in range(5):
        leads = [make_lead_organizer(), make_lead_organizer()]
        gate = threading.Barrier(2)

        def leave(lead: Person, gate: threading.Barrier = gate, shift: int = 0) -> None:
            try:
                gate.wait()
                # Their clocks need not agree.
                withdraw_role(lead.grants.get(), by=lead, at=now + dt.timedelta(seconds=shift))
            except Refused:
                pass
            finally:
                connection.close()

        threads = [
            threading.Thread(target=leave, args=[lead], kwargs={"shift": -shift}) for shift, lead in enumerate(leads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        later = now + dt.timedelta(minutes=1)
        assert Grant.objects.in_force(at=later).filter(role=Role.LEAD_ORGANIZER).count() == 1, number
        Grant.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_a_role_given_twice_at_once_is_given_once(now: dt.datetime) -> None:
    lead, person = make_lead_organizer(), make_person()

    def give() -> None:
        try:
            grant_role(person, Role.ORGANIZER, until=now + dt.timedelta(days=9), by=lead, at=now)
        except Refused:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=give) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Grant.objects.filter(person=person).count() == 1


def test_a_proposal_waits_on_the_page_of_whoever_may_decide(now: dt.datetime) -> None:
    first, second = make_lead_organizer(), make_lead_organizer()
    grant_role(make_person(display_name="Kim"), Role.TRUSTEE, until=None, by=first, at=now)
    assert [item.title for item in today.waiting(second, at=now)] == ["Make Kim a trustee?"]
    assert not list(today.waiting(first, at=now))
    assert not list(today.waiting(make_organizer(), at=now))


def test_looking_up_an_address_is_written_down_each_time(now: dt.datetime) -> None:
    organizer, person = make_organizer(), make_person(email="sam@example.org")
    assert read_contact(person, by=organizer, at=now) == "sam@example.org"
    read_contact(person, by=organizer, at=now)
    assert (
        list(AuditEvent.objects.about(person).values_list("verb", "actor_id"))
        == [("person.read_contact", organizer.pk)] * 2
    )


@pytest.mark.parametrize("make", [make_person, make_trustee])
def test_nobody_but_organizers_looks_up_an_address(make: Make, now: dt.datetime) -> None:
    with pytest.raises(PermissionDenied):
        read_contact(make_person(), by=make(), at=now)
