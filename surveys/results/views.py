"""Results for everyone, their preview for organizers, and the review of free text for trustees."""

from collections.abc import Callable
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizing.people.models import Person
from organizing.people.step_up import steps_up
from organizing.web.csv import csv_response
from organizing.web.errors import Refused
from surveys.answering.models import TextAnswer
from surveys.design.models import Survey
from surveys.results import policy
from surveys.results.forms import NamesForm, ReviewForm
from surveys.results.models import Release, TextReview
from surveys.results.operations import (
    approve_publication,
    decide_text,
    make_release,
    named_rows,
    propose_publication,
    read_text,
)
from surveys.results.reports import (
    CSV_HEADER,
    counted,
    csv_rows,
    escalated_texts,
    published_surveys,
    review_queues,
    told_by,
    waiting_texts,
)


def _person(request: HttpRequest) -> Person:
    """The person signed in; every view that asks stands behind ``login_required``."""
    return cast(Person, request.user)


# --- For everyone --------------------------------------------------------------------------------------


@require_safe
def published_results(request: HttpRequest) -> HttpResponse:
    """What students said: every survey with a published release."""
    return render(request, "surveys/results/published.html", {"releases": published_surveys()})


@require_safe
@gzip_page  # many bars are alike; nothing here is secret, and no form has a token
def results(request: HttpRequest, slug: str, number: int | None = None) -> HttpResponse:
    """The newest published release of a survey, or the one of that number.

    Reads one release, never a tally or an answer.
    """
    survey = get_object_or_404(Survey.objects.exclude(state=Survey.State.DRAFT), slug=slug)
    published = survey.releases.published().newest_first()
    release = published.filter(number=number).first() if number else published.first()
    if release is None:
        if number:
            raise Http404
        return render(request, "surveys/results/none_yet.html", {"survey": survey}, status=404)
    release.survey = survey
    return render(
        request,
        "surveys/results/results.html",
        {
            "survey": survey,
            "told": told_by(release, _language()),
            "release": release,
            "releases": list(published.only("number", "made_on")),
        },
    )


def _numbered(releases: list[Release], number: int) -> Release:
    for release in releases:
        if release.number == number:
            return release
    raise Http404


def _language() -> str:
    return get_language() or "en"


