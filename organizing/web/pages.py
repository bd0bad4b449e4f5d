"""Pages that belong to no feature: the front page, the privacy promise, the two homes, the style page."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language

from organizing.roles import policy
from organizing.web import today as waiting
from organizing.web.style import SampleForm

# Choosing a language stores a cookie and nothing else, so a forged request does no harm. Exempt, the public pages
# need no CSRF token, and hand no cookie to somebody who only reads.
language_set = csrf_exempt(require_POST(set_language))


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    at = timezone.now()
    return render(
        request,
        "web/home.html",
        {
            "asks": waiting.items(settings.ASKS, person=request.user, at=at),
            "findings": waiting.items(settings.FINDINGS, person=request.user, at=at),
        },
    )


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "web/privacy.html")


@require_safe
@login_required
def member_home(request: HttpRequest) -> HttpResponse:
    at = timezone.now()
    return render(request, "web/member_home.html", {"items": waiting.items(settings.TO_DO, person=request.user, at=at)})


@require_safe
@login_required
def today(request: HttpRequest) -> HttpResponse:
    at = timezone.now()
    if not policy.is_organizer(request.user, at=at):
        raise Http404
    items = waiting.items(settings.TODAY, person=request.user, at=at)
    return render(request, "web/today.html", {"items": items, "at": at})


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    """Show every component on one page, for whoever builds the next one. Not on a real site."""
    _only_while_building()
    wrong = SampleForm({"name": "", "email": "nobody", "school": "", "going": "yes"})
    return render(request, "web/style.html", {"form": SampleForm(), "wrong": wrong})


@require_safe
def style_survey(request: HttpRequest) -> HttpResponse:
    """Show what a survey is made of, in the survey shell."""
    _only_while_building()
    return render(request, "web/style_survey.html")


def _only_while_building() -> None:
    if not (settings.DEBUG or settings.DEMO):
        raise Http404
