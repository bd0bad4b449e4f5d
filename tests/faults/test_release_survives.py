"""A release that is killed was never made, and the next one is the first."""

import pytest

from organizing.audit.models import AuditEvent
from surveys.results.models import Release
from tests.factories import make_survey, make_tallies
from tests.faults.conftest import somebody_holding, somebody_waits_for, start_command, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("table", ["surveys_release", "audit_auditevent"])
def test_a_worker_killed_in_mid_release_has_made_none_and_the_next_makes_one(table: str) -> None:
    """Stopped with -9 at two places: before the release is written, and before the audit trail knows of it."""
    survey = make_survey([{"key": "safe", "choices": ["yes", "no"]}])
    make_tallies(survey, [{"safe": "yes"}] * 20)
    with somebody_holding(table):
        worker = start_command("release_results", survey.slug)
        wait_until(lambda: somebody_waits_for(table))
        worker.kill()
        worker.wait()
    wait_until(lambda: not somebody_waits_for(table))
    assert not Release.objects.exists()
    assert not AuditEvent.objects.filter(verb="release.make").exists()
    assert start_command("release_results", survey.slug).wait() == 0
    assert start_command("release_results", survey.slug).wait() == 0  # nothing has changed: still one
    assert [release.number for release in Release.objects.all()] == [1]
    assert AuditEvent.objects.filter(verb="release.make").count() == 1
