"""The builder's forms.

They only gather what was typed into the shape of a survey file; ``portable`` reads that as it reads a file, and what
it refuses is shown at the field it is about. So a form can take nothing that a file could not hold.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from surveys.design import portable
from surveys.design.definition import Content, QuestionDefinition
from surveys.design.models import (
    DIMENSION_VALUES_MAX,
    K_MIN,
    NO_ANSWER,
    Question,
    Survey,
    in_language,
)
from surveys.design.reports import language

BLANK_CHOICES = 3  # rows that a new question begins with
KEY_MADE_LENGTH = 40  # characters of a key made from a label


class BuilderForm(forms.Form):
    """What both forms share: one field for each language, and problems told at their field."""

    def __init__(self, *args: Any, languages: Sequence[str], **given: Any) -> None:
        self.languages = languages
        super().__init__(*args, **given)

    def add_texts(self, stem: str, label: Any, *, rows: int = 0, help_text: Any = "") -> None:
        for code in self.languages:
            if len(self.languages) > 1:
                named = _("%(label)s, %(language)s") % {"label": label, "language": language(code).name}
            else:
                named = label
            widget = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput()
            widget.attrs |= {"lang": code, "dir": "auto"}
            self.fields[f"{stem}_{code}"] = forms.CharField(
                label=named, required=False, widget=widget, help_text=help_text
            )

    def texts(self, stem: str) -> dict[str, str]:
        """What was typed, by language. CharField refuses NUL, so such a text is missing here and told there."""
        return {code: self.cleaned_data.get(f"{stem}_{code}", "").replace("\r\n", "\n") for code in self.languages}

    def by_language(self) -> dict[str, list[forms.BoundField]]:
        """The fields of each text, one for each language, by the text's name."""
        stems: dict[str, list[forms.BoundField]] = {}
        for name in self.fields:
            stem, _underscore, code = name.rpartition("_")
            if code in self.languages:
                stems.setdefault(stem, []).append(self[name])
        return stems

    def show_as_typed(self) -> None:
        """Show what was typed again without judging it yet: somebody asked for more room, not to save."""
        self.initial = {name: self[name].data for name in self.fields}
        self.is_bound = False

    def tell(self, refusal: portable.NotASurvey, fields: Mapping[str, str]) -> None:
        """Show each problem at its field; what has no field is shown on top. ``fields``: place to field name."""
        for problem in refusal.problems:
            name = next(
                (fields[place] for place in _up(problem.place) if place in fields and fields[place] in self.fields),
                None,
            )
            if name is None:
                self.add_error(None, str(problem))
            elif name not in self.errors:
                self.add_error(name, problem.message)


def _up(place: str) -> list[str]:
    """The place and those around it: ``a.b[1].c``, ``a.b[1]``, ``a.b``, ``a``."""
    steps = re.findall(r"\.?[^.\[\]]+|\[\d+\]", place)
    return ["".join(steps[:count]) for count in range(len(steps), 0, -1)]


def initial_texts(stem: str, texts: Mapping[str, str]) -> dict[str, str]:
    return {f"{stem}_{code}": text for code, text in texts.items()}


