"""Numbers are told in bands that are fixed before the first answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.design.bands import EQUAL_BANDS_MAX, band_keys, band_label, band_of, equal_bands
from surveys.design.definition import ChoiceDefinition, QuestionDefinition, tally_choices, tally_label


def number(*bands: float) -> QuestionDefinition:
    return QuestionDefinition(key="n", kind="number", label={"en": "N"}, bands=bands)


def test_a_value_on_a_cut_belongs_to_the_upper_band() -> None:
    question = number(10, 20)
    assert band_keys(question) == ["b0", "b1", "b2"]
    assert [band_of(question, value) for value in (-5, 9.99, 10, 19, 20, 1e9)] == ["b0", "b0", "b1", "b1", "b2", "b2"]


def test_bands_are_named_in_plain_words() -> None:
    question = number(10, 16.5)
    assert [band_label(question, key, "en") for key in band_keys(question)] == [
        "under 10",
        "10 to under 16.5",
        "16.5 and over",
    ]


def test_a_number_without_bands_is_only_counted() -> None:
    assert band_keys(number()) == []
    assert tally_choices(number()) == ()


@pytest.mark.parametrize(
    ("low", "high", "cuts"),
    [
        (0, 100, [10, 20, 30, 40, 50, 60, 70, 80, 90]),
        (15, 75, [20, 30, 40, 50, 60, 70]),
        (1, 5, [2, 3, 4, 5]),  # single whole numbers: the last is a band of its own
        (0, 10, [2, 4, 6, 8]),
        (-3, 3, [-2, -1, 0, 1, 2, 3]),
        (2.5, 3.7, [2.6, 2.8, 3.0, 3.2, 3.4, 3.6]),
    ],
)
def test_a_range_is_cut_at_round_numbers(low: float, high: float, cuts: list[float]) -> None:
    assert equal_bands(low, high) == cuts


@given(st.floats(-1e12, 1e12, allow_nan=False), st.floats(1e-3, 1e12))
def test_every_range_is_cut_into_at_most_ten_rising_bands(low: float, width: float) -> None:
    high = low + width
    if low == high:
        return
    cuts = equal_bands(low, high)
    assert len(cuts) < EQUAL_BANDS_MAX
    assert cuts or width < abs(low) * 1e-12  # a range as narrow as the rounding of its ends may stay whole
    assert cuts == sorted(set(cuts))
    assert all(low < cut <= high for cut in cuts)


def test_each_kind_is_tallied_under_its_own_keys() -> None:
    choices = tuple(ChoiceDefinition(key=key, label={"en": key.upper(), "es": f"{key}-es"}) for key in ("a", "b"))
    single = QuestionDefinition(key="q", kind="single", label={}, choices=choices)
    scale = QuestionDefinition(key="q", kind="scale", label={}, low=-1, high=1)
    text = QuestionDefinition(key="q", kind="long_text", label={})
    assert tally_choices(single) == ("a", "b")
    assert tally_choices(scale) == ("-1", "0", "1")
    assert tally_choices(text) == ()
    assert [tally_label(single, "a", "es"), tally_label(scale, "-1", "es")] == ["a-es", "-1"]
    assert tally_label(number(10), "b1", "en") == "10 and over"
