"""From rows of cells to answers, or to the reasons why a row is none."""

import io
import unicodedata
from typing import Any

import pytest

from organizing.web.errors import Refused
from surveys.answering.importing.columns import Answered, Refusal, RowReader, find_header, read_header
from surveys.answering.importing.reading import recognise, records
from surveys.design.definition import ChoiceDefinition, Content, QuestionDefinition


def choice(key: str, english: str, spanish: str = "") -> ChoiceDefinition:
    return ChoiceDefinition(key=key, label={"en": english} | ({"es": spanish} if spanish else {}))


GRADE = QuestionDefinition(
    key="grade",
    kind="single",
    label={"en": "Which grade are you in?", "es": "¿En qué grado estás?"},
    choices=(choice("9", "Ninth grade", "Noveno grado"), choice("10", "Tenth grade", "Décimo grado")),
)
HELP = QuestionDefinition(
    key="help",
    kind="multiple",
    label={"en": "Who helps you, if anyone?", "es": "¿Quién te ayuda?"},
    choices=(
        choice("friend", "A friend", "Una amistad"),
        choice("family", "Mother, father, or family", "Familia"),
        choice("both", "A friend, A teacher"),
        choice("teacher", "A teacher", "Docente"),
        choice("other", "Somebody else; not listed"),
    ),
)
SAFE = QuestionDefinition(key="safe", kind="scale", label={"en": "How safe?"}, low=1, high=5, is_required=True)
AGE = QuestionDefinition(key="age", kind="number", label={"en": "Age"}, low=-2.5, high=100)
WORDS = QuestionDefinition(key="words", kind="short_text", label={"en": "In your words", "es": "En tus palabras"})


def content(*questions: QuestionDefinition, **given: Any) -> Content:
    return Content(slug="s", title={"en": "S", "es": "E"}, questions=questions or (GRADE, HELP, SAFE, WORDS), **given)


def read(of: Content, text: str) -> tuple[Answered, list[Refusal]]:
    file = io.BytesIO(text.encode())
    how = recognise(file)
    delimiter, header = find_header(of, file, how)
    (chunk,) = records(file, how, delimiter)
    del chunk.rows[0], chunk.lines[0]
    return RowReader(of, header).read(chunk)


def answers_of(question: QuestionDefinition, *cells: str) -> list[Any]:
    """Read each cell in a column of its own question beside another one; a reason where it is none."""
    given = []
    for cell in cells:
        quoted = cell.replace('"', '""')
        answered, refusals = read(content(question, AGE_BESIDE), f'{question.key},beside\n"{quoted}",1\n')
        given.append(refusals[0].reason if refusals else {**answered.answers[0], **answered.texts[0]}.get(question.key))
    return given


AGE_BESIDE = QuestionDefinition(key="beside", kind="number", label={"en": "Beside"})


# --- The header ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        ["grade", "help", "safe", "words"],
        ["Which grade are you in?", "Who helps you, if anyone?", "How safe?", "In your words"],
        ["¿En qué grado estás?", "¿quién te ayuda?", "How  safe? ", "EN TUS PALABRAS"],
        [unicodedata.normalize("NFD", "¿En qué grado estás?"), "HELP", " safe", "In\u00a0your words"],
    ],
)
def test_a_column_is_found_by_key_or_label_in_any_language(names: list[str]) -> None:
    header = read_header(content(), names)
    assert [question.key for question in header.questions.values()] == ["grade", "help", "safe", "words"]
    assert header.notes == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_the_one_that_finds_the_questions(delimiter: str) -> None:
    names = ["¿En qué grado estás?", '"Who helps you, if anyone?"', "safe", "words"]
    answered, refusals = read(content(), delimiter.join(names) + "\n" + delimiter.join(["9", "", "3", ""]) + "\n")
    assert (answered.answers, refusals) == ([{"grade": "9", "safe": 3}], [])


def test_a_label_with_a_comma_needs_no_quotes_in_a_file_of_semicolons() -> None:
    answered, _refusals = read(content(), "Who helps you, if anyone?;safe\nA friend;4\n")
    assert answered.answers == [{"help": ["friend"], "safe": 4}]


