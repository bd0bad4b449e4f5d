"""What a survey asks, as plain values: read once, passed around, never written back.

``Content`` is what a survey file holds. ``Definition`` is the same of a survey that is saved, and is what
answering, importing and results work with. Texts are ``{"en": "…", "es": "…"}`` and must not be altered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import cached_property, lru_cache
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from surveys.design import bands
from surveys.design.models import K_MIN, NO_ANSWER, Choice, Question, Survey, in_language

Texts = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ChoiceDefinition:
    key: str
    label: Texts
    population: int | None = None  # how many people are in that group, when known

    def label_in(self, language: str) -> str:
        return in_language(self.label, language)


@dataclass(frozen=True, kw_only=True)
class QuestionDefinition:
    key: str
    kind: str  # a value of Question.Kind
    label: Texts
    help: Texts = field(default_factory=dict)
    is_required: bool = False
    choices: tuple[ChoiceDefinition, ...] = ()
    low: float | None = None  # whole for a scale
    high: float | None = None
    bands: tuple[float, ...] = ()  # where a number is cut; see surveys.design.bands

    @property
    def is_text(self) -> bool:
        return self.kind in Question.TEXT_KINDS

    @property
    def has_choices(self) -> bool:
        return self.kind in Question.CHOICE_KINDS

    def label_in(self, language: str) -> str:
        return in_language(self.label, language)

    def help_in(self, language: str) -> str:
        return in_language(self.help, language)

    @cached_property
    def choice_by_key(self) -> dict[str, ChoiceDefinition]:
        return {choice.key: choice for choice in self.choices}

    @cached_property
    def scale_steps(self) -> range:
        """The steps of a scale, both ends included; empty for other kinds."""
        if self.kind != Question.Kind.SCALE or self.low is None or self.high is None:
            return range(0)
        return range(int(self.low), int(self.high) + 1)


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a survey file holds, checked."""

    slug: str
    title: Texts
    intro: Texts = field(default_factory=dict)
    consent: Texts = field(default_factory=dict)  # named mode: what people agree to; empty: the standard words
    method: Texts = field(default_factory=dict)  # who was asked and how
    mode: str = Survey.Mode.ANONYMOUS.value
    k: int = K_MIN
    dimensions: tuple[str, ...] = ()  # keys of single-choice questions
    takes_codes: bool = False
    questions: tuple[QuestionDefinition, ...] = ()

    @property
    def is_anonymous(self) -> bool:
        return self.mode == Survey.Mode.ANONYMOUS

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the title is written in, by code."""
        return tuple(sorted(code for code, text in self.title.items() if text))

    @cached_property
    def question_by_key(self) -> dict[str, QuestionDefinition]:
        return {question.key: question for question in self.questions}

    def title_in(self, language: str) -> str:
        return in_language(self.title, language)

    def intro_in(self, language: str) -> str:
        return in_language(self.intro, language)

    def consent_in(self, language: str) -> str:
        """What somebody who gives their name agrees to."""
        if self.consent:
            return in_language(self.consent, language)
        with translation.override(language):
            return _(
                "I agree that the organizers of this survey keep my name with my answers, use them for this survey "
                "only, and give them to nobody else. I can ask them to delete my answers at any time."
            )

    def dimension_values(self, dimension: str) -> tuple[str, ...]:
        """The values of a dimension: its question's choices and, for whoever left it open, ``NO_ANSWER``."""
        keys = tuple(choice.key for choice in self.question_by_key[dimension].choices)
        return keys if NO_ANSWER in keys else (*keys, NO_ANSWER)


@dataclass(frozen=True, kw_only=True)
class Definition(Content):
    """The content of a saved survey. It cannot change once ``state`` is not draft, ``method`` excepted."""

    id: UUID
    state: str

    @property
    def is_open(self) -> bool:
        return self.state == Survey.State.OPEN

    @property
    def content(self) -> Content:
        return Content(**{each.name: getattr(self, each.name) for each in fields(Content)})


