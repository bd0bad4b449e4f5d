"""The builder: organizers make surveys, and a second person opens and closes them.

Every view that changes something answers a refusal with the page it came from and everything that was typed.
"""

from typing import cast
from uuid import UUID

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizing.people.models import Organization, Person
from organizing.web.errors import Refused
from surveys.design import operations, policy, portable, reports
from surveys.design.definition import Definition, QuestionDefinition, definition_of
from surveys.design.forms import BLANK_CHOICES, MethodForm, QuestionForm, SettingsForm, UploadForm
from surveys.design.models import Question, Survey, SurveyChange

FORM_METHODS = require_http_methods(["GET", "HEAD", "POST"])


def _person(request: HttpRequest) -> Person:
    """The person signed in; every view here stands behind ``login_required``."""
    return cast(Person, request.user)


def _designer(request: HttpRequest) -> Person:
    """The organizer signed in. To everybody else there is no builder."""
    person = _person(request)
    if not policy.may_design(person, at=timezone.now()):
        raise Http404
    return person


def _survey(request: HttpRequest, slug: str) -> Survey:
    return get_object_or_404(Survey.objects.visible_to(_person(request), at=timezone.now()), slug=slug)


def _draft(request: HttpRequest, slug: str) -> Survey:
    """A survey that can be edited. An opened one is there to be seen and cannot be edited by anybody: 403."""
    survey = _survey(request, slug)
    if not survey.is_draft:
        raise PermissionDenied
    return survey


def _spoken() -> list[str]:
    """Codes of the languages that the organization speaks, the first one first."""
    organization = Organization.objects.first()
    return list(organization.languages) if organization and organization.languages else ["en", "es"]


def _language(definition: Definition) -> str:
    """The language to show a survey in: the reader's, if it has it, else one it has."""
    code = (get_language() or "en").split("-")[0]
    return code if code in definition.languages else next(iter(definition.languages), "en")


# --- Surveys ---


@require_safe
@login_required
def survey_list(request: HttpRequest) -> HttpResponse:
    person = _designer(request)
    surveys = Survey.objects.visible_to(person, at=timezone.now()).with_question_count()
    return render(request, "surveys/design/list.html", {"surveys": surveys, "form": UploadForm()})


@FORM_METHODS
@login_required
def survey_new(request: HttpRequest) -> HttpResponse:
    person = _designer(request)
    languages = _chosen_languages(request, _spoken())
    form = SettingsForm(request.POST or None, content=None, languages=languages)
    if request.method == "POST" and "add_language" not in request.POST and form.is_valid():
        try:
            survey = operations.create_survey(form.settings, by=person, at=timezone.now())
        except Refused as refusal:
            form.add_error("slug", str(refusal))
        else:
            messages.success(request, _("Saved. Now write the questions."))
            return redirect("surveys:survey-detail", survey.slug)
    return _settings_page(request, form, None)


@FORM_METHODS
@login_required
def survey_edit(request: HttpRequest, slug: str) -> HttpResponse:
    survey = _draft(request, slug)
    definition = definition_of(survey)
    languages = _chosen_languages(request, reports.offered_languages(definition, _spoken()))
    form = SettingsForm(request.POST or None, content=definition.content, languages=languages)
    if request.method == "POST" and "add_language" not in request.POST and form.is_valid():
        try:
            survey = operations.edit_settings(survey, form.settings, by=_person(request), at=timezone.now())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Saved."))
            return redirect("surveys:survey-detail", survey.slug)
    return _settings_page(request, form, survey)


def _settings_page(request: HttpRequest, form: SettingsForm, survey: Survey | None) -> HttpResponse:
    if "add_language" in request.POST:
        form.show_as_typed()
    known = [reports.language(code) for code in portable.known_languages() if code not in form.languages]
    return render(
        request,
        "surveys/design/settings.html",
        {
            "form": form,
            "survey": survey,
            "texts": form.by_language(),
            "languages": [reports.language(code) for code in form.languages],
            "more_languages": sorted(known, key=lambda language: language.name.casefold()),
        },
        status=422 if form.is_bound and form.errors else 200,
    )


def _chosen_languages(request: HttpRequest, offered: list[str]) -> list[str]:
    """The languages that a form shows: those offered, those it showed before, and the one that was just added."""
    asked = [*request.POST.getlist("languages"), request.POST.get("more", "") if "add_language" in request.POST else ""]
    known = portable.known_languages()
    return list(dict.fromkeys([*offered, *(code for code in asked if code in known)]))


@FORM_METHODS
@login_required
def survey_upload(request: HttpRequest) -> HttpResponse:
    person = _designer(request)
    form = UploadForm(request.POST or None, request.FILES or None)
    problems: list[portable.Problem] = []
    if request.method == "POST" and form.is_valid():
        try:
            content = portable.parse(form.cleaned_data["file"])
            survey, outcome = operations.save_survey(content, by=person, at=timezone.now())
        except portable.NotASurvey as refusal:
            problems = refusal.problems
        except Refused as refusal:
            form.add_error("file", str(refusal))
        else:
            told = {
                operations.Outcome.CREATED: _("The survey has been made from the file."),
                operations.Outcome.REPLACED: _("The draft has been replaced by the file."),
                operations.Outcome.UNCHANGED: _("The file holds what the survey holds already; nothing has changed."),
            }
            messages.success(request, told[outcome])
            return redirect("surveys:survey-detail", survey.slug)
    is_wrong = bool(problems or (form.is_bound and form.errors))
    context = {"form": form, "problems": problems[: portable.NotASurvey.TOLD_MAX], "problem_count": len(problems)}
    return render(request, "surveys/design/upload.html", context, status=422 if is_wrong else 200)


