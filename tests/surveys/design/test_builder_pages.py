"""The builder in the browser: everything a form can do, wrong input, and who may do what."""

import datetime as dt
import json
from typing import Any
from uuid import uuid4

import pytest
import segno
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from organizing.people.models import Person
from organizing.roles.models import Grant
from surveys.design import today
from surveys.design.definition import Definition, load_definition
from surveys.design.models import Survey, SurveyChange
from surveys.design.operations import propose_change
from tests.factories import make_lead_organizer, make_organizer, make_person, make_survey, make_trustee
from tests.surveys.design.signing_in import signed_in
from tests.surveys.design.test_survey_file import FULL

pytestmark = pytest.mark.django_db

THREE = [{"key": key, "kind": "short_text"} for key in "abc"]
NEW = {"title_en": "Safe schools", "title_es": "Escuelas seguras", "mode": "anonymous", "k": "10"}


@pytest.fixture
def organizer() -> Person:
    return make_organizer()


@pytest.fixture
def client(organizer: Person) -> Client:
    return signed_in(organizer)


def definition(slug: str) -> Definition:
    found = load_definition(slug)
    assert found is not None
    return found


def draft(**given: Any) -> Survey:
    return make_survey(THREE, state="draft", **given)


def told(response: Any) -> str:
    return str(response.content.decode())


# --- Surveys ---


def test_the_empty_list_teaches_what_it_will_show(client: Client) -> None:
    assert "Write the first one" in told(client.get("/surveys/"))


def test_the_list_shows_every_survey_with_its_state(client: Client) -> None:
    for state in ("draft", "open", "closed"):
        make_survey(state=state, title={"en": f"Was {state}"})
    page = told(client.get("/surveys/"))
    assert all(f"Was {state}" in page for state in ("draft", "open", "closed"))


def test_a_survey_is_made_and_gets_its_address_from_its_title(client: Client) -> None:
    response = client.post("/surveys/new/", {**NEW, "intro_en": "Hello.\r\nTen questions."})
    assert response["Location"] == "/surveys/safe-schools/"
    made = definition("safe-schools")
    assert made.title == {"en": "Safe schools", "es": "Escuelas seguras"}
    assert (made.intro, made.mode, made.k) == ({"en": "Hello.\nTen questions."}, "anonymous", 10)


def test_wrong_settings_are_told_at_their_fields_and_keep_what_was_typed(client: Client) -> None:
    response = client.post("/surveys/new/", {**NEW, "title_en": "", "title_es": "", "k": "3", "slug": "Bad Address"})
    page = told(response)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"title_en", "k", "slug"}
    assert 'value="Bad Address"' in page
    assert "an anonymous survey shows no group under 10" in page
    assert not Survey.objects.exists()


def test_an_address_that_is_taken_is_told_at_its_field(client: Client) -> None:
    draft(slug="taken")
    response = client.post("/surveys/new/", {**NEW, "slug": "taken"})
    assert "Another survey has this short address" in told(response)


def test_another_language_gets_its_fields_and_nothing_typed_is_lost(client: Client) -> None:
    response = client.post("/surveys/new/", {**NEW, "more": "ar", "add_language": "1"})
    page = told(response)
    assert response.status_code == 200
    assert 'name="title_ar"' in page
    assert 'value="Escuelas seguras"' in page
    client.post("/surveys/new/", {**NEW, "languages": ["en", "es", "ar"], "title_ar": "مدارس آمنة"})
    assert definition("safe-schools").languages == ("ar", "en", "es")


def test_a_language_that_does_not_exist_is_not_shown(client: Client) -> None:
    page = told(client.post("/surveys/new/", {**NEW, "languages": ["<script>"], "more": "qq", "add_language": "1"}))
    assert "title_qq" not in page
    assert "<script>&" not in page


def test_settings_of_a_draft_are_edited(client: Client) -> None:
    make_survey([{"key": "school", "choices": ["x", "y"]}, *THREE], state="draft", slug="s")
    page = told(client.get("/surveys/s/settings/"))
    assert 'name="dimensions"' in page
    client.post("/surveys/s/settings/", {**NEW, "slug": "s2", "k": "25", "dimensions": ["school"], "takes_codes": "on"})
    after = definition("s2")
    assert (after.k, after.dimensions, after.takes_codes, len(after.questions)) == (25, ("school",), True, 4)