class SettingsForm(BuilderForm):
    """Everything about a survey but its questions."""

    slug = forms.CharField(
        label=_("Short address"),
        required=False,
        max_length=portable.KEY_LENGTH,
        help_text=_(
            "Small letters, digits and hyphens. Students may type it, so keep it short. "
            "Made from the title if left empty."
        ),
    )
    mode = forms.ChoiceField(
        label=_("Who answers"),
        choices=[
            (
                Survey.Mode.ANONYMOUS.value,
                _("Anonymous: nobody can find out who said what, and it can never be changed"),
            ),
            (Survey.Mode.NAMED.value, _("With names: people agree to give their name with their answers")),
        ],
        widget=forms.RadioSelect,
        initial=Survey.Mode.ANONYMOUS.value,
    )
    k = forms.IntegerField(
        label=_("Smallest group shown"),
        required=False,
        initial=K_MIN,
        help_text=_("Results of a group with fewer answers are never shown. At least 10 in an anonymous survey."),
    )
    takes_codes = forms.BooleanField(
        label=_("Each answer needs a printed code"),
        required=False,
        help_text=_(
            "Students draw a slip with a code; each code works once. "
            "Without codes, anybody with the address can answer."
        ),
    )

    def __init__(self, *args: Any, content: Content | None, **given: Any) -> None:
        self.content = content
        if content is not None:
            given["initial"] = self.start(content)
        super().__init__(*args, **given)
        self.add_texts("title", _("Title"))
        self.add_texts("intro", _("Introduction"), rows=4)
        self.add_texts("consent", _("What people agree to"), rows=3)
        self.add_texts("method", _("Who was asked, and how"), rows=3)
        fitting = possible_dimensions(content) if content else []
        if fitting:
            self.fields["dimensions"] = forms.MultipleChoiceField(
                label=_("Tell results by"),
                required=False,
                widget=forms.CheckboxSelectMultiple,
                choices=[(question.key, in_language(question.label)) for question in fitting],
                help_text=_(
                    "At most three. Each of their choices becomes a group whose results are told if it is large enough."
                ),
            )

    @staticmethod
    def start(content: Content) -> dict[str, Any]:
        return {
            "slug": content.slug,
            "mode": content.mode,
            "k": content.k,
            "dimensions": list(content.dimensions),
            "takes_codes": content.takes_codes,
            **initial_texts("title", content.title),
            **initial_texts("intro", content.intro),
            **initial_texts("consent", content.consent),
            **initial_texts("method", content.method),
        }

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        title = self.texts("title")
        is_named = given.get("mode") == Survey.Mode.NAMED
        document = {
            "format": portable.FORMAT,
            "slug": given.get("slug")
            or slugify(next(filter(None, title.values()), ""))[: portable.KEY_LENGTH].strip("-_"),
            "title": title,
            "intro": self.texts("intro"),
            # Only one of the two modes shows this field, so what an anonymous survey holds in it says nothing.
            "consent": self.texts("consent") if is_named else {},
            "method": self.texts("method"),
            "mode": given.get("mode"),
            "k": given.get("k"),
            "dimensions": given.get("dimensions", []),
            "takes_codes": given.get("takes_codes", False),
            "questions": portable.document_of(self.content)["questions"] if self.content else [],
        }
        try:
            self.settings = portable.read(document)
        except portable.NotASurvey as refusal:
            names = {name: name for name in ("slug", "mode", "k", "dimensions", "takes_codes")}
            for stem in ("title", "intro", "consent", "method"):
                names[stem] = f"{stem}_{self.languages[0]}"
                names |= {f"{stem}.{code}": f"{stem}_{code}" for code in self.languages}
            self.tell(refusal, names)
        return given


class MethodForm(BuilderForm):
    def __init__(self, *args: Any, method: Mapping[str, str], **given: Any) -> None:
        super().__init__(*args, initial=initial_texts("method", method), **given)
        self.add_texts("method", _("Who was asked, and how"), rows=5)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        try:
            self.method = portable.read_texts(self.texts("method"), "method", longest=portable.PROSE_LENGTH)
        except portable.NotASurvey as refusal:
            self.tell(refusal, {f"method.{code}": f"method_{code}" for code in self.languages})
        return given


def possible_dimensions(content: Content) -> list[QuestionDefinition]:
    """The questions that results can be told by: one choice out of at most eight."""
    return [
        question
        for question in content.questions
        if question.kind == Question.Kind.SINGLE
        and len([choice for choice in question.choices if choice.key != NO_ANSWER]) <= DIMENSION_VALUES_MAX
    ]