@require_safe
@login_required
def survey_file(request: HttpRequest, slug: str) -> HttpResponse:
    """The survey as a portable file."""
    survey = _survey(request, slug)
    return HttpResponse(
        portable.write(definition_of(survey).content),
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{survey.slug}.json"'},
    )


@require_safe
@login_required
def survey_detail(request: HttpRequest, slug: str) -> HttpResponse:
    return _show(request, _survey(request, slug))


def _show(request: HttpRequest, survey: Survey, refusal: str = "") -> HttpResponse:
    at = timezone.now()
    person = _person(request)
    definition = definition_of(survey)
    change = survey.changes.waiting().select_related("proposed_by").first()
    return render(
        request,
        "surveys/design/detail.html",
        {
            "survey": survey,
            "definition": definition,
            "title": definition.title_in(_language(definition)),
            "intro": definition.intro_in(_language(definition)),
            "languages": [reports.language(code) for code in definition.languages],
            "questions": reports.told_questions(definition, _language(definition)),
            "dimensions": [
                definition.question_by_key[key].label_in(_language(definition)) for key in definition.dimensions
            ],
            "gaps": reports.gaps(definition) if survey.is_draft else [],
            "change": change,
            "next_state": operations.next_state(survey),
            "may_approve": change is not None and policy.may_approve(person, change, at=at),
            "address": _address(request, survey.slug),
            "refusal": refusal,
        },
        status=422 if refusal else 200,
    )


@FORM_METHODS
@login_required
def survey_method(request: HttpRequest, slug: str) -> HttpResponse:
    """Who was asked and how: the one text that may change once a survey has opened."""
    survey = _survey(request, slug)
    definition = definition_of(survey)
    form = MethodForm(
        request.POST or None, method=definition.method, languages=list(definition.languages) or _spoken()[:1]
    )
    if request.method == "POST" and form.is_valid():
        operations.edit_method(survey, form.method, by=_person(request), at=timezone.now())
        messages.success(request, _("Saved. Releases made from now on tell it."))
        return redirect("surveys:survey-detail", slug)
    context = {"form": form, "survey": survey, "texts": form.by_language()}
    return render(request, "surveys/design/method.html", context, status=422 if form.is_bound else 200)


@require_POST
@login_required
def survey_delete(request: HttpRequest, slug: str) -> HttpResponse:
    survey = _draft(request, slug)
    try:
        operations.delete_draft(survey, by=_person(request), at=timezone.now())
    except Refused as refusal:
        return _show(request, survey, str(refusal))
    messages.success(request, _("The draft has been deleted."))
    return redirect("surveys:survey-list")


# --- Questions ---


@FORM_METHODS
@login_required
def question_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Without a kind: the six kinds to choose from. With one: the question's form."""
    survey = _draft(request, slug)
    kind = request.GET.get("kind", "")
    if kind not in Question.Kind.values:
        return render(request, "surveys/design/kinds.html", {"survey": survey, "kinds": Question.Kind})
    return _question_page(request, survey, kind, None)