def test_times_names_and_addresses_are_dropped_in_an_anonymous_survey_and_it_says_so() -> None:
    names = ["Marca temporal", "E-mail Address", "Full name", "safe", "grade", "help", "words"]
    header = read_header(content(), names)
    assert header.notes == ["Dropped, not stored: Marca temporal, E-mail Address, Full name."]
    assert header.name_columns == []


def test_names_and_addresses_are_kept_in_a_survey_with_names_and_times_are_not() -> None:
    named = content(mode="named")
    answered, _refusals = read(named, "Timestamp,First name,Last name,Email,safe\nx,Ada,Lovelace,ada@example.org,1\n")
    assert answered.people == [("Ada Lovelace", "ada@example.org")]


def test_a_question_called_name_is_a_question() -> None:
    question = QuestionDefinition(key="name", kind="short_text", label={"en": "Name of your school"})
    answered, _refusals = read(content(question), "Name\nWilbur Cross\n")
    assert answered.texts == [{"name": "Wilbur Cross"}]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["safe", "grade", "Teacher's remark"], "no question of the survey: “Teacher's remark”.*help, words"),
        (["safe", "grade", "Which grade are you in?"], "Columns 2 and 3 both hold the answers to “grade”"),
        (["grade", "words"], "must be answered and have no column in the file: safe"),
        (["one", "two"], "must hold these names: grade, help, safe, words"),
        (["safe", "\x1b[31mred\ud800"], "“ \\[31mred\ufffd”|“\\[31mred\ufffd”"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_by_name(names: list[str], said: str) -> None:
    with pytest.raises(Refused, match=said):
        read_header(content(), names)


def test_a_label_that_two_questions_share_is_refused() -> None:
    again = QuestionDefinition(key="safe-2", kind="scale", label={"en": "How safe?"}, low=1, high=5)
    with pytest.raises(Refused, match="safe, safe-2"):
        read_header(content(SAFE, again), ["How safe?"])
    assert len(read_header(content(SAFE, again), ["safe", "safe-2"]).questions) == 2


def test_a_question_without_a_column_is_told() -> None:
    assert read_header(content(), ["safe", "grade"]).notes == ["No column in the file, so not answered: help, words."]


def test_a_nameless_first_column_of_row_numbers_is_dropped_and_others_must_be_empty() -> None:
    answered, refusals = read(content(), ",safe,grade,\n1,4,9,\n2,4,9,stray\n")
    assert answered.answers == [{"safe": 4, "grade": "9"}]
    assert refusals == [Refusal(3, "", "column 4 has no name")]


# --- Cells --------------------------------------------------------------------------------------


def test_a_choice_is_found_by_key_or_label_in_any_language_whatever_case_and_space() -> None:
    cells = ["9", "Ninth grade", "NOVENO  GRADO", " ninth grade\n", unicodedata.normalize("NFD", "Décimo grado"), ""]
    assert answers_of(GRADE, *cells) == ["9", "9", "9", "9", "10", None]


def test_a_choice_that_does_not_exist_is_refused_without_repeating_what_was_written() -> None:
    reasons = answers_of(GRADE, "Eleventh", "NA", "9;10")
    assert reasons == ["is none of the choices (9, 10)"] * 3


def test_a_name_that_two_choices_share_is_refused() -> None:
    question = QuestionDefinition(
        key="q", kind="single", label={"en": "Q"}, choices=(choice("a", "Sí", "No"), choice("b", "No"))
    )
    assert answers_of(question, "no", "a") == ["is the name of several choices; use the choice's key", "a"]


def test_several_choices_are_parted_by_semicolons_or_commas_and_labels_may_hold_both() -> None:
    assert answers_of(
        HELP,
        "friend;teacher",
        "teacher, friend",
        "A teacher;A friend;",
        "A friend; friend",
        "Mother, father, or family",
        "Mother, father, or family, A teacher",
        "A teacher, Mother, father, or family;other",
        "A friend, A teacher",
        "Somebody else; not listed, una amistad",
    ) == [
        ["friend", "teacher"],
        ["friend", "teacher"],
        ["friend", "teacher"],
        ["friend"],
        ["family"],
        ["family", "teacher"],
        ["family", "teacher", "other"],
        ["both"],
        ["friend", "other"],
    ]


def test_one_unknown_among_several_choices_refuses_the_cell() -> None:
    reasons = answers_of(HELP, "friend;nobody", ";", "friend,teacher", "Mother, father")
    assert [reason.split(" (")[0] for reason in reasons] == ["is none of the choices"] * 4


def test_a_number_has_a_decimal_point_or_comma_and_lies_in_its_range() -> None:
    assert answers_of(AGE, "17", "17.5", "17,5", "-2,5", "\u22121", " 100 ", "+3", "017.250") == [
        *(17, 17.5, 17.5, -2.5, -1, 100, 3, 17.25)
    ]
    assert answers_of(AGE, "-3", "100.1", "ten", "1e1", "1.000,5", "nan", "9" * 400) == [
        *("is under -2.5", "is over 100", *["is not a number"] * 5)
    ]


def test_a_step_of_a_scale_is_whole() -> None:
    assert answers_of(SAFE, "1", "5.0", "3,5", "6", "0", "") == [
        *(1, 5, "is not a whole number", "is over 5", "is under 1", "must be answered")
    ]


def test_a_text_loses_control_characters_and_keeps_the_rest() -> None:
    assert answers_of(WORDS, " a\x07b\r\nc\x1b ", "مرحبا 👩🏽‍🎓", "'=1+1\"", "  ", "x" * 201) == [
        *("ab\nc", "مرحبا 👩🏽‍🎓", "'=1+1\"", None, "is longer than 200 characters")
    ]


@pytest.mark.parametrize("question", [GRADE, HELP, AGE, WORDS])
@pytest.mark.parametrize("damage", ["\0", "\ud800"])
def test_a_damaged_cell_is_refused(question: QuestionDefinition, damage: str) -> None:
    header = read_header(content(question), [question.key])
    assert RowReader(content(question), header).cells[0]["9" + damage].reason == "holds damaged characters"


def test_who_declines_to_name_their_group_has_not_answered() -> None:
    of = content(GRADE, AGE, dimensions=("grade",))
    answered, refusals = read(of, "grade,age\nPrefer not to say,3\nprefer-not-to-say,4\n")
    assert (answered.answers, refusals) == ([{"age": 3}, {"age": 4}], [])


# --- Rows ---------------------------------------------------------------------------------------


def test_every_bad_cell_of_a_row_is_told_and_the_other_rows_are_taken() -> None:
    answered, refusals = read(content(), "grade,safe\n9,1\n11,9\n10,2\n")
    assert answered.answers == [{"grade": "9", "safe": 1}, {"grade": "10", "safe": 2}]
    assert refusals == [Refusal(3, "grade", "is none of the choices (9, 10)"), Refusal(3, "safe", "is over 5")]


def test_a_row_of_another_width_is_refused_unless_only_empty_cells_follow() -> None:
    answered, refusals = read(content(), "grade,safe\n9,1,,\n9,1,x\n9\n")
    assert answered.answers == [{"grade": "9", "safe": 1}]
    assert [refusal.line for refusal in refusals] == [3, 4]
    assert refusals[0].reason == "has 3 cells, the first line has 2"


def test_a_row_that_answers_nothing_is_no_answer() -> None:
    answered, refusals = read(content(GRADE, AGE), "grade,age\n,\n9,\n \t,\n")
    assert answered.answers == [{"grade": "9"}]
    assert [(refusal.line, refusal.reason) for refusal in refusals] == [
        (2, "nothing is answered"),
        (4, "nothing is answered"),
    ]


def test_texts_part_from_the_other_answers() -> None:
    answered, _refusals = read(content(), "safe,words\n3,hello\n4,\n")
    assert (answered.answers, answered.texts) == ([{"safe": 3}, {"safe": 4}], [{"words": "hello"}, {}])


def test_a_name_or_address_that_is_none_refuses_the_row() -> None:
    _answered, refusals = read(content(mode="named"), f"name,email,safe\nAda,ada at home,1\n{'x' * 121},,1\n")
    assert [(refusal.line, refusal.column) for refusal in refusals] == [(2, "email"), (3, "name")]