def test_consent_belongs_to_named_surveys_alone(client: Client) -> None:
    client.post("/surveys/new/", {**NEW, "consent_en": "I agree."})
    assert definition("safe-schools").consent == {}
    client.post("/surveys/safe-schools/settings/", {**NEW, "mode": "named", "consent_en": "I agree."})
    assert definition("safe-schools").consent == {"en": "I agree."}


def test_a_draft_is_deleted_and_an_opened_survey_is_not(client: Client) -> None:
    draft(slug="draft")
    make_survey(slug="opened")
    assert client.post("/surveys/draft/delete/").status_code == 302
    assert client.post("/surveys/opened/delete/").status_code == 403
    assert list(Survey.objects.values_list("slug", flat=True)) == ["opened"]


# --- Files ---


def upload(client: Client, data: bytes) -> Any:
    return client.post("/surveys/upload/", {"file": SimpleUploadedFile("survey.json", data)})


def test_a_file_goes_up_and_comes_down_unchanged(client: Client) -> None:
    assert upload(client, json.dumps(FULL).encode())["Location"] == "/surveys/safe-schools/"
    response = client.get("/surveys/safe-schools/file.json")
    assert json.loads(response.content) == FULL
    assert response["Content-Disposition"] == 'attachment; filename="safe-schools.json"'


def test_the_mistakes_of_a_file_are_listed_with_their_places(client: Client) -> None:
    response = upload(client, json.dumps({**FULL, "k": 3, "slug": "<b>"}).encode())
    page = told(response)
    assert response.status_code == 422
    assert "<code>k</code>" in page
    assert "2 mistakes" in page
    assert "<b>" not in page.replace("<b>results are told by it</b>", "")
    assert not Survey.objects.exists()


@pytest.mark.parametrize("data", [b"\x00\xff\xfe", b"", b"[" * 100_000, b" " * (1024 * 1024 + 1)])
def test_what_is_no_survey_file_is_refused_politely(data: bytes, client: Client) -> None:
    assert upload(client, data).status_code == 422


def test_a_file_for_an_opened_survey_is_refused(client: Client) -> None:
    make_survey(slug="safe-schools")
    response = upload(client, json.dumps(FULL).encode())
    assert response.status_code == 422
    assert "has opened, and the file differs" in told(response)


# --- Questions ---


def add(client: Client, kind: str, **fields: str) -> Any:
    return client.post(f"/surveys/s/question/?kind={kind}", {"rows": "4", **fields})


def test_a_question_of_each_kind_is_added(client: Client) -> None:
    draft(slug="s")
    assert "kind=number" in told(client.get("/surveys/s/question/"))
    add(
        client,
        "single",
        label_en="Which school?",
        label_es="¿Qué escuela?",
        choice_0_label_en="Cross",
        choice_1_label_en="Hillhouse",
        choice_1_label_es="Hillhouse",
        choice_1_key="hill",
        choice_1_population="900",
        is_required="on",
    )
    add(client, "multiple", label_en="Saw?", choice_0_label_en="A", choice_3_label_en="B")
    add(client, "scale", label_en="How safe?", low="1", high="5")
    add(client, "number", label_en="Age", low="10", high="21.5", bands="14, 16.5; 18")
    add(client, "short_text", label_en="One word")
    add(client, "long_text", label_en="Why?", help_en="Take your time.", key="why")
    school, saw, safe, age, word, why = definition("s").questions[3:]
    assert (school.key, school.is_required, school.label["es"]) == ("which-school", True, "¿Qué escuela?")
    assert [(choice.key, choice.population) for choice in school.choices] == [("cross", None), ("hill", 900)]
    assert [choice.key for choice in saw.choices] == ["a", "b"]
    assert list(safe.scale_steps) == [1, 2, 3, 4, 5]
    assert (age.low, age.high, age.bands) == (10, 21.5, (14, 16.5, 18))
    assert (word.key, why.key, why.help) == ("one-word", "why", {"en": "Take your time."})


