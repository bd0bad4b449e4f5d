"""The pages that students see, as bytes.

The form holds nothing about whoever opens it, so it is rendered once for a survey and a language and kept; each visitor
gets it with a fresh ``submission_id`` and nonce put in. Pages with errors hold what was typed and are rendered for one.
"""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.utils.translation.trans_real import parse_accept_lang_header

from surveys.answering import forms
from surveys.design import reports
from surveys.design.definition import Definition, QuestionDefinition
from surveys.design.models import Question, Survey

PART_SIZE = 3  # questions on a screen
PAGES_KEPT = 500

# Put in where a page differs from one visitor to the next. No template and no survey holds such a thing by chance.
SUBMISSION_GOES_HERE = "0b9f4ab5-submission-id-goes-here"
NONCE_GOES_HERE = "0b9f4ab5-nonce-goes-here"


# --- Language -------------------------------------------------------------------------------------


def language_of(request: HttpRequest, languages: tuple[str, ...]) -> str:
    """The language asked for by ``?lang=``, else by the browser, else English, else the first. Never remembered."""
    wanted = request.GET.get("lang")
    if wanted in languages:
        return str(wanted)
    for code, _weight in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", "").lower()):
        for language in (code, code.split("-")[0]):
            if language in languages:
                return language
    return "en" if "en" in languages or not languages else languages[0]


# --- What stands on the form ----------------------------------------------------------------------


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class Field:
    """A question as the template shows it."""

    name: str
    number: int
    kind: str
    label: str
    help: str
    is_required: bool
    options: list[Option]
    ends: tuple[str, str] | None  # what the least and the greatest step of a scale are called, when named
    value: str
    error: str
    limit: int  # characters; 0 for no text
    low: str
    high: str

    @property
    def id(self) -> str:
        return self.name.replace(".", "-")


def _field(
    definition: Definition, question: QuestionDefinition, number: int, language: str, data: QueryDict | None, error: str
) -> Field:
    name = forms.field_name(question.key)
    typed = data.getlist(name) if data is not None else []
    if question.kind == Question.Kind.SCALE:
        steps = [str(step) for step in question.scale_steps]
        options = [Option(step, step, step in typed) for step in steps]
    else:
        options = [Option(each.key, each.label_in(language), each.key in typed) for each in question.choices]
    limits = {
        Question.Kind.SHORT_TEXT.value: forms.SHORT_TEXT_MAX,
        Question.Kind.LONG_TEXT.value: forms.LONG_TEXT_MAX,
    }
    return Field(
        name=name,
        number=number,
        kind=question.kind,
        label=question.label_in(language),
        help=question.help_in(language),
        # A code may answer for a dimension, and the page does not know the code: so it does not insist.
        is_required=question.is_required and not (definition.takes_codes and question.key in definition.dimensions),
        options=options,
        ends=None,
        value=typed[0] if typed else "",
        error=error,
        limit=limits.get(question.kind, 0),
        low="" if question.low is None else f"{question.low:g}",
        high="" if question.high is None else f"{question.high:g}",
    )


def _render(template: str, definition: Definition | None, language: str, context: dict[str, Any]) -> str:
    """Render without a request: no context processor can ask for a session or an account."""
    languages = definition.languages if definition else tuple(code for code, _name in settings.LANGUAGES)
    with translation.override(language):
        return render_to_string(
            template,
            {
                "survey": definition,
                "title": definition.title_in(language) if definition else "",
                "language": reports.language(language),
                "languages": [reports.language(code) for code in languages],
                "is_demo": settings.DEMO,
                "nonce": NONCE_GOES_HERE,
                **context,
            },
        )


def _form(definition: Definition, language: str, data: QueryDict | None, errors: dict[str, str], summary: str) -> str:
    fields = [
        _field(definition, question, number, language, data, errors.get(forms.field_name(question.key), ""))
        for number, question in enumerate(definition.questions, start=1)
    ]
    with translation.override(language):
        labels = {
            "name": _("Your name"),
            "email": _("E-mail"),
            "consent": _("Your agreement"),
            "code": _("Code"),
            **{each.name: each.label for each in fields},
        }
    ids = {each.name: each.id for each in fields}
    data = data if data is not None else QueryDict()
    parts = [fields[start : start + PART_SIZE] for start in range(0, len(fields), PART_SIZE)]
    return _render(
        "surveys/answering/form.html",
        definition,
        language,
        {
            "intro": definition.intro_in(language),
            "consent": "" if definition.is_anonymous else definition.consent_in(language),
            "parts": parts,
            "total": len(fields),
            "data": {name: data.get(name, "") for name in ("code", "name", "email", "consent")},
            "errors": errors,
            "mistakes": [(ids.get(name, name), labels[name], error) for name, error in errors.items()],
            "summary": summary,
            "action": f"{reverse('surveys:answer', args=[definition.slug])}?lang={language}",
            "thanks": f"{reverse('surveys:answer-thanks', args=[definition.slug])}?lang={language}",
            "submission_id": SUBMISSION_GOES_HERE,
            "trap": forms.TRAP,
        },
    )