@FORM_METHODS
@login_required
def question_edit(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    survey = _draft(request, slug)
    question = definition_of(survey).question_by_key.get(key)
    if question is None:
        raise Http404
    kind = request.GET.get("kind", "")
    return _question_page(request, survey, kind if kind in Question.Kind.values else question.kind, question)


def _question_page(
    request: HttpRequest, survey: Survey, kind: str, question: QuestionDefinition | None
) -> HttpResponse:
    """Show the form of a question and take it. "More choices" and the like show it again with all that was typed."""
    content = definition_of(survey).content
    rows = _rows(request, len(question.choices) + 1 if question else BLANK_CHOICES)
    form = QuestionForm(
        request.POST or None,
        kind=kind,
        question=question,
        rows=rows,
        languages=reports.offered_languages(content, _spoken()),
        taken_keys=[each.key for each in content.questions if question is None or each.key != question.key],
    )
    if request.method == "POST" and "more_choices" not in request.POST and form.is_valid():
        try:
            _save_question(survey, question, form.question, by=_person(request))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Saved."))
            return redirect(reverse("surveys:survey-detail", args=[survey.slug]) + "#questions")
    if "more_choices" in request.POST:
        form.show_as_typed()
    return render(
        request,
        "surveys/design/question.html",
        {
            "form": form,
            "survey": survey,
            "question": question,
            "kind": Question.Kind(kind),
            "kinds": Question.Kind,
            "languages": [reports.language(code) for code in form.languages],
            "texts": form.by_language(),
            "choices": form.choice_rows(),
        },
        status=422 if form.is_bound and form.errors else 200,
    )


def _rows(request: HttpRequest, start: int) -> int:
    """How many rows for choices a form shows."""
    if request.method != "POST":
        return min(start, portable.CHOICES_MAX)
    typed = request.POST.get("rows", "")
    rows = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else start
    return min(rows + (BLANK_CHOICES if "more_choices" in request.POST else 0), portable.CHOICES_MAX)


def _save_question(survey: Survey, old: QuestionDefinition | None, new: QuestionDefinition, *, by: Person) -> None:
    if old is None:
        operations.add_question(survey, new, by=by, at=timezone.now())
    else:
        operations.edit_question(survey, old.key, new, by=by, at=timezone.now())


@require_POST
@login_required
def question_move(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    survey = _draft(request, slug)
    to = request.POST.get("to", "")
    if not (to.isascii() and to.isdigit() and len(to) < 4):
        return HttpResponse(status=400)
    try:
        operations.move_question(survey, key, to=int(to), by=_person(request), at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        if "HX-Request" in request.headers:  # the message stands outside the part that a move brings anew
            return HttpResponse(headers={"HX-Redirect": reverse("surveys:survey-detail", args=[slug])})
    return redirect(reverse("surveys:survey-detail", args=[slug]) + "#questions")


@require_POST
@login_required
def question_remove(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    survey = _draft(request, slug)
    try:
        operations.remove_question(survey, key, by=_person(request), at=timezone.now())
    except Refused as refusal:
        return _show(request, survey, str(refusal))
    messages.success(request, _("The question has been removed."))
    return redirect(reverse("surveys:survey-detail", args=[slug]) + "#questions")


# --- Opening and closing ---


@require_POST
@login_required
def change_propose(request: HttpRequest, slug: str) -> HttpResponse:
    survey = _survey(request, slug)
    person, at = _person(request), timezone.now()
    if not policy.may_propose(person, at=at):
        raise PermissionDenied
    try:
        operations.propose_change(survey, to_state=request.POST.get("to_state", ""), by=person, at=at)
    except Refused as refusal:
        return _show(request, survey, str(refusal))
    messages.success(request, _("Proposed. A lead organizer other than you decides."))
    return redirect("surveys:survey-detail", slug)


def _change(request: HttpRequest, slug: str, pk: UUID) -> SurveyChange:
    return get_object_or_404(SurveyChange.objects.select_related("survey"), survey=_survey(request, slug), pk=pk)


@require_POST
@login_required
def change_approve(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    change = _change(request, slug, pk)
    person, at = _person(request), timezone.now()
    if not policy.may_approve(person, change, at=at):
        raise PermissionDenied
    try:
        operations.approve_change(change, by=person, at=at)
    except Refused as refusal:
        return _show(request, change.survey, str(refusal))
    opened = change.to_state == Survey.State.OPEN
    messages.success(request, _("The survey is open.") if opened else _("The survey is closed."))
    return redirect("surveys:survey-detail", slug)


@require_POST
@login_required
def change_withdraw(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    change = _change(request, slug, pk)
    person, at = _person(request), timezone.now()
    if not policy.may_propose(person, at=at):
        raise PermissionDenied
    try:
        operations.withdraw_change(change, by=person, at=at)
    except Refused as refusal:
        return _show(request, change.survey, str(refusal))
    messages.success(request, _("The proposal has been withdrawn."))
    return redirect("surveys:survey-detail", slug)


# --- Seeing and showing it ---


@require_safe
@login_required
def survey_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """The form as a phone shows it, in each language."""
    survey = _survey(request, slug)
    definition = definition_of(survey)
    code = request.GET.get("lang", "")
    code = code if code in definition.languages else _language(definition)
    return render(
        request,
        "surveys/design/preview.html",
        {
            "survey": survey,
            "title": definition.title_in(code),
            "language": reports.language(code),
            "languages": [reports.language(each) for each in definition.languages],
        },
    )


@require_safe
@login_required
def survey_poster(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """One page to print and hang up, in one of the survey's languages."""
    survey = _survey(request, slug)
    definition = definition_of(survey)
    if code not in definition.languages:
        raise Http404
    address = _address(request, slug)
    with translation.override(code):
        return render(
            request,
            "surveys/design/poster.html",
            {
                "survey": survey,
                "definition": definition,
                "title": definition.title_in(code),
                "intro": definition.intro_in(code),
                "language": reports.language(code),
                "languages": [reports.language(each) for each in definition.languages],
                "host": request.get_host(),
                "qr": _qr(f"{address}?lang={code}"),
            },
        )


def _address(request: HttpRequest, slug: str) -> str:
    return request.build_absolute_uri(reverse("surveys:answer", args=[slug]))


def _qr(address: str) -> SafeString:
    """The address as a QR code: SVG without styles. Level Q still reads with a corner torn off or written on."""
    code = segno.make(address, error="q", micro=False)
    # The address is encoded as modules, never written as text, so nothing in it can be markup.
    return mark_safe(code.svg_inline(border=4, omitsize=True, svgclass="qr", lineclass=None))  # noqa: S308
