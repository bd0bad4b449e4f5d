"""A form that strangers may send."""

import base64
import json
import threading
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from crispy_forms.utils import render_crispy_form
from django import forms
from django.db import IntegrityError, connection, models, transaction

from organizing.web.errors import Refused
from organizing.web.guard import FASTEST, GUARD_FIELDS, OLDEST, GuardedForm, stored_once
from tests.organizing.web.guarded import filled, make_table, solve


class SignupForm(GuardedForm):
    name = forms.CharField(max_length=20)


def fresh(now: datetime) -> SignupForm:
    return SignupForm(at=now)


def sent(data: dict[str, Any], at: datetime) -> SignupForm:
    return SignupForm(data, at=at)


def codes(form: forms.Form) -> list[str]:
    return [error.code or "" for error in form.non_field_errors().as_data()]


def test_a_person_who_takes_their_time_is_let_in_with_proof(now: datetime) -> None:
    page = fresh(now)
    form = sent(filled(page, name="Ana"), now + FASTEST)
    assert form.is_valid()
    assert form.proof_given
    assert form.submission_id == page.submission_id


def test_a_browser_without_javascript_is_let_in_without_proof(now: datetime) -> None:
    form = sent(filled(fresh(now), proof=False, name="Ana"), now + FASTEST)
    assert form.is_valid()
    assert not form.proof_given


def test_a_program_that_fills_every_field_is_caught(now: datetime) -> None:
    form = sent({**filled(fresh(now), name="Ana"), "homepage": "https://spam.example"}, now + FASTEST)
    assert codes(form) == ["trap"]


def test_a_form_filled_in_no_time_is_caught(now: datetime) -> None:
    form = sent(filled(fresh(now), name="Ana"), now + FASTEST - timedelta(milliseconds=1))
    assert codes(form) == ["quick"]


def test_who_was_too_quick_may_send_the_same_page_again(now: datetime) -> None:
    page = fresh(now)
    again = sent(filled(page, name="Ana"), now)
    assert not again.is_valid()
    form = sent(filled(again, name="Ana"), now + FASTEST)
    assert form.is_valid()
    assert form.proof_given
    assert form.submission_id == page.submission_id


def test_a_page_open_for_too_long_comes_back_fresh(now: datetime) -> None:
    page = fresh(now)
    late = now + OLDEST + timedelta(seconds=1)
    again = sent(filled(page, name="Ana"), late)
    assert codes(again) == ["stale"]
    form = sent(filled(again, name="Ana"), late + FASTEST)
    assert form.is_valid()
    assert form.submission_id != page.submission_id


@pytest.mark.parametrize("ticket", ["", "x", "a:b", "\0", "é", "x" * 100_000, f"{uuid.UUID(int=1)}:0"])
def test_a_ticket_that_the_server_did_not_write_is_refused(now: datetime, ticket: str) -> None:
    form = sent({**filled(fresh(now), name="Ana"), "ticket": ticket}, now + FASTEST)
    assert codes(form) == ["stale"]


def test_a_ticket_whose_time_was_altered_is_refused(now: datetime) -> None:
    data = filled(fresh(now), name="Ana")
    content, signature = data["ticket"].rsplit(":", 1)
    submission_id, _made_at = json.loads(base64.urlsafe_b64decode(content + "=="))
    older = json.dumps([submission_id, (now - OLDEST / 2).timestamp()]).encode()
    data["ticket"] = f"{base64.urlsafe_b64encode(older).decode().rstrip('=')}:{signature}"
    assert codes(sent(data, now)) == ["stale"]


def test_work_done_for_one_form_is_worth_nothing_on_another(now: datetime) -> None:
    first, second = filled(fresh(now), name="Ana"), filled(fresh(now), name="Bo")
    form = sent({**second, "proof": first["proof"]}, now + FASTEST)
    assert form.is_valid()
    assert not form.proof_given


def altered(proof: str, **changes: Any) -> str:
    return base64.b64encode(json.dumps({**json.loads(base64.b64decode(proof)), **changes}).encode()).decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 0},
        {"number": "1"},
        {"number": None},
        {"number": []},
        {"number": {}},
        {"algorithm": "SHA-1"},
        {"algorithm": "MD5"},
        {"algorithm": []},
        {"salt": 1},
        {"salt": ""},
        {"salt": "no-form&"},
        {"challenge": "0" * 64},
        {"signature": "0" * 64},
        {"signature": None},
    ],
)
def test_altered_work_is_no_proof(now: datetime, changes: dict[str, Any]) -> None:
    data = filled(fresh(now), name="Ana")
    form = sent({**data, "proof": altered(data["proof"], **changes)}, now + FASTEST)
    assert form.is_valid()
    assert not form.proof_given