def tally_choices(question: QuestionDefinition) -> tuple[str, ...]:
    """The keys under which answers to a question are tallied, in the order they are told.

    Choices, steps of a scale ("1", "2", …), or bands of a number ("b0", …). Texts have none, nor have numbers
    without bands: of those it is only told how many answered.
    """
    if question.has_choices:
        return tuple(choice.key for choice in question.choices)
    if question.kind == Question.Kind.SCALE:
        return tuple(str(step) for step in question.scale_steps)
    if question.kind == Question.Kind.NUMBER:
        return tuple(bands.band_keys(question))
    return ()


def tally_label(question: QuestionDefinition, key: str, language: str) -> str:
    """Name one of the ``tally_choices`` of a question in a language."""
    if question.has_choices:
        return question.choice_by_key[key].label_in(language)
    if question.kind == Question.Kind.NUMBER:
        return bands.band_label(question, key, language)
    return key


def value_label(content: Content, dimension: str, value: str, language: str) -> str:
    """Name one of the ``dimension_values`` in a language."""
    choice = content.question_by_key[dimension].choice_by_key.get(value)
    if choice is not None:
        return choice.label_in(language)
    with translation.override(language):
        return _("Prefer not to say")


def with_bands(content: Content) -> Content:
    """Return the content as it opens: a number with both ends and no bands is cut into equal bands."""

    def cut(question: QuestionDefinition) -> QuestionDefinition:
        if question.kind != Question.Kind.NUMBER or question.bands or question.low is None or question.high is None:
            return question
        return replace(question, bands=tuple(bands.equal_bands(question.low, question.high)))

    return replace(content, questions=tuple(cut(question) for question in content.questions))


def load_definition(slug: str) -> Definition | None:
    """Return the survey at that short address, or ``None``. One query for a survey that was read before.

    The state is read each time; the rest is kept in the process once the survey has opened, for it cannot change.
    """
    row = Survey.objects.filter(slug=slug).values_list("id", "state", "method", "opened_at", named=True).first()
    if row is None:
        return None
    if row.state == Survey.State.DRAFT or row.opened_at is None:
        return _read(row.id)
    # The moment of opening is part of the key: an opening that was rolled back may be followed by another one,
    # of other content.
    return replace(_read_frozen(row.id, row.opened_at), state=row.state, method=row.method)


def definition_of(survey: Survey) -> Definition:
    """The same, of a row at hand."""
    definition = load_definition(survey.slug)
    if definition is None:
        raise Survey.DoesNotExist
    return definition


@lru_cache(maxsize=256)
def _read_frozen(survey_id: UUID, opened_at: datetime) -> Definition:
    return _read(survey_id)


def _read(survey_id: UUID) -> Definition:
    survey = Survey.objects.get(pk=survey_id)
    choices: dict[UUID, list[ChoiceDefinition]] = {}
    for choice in Choice.objects.filter(question__survey_id=survey_id).order_by("order"):
        choices.setdefault(choice.question_id, []).append(
            ChoiceDefinition(key=choice.key, label=choice.label, population=choice.population)
        )
    return Definition(
        id=survey.pk,
        state=survey.state,
        slug=survey.slug,
        title=survey.title,
        intro=survey.intro,
        consent=survey.consent,
        method=survey.method,
        mode=survey.mode,
        k=survey.k,
        dimensions=tuple(survey.dimensions),
        takes_codes=survey.takes_codes,
        questions=tuple(
            QuestionDefinition(
                key=question.key,
                kind=question.kind,
                label=question.label,
                help=question.help,
                is_required=question.is_required,
                choices=tuple(choices.get(question.pk, ())),
                low=question.low,
                high=question.high,
                bands=tuple(question.bands),
            )
            for question in Question.objects.filter(survey_id=survey_id).order_by("order")
        ),
    )
