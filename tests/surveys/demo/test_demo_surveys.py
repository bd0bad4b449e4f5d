"""The two surveys of the demonstration."""

import datetime as dt

import pytest

from surveys import demo
from surveys.answering.models import Response, Tally, TextAnswer
from surveys.design.models import Survey
from surveys.results.models import Release
from tests.factories import make_lead_organizer, make_organizer

pytestmark = pytest.mark.django_db


def test_one_survey_is_open_and_the_other_one_published(now: dt.datetime) -> None:
    make_organizer()
    make_lead_organizer()
    demo.load(at=now)
    assert dict(Survey.objects.values_list("slug", "state")) == {"police-in-schools": "open", "adelaide": "closed"}
    (release,) = Release.objects.published()
    assert release.survey.slug == "adelaide"
    assert Response.objects.filter(survey__slug="police-in-schools").count() == 148
    assert TextAnswer.objects.count() == len(demo.WORDS) >= 10


def test_one_school_is_too_small_to_be_shown(now: dt.datetime) -> None:
    demo.load(at=now)
    sizes = Tally.objects.filter(survey__slug="police-in-schools", dimension="school", question="", count__gt=0)
    assert sizes.get(value="night").count == 4
    assert sum(size.count < 10 for size in sizes) == 1


def test_loading_twice_changes_nothing(now: dt.datetime) -> None:
    demo.load(at=now)
    before = list(Tally.objects.order_by("pk").values_list("pk", "count"))
    demo.load(at=now + dt.timedelta(days=1))
    assert list(Tally.objects.order_by("pk").values_list("pk", "count")) == before
    assert Survey.objects.count() == 2
