"""What about surveys waits for whom; see ``organizing.web.today``."""

from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from organizing.people.models import Person
from organizing.web.today import Item
from surveys.design.models import Survey, SurveyChange
from surveys.design.policy import may_approve


def waiting(person: Person, *, at: datetime) -> Iterator[Item]:
    """Openings and closings that this lead organizer may approve, oldest first."""
    for change in SurveyChange.objects.waiting().select_related("survey", "proposed_by").order_by("proposed_at"):
        if may_approve(person, change, at=at):
            opens = change.to_state == Survey.State.OPEN
            question = _("Open the survey “%(survey)s”?") if opens else _("Close the survey “%(survey)s”?")
            yield Item(
                question % {"survey": change.survey},
                reverse("surveys:survey-detail", args=[change.survey.slug]),
                _("Proposed by %(person)s") % {"person": change.proposed_by},
            )


def asks(person: Person | AnonymousUser, *, at: datetime) -> Iterator[Item]:
    """Open surveys that anybody may answer, newest first. One that takes codes is handed out, so it is not listed."""
    for survey in Survey.objects.open().filter(takes_codes=False).prefetch_related("questions").order_by("-opened_at"):
        n = len(survey.questions.all())
        if survey.is_anonymous:
            detail = ngettext("{n} question, without your name.", "{n} questions, without your name.", n)
        else:
            detail = ngettext("{n} question, with your name.", "{n} questions, with your name.", n)
        yield Item(
            _("Answer “{survey}”").format(survey=survey),
            reverse("surveys:answer", args=[survey.slug]),
            detail.format(n=n),
        )