@pytest.mark.parametrize(
    "proof",
    [
        "",
        "x",
        "====",
        "bnVsbA==",
        "W10=",
        "MQ==",
        "Int9Ig==",
        "//8=",
        "\0",
        "é",
        base64.b64encode(b"[" * 1400).decode(),
        "A" * 10**6,
    ],
)
def test_rubbish_is_no_proof(now: datetime, proof: str) -> None:
    form = sent({**filled(fresh(now), name="Ana"), "proof": proof}, now + FASTEST)
    assert form.is_valid()
    assert not form.proof_given


def test_a_page_shown_again_asks_for_new_work_and_keeps_what_was_typed(now: datetime) -> None:
    page = fresh(now)
    again = sent(filled(page, name="x" * 30), now + FASTEST)
    assert not again.is_valid()
    assert again["proof"].value() == ""
    assert again["name"].value() == "x" * 30
    form = sent(filled(again, name="Ana"), now + FASTEST)
    assert form.is_valid()
    assert form.proof_given


def test_the_guard_shows_by_itself_and_people_do_not_see_the_trap(now: datetime) -> None:
    for html in (str(fresh(now)), render_crispy_form(fresh(now))):
        assert html.count('name="ticket"') == html.count('name="proof"') == html.count('name="homepage"') == 1
        assert "data-challenge=" in html
        assert 'class="visually-hidden" aria-hidden="true"' in html
        assert 'tabindex="-1"' in html


def test_the_guard_fits_into_a_layout(now: datetime) -> None:
    helper = FormHelper()
    helper.layout = Layout("name", *GUARD_FIELDS)
    html = render_crispy_form(fresh(now), helper)
    assert html.count('name="ticket"') == html.count('name="proof"') == html.count('name="homepage"') == 1


def test_a_form_with_a_prefix_is_guarded_as_well(now: datetime) -> None:
    page = SignupForm(at=now, prefix="a")
    data = {f"a-{name}": value for name, value in filled(page, name="Ana").items()}
    form = SignupForm(data, at=now + FASTEST, prefix="a")
    assert form.is_valid()
    assert form.proof_given


def test_the_work_has_a_bound(now: datetime) -> None:
    challenge = json.loads(fresh(now).fields["proof"].widget.attrs["data-challenge"])
    assert challenge["maxNumber"] <= 30_000
    assert solve(json.dumps(challenge))


@pytest.fixture
def signups(transactional_db: None) -> Iterator[type[models.Model]]:
    table = make_table()
    yield table
    with connection.schema_editor() as editor:
        editor.delete_model(table)


@pytest.mark.django_db(transaction=True)
class TestRepeatedPosts:
    def test_a_doubled_post_lands_on_the_first_result(self, signups: type[models.Model]) -> None:
        submission_id = uuid.uuid4()
        rows = signups._default_manager.all()
        first, is_new = stored_once(rows, submission_id, lambda: rows.create(submission_id=submission_id, name="Ana"))
        second, is_second_new = stored_once(
            rows, submission_id, lambda: rows.create(submission_id=submission_id, name="Bo")
        )
        assert (first.pk, is_new, is_second_new) == (second.pk, True, False)
        assert rows.count() == 1

    def test_of_many_posts_at_once_one_is_stored_and_all_see_it(self, signups: type[models.Model]) -> None:
        rows = signups._default_manager.all()
        ids = [uuid.uuid4() for _ in range(8)]
        start = threading.Barrier(len(ids) * 5)
        landed: list[tuple[uuid.UUID, object, bool]] = []

        def post(submission_id: uuid.UUID, name: str) -> None:
            start.wait()
            try:
                row, is_new = stored_once(
                    rows.all(), submission_id, lambda: rows.create(submission_id=submission_id, name=name)
                )
                landed.append((submission_id, row.pk, is_new))
            finally:
                connection.close()

        threads = [
            threading.Thread(target=post, args=(id_, f"{id_.hex[:8]} {turn}")) for id_ in ids for turn in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(landed) == 40
        assert rows.count() == 8
        for id_ in ids:
            mine = [(pk, is_new) for submission_id, pk, is_new in landed if submission_id == id_]
            assert len({pk for pk, _ in mine}) == 1
            assert sum(is_new for _, is_new in mine) == 1

    def test_a_refusal_stores_nothing_and_the_form_can_be_sent_again(self, signups: type[models.Model]) -> None:
        submission_id = uuid.uuid4()
        rows = signups._default_manager.all()

        def refuse() -> models.Model:
            rows.create(submission_id=submission_id, name="Ana")
            raise Refused("full")

        with pytest.raises(Refused):
            stored_once(rows, submission_id, refuse)
        assert rows.count() == 0
        _row, is_new = stored_once(rows, submission_id, lambda: rows.create(submission_id=submission_id, name="Ana"))
        assert is_new

    def test_the_word_of_another_constraint_is_passed_on(self, signups: type[models.Model]) -> None:
        rows = signups._default_manager.all()
        rows.create(name="Ana")
        submission_id = uuid.uuid4()
        with transaction.atomic(), pytest.raises(IntegrityError):
            stored_once(rows, submission_id, lambda: rows.create(submission_id=submission_id, name="Ana"))
