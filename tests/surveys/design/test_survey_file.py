"""The portable survey file: what is read, what is refused and where, and that nothing is lost on the way."""

import copy
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from surveys.design import portable
from surveys.design.definition import load_definition
from surveys.design.models import Survey
from surveys.design.operations import open_survey

FULL: dict[str, Any] = {
    "format": 1,
    "slug": "safe-schools",
    "title": {"en": "Safe schools", "es": "Escuelas seguras"},
    "intro": {"en": "Ten questions.\n\nThree minutes.", "es": "Diez preguntas."},
    "method": {"en": "Handed out in class."},
    "mode": "anonymous",
    "k": 12,
    "dimensions": ["school", "W.Hnd"],
    "takes_codes": True,
    "questions": [
        {
            "key": "school",
            "kind": "single",
            "label": {"en": "Which school?", "es": "¿Qué escuela?"},
            "required": True,
            "choices": [
                {"key": "cross", "label": {"en": "Cross"}, "population": 1600},
                {"key": "hill", "label": {"en": "Hillhouse"}},
            ],
        },
        {
            "key": "W.Hnd",
            "kind": "single",
            "label": {"en": "Writing hand"},
            "required": False,
            "choices": [{"key": "Right", "label": {"en": "Right"}}, {"key": "R on L", "label": {"en": "🖐 يمين"}}],
        },
        {
            "key": "saw",
            "kind": "multiple",
            "label": {"en": "What did you see?"},
            "help": {"en": "Choose all that apply."},
            "required": False,
            "choices": [{"key": "1", "label": {"en": "Help"}}, {"key": "2", "label": {"en": "Force"}}],
        },
        {"key": "feel", "kind": "scale", "label": {"en": "How safe?"}, "required": False, "low": 1, "high": 5},
        {
            "key": "age",
            "kind": "number",
            "label": {"en": "Age"},
            "required": False,
            "low": 10,
            "high": 21.5,
            "bands": [14, 16.5],
        },
        {"key": "why", "kind": "long_text", "label": {"en": "Why?"}, "required": False},
    ],
}


def read(document: object) -> list[str]:
    """Read it and return what is wrong, as lines."""
    try:
        portable.parse(json.dumps(document).encode())
    except portable.NotASurvey as refusal:
        return [str(problem) for problem in refusal.problems]
    return []


def with_change(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(FULL), **fields}


def with_question(**fields: Any) -> dict[str, Any]:
    """A survey of one question; ``None`` leaves a field out."""
    question = {"key": "q", "kind": "single", "label": "Q?", "choices": [*CHOICES], **fields}
    return with_change(
        dimensions=[], questions=[{name: value for name, value in question.items() if value is not None}]
    )


CHOICES = [{"key": "yes", "label": "Yes"}, {"key": "no", "label": "No"}]


def test_writing_what_was_read_gives_the_same_file() -> None:
    assert json.loads(portable.write(portable.parse(json.dumps(FULL).encode()))) == FULL


def test_the_least_file_is_an_anonymous_survey_with_k_ten() -> None:
    content = portable.parse(b'{"format": 1, "slug": "s", "title": "Hello", "questions": []}')
    assert (content.mode, content.k, content.dimensions, content.title) == ("anonymous", 10, (), {"en": "Hello"})


def test_a_byte_order_mark_is_skipped() -> None:
    assert portable.parse(b"\xef\xbb\xbf" + json.dumps(FULL).encode()).slug == "safe-schools"


def test_fields_that_are_null_or_empty_count_as_left_out() -> None:
    assert read(with_question(kind="short_text", choices=[])) == []
    content = portable.read(with_change(intro={"en": "", "es": "  "}, consent=None, method=""))
    assert (content.intro, content.consent, content.method) == ({}, {}, {})


@pytest.mark.parametrize(
    ("document", "told"),
    [
        # The survey
        ([], "This must be an object with the fields format, slug"),
        (with_change(format=2), "format: 2 is unknown"),
        (with_change(format=True), "format: true is unknown"),
        (with_change(format=None), "format: This is missing"),
        (with_change(colour="red"), "colour: This field is unknown"),
        (with_change(**{"a\nb": 1}), '"a\\nb": This field is unknown'),
        (with_change(slug=None), "slug: This is missing"),
        (with_change(slug="Safe Schools"), 'slug: "Safe Schools" is not a short address'),
        (with_change(slug="../etc"), 'slug: "../etc" is not a short address'),
        (with_change(slug="a" * 61), "slug: This has 61 characters"),
        (with_change(slug=7), "slug: This must be text"),
        (with_change(slug="new"), 'slug: "new" has a meaning of its own'),
        (with_change(title={}), "title: This is missing"),
        (with_change(title={"en": " "}), "title: This is missing"),
        (with_change(title={"xx": "Hello"}), "title.xx: This is not the code of a language"),
        (with_change(title={"en": 7}), "title.en: This must be text"),
        (with_change(title=["Hello"]), "title: This must be texts by language"),
        (with_change(title={"en": "a" * 201}), "title.en: This has 201 characters; at most 200"),
        (with_change(title={"en": "a\0b"}), "title.en: Character 2 (U+0000) is not text"),
        (with_change(intro={"es": "\ud83d"}), "intro.es: Character 1 (U+D83D) is not text"),
        (with_change(mode="secret"), 'mode: "secret" is unknown. Use one of anonymous, named'),
        (with_change(consent={"en": "I agree"}), "consent: Only a survey with names"),
        (with_change(k=9), "k: 9 is out of range: an anonymous survey shows no group under 10"),
        (with_change(k=10.0), "k: This must be a whole number"),
        (with_change(k=True), "k: This must be a whole number"),
        (with_change(k=10**9), "k: 1000000000 is out of range"),
        (with_change(mode="named", k=0), "k: 0 is out of range"),
        (with_change(takes_codes="yes"), "takes_codes: This must be true or false"),
        # Dimensions
        (with_change(dimensions="school"), "dimensions: This must be a list"),
        (with_change(dimensions=["a", "b", "c", "d"]), "dimensions: There are 4; results can be told by at most 3"),
        (with_change(dimensions=["place"]), 'dimensions[0]: "place" is not the key of a question'),
        (with_change(dimensions=[{"a": 1}]), "dimensions[0]: {…} is not the key of a question"),
        (with_change(dimensions=["school", "school"]), 'dimensions[1]: "school" is used twice'),
        (with_change(dimensions=["saw"]), 'dimensions[0]: "saw" is not a question with one choice'),
        (with_change(dimensions=["feel"]), 'dimensions[0]: "feel" is not a question with one choice'),
        (
            {
                **with_question(choices=[{"key": str(n), "label": f"Grade {n}"} for n in range(9)]),
                "dimensions": ["q"],
            },
            'dimensions[0]: "q" has 9 choices; a dimension has at most 8',
        ),
        # Questions
        (with_change(questions=None), "questions: This is missing"),
        (with_change(questions={}), "questions: This must be a list"),
        (with_change(questions=[7]), "questions[0]: This must be an object"),
        (with_change(questions=[{}] * 201), "questions: There are 201; at most 200"),
        (with_question(key=None), "questions[0].key: This is missing"),
        (with_question(key="a b"), 'questions[0].key: "a b" is not a key'),
        (with_question(key="-a"), 'questions[0].key: "-a" is not a key'),
        (with_question(key="a\n"), 'questions[0].key: "a\\n" is not a key'),
        (with_question(kind=None), "questions[0].kind: This is missing. Use one of single"),
        (with_question(kind="matrix"), 'questions[0].kind: "matrix" is unknown. Use one of single'),
        (with_question(kind=["single"]), "questions[0].kind: […] is unknown"),
        (with_question(label=None), "questions[0].label: This is missing"),
        (with_question(required=1), "questions[0].required: This must be true or false"),
        (with_question(show_if="x"), "questions[0].show_if: This field is unknown"),
        (
            with_change(dimensions=[], questions=[FULL["questions"][5], {**FULL["questions"][5], "key": "WHY"}]),
            'questions[1].key: "WHY" is used twice',
        ),
        # Choices
        (with_question(choices=None), "questions[0].choices: There are 0; a question needs at least 2"),
        (with_question(choices=CHOICES[:1]), "questions[0].choices: There are 1; a question needs at least 2"),
        (
            with_question(choices=[{"key": str(n), "label": str(n)} for n in range(61)]),
            "questions[0].choices: There are 61; at most 60",
        ),
        (with_question(kind="scale", low=1, high=5), "questions[0].choices: Only questions of kind single"),
        (with_question(choices=[*CHOICES, "maybe"]), "questions[0].choices[2]: This must be an object"),
        (
            with_question(choices=[*CHOICES, {"key": "yes", "label": "Sure"}]),
            'questions[0].choices[2].key: "yes" is used twice',
        ),
        (
            with_question(choices=[*CHOICES, {"key": "sure", "label": "yes"}]),
            'questions[0].choices[2].label.en: "yes" is used twice',
        ),
        (with_question(choices=[*CHOICES, {"key": "a;b", "label": "A"}]), 'choices[2].key: "a;b" is not a key'),
        (with_question(choices=[*CHOICES, {"key": "a,b", "label": "A"}]), 'choices[2].key: "a,b" is not a key'),
        (with_question(choices=[*CHOICES, {"key": " a", "label": "A"}]), 'choices[2].key: " a" is not a key'),
        (with_question(choices=[*CHOICES, {"key": 3, "label": "A"}]), "choices[2].key: This must be text"),
        (with_question(choices=[*CHOICES, {"key": "a"}]), "questions[0].choices[2].label: This is missing"),
        (
            with_question(choices=[*CHOICES, {"key": "a", "label": "A", "score": 2}]),
            "questions[0].choices[2].score: This field is unknown",
        ),
        (
            with_question(choices=[*CHOICES, {"key": "a", "label": "A", "population": -1}]),
            "questions[0].choices[2].population: This is not a number of people",
        ),
        (
            with_question(choices=[*CHOICES, {"key": "a", "label": "A", "population": 1.5}]),
            "questions[0].choices[2].population: This must be a whole number",
        ),
        # Ranges
        (with_question(low=1), "questions[0].low: Only questions of kind scale and number"),
        (with_question(kind="scale", choices=None, high=5), "questions[0].low: This is missing: a scale has two"),
        (with_question(kind="scale", choices=None, low=1, high=12), "questions[0].high: A scale has at most 11 steps"),
        (with_question(kind="scale", choices=None, low=1.0, high=5), "questions[0].low: The end of a scale is a whole"),
        (with_question(kind="scale", choices=None, low=5, high=5), "questions[0].high: This must be greater than low"),
        (with_question(kind="scale", choices=None, low="1", high=5), "questions[0].low: This is not a number"),
        (with_question(kind="number", choices=None, low=True), "questions[0].low: This is not a number"),
        (with_question(kind="number", choices=None, high=10**30), "questions[0].high: This is too large"),
        (with_question(bands=[1, 2]), "questions[0].bands: Only questions of kind number have bands"),
        (with_question(kind="number", choices=None, bands=[1, 1]), "questions[0].bands[1]: Bands are cut at rising"),
        (with_question(kind="number", choices=None, bands=["1"]), "questions[0].bands[0]: This is not a number"),
        (with_question(kind="number", choices=None, bands=[None]), "questions[0].bands[0]: This is not a number"),
        (
            with_question(kind="number", choices=None, low=0, high=9, bands=[0, 20]),
            "questions[0].bands[1]: This cuts nothing",
        ),
        (with_question(kind="number", choices=None, bands=list(range(20))), "questions[0].bands: There are 20"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(document: object, told: str) -> None:
    assert any(told in line for line in read(document)), read(document)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "The file is not JSON: line 1"),
        (b"\x00\x01\x02", "The file is not JSON"),
        (b"\xff\xfe{\x00}\x00", "The file is not UTF-8 text (byte 1)"),
        (b"{" + b" " * portable.FILE_BYTES_MAX + b"}", "The file is larger than 1 MB"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"format": NaN}', "The file is not JSON: NaN is not a JSON number"),
        (b'{"format": 1' + b"0" * 5000 + b"}", "The file is not JSON"),
        (b'{"format": 1, "k": 1e999}', "k: This must be a whole number"),
        (b'{"format": 1, "format": 1}', "format: This field is written twice"),
        (b'{"title": {"en": "A", "en": "B"}}', "title.en: This field is written twice"),
        (
            b'{"questions": [{"choices": [{"key": "a", "key": "b"}]}]}',
            "questions[0].choices[0].key: This field is written",
        ),
        (b'{"questions": ' + b"[" * 500 + b"]" * 500 + b"}", "questions[0]: This must be an object"),
    ],
)
def test_a_file_that_is_no_survey_is_refused_in_one_line(data: bytes, told: str) -> None:
    with pytest.raises(portable.NotASurvey) as refusal:
        portable.parse(data)
    assert told in str(refusal.value)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    document = with_change(slug="Ä", k=3, dimensions=["nowhere"], colour=1)
    assert {line.split(":")[0] for line in read(document)} == {"colour", "slug", "k", "dimensions[0]"}


def test_of_very_many_problems_the_first_fifty_are_told() -> None:
    with pytest.raises(portable.NotASurvey) as refusal:
        portable.read(with_change(**{f"x{n}": 1 for n in range(70)}))
    assert len(str(refusal.value).splitlines()) == 51
    assert "and 20 more" in str(refusal.value)


def test_a_named_survey_needs_no_k_and_may_ask_for_consent() -> None:
    document = with_change(mode="named", consent={"en": "I agree."})
    del document["k"]
    assert read(document) == []


@pytest.mark.django_db
def test_a_survey_goes_out_and_in_by_the_commands_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "survey.json"
    path.write_text(json.dumps(FULL), encoding="utf-8")
    told = io.StringIO()
    call_command("import_survey", str(path), stdout=told)
    call_command("import_survey", str(path), stdout=told)
    written = io.StringIO()
    call_command("export_survey", "safe-schools", stdout=written)
    assert json.loads(written.getvalue()) == FULL
    path.write_text(json.dumps({**FULL, "k": 20}), encoding="utf-8")
    call_command("import_survey", str(path), stdout=told)
    assert told.getvalue().splitlines() == [
        "safe-schools: created",
        "safe-schools: unchanged",
        "safe-schools: replaced",
    ]
    assert Survey.objects.get().k == 20