def test_wrong_questions_are_told_at_their_fields_and_keep_what_was_typed(client: Client) -> None:
    draft(slug="s")
    response = add(
        client,
        "single",
        key="A",
        choice_0_label_en="Yes",
        choice_2_label_en="yes",
        choice_3_label_en="Maybe",
        choice_3_key="may;be",
        choice_3_population="many",
    )
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {
        "label_en",
        "choice_2_label_en",
        "choice_3_key",
        "choice_3_population",
    }
    assert 'value="may;be"' in told(response)


@pytest.mark.parametrize(
    ("kind", "fields", "wrong"),
    [
        ("single", {"choice_0_label_en": "Only one"}, "choice_0_label_en"),
        ("scale", {"low": "1", "high": "50"}, "high"),
        ("scale", {"low": "", "high": "5"}, "low"),
        ("number", {"low": "ten"}, "low"),
        ("number", {"bands": "3, 2"}, "bands"),
        ("number", {"bands": "3, x"}, "bands"),
        ("short_text", {"key": "a"}, "key"),
        ("short_text", {"key": "a b"}, "key"),
        ("short_text", {"label_en": "a\0b"}, "label_en"),
        ("short_text", {"help_es": "x" * 5001}, "help_es"),
    ],
)
def test_each_mistake_stands_at_its_field(kind: str, fields: dict[str, str], wrong: str, client: Client) -> None:
    draft(slug="s")
    response = add(client, kind, **{"label_en": "Question?", **fields})
    assert wrong in response.context["form"].errors
    assert len(definition("s").questions) == 3


def test_more_choices_are_asked_for_without_losing_any(client: Client) -> None:
    draft(slug="s")
    response = add(client, "single", label_en="Q", choice_3_label_en="Kept", more_choices="1")
    assert response.status_code == 200
    assert 'name="choice_6_label_en"' in told(response)
    assert 'value="Kept"' in told(response)
    assert "alert-danger" not in told(response)


@pytest.mark.parametrize("rows", ["999999", "-1", "²", "x", ""])
def test_no_number_of_rows_breaks_the_form(rows: str, client: Client) -> None:
    draft(slug="s")
    response = client.post("/surveys/s/question/?kind=single", {"rows": rows, "label_en": "Q"})
    assert response.status_code == 422


def test_a_question_is_edited_moved_and_removed(client: Client) -> None:
    draft(slug="s")
    assert "About b?" in told(client.get("/surveys/s/question/b/"))
    client.post("/surveys/s/question/b/", {"key": "b.2", "label_en": "Anew?"})
    client.post("/surveys/s/question/b.2/move/", {"to": "0"})
    client.post("/surveys/s/question/c/remove/")
    assert [question.key for question in definition("s").questions] == ["b.2", "a"]
    assert definition("s").questions[0].label == {"en": "Anew?"}


@pytest.mark.parametrize("to", ["-1", "x", "", "99999", "²"])
def test_a_place_that_is_no_number_is_refused(to: str, client: Client) -> None:
    draft(slug="s")
    assert client.post("/surveys/s/question/a/move/", {"to": to}).status_code == 400


def test_a_question_that_somebody_removed_meanwhile_is_said_in_words(client: Client) -> None:
    draft(slug="s")
    assert client.get("/surveys/s/question/gone/").status_code == 404
    response = client.post("/surveys/s/question/gone/move/", {"to": "1"}, follow=True)
    assert "no longer there" in told(response)
    response = client.post("/surveys/s/question/gone/move/", {"to": "1"}, headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == "/surveys/s/"


def test_another_kind_keeps_what_both_kinds_have(client: Client) -> None:
    make_survey([{"key": "q", "choices": ["x", "y"]}], state="draft", slug="s")
    assert 'value="x"' in told(client.get("/surveys/s/question/q/?kind=multiple"))
    form = {"label_en": "Q?", "key": "q", "choice_0_label_en": "X", "choice_1_label_en": "Y", "rows": "3"}
    client.post("/surveys/s/question/q/?kind=multiple", form)
    assert definition("s").questions[0].kind == "multiple"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "settings/"),
        ("post", "settings/"),
        ("get", "question/"),
        ("get", "question/a/"),
        ("post", "question/a/"),
        ("post", "question/a/move/"),
        ("post", "question/a/remove/"),
        ("post", "delete/"),
    ],
)
@pytest.mark.parametrize("state", ["open", "closed"])
def test_an_opened_survey_can_be_seen_and_not_edited(method: str, path: str, state: str, client: Client) -> None:
    make_survey(THREE, slug="s", state=state)
    assert client.get("/surveys/s/").status_code == 200
    assert getattr(client, method)(f"/surveys/s/{path}", {"to": "1"}).status_code == 403


