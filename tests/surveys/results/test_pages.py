"""What each role sees of results, and that nobody sees more than a release."""

import csv
import datetime as dt
import json
import time
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from organizing.audit.models import AuditEvent
from surveys.answering.models import NamedResponse, Tally
from surveys.design.models import Choice, Survey
from surveys.results.models import Publication, Release
from surveys.results.operations import approve_publication, decide_text, make_release, propose_publication
from surveys.results.reports import CSV_HEADER
from tests.factories import (
    make_lead_organizer,
    make_organizer,
    make_person,
    make_survey,
    make_tallies,
    make_text,
    make_trustee,
)
from tests.organizing.people.authenticator import add_app

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 9, 10, 20, 0, tzinfo=dt.UTC)
SCHOOL = {"key": "school", "kind": "single", "choices": ["adams", "brooks", "cross"]}
SAFE = {"key": "safe", "kind": "single", "choices": ["yes", "no"]}
WORDS = {"key": "words", "kind": "long_text"}


def answers(school: str, n: int, yes: int) -> list[dict[str, Any]]:
    return [{"school": school, "safe": "yes" if i < yes else "no", "words": i < 12} for i in range(n)]


def make_answered_survey(**given: Any) -> Survey:
    defaults: dict[str, Any] = {"slug": "walks", "dimensions": ["school"], "method": {"en": "Handed out in class"}}
    survey = make_survey([SCHOOL, SAFE, WORDS], state="closed", **{**defaults, **given})
    make_tallies(survey, answers("adams", 142, 73) + answers("brooks", 23, 9) + answers("cross", 9, 0))
    return survey


def make_published_survey(**given: Any) -> Survey:
    survey = make_answered_survey(**given)
    publish(make_release(survey, at=NOW, by=None))
    return survey


def publish(release: Release) -> None:
    propose_publication(release, by=make_organizer(), at=NOW)
    approve_publication(release, by=make_lead_organizer(), at=NOW)


def page(client: Client, name: str, *args: Any) -> str:
    response = client.get(reverse(f"surveys:{name}", args=args))
    assert response.status_code == 200
    return response.content.decode()


# --- For everyone --------------------------------------------------------------------------------------


def test_a_visitor_reads_published_results(client: Client) -> None:
    make_published_survey()
    shown = page(client, "results", "walks")
    assert "170–179 answers" in shown
    assert "45–49 %" in shown
    assert "Handed out in class" in shown
    assert "Not shown: Brooks, Cross, Prefer not to say." in shown
    assert "From Sept. 1, 2026 to Sept. 8, 2026" in shown


def test_results_that_are_not_published_are_shown_to_nobody_outside(client: Client) -> None:
    survey = make_answered_survey()
    release = make_release(survey, at=NOW, by=None)
    propose_publication(release, by=make_organizer(), at=NOW)
    for name, args in (
        ("results", ["walks"]),
        ("results-earlier", ["walks", 1]),
        ("results-csv", ["walks", 1]),
        ("results-json", ["walks", 1]),
    ):
        response = client.get(reverse(f"surveys:{name}", args=args))
        assert response.status_code == 404
        assert b"45" not in response.content
    assert "walks" not in page(client, "published-results")


def test_nothing_tells_that_a_draft_is_there(client: Client) -> None:
    make_survey(slug="secret", title={"en": "Secret plan"}, state="draft")
    response = client.get("/s/secret/results/")
    assert response.status_code == 404
    assert b"Secret plan" not in response.content