@pytest.mark.django_db
def test_a_file_is_read_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(FULL).encode())))
    call_command("import_survey", "-", stdout=io.StringIO())
    assert Survey.objects.get().slug == "safe-schools"


@pytest.mark.django_db
def test_an_opened_survey_takes_its_own_file_as_unchanged_and_refuses_another(tmp_path: Path, now: Any) -> None:
    document = copy.deepcopy(FULL)
    del document["questions"][4]["bands"]  # left to the opening
    path = tmp_path / "survey.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    call_command("import_survey", str(path), stdout=io.StringIO())
    open_survey(Survey.objects.get(), by=None, at=now)
    told = io.StringIO()
    call_command("import_survey", str(path), stdout=told)
    assert told.getvalue() == "safe-schools: unchanged\n"
    path.write_text(json.dumps({**document, "k": 20}), encoding="utf-8")
    with pytest.raises(CommandError, match="has opened, and the file differs"):
        call_command("import_survey", str(path), stdout=io.StringIO())
    definition = load_definition("safe-schools")
    assert definition is not None
    assert definition.k == 12
    assert definition.question_by_key["age"].bands == (12, 14, 16, 18, 20)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["nowhere.json", "."])
def test_a_file_that_cannot_be_read_is_said_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_survey", str(tmp_path / name))


@pytest.mark.django_db
def test_exporting_an_unknown_survey_says_so() -> None:
    with pytest.raises(CommandError, match="There is no survey nowhere"):
        call_command("export_survey", "nowhere")
