"""What the builder's pages tell about a survey."""

from collections.abc import Sequence
from dataclasses import dataclass

from babel import Locale, UnknownLocaleError
from django.utils.translation import gettext as _

from surveys.design.definition import Content, QuestionDefinition, Texts, tally_choices, with_bands
from surveys.design.models import Question


@dataclass(frozen=True)
class Language:
    code: str
    name: str  # in the language itself: "Español"
    is_from_right: bool  # written from right to left

    @property
    def direction(self) -> str:
        return "rtl" if self.is_from_right else "ltr"


def language(code: str) -> Language:
    """Return what a language calls itself. Locale data lacks a few that have a name: those are shown in English."""
    try:
        locale = Locale.parse(code)
    except (UnknownLocaleError, ValueError):
        return Language(code, str(Locale("en").languages.get(code, code)), False)
    name = locale.get_language_name() or code
    return Language(code, name[:1].upper() + name[1:], locale.text_direction == "rtl")


@dataclass(frozen=True)
class Gap:
    """A text that people who read in one of the survey's languages will get in another one."""

    language: str
    where: str
    question_key: str  # empty: the survey's own texts


def gaps(content: Content) -> list[Gap]:
    """List what is not translated. A text that is in no language is not meant to be, and is no gap."""
    found: list[Gap] = []
    for code in content.languages:

        def check(texts: Texts, where: str, key: str = "", code: str = code) -> None:
            if any(texts.values()) and not texts.get(code):
                found.append(Gap(code, where, key))

        check(content.intro, _("the introduction"))
        if not content.is_anonymous:
            check(content.consent, _("what people agree to"))
        for number, question in enumerate(content.questions, start=1):
            check(question.label, _("question %(number)d") % {"number": number}, question.key)
            check(question.help, _("the explanation of question %(number)d") % {"number": number}, question.key)
            if any(not choice.label.get(code) for choice in question.choices):
                found.append(Gap(code, _("choices of question %(number)d") % {"number": number}, question.key))
    return found


@dataclass(frozen=True)
class Told:
    """A question as the list of questions shows it."""

    definition: QuestionDefinition
    place: int  # from 0
    kind: str  # in words
    label: str
    answers: list[str]  # the choices, or what the range is
    is_dimension: bool
    is_first: bool
    is_last: bool


def told_questions(content: Content, code: str) -> list[Told]:
    """Return the questions in the words of one language."""
    count = len(content.questions)
    return [
        Told(
            definition=question,
            place=place,
            kind=str(Question.Kind(question.kind).label),
            label=question.label_in(code),
            answers=_answers(question, code, is_anonymous=content.is_anonymous),
            is_dimension=question.key in content.dimensions,
            is_first=place == 0,
            is_last=place == count - 1,
        )
        for place, question in enumerate(with_bands(content).questions)
    ]


def _answers(question: QuestionDefinition, code: str, *, is_anonymous: bool) -> list[str]:
    match question.kind:
        case Question.Kind.SINGLE | Question.Kind.MULTIPLE:
            return [choice.label_in(code) for choice in question.choices]
        case Question.Kind.SCALE:
            steps = tally_choices(question)
            return [_("%(low)s to %(high)s") % {"low": steps[0], "high": steps[-1]}]
        case Question.Kind.NUMBER if question.bands:
            return [_("told in bands cut at %(cuts)s") % {"cuts": ", ".join(f"{cut:g}" for cut in question.bands)}]
        case Question.Kind.NUMBER:
            return [_("only how many answered is told, for lack of bands")]
    return [_("two trustees read each text before it is told")] if is_anonymous else []


def offered_languages(content: Content | None, spoken: Sequence[str]) -> list[str]:
    """Return the languages that forms show side by side: those the organization speaks, and those already used."""
    used = set(content.title) | set(content.intro) if content else set()
    for question in content.questions if content else ():
        used |= set(question.label)
    return [*spoken, *sorted(used - set(spoken))]
