from datetime import datetime

import pytest
from django.contrib.auth.models import AnonymousUser

from surveys.design.models import Survey
from surveys.design.today import asks
from tests.factories import make_survey

pytestmark = pytest.mark.django_db
QUESTIONS = [{"key": "school", "choices": ["x", "y"]}]


def test_the_front_page_asks_for_open_surveys_only(now: datetime) -> None:
    for state in ("draft", "open", "closed"):
        make_survey(QUESTIONS, state=state, slug=state)
    assert [ask.url for ask in asks(AnonymousUser(), at=now)] == ["/s/open/"]


def test_a_survey_that_takes_codes_is_handed_out_and_not_listed(now: datetime) -> None:
    make_survey(QUESTIONS, state="open", slug="by-code", takes_codes=True)
    assert list(asks(AnonymousUser(), at=now)) == []


def test_an_ask_says_how_long_it_is_and_whether_a_name_is_wanted(now: datetime) -> None:
    make_survey(QUESTIONS, state="open", slug="anonymous")
    make_survey(QUESTIONS, state="open", slug="named", mode=Survey.Mode.NAMED)
    details = {ask.url: ask.detail for ask in asks(AnonymousUser(), at=now)}
    assert details == {"/s/anonymous/": "1 question, without your name.", "/s/named/": "1 question, with your name."}