def test_what_is_not_translated_is_listed(client: Client) -> None:
    draft(slug="s", intro={"en": "Hello"})
    page = told(client.get("/surveys/s/"))
    assert "Not translated yet" in page
    assert "the introduction" in page


@pytest.mark.parametrize("state", ["draft", "open", "closed"])
def test_who_was_asked_can_be_said_at_any_time(state: str, client: Client) -> None:
    make_survey(slug="s", state=state)
    assert client.post("/surveys/s/method/", {"method_en": "In class."}).status_code == 302
    assert "In class." in told(client.get("/surveys/s/method/"))
    assert definition("s").method == {"en": "In class."}
    response = client.post("/surveys/s/method/", {"method_en": "x" * 5001})
    assert "method_en" in response.context["form"].errors


# --- Two people ---


def test_opening_is_proposed_by_one_and_approved_by_another(client: Client, organizer: Person) -> None:
    draft(slug="s")
    client.post("/surveys/s/propose/", {"to_state": "open"})
    change = SurveyChange.objects.get()
    assert change.proposed_by == organizer
    assert "A lead organizer other than the one who proposed it decides" in told(client.get("/surveys/s/"))
    approve = reverse("surveys:change-approve", args=["s", change.pk])
    assert client.post(approve).status_code == 403
    lead = signed_in(make_lead_organizer())
    assert "Approve and open" in told(lead.get("/surveys/s/"))
    assert lead.post(approve).status_code == 302
    assert Survey.objects.get().is_open
    assert lead.post(approve).status_code == 302  # pressed twice


def test_a_lead_organizer_cannot_approve_what_they_proposed(now: dt.datetime) -> None:
    lead = make_lead_organizer()
    change = propose_change(draft(slug="s"), to_state="open", by=lead, at=now)
    assert signed_in(lead).post(reverse("surveys:change-approve", args=["s", change.pk])).status_code == 403
    assert Survey.objects.get().is_draft


def test_a_change_is_approved_under_its_own_survey_only(organizer: Person, now: dt.datetime) -> None:
    change = propose_change(draft(slug="s"), to_state="open", by=organizer, at=now)
    draft(slug="other")
    lead = signed_in(make_lead_organizer())
    assert lead.post(reverse("surveys:change-approve", args=["other", change.pk])).status_code == 404
    assert lead.post(reverse("surveys:change-approve", args=["s", uuid4()])).status_code == 404


def test_a_proposal_is_withdrawn(client: Client, organizer: Person, now: dt.datetime) -> None:
    change = propose_change(draft(slug="s"), to_state="open", by=organizer, at=now)
    client.post(reverse("surveys:change-withdraw", args=["s", change.pk]))
    change.refresh_from_db()
    assert change.withdrawn_at is not None


@pytest.mark.parametrize("to_state", ["closed", "draft", "released", ""])
def test_only_the_next_state_can_be_proposed(to_state: str, client: Client) -> None:
    draft(slug="s")
    response = client.post("/surveys/s/propose/", {"to_state": to_state})
    assert response.status_code == 422
    assert "from draft to open to closed" in told(response)


def test_what_waits_for_approval_stands_on_the_page_of_today(organizer: Person, now: dt.datetime) -> None:
    lead = make_lead_organizer()
    propose_change(draft(slug="s", title={"en": "Safe"}), to_state="open", by=organizer, at=now)
    propose_change(make_survey(slug="t"), to_state="closed", by=lead, at=now)
    waiting = list(today.waiting(lead, at=now))
    assert [(str(item.title), item.url) for item in waiting] == [("Open the survey “Safe”?", "/surveys/s/")]
    assert list(today.waiting(organizer, at=now)) == []