def test_the_page_and_its_exports_hold_the_release_and_nothing_more(client: Client) -> None:
    survey = make_published_survey()
    release = survey.releases.get()
    urls = [
        reverse("surveys:results", args=["walks"]),
        reverse("surveys:results-csv", args=["walks", 1]),
        reverse("surveys:results-json", args=["walks", 1]),
    ]

    def fetch() -> list[bytes]:
        return [b"".join(client.get(url)) for url in urls]

    before = fetch()
    # Everything but the release may be gone, and nothing changes: so nothing else is told.
    Tally.objects.all().delete()
    assert fetch() == before
    page_bytes, csv_bytes, json_bytes = before
    assert json.loads(json_bytes) == release.tables
    rows = list(csv.reader(StringIO(csv_bytes.decode("utf-8-sig"))))
    assert tuple(rows[0]) == CSV_HEADER
    told = {
        (table["key"], dimension, value, choice["choice"]): (choice["low"], choice["high"])
        for table in release.tables["questions"]
        for dimension, value, choices in [
            ("", "", table["total"]),
            *((d, group["value"], group["choices"]) for d, groups in table["by"].items() for group in groups),
        ]
        for choice in choices
    }
    assert {tuple(row[i] for i in (0, 1, 2, 4)): (row[5], row[6]) for row in rows[1:]} == {
        key: tuple("" if share is None else str(share) for share in shares) for key, shares in told.items()
    }
    # The true counts: 174 answered, 82 yes, 92 no, and the sizes of the groups.
    for count in (b"174", b"82", b"92", b"142", b"23", b"73"):
        for told_bytes in (page_bytes, csv_bytes):
            assert b">" + count + b"<" not in told_bytes
            assert b"," + count + b"," not in told_bytes


