"""What people type is shown as text, on every page, however it came there."""

from html.parser import HTMLParser

import pytest
from django.db import transaction
from django.test import Client

from organizing.people.models import Person
from tests.factories import make_lead_organizer, make_organization, make_person, make_survey, make_trustee
from tests.organizing.web.every_page import every_path
from tests.web_payloads import SCRIPTS, live_parts

pytestmark = pytest.mark.django_db

PAGES = [
    *("/", "/results/", "/s/walk-home/", "/s/walk-home/thanks/", "/s/walk-home/results/", "/stay-in-touch/"),
    *("/home/", "/today/", "/me/", "/me/privacy/", "/people/", "/people/{person}/", "/roles/", "/log/", "/settings/"),
    *("/surveys/", "/surveys/walk-home/", "/surveys/walk-home/poster/en/", "/surveys/walk-home/preview/form/"),
    *("/surveys/walk-home/results/", "/surveys/walk-home/codes/", "/surveys/walk-home/answers/"),
    *("/surveys/draft/question/safe/", "/surveys/draft/settings/", "/account/email/", "/account/login/"),
]


# Names have up to 120 letters, so a few go into one.
@pytest.mark.parametrize("payload", [" ".join(SCRIPTS[start : start + 3]) for start in range(0, len(SCRIPTS), 3)])
def test_what_was_stored_is_shown_as_text(client: Client, payload: str) -> None:
    make_organization(name=payload[:120], contact_email="hello@example.org")
    label = {"en": payload, "es": payload}
    questions = [{"key": "safe", "kind": "single", "choices": ["yes", "no"], "label": label, "help": label}]
    for slug, state in (("walk-home", "open"), ("draft", "draft")):
        survey = make_survey(questions, slug=slug, state="draft", title=label, intro=label)
        for question in survey.questions.all():
            question.choices.update(label=label)
        if state == "open":
            type(survey).objects.filter(pk=survey.pk).update(state="open", opened_at="2026-09-01T00:00:00Z")
    person = make_person(display_name=payload[:120], pronouns=payload[:40])
    lead = make_lead_organizer(display_name=payload[:120], pronouns=payload[:40])
    client.force_login(lead)
    shown = 0
    for page in PAGES:
        response = client.get(page.format(person=person.pk))
        assert response.status_code in (200, 302, 404), page
        html = response.content.decode()
        assert live_parts(html) == [], page
        shown += payload[:8] in html or "&lt;" in html or "&#x27;" in html or "&quot;" in html
    assert shown > 5


class Fields(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("input", "textarea", "select"):
            self.names.add(dict(attrs).get("name") or "")


@pytest.fixture(params=["nobody", "lead", "trustee"])
def somebody(request: pytest.FixtureRequest, client: Client) -> Person | None:
    make_organization()
    make_survey(slug="walk-home", state="draft")
    if request.param == "nobody":
        return None
    person = make_trustee() if request.param == "trustee" else make_lead_organizer()
    client.force_login(person)
    return person


def test_what_is_sent_comes_back_as_text(client: Client, somebody: Person | None) -> None:
    payload = SCRIPTS[5] + SCRIPTS[7]
    client.raise_request_exception = False
    wrong = []
    posted = 0
    for path in every_path():
        page = client.get(path, {"q": payload, "next": payload, "page": payload, "language": payload})
        html = page.content.decode() if not page.streaming else ""
        wrong += [f"GET {path}: {part}" for part in live_parts(html)]
        fields = Fields(html).names - {"", "csrfmiddlewaretoken"}
        if page.status_code == 200 and fields:
            posted += 1
            with transaction.atomic():  # nothing that is done stays done: some pages delete things
                answer = client.post(path, dict.fromkeys(fields, payload))
                transaction.set_rollback(True)
            wrong += [f"POST {path}: {part}" for part in live_parts(answer.content.decode())]
            if answer.status_code >= 500:
                wrong.append(f"POST {path}: {answer.status_code}")
    assert wrong == []
    assert posted >= 2


@pytest.mark.parametrize("payload", [script for script in SCRIPTS if "<" in script and "＜" not in script])
def test_the_judge_sees_what_would_run(payload: str) -> None:
    assert live_parts(f"<p>{payload}</p>") or live_parts(f'<input value="{payload}">')