# --- Answers to a browser -------------------------------------------------------------------------

_kept: dict[tuple[uuid.UUID, str, str], tuple[tuple[QuestionDefinition, ...], str]] = {}
_rendering = threading.Lock()  # a class opens a survey at once: one renders it, the others wait for that


def _once(kind: str, definition: Definition, language: str, render: Callable[[], str]) -> str:
    """Render a page of a survey once. An open survey is frozen, and so are the pages that show it."""
    key = (definition.id, language, kind)
    kept = _kept.get(key)
    # Another tuple of questions is another reading of the survey from the database.
    if kept is None or kept[0] is not definition.questions:
        with _rendering:
            kept = _kept.get(key)
            if kept is None or kept[0] is not definition.questions:
                if len(_kept) >= PAGES_KEPT:
                    _kept.clear()
                kept = _kept[key] = (definition.questions, render())
    return kept[1]


def _respond(request: HttpRequest, text: str, status: int = 200) -> HttpResponse:
    nonce = str(request.csp_nonce)  # type: ignore[attr-defined]
    return HttpResponse(text.replace(NONCE_GOES_HERE, nonce).encode(), status=status)


def form_page(request: HttpRequest, definition: Definition) -> HttpResponse:
    language = language_of(request, definition.languages)
    text = _once("form", definition, language, lambda: _form(definition, language, None, {}, ""))
    return _respond(request, text.replace(SUBMISSION_GOES_HERE, str(uuid.uuid4())))


def preview_page(request: HttpRequest, definition: Definition) -> HttpResponse:
    """The form of a survey that may still change: rendered each time."""
    language = language_of(request, definition.languages)
    text = _form(definition, language, None, {}, "")
    return _respond(request, text.replace(SUBMISSION_GOES_HERE, str(uuid.uuid4())))


def form_again_page(
    request: HttpRequest,
    definition: Definition,
    *,
    language: str,
    submission_id: uuid.UUID | None,
    errors: dict[str, str],
    summary: str,
) -> HttpResponse:
    """The form with everything that was typed, and what to mend on top. Keeps its id: nothing was stored under it."""
    text = _form(definition, language, request.POST, errors, summary)
    return _respond(request, text.replace(SUBMISSION_GOES_HERE, str(submission_id or uuid.uuid4())), 422)


def thanks_page(request: HttpRequest, definition: Definition) -> HttpResponse:
    language = language_of(request, definition.languages)
    return _respond(
        request,
        _once(
            "thanks",
            definition,
            language,
            lambda: _render(
                "surveys/answering/thanks.html",
                definition,
                language,
                {"form": f"{reverse('surveys:answer', args=[definition.slug])}?lang={language}"},
            ),
        ),
    )


def closed_page(request: HttpRequest, definition: Definition) -> HttpResponse:
    language = language_of(request, definition.languages)
    has_results = Survey.objects.get(pk=definition.id).releases.published().exists()
    text = _render(
        "surveys/answering/closed.html",
        definition,
        language,
        {"results": reverse("surveys:results", args=[definition.slug]) if has_results else ""},
    )
    return _respond(request, text, 410)


def message_page(request: HttpRequest, status: int, heading: str, text: str) -> HttpResponse:
    """A page that is not about one survey. ``heading`` and ``text`` are message ids."""
    language = language_of(request, tuple(code for code, _name in settings.LANGUAGES))
    with translation.override(language):
        context = {"heading": _(heading), "text": _(text)}
    return _respond(request, _render("surveys/answering/message.html", None, language, context), status)


def unknown_page(request: HttpRequest) -> HttpResponse:
    return message_page(
        request,
        404,
        gettext_noop("There is no survey at this address"),
        gettext_noop("Please compare the address with the poster or the slip, or ask whoever gave it to you."),
    )


def elsewhere_page(request: HttpRequest) -> HttpResponse:
    return message_page(
        request,
        403,
        gettext_noop("This was not sent from our form"),
        gettext_noop("Nothing was stored. Please open the survey at its own address and send it from there."),
    )


def unreadable_page(request: HttpRequest, status: int = 400) -> HttpResponse:
    return message_page(
        request,
        status,
        gettext_noop("This could not be read"),
        gettext_noop(
            "Nothing was stored. Please go back and send the form again, with shorter texts if they were long."
        ),
    )


def trouble_page(request: HttpRequest) -> HttpResponse:
    return message_page(
        request,
        503,
        gettext_noop("Something went wrong on our side"),
        gettext_noop(
            "We cannot tell whether your answers were stored. Go back and send the form again: "
            "the same form is stored only once."
        ),
    )
