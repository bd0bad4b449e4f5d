"""Reading what was posted.

Plain functions over a survey's definition instead of a Django form: the questions are data, and this runs for every
student of a school at once. What comes in is cleaned or refused, never half taken.
"""

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms as django_forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import QueryDict
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from surveys.answering.operations import CODES_MAX
from surveys.design import reports
from surveys.design.definition import Definition, QuestionDefinition
from surveys.design.models import Question

SHORT_TEXT_MAX = 200  # characters
LONG_TEXT_MAX = 5_000  # characters
NAME_MAX = 120  # characters
NUMBER_MAX = 1e15  # beyond it a float no longer tells whole numbers apart

# Not "name", "email" or "url": browsers fill those in by themselves for people, too.
TRAP = "leave_this_open"

# Control characters have no place in an answer; PostgreSQL takes no NUL. Marks of direction stay: Arabic needs them.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]|[\ud800-\udfff]")


@dataclass
class Reading:
    """What was posted, read: the answers, and what to say about those that could not be taken."""

    submission_id: UUID | None = None  # None: the form carried none that we made
    answers: dict[str, Any] = field(default_factory=dict)  # choice key, list of them, or number
    texts: dict[str, str] = field(default_factory=dict)
    name: str = ""
    email: str = ""
    errors: dict[str, str] = field(default_factory=dict)  # by the name of the field, in the order of the page
    is_trapped: bool = False  # a field that people do not see was filled in


def field_name(key: str) -> str:
    return f"q-{key}"


def read(definition: Definition, data: QueryDict, preset: dict[str, str]) -> Reading:
    """Read a posted form. ``preset``: answers that the code stands for, which count instead of those posted."""
    reading = Reading(submission_id=_read_id(data.get("submission_id", "")), is_trapped=bool(data.get(TRAP)))
    if not definition.is_anonymous:
        _read_name(data, reading)
    for question in definition.questions:
        name = field_name(question.key)
        try:
            if question.key in preset:
                reading.answers[question.key] = preset[question.key]
            elif question.is_text:
                if text := _read_text(question, data.get(name, "")):
                    reading.texts[question.key] = text
                elif question.is_required:
                    raise ValueError(_("Please write an answer."))
            elif (answer := READERS[question.kind](question, data.getlist(name))) is not None:
                reading.answers[question.key] = answer
            elif question.is_required:
                raise ValueError(_("Please choose an answer."))
        except ValueError as refusal:
            reading.errors[name] = str(refusal)
    return reading


def _read_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _read_name(data: QueryDict, reading: Reading) -> None:
    reading.name = clean(data.get("name", ""))
    reading.email = clean(data.get("email", ""))
    if not reading.name:
        reading.errors["name"] = _("Please write your name.")
    elif len(reading.name) > NAME_MAX:
        reading.errors["name"] = _too_long(reading.name, NAME_MAX)
    if reading.email:
        try:
            validate_email(reading.email)
        except ValidationError:
            reading.errors["email"] = _(
                "This is not an e-mail address. Write it like name@example.org, or leave it out."
            )
    if not data.get("consent"):
        reading.errors["consent"] = _("Please tick this if you agree. Without it we may not keep your answers.")


def clean(text: str) -> str:
    """Return the text composed (NFC), with plain line ends, without control characters and outer space."""
    return unicodedata.normalize("NFC", CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))).strip()


def _read_text(question: QuestionDefinition, given: str) -> str:
    text = clean(given)
    limit = SHORT_TEXT_MAX if question.kind == Question.Kind.SHORT_TEXT else LONG_TEXT_MAX
    if len(text) > limit:
        raise ValueError(_too_long(text, limit))
    return text


def _too_long(text: str, limit: int) -> str:
    over = len(text) - limit
    return ngettext(
        "This is %(over)s character too long. Please shorten it to %(limit)s.",
        "This is %(over)s characters too long. Please shorten it to %(limit)s.",
        over,
    ) % {"over": over, "limit": limit}


def _read_single(question: QuestionDefinition, given: list[str]) -> str | None:
    chosen = [key for key in given if key]
    if not chosen:
        return None
    if len(chosen) > 1 or chosen[0] not in question.choice_by_key:
        raise ValueError(_("Please choose one of the answers listed."))
    return chosen[0]


def _read_multiple(question: QuestionDefinition, given: list[str]) -> list[str] | None:
    chosen = {key for key in given if key}
    if not chosen <= question.choice_by_key.keys():
        raise ValueError(_("Please choose from the answers listed."))
    return [choice.key for choice in question.choices if choice.key in chosen] or None


def _read_scale(question: QuestionDefinition, given: list[str]) -> int | None:
    chosen = [step for step in given if step]
    if not chosen:
        return None
    if len(chosen) > 1 or chosen[0] not in map(str, question.scale_steps):
        raise ValueError(_("Please choose one of the steps of the scale."))
    return int(chosen[0])


def _read_number(question: QuestionDefinition, given: list[str]) -> int | float | None:
    text = clean(given[0]) if given else ""
    if not text:
        return None
    try:
        # Half the world writes 3,5. A number of ours has no thousands to part.
        number = float(text.replace(",", "."))
    except ValueError:
        raise ValueError(_("Please write a number, in digits.")) from None
    if not math.isfinite(number) or abs(number) > NUMBER_MAX:
        raise ValueError(_("Please write a number, in digits."))
    if question.low is not None and number < question.low:
        raise ValueError(_("Please write a number that is not under %(low)s.") % {"low": f"{question.low:g}"})
    if question.high is not None and number > question.high:
        raise ValueError(_("Please write a number that is not over %(high)s.") % {"high": f"{question.high:g}"})
    return int(number) if number.is_integer() else number


READERS: dict[str, Callable[[QuestionDefinition, list[str]], Any]] = {
    Question.Kind.SINGLE: _read_single,
    Question.Kind.MULTIPLE: _read_multiple,
    Question.Kind.SCALE: _read_scale,
    Question.Kind.NUMBER: _read_number,
}


class CodesForm(django_forms.Form):
    """How many codes to print, and what they answer by themselves."""

    batch_id = django_forms.UUIDField(widget=django_forms.HiddenInput)
    count = django_forms.IntegerField(label=gettext_lazy("How many slips?"), min_value=1, max_value=CODES_MAX)

    def __init__(self, definition: Definition, data: QueryDict | None = None) -> None:
        super().__init__(data, initial={"batch_id": uuid4(), "count": 30})
        self._dimensions = definition.dimensions
        language = get_language() or "en"
        for dimension in definition.dimensions:
            question = definition.question_by_key[dimension]
            self.fields[f"preset-{dimension}"] = django_forms.ChoiceField(
                label=question.label_in(language),
                help_text=_("What these slips answer by themselves. Choose nothing, and students answer it."),
                choices=[
                    ("", _("students answer it")),
                    *((each.key, each.label_in(language)) for each in question.choices),
                ],
                required=False,
            )
        self.fields["language"] = django_forms.ChoiceField(
            label=_("Language of the slips"),
            choices=[(code, reports.language(code).name) for code in definition.languages],
        )
        self.helper = FormHelper()
        self.helper.add_input(Submit("", _("Make and show the slips")))

    def preset(self) -> dict[str, str]:
        return {
            dimension: value for dimension in self._dimensions if (value := self.cleaned_data[f"preset-{dimension}"])
        }