# --- Seeing and showing it ---


def test_the_preview_shows_the_real_form_in_a_frame_from_where_nothing_is_sent(client: Client) -> None:
    draft(slug="s")
    page = told(client.get("/surveys/s/preview/?lang=es"))
    assert 'src="/surveys/s/preview/form/?lang=es"' in page
    assert "allow-forms" not in page.partition("<iframe")[2]
    form = client.get("/surveys/s/preview/form/?lang=es")
    assert "About a?" in told(form)
    assert form["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in form["Content-Security-Policy"]
    other = client.get("/surveys/s/preview/")
    assert other["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in other["Content-Security-Policy"]


def test_the_poster_speaks_its_language_and_leads_to_the_form_in_it(client: Client) -> None:
    make_survey(THREE, slug="s", takes_codes=True)
    response = client.get("/surveys/s/poster/es/")
    page = told(response)
    assert '<html lang="es"' in page
    assert "testserver<wbr>/s/<wbr>s</b>" in page
    assert page.count("<svg") >= 1
    assert client.get("/surveys/s/poster/ar/").status_code == 404


def test_the_code_on_the_poster_holds_the_address(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    make_code = segno.make

    def make(text: str, **given: Any) -> Any:
        made.append(text)
        return make_code(text, **given)

    monkeypatch.setattr("segno.make", make)
    make_survey(THREE, slug="s")
    client.get("/surveys/s/poster/es/")
    assert made == ["http://testserver/s/s/?lang=es"]


def test_an_anonymous_poster_promises_k_and_a_named_one_does_not(client: Client) -> None:
    make_survey(THREE, slug="s", k=15)
    make_survey(THREE, slug="n", mode="named")
    assert "fewer than 15 students are never shown" in told(client.get("/surveys/s/poster/en/"))
    assert "You give your name" in told(client.get("/surveys/n/poster/en/"))


# --- Who may ---

PAGES = [
    ("get", "/surveys/"),
    ("get", "/surveys/new/"),
    ("post", "/surveys/new/"),
    ("get", "/surveys/upload/"),
    ("post", "/surveys/upload/"),
    ("get", "/surveys/s/"),
    ("get", "/surveys/s/settings/"),
    ("post", "/surveys/s/settings/"),
    ("get", "/surveys/s/method/"),
    ("post", "/surveys/s/method/"),
    ("get", "/surveys/s/file.json"),
    ("post", "/surveys/s/delete/"),
    ("get", "/surveys/s/preview/"),
    ("get", "/surveys/s/preview/form/"),
    ("get", "/surveys/s/poster/en/"),
    ("get", "/surveys/s/question/"),
    ("post", "/surveys/s/question/?kind=short_text"),
    ("get", "/surveys/s/question/a/"),
    ("post", "/surveys/s/question/a/"),
    ("post", "/surveys/s/question/a/move/"),
    ("post", "/surveys/s/question/a/remove/"),
    ("post", "/surveys/s/propose/"),
    ("post", "/surveys/s/changes/00000000-0000-4000-8000-000000000000/approve/"),
    ("post", "/surveys/s/changes/00000000-0000-4000-8000-000000000000/withdraw/"),
]


@pytest.mark.parametrize(("method", "path"), PAGES)
def test_nobody_but_organizers_finds_the_builder(method: str, path: str) -> None:
    draft(slug="s")
    assert "/account/login/" in getattr(Client(), method)(path)["Location"]
    for person in (make_person(), make_trustee()):
        assert getattr(signed_in(person), method)(path).status_code == 404
    assert [question.key for question in definition("s").questions] == ["a", "b", "c"]


def test_a_role_that_is_taken_away_ends_with_the_next_request(client: Client, organizer: Person) -> None:
    assert client.get("/surveys/").status_code == 200
    Grant.objects.filter(person=organizer).update(until=dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
    assert client.get("/surveys/").status_code == 404


@pytest.mark.parametrize("slug", ["nowhere", "new"])
def test_a_survey_that_does_not_exist_is_not_found(slug: str, client: Client) -> None:
    assert client.get(f"/surveys/{slug}/poster/en/").status_code == 404
