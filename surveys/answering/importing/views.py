"""Answers from a file: sending one, and how far it is."""

import logging
from typing import cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe
from kombu.exceptions import KombuError

from organizing.people.models import Person
from organizing.web.answer import answer_with, go_to
from organizing.web.errors import Refused
from surveys.answering.importing.forms import ImportForm
from surveys.answering.importing.jobs import receive_file, refusal_path
from surveys.answering.importing.policy import may_import
from surveys.answering.importing.tasks import run_import
from surveys.answering.models import Import
from surveys.design.definition import definition_of
from surveys.design.models import Survey

EARLIER_MAX = 20  # files listed
log = logging.getLogger(__name__)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def import_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Send a file, and see those that were sent before."""
    person, at = cast(Person, request.user), timezone.now()
    survey = get_object_or_404(Survey.objects.visible_to(person, at=at), slug=slug)
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            job = receive_file(
                survey,
                form.cleaned_data["file"],
                by=person,
                at=at,
                language=get_language() or "en",
                all_or_nothing=form.cleaned_data["all_or_nothing"],
                only_check=form.cleaned_data["only_check"],
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            _ring(job)
            return go_to(request, "surveys:import-detail", slug, job.pk)
    return answer_with(
        request,
        "surveys/answering/import.html",
        "content",
        form=form,
        survey=survey,
        definition=definition_of(survey),
        may_import=may_import(person, survey, at=at),
        earlier=survey.imports.select_related("sent_by")[:EARLIER_MAX],
    )


def _ring(job: Import) -> None:
    """Say that a file waits. If nobody can be told, it is found within a minute."""
    try:
        run_import.apply_async([str(job.pk)], retry=False)
    except (KombuError, OSError):
        log.warning("The broker cannot be reached; a file of answers waits for the next round.")


def _job(request: HttpRequest, slug: str, pk: UUID) -> Import:
    jobs = Import.objects.visible_to(cast(Person, request.user), at=timezone.now())
    return get_object_or_404(jobs.select_related("survey", "sent_by"), survey__slug=slug, pk=pk)


@require_safe
@login_required
def import_detail(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    """How far the file is, and what became of it. Asks again by itself until it is over."""
    job = _job(request, slug, pk)
    return answer_with(
        request,
        "surveys/answering/import_detail.html",
        "progress",
        job=job,
        survey=job.survey,
        has_list=job.is_over and refusal_path(job).exists(),
    )


@require_safe
@login_required
def import_rejected(request: HttpRequest, slug: str, pk: UUID) -> FileResponse:
    """The list of rows that were not taken: lines and reasons, no answers."""
    job = _job(request, slug, pk)
    try:
        file = refusal_path(job).open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    return FileResponse(
        file,
        as_attachment=True,
        filename=f"{job.file_name}.rejected.csv",
        content_type="text/csv; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )
