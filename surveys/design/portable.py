"""The portable survey file, format 1: JSON that one organization writes and another reads.

README.md beside this file describes it field by field. Reading says everything that is wrong at once, each with its
place: ``questions[2].choices[0].key: "yes" is used twice``. The builder's forms are checked by the same functions, so
there is one place that knows what a survey may be.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from babel import Locale
from django.utils.translation import gettext as _

from organizing.web.errors import Refused
from surveys.design.definition import ChoiceDefinition, Content, QuestionDefinition
from surveys.design.models import (
    CHOICE_KEY,
    DIMENSION_VALUES_MAX,
    DIMENSIONS_MAX,
    K_MIN,
    NO_ANSWER,
    QUESTION_KEY,
    Question,
    Survey,
)

FORMAT = 1
FILE_BYTES_MAX = 1024 * 1024
QUESTIONS_MAX = 200
CHOICES_MIN = 2
CHOICES_MAX = 60
SCALE_STEPS_MAX = 11
CUTS_MAX = 19
K_MAX = 1000
NUMBER_MAX = 10**12
POPULATION_MAX = 2**31 - 1
KEY_LENGTH = 60  # characters, as the lengths below
TITLE_LENGTH = 200
LABEL_LENGTH = 500
PROSE_LENGTH = 5000
SLUG = r"^[a-z0-9]+([_-][a-z0-9]+)*$"
RESERVED_SLUGS = frozenset({"new", "upload"})  # words of the builder's own addresses

# Line breaks and tabs are text; other control characters and lone surrogates are not.
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

_SURVEY_FIELDS = (
    "format slug title intro consent method mode k dimensions takes_codes questions".split()  # noqa: SIM905
)
_QUESTION_FIELDS = "key kind label help required choices low high bands".split()  # noqa: SIM905
_CHOICE_FIELDS = "key label population".split()  # noqa: SIM905


class Problem(NamedTuple):
    place: str  # "questions[2].choices[0].key"; empty: the file as a whole
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class NotASurvey(Refused):
    """The file or form does not describe a survey. Says everything that is wrong, a line each."""

    TOLD_MAX = 50

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        lines = [str(problem) for problem in problems[: self.TOLD_MAX]]
        if len(problems) > self.TOLD_MAX:
            lines.append(_("and %(count)d more") % {"count": len(problems) - self.TOLD_MAX})
        super().__init__("\n".join(lines))


class _Object(dict[str, Any]):
    """A JSON object that remembers the names it was given more than once, which ``json`` forgets."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.doubled = [name for name, times in Counter(name for name, _value in pairs).items() if times > 1]


def parse(data: bytes) -> Content:
    """Read a survey file (UTF-8, with or without byte order mark). Raises ``NotASurvey``."""
    if len(data) > FILE_BYTES_MAX:
        raise NotASurvey([Problem("", _("The file is larger than 1 MB."))])
    try:
        document = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_Object, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise NotASurvey(
            [Problem("", _("The file is not UTF-8 text (byte %(byte)d).") % {"byte": error.start + 1})]
        ) from None
    except json.JSONDecodeError as error:
        where = {"line": error.lineno, "column": error.colno, "what": error.msg}
        raise NotASurvey(
            [Problem("", _("The file is not JSON: line %(line)d, column %(column)d: %(what)s.") % where)]
        ) from None
    except RecursionError:
        raise NotASurvey([Problem("", _("The file is not a survey: it is nested too deeply."))]) from None
    except ValueError as error:  # NaN, Infinity, or a number of thousands of digits
        raise NotASurvey([Problem("", _("The file is not JSON: %(what)s.") % {"what": error})]) from None
    return read(document)


def read(document: object) -> Content:
    """Read a survey from what a file holds. Raises ``NotASurvey``."""
    reading = _Reading()
    content = reading.survey(document)
    if reading.problems:
        raise NotASurvey(reading.problems)
    return content


def read_question(document: object) -> QuestionDefinition:
    """Read one question, as it stands in ``questions`` of a file. Raises ``NotASurvey``."""
    reading = _Reading()
    question = reading.question(document, "")
    if question is None or reading.problems:
        raise NotASurvey(reading.problems)
    return question


def read_texts(document: object, name: str, *, longest: int) -> dict[str, str]:
    """Read the one text ``name`` of a survey. Raises ``NotASurvey``."""
    reading = _Reading()
    texts = reading.texts({name: document}, name, longest=longest)
    if reading.problems:
        raise NotASurvey(reading.problems)
    return texts


def write(content: Content) -> str:
    """Return the survey file. Reading it gives the same content again."""
    return json.dumps(document_of(content), ensure_ascii=False, indent=2) + "\n"


def document_of(content: Content) -> dict[str, Any]:
    """Return what the file holds. Optional fields that say nothing are left out."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "slug": content.slug,
        "title": dict(content.title),
        "intro": dict(content.intro),
        "consent": dict(content.consent),
        "method": dict(content.method),
        "mode": content.mode,
        "k": content.k,
        "dimensions": list(content.dimensions),
        "takes_codes": content.takes_codes,
        "questions": [question_document(question) for question in content.questions],
    }
    return _without_empty(document, "consent", "method", "takes_codes")


def question_document(question: QuestionDefinition) -> dict[str, Any]:
    """Return one question as it stands in a file."""
    document: dict[str, Any] = {
        "key": question.key,
        "kind": question.kind,
        "label": dict(question.label),
        "help": dict(question.help),
        "required": question.is_required,
        "choices": [
            {"key": choice.key, "label": dict(choice.label)}
            | ({} if choice.population is None else {"population": choice.population})
            for choice in question.choices
        ],
        "low": _plain(question.low),
        "high": _plain(question.high),
        "bands": [_plain(cut) for cut in question.bands],
    }
    return _without_empty(document, "help", "choices", "low", "high", "bands")


def _without_empty(document: dict[str, Any], *optional: str) -> dict[str, Any]:
    return {
        name: value
        for name, value in document.items()
        if name not in optional or not (value is None or value is False or value in ({}, []))
    }


def _plain(number: float | None) -> float | int | None:
    return int(number) if number is not None and float(number).is_integer() else number


def _refuse_constant(name: str) -> None:
    raise ValueError(_("%(name)s is not a JSON number") % {"name": name})


def _quoted(text: object) -> str:
    """Show a value of the file in a message, whatever it holds."""
    if isinstance(text, dict | list):
        return "{…}" if isinstance(text, dict) else "[…]"
    shown = text if isinstance(text, str) else json.dumps(text)
    shown = shown if len(shown) <= KEY_LENGTH else shown[:KEY_LENGTH] + "…"
    quoted = f'"{shown}"' if isinstance(text, str) else shown
    return quoted if quoted.isprintable() else json.dumps(shown)


@lru_cache(maxsize=1)
def known_languages() -> frozenset[str]:
    """Codes of every language that Unicode's locale data has a name for, regions and scripts apart."""
    codes = map(str, Locale("en").languages)
    return frozenset(code for code in codes if re.fullmatch("[a-z]{2,3}", code))


class _Reading:
    """One reading of a document: walks it all and keeps every problem found."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def refuse(self, place: str, message: str) -> None:
        self.problems.append(Problem(place, message))

    # --- The survey ---

    def survey(self, document: object) -> Content:
        given = self._object(document, "", _SURVEY_FIELDS)
        self._format(given)
        mode = self._one_of(given, "mode", Survey.Mode.values, default=Survey.Mode.ANONYMOUS.value)
        questions = self._questions(given)
        content = Content(
            slug=self._slug(given),
            title=self.texts(given, "title", longest=TITLE_LENGTH, is_needed=True),
            intro=self.texts(given, "intro", longest=PROSE_LENGTH),
            consent=self.texts(given, "consent", longest=PROSE_LENGTH),
            method=self.texts(given, "method", longest=PROSE_LENGTH),
            mode=mode,
            k=self._k(given, mode),
            dimensions=self._dimensions(given, questions),
            takes_codes=self._flag(given, "takes_codes"),
            questions=tuple(question for question in questions if question is not None),
        )
        if content.consent and content.is_anonymous:
            self.refuse("consent", _("Only a survey with names asks for consent."))
        return content

    def _format(self, given: Mapping[str, Any]) -> None:
        found = given.get("format")
        if found is None:
            self.refuse("format", _('This is missing. Write "format": 1.'))
        elif type(found) is not int or found != FORMAT:
            self.refuse("format", _("%(found)s is unknown; this program reads format 1.") % {"found": _quoted(found)})

    def _slug(self, given: Mapping[str, Any]) -> str:
        slug = self._word(given, "slug", "", longest=KEY_LENGTH)
        if slug and not re.fullmatch(SLUG, slug):
            self.refuse(
                "slug",
                _("%(slug)s is not a short address. Use small letters, digits and single hyphens, like safe-schools.")
                % {"slug": _quoted(slug)},
            )
        elif slug in RESERVED_SLUGS:
            self.refuse("slug", _("%(slug)s has a meaning of its own here. Choose another.") % {"slug": _quoted(slug)})
        return slug

    def _k(self, given: Mapping[str, Any], mode: str) -> int:
        if given.get("k") is None:
            return K_MIN
        least = K_MIN if mode == Survey.Mode.ANONYMOUS else 1
        k = self._whole(given, "k", "", K_MIN)
        if not least <= k <= K_MAX:
            if mode == Survey.Mode.ANONYMOUS:
                message = _("%(k)d is out of range: an anonymous survey shows no group under 10. Use 10 to 1000.")
            else:
                message = _("%(k)d is out of range. Use 1 to 1000.")
            self.refuse("k", message % {"k": k})
        return k

    def _questions(self, given: Mapping[str, Any]) -> list[QuestionDefinition | None]:
        if given.get("questions") is None:
            self.refuse("questions", _("This is missing."))
            return []
        entries = self._list(given, "questions", "", most=QUESTIONS_MAX)
        questions = [self.question(entry, f"questions[{place}]") for place, entry in enumerate(entries)]
        self._no_doubles(
            (f"questions[{place}].key", question.key if question else "") for place, question in enumerate(questions)
        )
        return questions

    def _dimensions(self, given: Mapping[str, Any], questions: list[QuestionDefinition | None]) -> tuple[str, ...]:
        entries = self._list(given, "dimensions", "")
        if len(entries) > DIMENSIONS_MAX:
            self.refuse(
                "dimensions",
                _("There are %(count)d; results can be told by at most 3 dimensions.") % {"count": len(entries)},
            )
        by_key: dict[str, QuestionDefinition] = {question.key: question for question in questions if question}
        for number, key in enumerate(entries):
            place = f"dimensions[{number}]"
            question = by_key.get(key) if isinstance(key, str) else None
            if question is None:
                if not isinstance(key, str) or None not in questions:  # else the question is there, but is refused
                    self.refuse(place, _("%(key)s is not the key of a question.") % {"key": _quoted(key)})
                continue
            if entries.index(key) < number:
                self.refuse(place, _("%(key)s is used twice.") % {"key": _quoted(key)})
            if question.kind != Question.Kind.SINGLE:
                self.refuse(place, _("%(key)s is not a question with one choice (single).") % {"key": _quoted(key)})
            values = [choice.key for choice in question.choices if choice.key != NO_ANSWER]
            if len(values) > DIMENSION_VALUES_MAX:
                self.refuse(
                    place,
                    _("%(key)s has %(count)d choices; a dimension has at most 8.")
                    % {"key": _quoted(key), "count": len(values)},
                )
        return tuple(key for key in entries if isinstance(key, str))

    # --- A question ---

    def question(self, document: object, place: str) -> QuestionDefinition | None:
        """Read one question; ``None`` when it has no key or no kind, so that nothing can be said of it."""
        given = self._object(document, place, _QUESTION_FIELDS)
        kind = self._one_of(given, "kind", Question.Kind.values, place=place)
        key = self._word(given, "key", place, longest=KEY_LENGTH)
        if key and not re.fullmatch(QUESTION_KEY, key):
            self.refuse(
                _at(place, "key"),
                _('%(key)s is not a key. Use letters, digits, "_", "-" and ".", beginning with a letter or digit.')
                % {"key": _quoted(key)},
            )
        question = QuestionDefinition(
            key=key,
            kind=kind,
            label=self.texts(given, "label", place, longest=LABEL_LENGTH, is_needed=True),
            help=self.texts(given, "help", place, longest=PROSE_LENGTH),
            is_required=self._flag(given, "required", place),
            choices=self._choices(given, kind, place),
            **self._range(given, kind, place),
        )
        return question if kind and key else None

    def _choices(self, given: Mapping[str, Any], kind: str, place: str) -> tuple[ChoiceDefinition, ...]:
        entries = self._list(given, "choices", place)
        here = _at(place, "choices")
        if kind and kind not in Question.CHOICE_KINDS:
            if entries:
                self.refuse(here, _("Only questions of kind single and multiple have choices."))
            return ()
        if kind and len(entries) < CHOICES_MIN:
            self.refuse(here, _("There are %(count)d; a question needs at least 2.") % {"count": len(entries)})
        if len(entries) > CHOICES_MAX:
            self.refuse(here, _("There are %(count)d; at most 60 are possible.") % {"count": len(entries)})
            return ()
        choices = [self._choice(entry, f"{here}[{number}]") for number, entry in enumerate(entries)]
        self._no_doubles((f"{here}[{number}].key", choice.key) for number, choice in enumerate(choices))
        # Two choices that read alike could be told apart neither by a person nor in a file of answers.
        self._no_doubles(
            (f"{here}[{number}].label.{language}", text, language)
            for number, choice in enumerate(choices)
            for language, text in choice.label.items()
        )
        return tuple(choices)

    def _choice(self, document: object, place: str) -> ChoiceDefinition:
        given = self._object(document, place, _CHOICE_FIELDS)
        key = self._word(given, "key", place, longest=KEY_LENGTH)
        if key and not (re.fullmatch(CHOICE_KEY, key) and key.isprintable()):
            self.refuse(
                _at(place, "key"),
                _("%(key)s is not a key. Leave out commas, semicolons, and spaces at the ends.")
                % {"key": _quoted(key)},
            )
        population = None
        if given.get("population") is not None:
            population = self._whole(given, "population", place, 0)
            if not 0 <= population <= POPULATION_MAX:
                self.refuse(_at(place, "population"), _("This is not a number of people."))
        return ChoiceDefinition(
            key=key,
            label=self.texts(given, "label", place, longest=LABEL_LENGTH, is_needed=True),
            population=population,
        )

    def _range(self, given: Mapping[str, Any], kind: str, place: str) -> dict[str, Any]:
        low, high = self._number(given, "low", place), self._number(given, "high", place)
        bands = self._bands(given, kind, low, high, place)
        if kind not in (Question.Kind.SCALE, Question.Kind.NUMBER):
            for name, value in (("low", low), ("high", high)):
                if value is not None and kind:
                    self.refuse(_at(place, name), _("Only questions of kind scale and number have this."))
            return {}
        if low is not None and high is not None and low >= high:
            self.refuse(_at(place, "high"), _("This must be greater than low."))
        if kind == Question.Kind.SCALE:
            for name, value in (("low", low), ("high", high)):
                if given.get(name) is None:
                    self.refuse(_at(place, name), _("This is missing: a scale has two ends."))
                elif value is not None and type(given[name]) is not int:
                    self.refuse(_at(place, name), _("The end of a scale is a whole number."))
            if low is not None and high is not None and high - low >= SCALE_STEPS_MAX:
                self.refuse(_at(place, "high"), _("A scale has at most 11 steps."))
        return {"low": low, "high": high, "bands": bands}

    def _bands(
        self, given: Mapping[str, Any], kind: str, low: float | None, high: float | None, place: str
    ) -> tuple[float, ...]:
        entries = self._list(given, "bands", place, most=CUTS_MAX)
        here = _at(place, "bands")
        if kind != Question.Kind.NUMBER:
            if entries and kind:
                self.refuse(here, _("Only questions of kind number have bands."))
            return ()
        cuts: list[float] = []
        for number, entry in enumerate(entries):
            cut = self._number({"cut": entry}, "cut", "", shown_at=f"{here}[{number}]")
            if cut is None:
                if entry is None:
                    self.refuse(f"{here}[{number}]", _("This is not a number."))
                continue
            if cuts and cut <= cuts[-1]:
                self.refuse(f"{here}[{number}]", _("Bands are cut at rising numbers."))
            if (low is not None and cut <= low) or (high is not None and cut > high):
                self.refuse(f"{here}[{number}]", _("This cuts nothing: it is not between low and high."))
            cuts.append(cut)
        return tuple(cuts)

    # --- Values ---

    def _object(self, value: object, place: str, fields: list[str]) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self.refuse(place, _("This must be an object with the fields %(fields)s.") % {"fields": ", ".join(fields)})
            return {}
        self._names_once(value, place)
        for name in value:
            if name not in fields:
                self.refuse(
                    _at(place, name if name.isidentifier() else _quoted(name)),
                    _("This field is unknown. Known are %(fields)s.") % {"fields": ", ".join(fields)},
                )
        return value

    def _names_once(self, value: dict[str, Any], place: str) -> None:
        for name in getattr(value, "doubled", ()):
            self.refuse(_at(place, name if name.isidentifier() else _quoted(name)), _("This field is written twice."))

    def _list(self, given: Mapping[str, Any], name: str, place: str, most: int | None = None) -> list[Any]:
        value = given.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.refuse(_at(place, name), _("This must be a list."))
            return []
        if most is not None and len(value) > most:
            self.refuse(
                _at(place, name),
                _("There are %(count)d; at most %(most)d are possible.") % {"count": len(value), "most": most},
            )
            return []
        return value

    def texts(
        self, given: Mapping[str, Any], name: str, place: str = "", *, longest: int, is_needed: bool = False
    ) -> dict[str, str]:
        """Read ``{"en": "…", "es": "…"}``; a plain string is English. Empty texts are left out."""
        value = given.get(name)
        here = _at(place, name)
        if isinstance(value, str):
            value = {"en": value}
        elif value is None:
            value = {}
        elif not isinstance(value, dict):
            self.refuse(here, _('This must be texts by language, like {"en": "Yes", "es": "Sí"}.'))
            return {}
        self._names_once(value, here)
        texts = {}
        for code, text in value.items():
            there = _at(here, code if code.isidentifier() else _quoted(code))
            if code not in known_languages():
                self.refuse(there, _('This is not the code of a language. Use codes like "en" and "es".'))
            elif not isinstance(text, str):
                self.refuse(there, _("This must be text."))
            elif self._is_text(text, there, longest) and text.strip():
                texts[code] = text.strip()
        if is_needed and not texts and not any(problem.place.startswith(here) for problem in self.problems):
            self.refuse(here, _("This is missing."))
        return texts

    def _is_text(self, text: str, place: str, longest: int) -> bool:
        if found := _NOT_TEXT.search(text):
            self.refuse(
                place,
                _("Character %(number)d (U+%(code)s) is not text.")
                % {"number": found.start() + 1, "code": f"{ord(found[0]):04X}"},
            )
            return False
        if len(text) > longest:
            self.refuse(
                place,
                _("This has %(count)d characters; at most %(most)d are possible.")
                % {"count": len(text), "most": longest},
            )
            return False
        return True

    def _word(self, given: Mapping[str, Any], name: str, place: str, *, longest: int) -> str:
        value = given.get(name)
        here = _at(place, name)
        if value is None or value == "":
            self.refuse(here, _("This is missing."))
        elif not isinstance(value, str):
            self.refuse(here, _("This must be text."))
        elif self._is_text(value, here, longest):
            return value
        return ""

    def _flag(self, given: Mapping[str, Any], name: str, place: str = "") -> bool:
        value = given.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.refuse(_at(place, name), _("This must be true or false."))
        return False

    def _whole(self, given: Mapping[str, Any], name: str, place: str, fallback: int) -> int:
        value = given[name]
        if type(value) is int:
            return value
        self.refuse(_at(place, name), _("This must be a whole number."))
        return fallback

    def _number(self, given: Mapping[str, Any], name: str, place: str, shown_at: str = "") -> float | None:
        value = given.get(name)
        here = shown_at or _at(place, name)
        if value is None:
            return None
        if type(value) not in (int, float) or (isinstance(value, float) and not math.isfinite(value)):
            self.refuse(here, _("This is not a number."))
        elif abs(value) > NUMBER_MAX:
            self.refuse(here, _("This is too large a number."))
        else:
            return float(value)
        return None

    def _one_of(
        self, given: Mapping[str, Any], name: str, known: list[str], *, place: str = "", default: str = ""
    ) -> str:
        value = given.get(name)
        if value is None and default:
            return default
        if isinstance(value, str) and value in known:
            return value
        if value is None:
            message = _("This is missing. Use one of %(known)s.")
        else:
            message = _("%(found)s is unknown. Use one of %(known)s.")
        self.refuse(_at(place, name), message % {"found": _quoted(value), "known": ", ".join(known)})
        return ""

    def _no_doubles(self, words: Iterator[tuple[str, ...]]) -> None:
        """Refuse the second of two words that differ at most in case; those of ``words`` begin with their place."""
        seen = set()
        for place, word, *within in words:
            same = (word.casefold(), *within)
            if word and same in seen:
                self.refuse(place, _("%(word)s is used twice.") % {"word": _quoted(word)})
            seen.add(same)


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