class QuestionForm(BuilderForm):
    """One question. ``rows``: how many rows for choices there are, which a button of the form can raise."""

    key = forms.CharField(
        label=_("Key"),
        required=False,
        max_length=portable.KEY_LENGTH,
        help_text=_("The question's name in files. Made from its words if left empty."),
    )
    is_required = forms.BooleanField(
        label=_("Must be answered"),
        required=False,
        help_text=_("Rarely a good idea: whoever does not want to answer leaves, or answers anything."),
    )

    def __init__(
        self,
        *args: Any,
        kind: str,
        taken_keys: Sequence[str],
        question: QuestionDefinition | None = None,
        rows: int = 0,
        **given: Any,
    ) -> None:
        self.kind, self.taken_keys = kind, {key.casefold() for key in taken_keys}
        self.rows = rows if kind in Question.CHOICE_KINDS else 0
        if question is not None:
            given["initial"] = self.start(question)
        super().__init__(*args, **given)
        self.add_texts("label", _("Question"), rows=2)
        self.add_texts("help", _("Explanation under it"))
        if kind in (Question.Kind.SCALE, Question.Kind.NUMBER):
            is_scale = kind == Question.Kind.SCALE
            self.fields["low"] = forms.CharField(
                label=_("Lowest step") if is_scale else _("Least answer taken"), required=False
            )
            self.fields["high"] = forms.CharField(
                label=_("Highest step") if is_scale else _("Greatest answer taken"), required=False
            )
            for name in ("low", "high"):
                self.fields[name].widget.attrs["inputmode"] = "decimal"
            if is_scale and question is None:
                self.fields["low"].initial, self.fields["high"].initial = "1", "5"
        if kind == Question.Kind.NUMBER:
            self.fields["bands"] = forms.CharField(
                label=_("Results are told in bands cut at"),
                required=False,
                help_text=_(
                    "Like 10, 20, 30: then results say “under 10”, “10 to under 20” and so on, and never a single "
                    "number. Left empty, the range is cut into up to ten equal bands when the survey opens."
                ),
            )
        for row in range(self.rows):
            self.add_texts(f"choice_{row}_label", _("Choice %(number)d") % {"number": row + 1})
            self.fields[f"choice_{row}_key"] = forms.CharField(
                label=_("Key of choice %(number)d") % {"number": row + 1},
                required=False,
                max_length=portable.KEY_LENGTH,
            )
            self.fields[f"choice_{row}_population"] = forms.CharField(
                label=_("How many people belong to choice %(number)d") % {"number": row + 1}, required=False
            )
            self.fields[f"choice_{row}_population"].widget.attrs["inputmode"] = "numeric"

    def choice_rows(self) -> list["ChoiceRow"]:
        labels = self.by_language()
        return [
            ChoiceRow(
                number=row + 1,
                labels=labels[f"choice_{row}_label"],
                key=self[f"choice_{row}_key"],
                population=self[f"choice_{row}_population"],
            )
            for row in range(self.rows)
        ]

    @staticmethod
    def start(question: QuestionDefinition) -> dict[str, Any]:
        start: dict[str, Any] = {
            "key": question.key,
            "is_required": question.is_required,
            "low": _shown(question.low),
            "high": _shown(question.high),
            "bands": ", ".join(_shown(cut) for cut in question.bands),
            **initial_texts("label", question.label),
            **initial_texts("help", question.help),
        }
        for row, choice in enumerate(question.choices):
            start[f"choice_{row}_key"] = choice.key
            start[f"choice_{row}_population"] = "" if choice.population is None else choice.population
            start |= initial_texts(f"choice_{row}_label", choice.label)
        return start

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        label = self.texts("label")
        rows, choices = [], []
        for row in range(self.rows):
            words = self.texts(f"choice_{row}_label")
            key, people = given.get(f"choice_{row}_key", ""), given.get(f"choice_{row}_population", "")
            if any(words.values()) or key or people:
                rows.append(row)
                choices.append({"key": key, "label": words, "population": _number(people)})
        _make_keys(choices)
        document = {
            "key": given.get("key") or _make_key(label, self.taken_keys, "question"),
            "kind": self.kind,
            "label": label,
            "help": self.texts("help"),
            "required": given.get("is_required", False),
            "choices": choices,
            "low": _number(given.get("low", "")),
            "high": _number(given.get("high", "")),
            "bands": [_number(word) for word in re.split(r"[\s;,]+", given.get("bands", "")) if word],
        }
        try:
            self.question = portable.read_question(document)
            if self.question.key.casefold() in self.taken_keys:
                self.add_error("key", _("Another question has this key."))
        except portable.NotASurvey as refusal:
            first = self.languages[0]
            names = {name: name for name in ("key", "low", "high", "bands")}
            names |= {"label": f"label_{first}", "help": f"help_{first}", "choices": f"choice_0_label_{first}"}
            for stem in ("label", "help"):
                names |= {f"{stem}.{code}": f"{stem}_{code}" for code in self.languages}
            for place, row in enumerate(rows):
                here = f"choices[{place}]"
                names |= {
                    here: f"choice_{row}_label_{first}",
                    f"{here}.key": f"choice_{row}_key",
                    f"{here}.population": f"choice_{row}_population",
                    f"{here}.label": f"choice_{row}_label_{first}",
                }
                names |= {f"{here}.label.{code}": f"choice_{row}_label_{code}" for code in self.languages}
            self.tell(refusal, names)
        return given


@dataclass(frozen=True)
class ChoiceRow:
    number: int  # from 1
    labels: list[forms.BoundField]
    key: forms.BoundField
    population: forms.BoundField


def _shown(number: float | None) -> str:
    return "" if number is None else str(int(number) if float(number).is_integer() else number)


def _number(typed: Any) -> Any:
    """What was typed as a number, if it is one: the reader of files says what is wrong with it otherwise."""
    text = str(typed).strip()
    if not text:
        return None
    if re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        return int(text)
    if re.fullmatch(r"[+-]?[0-9]{1,18}\.[0-9]{1,18}", text):
        return float(text)
    return text


def _make_key(label: Mapping[str, str], taken: set[str], fallback: str) -> str:
    """Make a key out of the first words there are; a number after it keeps it from being used twice."""
    stem = slugify(next(filter(None, label.values()), ""))[:KEY_MADE_LENGTH].strip("-_") or fallback
    key, number = stem, 2
    while key.casefold() in taken:
        key, number = f"{stem}-{number}", number + 1
    return key


def _make_keys(choices: list[dict[str, Any]]) -> None:
    taken = {choice["key"].casefold() for choice in choices}
    for choice in choices:
        if not choice["key"]:
            choice["key"] = _make_key(choice["label"], taken, "choice")
            taken.add(choice["key"].casefold())


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("Survey file"), help_text=_("A file that ends in .json, written by a program like this one.")
    )

    def clean_file(self) -> bytes:
        file = self.cleaned_data["file"]
        data: bytes = file.read(portable.FILE_BYTES_MAX + 1)
        return data
