"""What students open, and where organizers print codes."""

from collections.abc import Callable
from typing import TypeVar, cast
from uuid import UUID

import segno
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import InterfaceError, OperationalError, connection
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    RawPostDataException,
    UnreadablePostError,
)
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from organizing.people.models import Person
from organizing.web.errors import Refused
from surveys.answering import forms, pages
from surveys.answering.forms import CodesForm
from surveys.answering.operations import (
    FoundCode,
    Outcome,
    code_counts,
    code_is_gone,
    find_code,
    is_open,
    print_codes,
    store_answers,
    store_named_answers,
    was_sent,
)
from surveys.design.definition import Definition, definition_of, load_definition
from surveys.design.models import Survey

Result = TypeVar("Result")

# Surveys that this process has seen open. What they ask cannot change any more; whether they still are open is asked
# each time, by the statement that stores.
_seen_open: dict[str, Definition] = {}


def answer(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The form, and where it is sent. One statement each: is the survey open? Store this if it is."""
    match request.method:
        case "GET" | "HEAD":
            return _show(request, slug)
        case "POST":
            return _receive(request, slug)
        case _:
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])


def thanks(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What was saved, and what comes next. The same for everyone who sent an answer, however often."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    definition = _seen_open.get(slug) or _steadily(lambda: load_definition(slug))
    if definition is None or definition.state == "draft":
        return pages.unknown_page(request)
    return pages.thanks_page(request, definition)


def _show(request: HttpRequest, slug: str) -> HttpResponse:
    seen = _seen_open.get(slug)
    if seen is not None and _steadily(lambda: is_open(seen.id)):
        return pages.form_page(request, seen)
    definition = _steadily(lambda: load_definition(slug))
    if definition is None or definition.state == "draft":
        return pages.unknown_page(request)
    if not definition.is_open:
        return pages.closed_page(request, definition)
    _seen_open[slug] = definition
    return pages.form_page(request, definition)


def _receive(request: HttpRequest, slug: str) -> HttpResponse:
    if comes_from_elsewhere(request):
        return pages.elsewhere_page(request)
    if request.content_type != "application/x-www-form-urlencoded":
        return pages.unreadable_page(request, 415)  # our form sends no files, and strangers need no parser for them
    try:
        data = request.POST
    except (BadRequest, SuspiciousOperation, UnreadablePostError, RawPostDataException):
        return pages.unreadable_page(request)
    definition = _seen_open.get(slug) or _steadily(lambda: load_definition(slug))
    if definition is None or definition.state == "draft":
        return pages.unknown_page(request)
    language = pages.language_of(request, definition.languages)
    with translation.override(language):
        found: FoundCode | None = None
        code_error = ""
        if definition.takes_codes:
            try:
                found = _steadily(lambda: find_code(definition.id, data.get("code", "")))
            except Refused as refusal:
                code_error = str(refusal)
        reading = forms.read(definition, data, found.preset if found else {})
        submission_id = reading.submission_id
        if code_error:
            # A form that was sent before has destroyed its code. It comes again when the thank-you page got lost.
            if submission_id is not None and _steadily(lambda: was_sent(submission_id)):
                return _to_thanks(request, language)
            reading.errors = {"code": code_error, **reading.errors}
        summary = ""
        if reading.is_trapped:
            # A program does this, or a browser that fills in too much. People find the field emptied, and send again.
            summary = _("Something was filled in that people do not see. We have emptied it. Please send again.")
        elif submission_id is None:
            summary = _("This form has lost its number. It has a new one now. Please send again.")
        if summary or reading.errors or submission_id is None:
            return pages.form_again_page(
                request,
                definition,
                language=language,
                submission_id=submission_id,
                errors=reading.errors,
                summary=summary,
            )
        outcome = _steadily(lambda: _store(definition, submission_id, reading, found, language))
        if outcome is Outcome.CODE_SPENT:
            return pages.form_again_page(
                request,
                definition,
                language=language,
                submission_id=submission_id,
                errors={"code": code_is_gone()},
                summary="",
            )
    if outcome is Outcome.CLOSED:
        _seen_open.pop(slug, None)
        now = _steadily(lambda: load_definition(slug))
        if now is None:
            return pages.unknown_page(request)
        if now.id != definition.id:
            return _receive(request, slug)  # a restored database may hold another survey at the same address
        return pages.closed_page(request, now)
    return _to_thanks(request, language)


def _store(
    definition: Definition,
    submission_id: UUID,
    reading: forms.Reading,
    found: FoundCode | None,
    language: str,
) -> Outcome:
    if definition.is_anonymous:
        return store_answers(
            definition.id,
            submission_id=submission_id,
            answers=reading.answers,
            texts=reading.texts,
            code=found,
        )
    return store_named_answers(
        definition.id,
        submission_id=submission_id,
        name=reading.name,
        email=reading.email,
        consent=definition.consent_in(language),
        answers={**reading.answers, **reading.texts},
        code=found,
        at=timezone.now(),
    )


def _to_thanks(request: HttpRequest, language: str) -> HttpResponse:
    """303: the browser fetches the next page, and a reload sends nothing again."""
    return HttpResponse(status=303, headers={"Location": f"{request.path}thanks/?lang={language}"})


def comes_from_elsewhere(request: HttpRequest) -> bool:
    """Tell whether another site's page made the browser send this.

    A CSRF token would need a cookie, and a cookie is a trace. There is nothing to ride on either: without session or
    account a forged form does no more than its author could do directly. What remains is another site making its
    visitors' browsers answer for it, and browsers say where a form comes from: all of today's in ``Sec-Fetch-Site``,
    older ones in ``Origin``. A request with neither is no browser's of the last ten years, and forges nobody.
    """
    site = request.META.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.META.get("HTTP_ORIGIN")
    return origin is not None and origin != f"{request.scheme}://{request.get_host()}"


def _steadily(work: Callable[[], Result]) -> Result:
    """Do the work on the connection at hand, and once more on a new one if that one was dead.

    Django asks a kept connection whether it lives before each request: one more way to the server and back, for nothing
    nearly always. Twice is safe, because nothing here happens twice under one ``submission_id``.
    """
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return work()
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return work()


# --- For organizers -------------------------------------------------------------------------------


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code_list(request: HttpRequest, slug: str) -> HttpResponse:
    """How many codes there are, and a form to print more. Sending it answers with the slips, this once."""
    person = cast(Person, request.user)
    at = timezone.now()
    survey = get_object_or_404(Survey.objects.visible_to(person, at=at), slug=slug)
    definition = definition_of(survey)
    form = CodesForm(definition, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        language = form.cleaned_data["language"]
        try:
            codes = print_codes(
                survey,
                batch_id=form.cleaned_data["batch_id"],
                count=form.cleaned_data["count"],
                preset=form.preset(),
                by=person,
                at=at,
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            address = request.build_absolute_uri(reverse("surveys:answer", args=[slug]))
            with translation.override(language):
                return render(
                    request,
                    "surveys/answering/slips.html",
                    {
                        "title": definition.title_in(language),
                        "address": address.partition("://")[2].rstrip("/"),
                        "slips": [(code, _qr(f"{address}?lang={language}#{code}")) for code in codes],
                        "survey": survey,
                    },
                )
    counts = code_counts(survey)
    return render(request, "surveys/answering/codes.html", {"survey": survey, "form": form, "counts": counts})


def _qr(address: str) -> SafeString:
    """The address as a QR code: SVG without styles. Level M still reads from a folded slip."""
    svg = segno.make(address, error="m", micro=False).svg_inline(border=4, omitsize=True, svgclass="qr", lineclass=None)
    return mark_safe(svg)  # noqa: S308 - made of squares, holds nothing of the address