def test_a_results_page_takes_few_queries_however_many_answered(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    make_published_survey()
    page(client, "results", "walks")
    with django_assert_max_num_queries(6):
        page(client, "results", "walks")


def test_earlier_releases_stay_readable(client: Client) -> None:
    survey = make_published_survey()
    make_tallies(survey, answers("adams", 40, 40))
    second = make_release(survey, at=NOW, by=None)
    assert "170–179 answers" in page(client, "results", "walks")  # the second is not published yet
    publish(second)
    assert "210–219 answers" in page(client, "results", "walks")
    earlier = page(client, "results-earlier", "walks", 1)
    assert "170–179 answers" in earlier
    assert "an earlier one" in earlier


def test_coverage_is_told_when_the_size_of_every_group_is_known(client: Client) -> None:
    survey = make_survey([SCHOOL, SAFE], state="draft", slug="walks", dimensions=["school"])
    Choice.objects.filter(question__key="school").update(population=300)
    Survey.objects.filter(pk=survey.pk).update(state="open", opened_at=NOW)
    Survey.objects.filter(pk=survey.pk).update(state="closed", closed_at=NOW)
    survey.refresh_from_db()
    make_tallies(survey, answers("adams", 174, 71))
    publish(make_release(survey, at=NOW, by=None))
    assert "that is 18–20 % of 900 people" in page(client, "results", "walks")


def test_published_surveys_are_listed_for_everyone(client: Client) -> None:
    make_published_survey(title={"en": "Walking to school"})
    make_answered_survey(slug="other", title={"en": "Not out yet"})
    shown = page(client, "published-results")
    assert "Walking to school" in shown
    assert "Not out yet" not in shown


def test_approved_words_are_shown_and_markup_in_them_is_not_run(client: Client) -> None:
    survey = make_answered_survey()
    text = make_text(survey, "<script>alert(1)</script> More art")
    for _ in range(2):
        decide_text(text, decision="approve", wording="<script>alert(1)</script> More art", by=make_trustee(), at=NOW)
    publish(make_release(survey, at=NOW, by=None))
    shown = page(client, "results", "walks")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; More art" in shown
    assert b"More art" not in b"".join(client.get(reverse("surveys:results-json", args=["walks", 1])))


# --- For organizers --------------------------------------------------------------------------------------

ORGANIZER_PAGES = [
    ("get", "results-preview", ["walks"]),
    ("get", "release-preview", ["walks", 1]),
    ("get", "preview-csv", ["walks", 1]),
    ("get", "preview-json", ["walks", 1]),
    ("post", "release-make", ["walks"]),
    ("post", "publication-propose", ["walks", 1]),
    ("post", "publication-approve", ["walks", 1]),
    ("post", "names-export", ["walks"]),
]


@pytest.mark.parametrize(("method", "name", "args"), ORGANIZER_PAGES)
def test_others_than_organizers_are_not_told_that_a_preview_is_there(
    client: Client, method: str, name: str, args: list[Any]
) -> None:
    make_release(make_answered_survey(), at=NOW, by=None)
    url = reverse(f"surveys:{name}", args=args)
    assert getattr(client, method)(url).status_code == 302  # to sign in
    for person in (make_person(), make_trustee()):
        client.force_login(person)
        assert getattr(client, method)(url).status_code == 404


def test_an_organizer_makes_a_release_and_proposes_it_and_a_lead_organizer_publishes_it(client: Client) -> None:
    survey = make_answered_survey()
    organizer, lead = make_organizer(), make_lead_organizer()
    client.force_login(organizer)
    assert "No release yet" in page(client, "results-preview", "walks")
    client.post(reverse("surveys:release-make", args=["walks"]))
    assert "Only organizers see this" in page(client, "results-preview", "walks")
    client.post(reverse("surveys:publication-propose", args=["walks", 1]))
    assert "Approve and publish" not in page(client, "release-preview", "walks", 1)
    response = client.post(reverse("surveys:publication-approve", args=["walks", 1]))
    assert response.status_code == 403
    assert not survey.releases.published().exists()
    client.force_login(lead)
    assert "Approve and publish" in page(client, "release-preview", "walks", 1)
    client.post(reverse("surveys:publication-approve", args=["walks", 1]))
    assert survey.releases.published().exists()
    verbs = set(AuditEvent.objects.about(survey.releases.get()).values_list("verb", "actor_id"))
    assert verbs == {
        ("release.make", organizer.pk),
        ("release.propose_publication", organizer.pk),
        ("release.publish", lead.pk),
    }


def test_a_lead_organizer_cannot_approve_what_they_proposed(client: Client) -> None:
    release = make_release(make_answered_survey(), at=NOW, by=None)
    lead = make_lead_organizer()
    propose_publication(release, by=lead, at=NOW)
    client.force_login(lead)
    response = client.post(reverse("surveys:publication-approve", args=["walks", 1]))
    assert response.status_code == 422
    assert "You proposed this yourself" in response.content.decode()
    assert Publication.objects.get().approved_at is None


def test_an_organizer_cannot_approve_what_another_proposed(client: Client) -> None:
    release = make_release(make_answered_survey(), at=NOW, by=None)
    propose_publication(release, by=make_organizer(), at=NOW)
    client.force_login(make_organizer())
    response = client.post(reverse("surveys:publication-approve", args=["walks", 1]))
    assert response.status_code == 403
    assert Publication.objects.get().approved_at is None


def test_a_refused_release_says_why_on_the_page(client: Client) -> None:
    make_survey([SAFE], slug="new")
    client.force_login(make_organizer())
    response = client.post(reverse("surveys:release-make", args=["new"]))
    assert response.status_code == 422
    assert "until 10 people have answered" in response.content.decode()


def test_proposing_and_approving_twice_changes_nothing() -> None:
    release = make_release(make_answered_survey(), at=NOW, by=None)
    first = propose_publication(release, by=make_organizer(), at=NOW)
    assert propose_publication(release, by=make_organizer(), at=NOW).proposed_by == first.proposed_by
    lead = make_lead_organizer()
    approve_publication(release, by=lead, at=NOW)
    later = approve_publication(release, by=make_lead_organizer(), at=NOW + dt.timedelta(days=1))
    assert (later.approved_by, later.approved_at) == (lead, NOW)


# --- Answers with names ----------------------------------------------------------------------------------


def make_named_survey() -> Survey:
    survey = make_survey([SAFE], slug="meeting", mode="named", state="open")
    for number in range(3):
        NamedResponse.objects.create(
            survey=survey,
            name=f"=Student {number}",
            email=f"student{number}@example.org",
            consent="You may call me",
            answers={"safe": "yes" if number else "no"},
            answered_at=NOW,
        )
    return survey


def test_a_survey_with_names_is_counted_as_it_is(client: Client) -> None:
    make_named_survey()
    client.force_login(make_organizer())
    shown = page(client, "results-preview", "meeting")
    assert "2 (67 %)" in shown
    assert "1 (33 %)" in shown


def test_answers_with_names_are_exported_with_a_reason_that_is_written_down(client: Client) -> None:
    survey, organizer = make_named_survey(), make_organizer()
    client.force_login(organizer)
    url = reverse("surveys:names-export", args=["meeting"])
    assert client.post(url, {"reason": " "}).status_code == 422
    assert not AuditEvent.objects.about(survey).exists()
    response = client.post(url, {"reason": "To call back"})
    rows = list(csv.reader(StringIO(b"".join(response).decode("utf-8-sig"))))
    assert rows[0] == ["Name", "Answered", "About safe?", "Agreed to"]
    rows[1:] = sorted(rows[1:])
    assert rows[1][0] == "'=Student 0"  # a spreadsheet must not run it
    assert [rows[1][2], rows[1][3]] == ["No", "You may call me"]
    event = AuditEvent.objects.about(survey).get()
    assert (event.verb, event.reason, event.actor_id) == ("survey.export_names", "To call back", organizer.pk)


def test_addresses_are_for_lead_organizers_who_just_proved_who_they_are(client: Client) -> None:
    survey = make_named_survey()
    url = reverse("surveys:names-export", args=["meeting"])
    client.force_login(make_organizer())
    assert b"student0@example.org" not in b"".join(client.post(url, {"reason": "To call back"}))
    lead = make_lead_organizer()
    add_app(lead)
    client.force_login(lead)
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": time.time() - 11 * 60}]
    session.save()
    response = client.post(url, {"reason": "To call back"})
    assert response.status_code == 302
    assert "reauthenticate" in response["Location"]
    assert AuditEvent.objects.about(survey).count() == 1
    session = client.session
    session["account_authentication_methods"] += [{"method": "mfa", "at": time.time(), "reauthenticated": True}]
    session.save()
    assert b"student0@example.org" in b"".join(client.post(url, {"reason": "To call back"}))
    assert AuditEvent.objects.about(survey).count() == 2


def test_answers_to_an_anonymous_survey_are_never_exported_one_by_one(client: Client) -> None:
    make_answered_survey()
    client.force_login(make_organizer())
    assert client.post(reverse("surveys:names-export", args=["walks"]), {"reason": "x"}).status_code == 404


# --- For trustees ----------------------------------------------------------------------------------------


def test_only_trustees_learn_that_texts_wait(client: Client) -> None:
    text = make_text(make_answered_survey(), "More art")
    for name, args in (("text-list", []), ("text-review", [text.pk])):
        url = reverse(f"surveys:{name}", args=args)
        client.logout()
        assert client.get(url).status_code == 302
        for person in (make_person(), make_organizer(), make_lead_organizer()):
            client.force_login(person)
            assert client.get(url).status_code == 404
            assert client.post(url, {"decision": "withhold"}).status_code in {404, 405}
    assert not AuditEvent.objects.about(text).exists()


def test_a_trustee_reads_a_text_and_approves_a_wording(client: Client) -> None:
    text = make_text(make_answered_survey(), "Mr. Brown searches our bags")
    trustee = make_trustee()
    client.force_login(trustee)
    assert "1 text waits for your decision" in page(client, "text-list")
    assert "Mr. Brown searches our bags" in page(client, "text-review", text.pk)
    url = reverse("surveys:text-review", args=[text.pk])
    assert client.post(url, {"decision": "approve", "wording": ""}).status_code == 422
    response = client.post(url, {"decision": "approve", "wording": "[…] searches our bags"})
    assert response.url == reverse("surveys:text-list")  # type: ignore[attr-defined]
    assert "Nothing to read" in page(client, "text-list")
    client.force_login(make_trustee())
    assert "[…] searches our bags</textarea>" in page(client, "text-review", text.pk)


def test_an_escalated_text_stays_readable_for_trustees(client: Client) -> None:
    text = make_text(make_answered_survey(), "I was hit")
    decide_text(text, decision="escalate", by=make_trustee(), at=NOW)
    client.force_login(make_trustee())
    assert "Escalated to the trustees" in page(client, "text-list")
    shown = page(client, "text-review", text.pk)
    assert "I was hit" in shown
    assert "<textarea" not in shown
    assert AuditEvent.objects.about(text).filter(verb="text.read").count() == 1
