"""The form as organizers see it before a survey opens: inside a frame of our own page, from where nothing is sent."""

from typing import cast

from csp.constants import SELF
from csp.decorators import csp_replace
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from organizing.people.models import Person
from surveys.answering import pages
from surveys.design.definition import definition_of
from surveys.design.models import Survey


@require_safe
@login_required
@xframe_options_sameorigin
@csp_replace({"frame-ancestors": [SELF]})  # type: ignore[arg-type]  # its types know views without arguments alone
def form_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """The page of students, whatever the survey's state. The frame that shows it lets no form be sent."""
    person = cast(Person, request.user)
    survey = get_object_or_404(Survey.objects.visible_to(person, at=timezone.now()), slug=slug)
    return pages.preview_page(request, definition_of(survey))
