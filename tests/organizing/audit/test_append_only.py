"""The audit trail only grows, whoever asks."""

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction

from organizing.audit.models import AuditEvent
from organizing.audit.operations import record
from tests.factories import make_person

WAYS = (
    "UPDATE audit_auditevent SET reason = 'nothing happened'",
    "DELETE FROM audit_auditevent",
    "TRUNCATE audit_auditevent",
    "TRUNCATE audit_auditevent, people_person CASCADE",
)


@pytest.fixture
def event(db: None, now: dt.datetime) -> AuditEvent:
    person = make_person()
    return record("person.read_contact", person, by=person.pk, at=now)


def attempt(statement: str, *before: str) -> str:
    """Run a statement, after others, in a transaction that is taken back. Return why it was refused."""
    with pytest.raises(DatabaseError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(";".join([*before, statement]))
    return str(refusal.value)


@pytest.mark.parametrize("statement", WAYS)
def test_the_owner_of_the_table_can_neither_alter_nor_remove_nor_empty_it(event: AuditEvent, statement: str) -> None:
    assert "the audit trail only grows" in attempt(statement)
    assert AuditEvent.objects.get().reason == ""


@pytest.mark.parametrize("statement", WAYS)
def test_a_session_that_skips_ordinary_triggers_is_refused_too(event: AuditEvent, statement: str) -> None:
    assert "the audit trail only grows" in attempt(statement, "SET LOCAL session_replication_role = replica")


@pytest.mark.parametrize("statement", WAYS)
def test_the_web_role_is_refused(event: AuditEvent, statement: str) -> None:
    assert "permission denied" in attempt(statement, "SET LOCAL ROLE organizing_web")


def test_the_web_role_adds_and_reads(event: AuditEvent, now: dt.datetime) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE organizing_web")
        record("person.read_contact", make_person(), by=None, at=now)
        assert AuditEvent.objects.count() == 2
        cursor.execute("RESET ROLE")


def test_django_deletes_nothing_either(event: AuditEvent) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEvent.objects.all().delete()
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_guard_is_up_again_after_a_test_has_emptied_the_tables(now: dt.datetime) -> None:
    from django.core.management import call_command

    record("person.read_contact", make_person(), by=None, at=now)
    call_command("flush", interactive=False, verbosity=0)
    assert not AuditEvent.objects.exists()
    record("person.read_contact", make_person(), by=None, at=now)
    assert "the audit trail only grows" in attempt("TRUNCATE audit_auditevent")
