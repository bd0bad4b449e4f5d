"""What the tallies say is what a plain count of the answers says."""

from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from surveys.answering.models import Tally
from surveys.answering.tallies import add_tallies, count_answers, tally_keys
from surveys.design.definition import ChoiceDefinition, Definition, QuestionDefinition, definition_of
from tests.factories import make_survey

QUESTIONS: list[dict[str, Any]] = [
    {"key": "school", "kind": "single", "choices": ["north", "south"]},
    {"key": "seen", "kind": "multiple", "choices": ["hall", "gate", "bus"]},
    {"key": "trust", "kind": "scale", "low": 1, "high": 5},
    {"key": "stops", "kind": "number", "low": 0, "high": 30, "bands": [10, 20]},
    {"key": "words", "kind": "long_text"},
]


def a_definition() -> Definition:
    import uuid

    return Definition(
        id=uuid.UUID(int=1),
        state="open",
        slug="s",
        title={"en": "S"},
        dimensions=("school",),
        questions=tuple(
            QuestionDefinition(
                key=question["key"],
                kind=question["kind"],
                label={"en": question["key"]},
                choices=tuple(ChoiceDefinition(key=key, label={}) for key in question.get("choices", ())),
                low=question.get("low"),
                high=question.get("high"),
                bands=tuple(question.get("bands", ())),
            )
            for question in QUESTIONS
        ),
    )


answers = st.fixed_dictionaries(
    {},
    optional={
        "school": st.sampled_from(["north", "south"]),
        "seen": st.lists(st.sampled_from(["hall", "gate", "bus"]), unique=True, min_size=1),
        "trust": st.integers(1, 5),
        "stops": st.one_of(st.integers(0, 30), st.floats(0, 30)),
        "words": st.just(True),
    },
)


def band(stops: float) -> str:
    return "b0" if stops < 10 else "b1" if stops < 20 else "b2"


@given(st.lists(answers, max_size=60))
def test_counting_by_columns_gives_what_counting_one_by_one_gives(rows: list[dict[str, Any]]) -> None:
    counts = count_answers(a_definition(), rows)
    assert counts["", "", "", ""] == len(rows)
    for school in ("north", "south", "prefer-not-to-say"):
        there = [row for row in rows if row.get("school", "prefer-not-to-say") == school]
        assert counts["school", school, "", ""] == len(there)
        for group, given_rows in ((("", ""), rows), (("school", school), there)):
            for place in ("hall", "gate", "bus"):
                assert counts[*group, "seen", place] == sum(place in row.get("seen", ()) for row in given_rows)
            for step in range(1, 6):
                assert counts[*group, "trust", str(step)] == sum(row.get("trust") == step for row in given_rows)
            for key in ("b0", "b1", "b2"):
                wanted = sum("stops" in row and band(row["stops"]) == key for row in given_rows)
                assert counts[*group, "stops", key] == wanted
            for question in ("seen", "trust", "stops"):
                assert counts[*group, question, ""] == sum(question in row for row in given_rows)
    assert counts["", "", "words", ""] == sum("words" in row for row in rows)
    assert set(counts) == set(tally_keys(a_definition()))


@pytest.mark.django_db
def test_tallies_add_up_and_every_one_of_them_is_written_each_time() -> None:
    definition = definition_of(make_survey(QUESTIONS, dimensions=["school"]))
    with connection.cursor() as cursor:
        add_tallies(definition, [{"school": "north", "trust": 3}], cursor)
        add_tallies(definition, [{"trust": 3}], cursor)
    tallies = {
        (tally.dimension, tally.value, tally.question, tally.choice): tally.count for tally in Tally.objects.all()
    }
    assert sorted(tallies) == tally_keys(definition)
    assert tallies["", "", "trust", "3"] == 2
    assert tallies["school", "north", "trust", "3"] == 1
    assert tallies["school", "prefer-not-to-say", "trust", "3"] == 1
    assert tallies["school", "south", "trust", "3"] == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM surveys_tally")
        assert cursor.fetchone() == (1,)