@require_safe
def results_csv(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    return _as_csv(get_object_or_404(Release.objects.published(), survey__slug=slug, number=number))


@require_safe
def results_json(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    return _as_json(get_object_or_404(Release.objects.published(), survey__slug=slug, number=number))


def _as_csv(release: Release) -> HttpResponseBase:
    return csv_response(f"{release.tables['survey']}-{release.number}.csv", CSV_HEADER, csv_rows(release))


def _as_json(release: Release) -> HttpResponse:
    return JsonResponse(release.tables, json_dumps_params={"ensure_ascii": False, "indent": 2})


# --- For organizers --------------------------------------------------------------------------------------


def _survey(request: HttpRequest, slug: str) -> Survey:
    return get_object_or_404(Survey.objects.visible_to(_person(request), at=timezone.now()), slug=slug)


def _release(request: HttpRequest, slug: str, number: int) -> Release:
    return get_object_or_404(
        Release.objects.select_related("survey", "publication__proposed_by", "publication__approved_by"),
        survey=_survey(request, slug),
        number=number,
    )


@require_safe
@login_required
def results_preview(request: HttpRequest, slug: str, number: int | None = None) -> HttpResponse:
    """What a release tells, before it is published. For a survey with names: its counts."""
    survey = _survey(request, slug)
    if not survey.is_anonymous:
        return _show_counts(request, survey, NamesForm())
    return _show_preview(request, survey, number)


def _show_preview(request: HttpRequest, survey: Survey, number: int | None = None, refusal: str = "") -> HttpResponse:
    at = timezone.now()
    releases = list(
        survey.releases.newest_first().select_related("publication__proposed_by", "publication__approved_by")
    )
    if number and not releases:
        raise Http404
    release = _numbered(releases, number) if number else next(iter(releases), None)
    if release:
        release.survey = survey
    return render(
        request,
        "surveys/results/preview.html",
        {
            "survey": survey,
            "release": release,
            "told": told_by(release, _language()) if release else None,
            "releases": releases,
            "may_approve": release is not None and policy.may_approve_publication(_person(request), release, at=at),
            "refusal": refusal,
        },
        status=422 if refusal else 200,
    )


@require_POST
@login_required
def release_make(request: HttpRequest, slug: str) -> HttpResponse:
    survey, at = _survey(request, slug), timezone.now()
    if not policy.may_release(_person(request), at=at):
        raise PermissionDenied
    try:
        release = make_release(survey, at=at, by=_person(request))
    except Refused as refusal:
        if not survey.is_anonymous:
            return _show_counts(request, survey, NamesForm(), str(refusal))
        return _show_preview(request, survey, refusal=str(refusal))
    messages.success(
        request, _("Release {number} holds what may be told of the answers so far.").format(number=release.number)
    )
    return redirect("surveys:results-preview", slug=slug)


@require_POST
@login_required
def publication_propose(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    release, at = _release(request, slug, number), timezone.now()
    if not policy.may_propose_publication(_person(request), at=at):
        raise PermissionDenied
    propose_publication(release, by=_person(request), at=at)
    messages.success(request, _("Proposed. Another person, a lead organizer, decides."))
    return redirect("surveys:release-preview", slug=slug, number=number)


@require_POST
@login_required
def publication_approve(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    release, at = _release(request, slug, number), timezone.now()
    if not policy.may_decide_publications(_person(request), at=at):
        raise PermissionDenied
    try:
        approve_publication(release, by=_person(request), at=at)
    except Refused as refusal:
        return _show_preview(request, release.survey, number, str(refusal))
    messages.success(request, _("Published: everyone can read these results now."))
    return redirect("surveys:release-preview", slug=slug, number=number)


@require_safe
@login_required
def preview_csv(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    return _as_csv(_release(request, slug, number))


@require_safe
@login_required
def preview_json(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    return _as_json(_release(request, slug, number))


def _show_counts(request: HttpRequest, survey: Survey, form: NamesForm, refusal: str = "") -> HttpResponse:
    answered, questions = counted(survey, _language())
    return render(
        request,
        "surveys/results/counts.html",
        {
            "survey": survey,
            "answered": answered,
            "questions": questions,
            "form": form,
            "refusal": refusal,
            "with_contact": policy.may_see_contact(_person(request), at=timezone.now()),
        },
        status=422 if form.is_bound or refusal else 200,
    )


# Whoever takes names away proves once more who they are: a forgotten open session is not enough.
@require_POST
@login_required
@steps_up
def names_export(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The answers of a survey with names, as CSV. Never of an anonymous one."""
    survey, at, person = _survey(request, slug), timezone.now(), _person(request)
    if not policy.may_see_names(person, at=at):
        raise PermissionDenied
    if survey.is_anonymous:
        raise Http404
    form = NamesForm(request.POST)
    if not form.is_valid():
        return _show_counts(request, survey, form)
    header, rows = named_rows(
        survey,
        with_contact=policy.may_see_contact(person, at=at),
        reason=form.cleaned_data["reason"],
        by=person,
        at=at,
    )
    return csv_response(f"{survey.slug}-names.csv", header, rows)


# --- For trustees ----------------------------------------------------------------------------------------


def _for_trustees(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Only trustees learn that the page is there."""

    @login_required
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not policy.may_review_texts(_person(request), at=timezone.now()):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@_for_trustees
def text_list(request: HttpRequest) -> HttpResponse:
    """Which texts wait for this trustee, and which were escalated. No text is read here."""
    return render(request, "surveys/results/text_list.html", {"queues": review_queues(_person(request))})


@require_http_methods(["GET", "HEAD", "POST"])
@_for_trustees
def text_review(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Read one text and decide on it. Each reading is written down."""
    person, at = _person(request), timezone.now()
    text = get_object_or_404(TextAnswer.objects.select_related("survey", "question"), pk=pk)
    waiting = waiting_texts(text.survey, reviewer=person)
    is_waiting = waiting.filter(pk=pk).exists()
    is_escalated = escalated_texts(text.survey).filter(pk=pk).exists()
    if not is_waiting and not is_escalated:
        return redirect("surveys:text-list")
    form = ReviewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            decide_text(text, **form.cleaned_data, by=person, at=at)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _done(form.cleaned_data["decision"]))
            following = waiting.first()
            return redirect("surveys:text-review", pk=following.pk) if following else redirect("surveys:text-list")
    words, proposed = read_text(text, by=person, at=at)
    if not form.is_bound:
        form = ReviewForm(initial={"wording": proposed or words})
    return render(
        request,
        "surveys/results/text_review.html",
        {
            "text": text,
            "words": words,
            "proposed": proposed,
            "form": form,
            "is_waiting": is_waiting,
            "waiting": waiting.count(),
        },
        status=422 if form.is_bound else 200,
    )


def _done(decision: str) -> str:
    return {
        TextReview.Decision.APPROVE.value: _("Approved. It is told once another trustee approves the same wording."),
        TextReview.Decision.WITHHOLD.value: _("Withheld. Nobody is shown this text."),
        TextReview.Decision.ESCALATE.value: _("Escalated. The text stays with the trustees."),
    }[decision]
