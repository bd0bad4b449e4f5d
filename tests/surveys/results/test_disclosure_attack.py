"""An outsider with pencil and paper: given what is told and the sizes of the groups, what can they work out?

The attackers here share no reasoning with the engine. They list every possibility (families, questions) or use
Gale's theorem on all sets of rows (two-way tables), and they read only what is published.
"""

import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.results.disclosure import Answered, band, disclose, disclose_question, disclose_two_way

Range = tuple[int, int]


def counts_told_as(low: int, high: int, n: int) -> list[int]:
    """Every count whose share, rounded half up as on paper, lies in the band."""
    return [yes for yes in range(n + 1) if low <= int(yes / n * 100 + 0.5 + 1e-9) <= high]


def attack_family(told: dict[str, Any], sizes: dict[str, int]) -> dict[str, Range] | None:
    """For each hidden group its possible counts, least and greatest. ``None``: nothing was told."""
    if told["total"] is None:
        return None
    whole = counts_told_as(told["total"]["low"], told["total"]["high"], sum(sizes.values()))
    visible_sums = {0}
    for group in told["groups"]:
        if group["shown"]:
            counts = counts_told_as(group["low"], group["high"], sizes[group["label"]])
            visible_sums = {done + count for done in visible_sums for count in counts}
    hidden = {g["label"]: sizes[g["label"]] for g in told["groups"] if not g["shown"] and sizes[g["label"]]}
    together = sum(hidden.values())
    rest = {all_yes - seen for all_yes in whole for seen in visible_sums}
    rest = {count for count in rest if 0 <= count <= together}
    return {label: (max(0, min(rest) - (together - n)), min(n, max(rest))) for label, n in hidden.items()}


def assert_family_is_safe(told: dict[str, Any], sizes: dict[str, int]) -> None:
    for group in told["groups"]:
        if 0 < sizes[group["label"]] < 10:
            assert not group["shown"]
            assert group["low"] is None
    ranges = attack_family(told, sizes)
    for label, (low, high) in (ranges or {}).items():
        assert low < high, f"{label} is determined: {low}"
        assert high > 0, f"nobody in {label}"
        assert low < sizes[label], f"everybody in {label}"


groups_of_a_family = st.lists(
    st.one_of(st.integers(0, 12), st.integers(0, 60), st.integers(0, 400)).flatmap(
        lambda n: st.one_of(st.sampled_from([0, n]), st.integers(0, n)).map(lambda yes: (n, yes))
    ),
    max_size=8,
)


def as_document(counts: Sequence[tuple[int, int]]) -> tuple[dict[str, Any], dict[str, int]]:
    groups = [{"label": chr(65 + i), "n": n, "yes": yes} for i, (n, yes) in enumerate(counts)]
    return {"families": [{"name": "f", "groups": groups}]}, {chr(65 + i): n for i, (n, _) in enumerate(counts)}


@settings(max_examples=300, deadline=None)
@given(groups_of_a_family)
def test_no_small_or_hidden_group_of_a_family_can_be_worked_out(counts: list[tuple[int, int]]) -> None:
    document, sizes = as_document(counts)
    assert_family_is_safe(disclose(document)["families"][0], sizes)


@settings(max_examples=300, deadline=None)
@given(groups_of_a_family)
def test_every_family_keeps_the_rules(counts: list[tuple[int, int]]) -> None:
    document, sizes = as_document(counts)
    told = disclose(document)["families"][0]
    hidden = [sizes[group["label"]] for group in told["groups"] if not group["shown"] and sizes[group["label"]]]
    visible = [group for group in told["groups"] if group["shown"]]
    assert not hidden or not visible or (len(hidden) >= 2 and sum(hidden) >= 10)
    assert (told["total"] is None) == (sum(sizes.values()) < 10)
    assert all(sizes[group["label"]] >= 10 for group in visible)
    # The hidden are the smallest: nothing visible is smaller than something hidden.
    assert not hidden or not visible or max(hidden) <= min(sizes[group["label"]] for group in visible)
    for group in visible:
        n, yes = counts[ord(group["label"]) - 65]
        assert group["low"] <= int(yes / n * 100 + 0.5 + 1e-9) <= group["high"]


@settings(max_examples=300, deadline=None)
@given(groups_of_a_family, st.data())
def test_one_more_respondent_in_a_hidden_group_changes_no_visible_group(
    counts: list[tuple[int, int]], data: st.DataObject
) -> None:
    """What is told of a visible group depends on that group alone; only which groups are visible may change."""
    before = disclose(as_document(counts)[0])["families"][0]
    hidden = [i for i, group in enumerate(before["groups"]) if not group["shown"]]
    if not hidden:
        return
    i = data.draw(st.sampled_from(hidden))
    more = list(counts)
    more[i] = (counts[i][0] + 1, counts[i][1] + data.draw(st.integers(0, 1)))
    after = disclose(as_document(more)[0])["families"][0]
    for old, new in zip(before["groups"], after["groups"], strict=True):
        if old["shown"] and new["shown"]:
            assert old == new


# --- Questions with one choice each --------------------------------------------------------------------


def attack_question(total: Sequence[Any], told: Sequence[Any], sizes: dict[str, int]) -> list[Range]:
    """For each choice, its possible counts in the hidden groups together, by listing every table that fits."""
    choices = range(len(total))
    hidden = sum(sizes[group.label] for group in told if not group.shown)

    def tables(bands: Sequence[Any], n: int) -> set[tuple[int, ...]]:
        each = [counts_told_as(told_as.low, told_as.high, n) for told_as in bands]
        return {counts for counts in itertools.product(*each) if sum(counts) == n}

    seen: set[tuple[int, ...]] = {(0,) * len(total)}
    for group in told:
        if group.shown:
            fits = tables(group.bands, sizes[group.label])
            seen = {tuple(map(sum, zip(done, more, strict=True))) for done in seen for more in fits}
    rest = [
        left
        for whole in tables(total, sum(sizes.values()))
        for done in seen
        if min(left := tuple(a - b for a, b in zip(whole, done, strict=True))) >= 0 and sum(left) == hidden
    ]
    return [(min(left[i] for left in rest), max(left[i] for left in rest)) for i in choices]


answers_of_groups = st.lists(
    st.tuples(st.integers(0, 14), st.integers(0, 14), st.integers(0, 14)), min_size=1, max_size=3
)


@settings(max_examples=150, deadline=None)
@given(answers_of_groups)
def test_the_choices_of_a_question_together_tell_on_no_hidden_group(answers: list[tuple[int, int, int]]) -> None:
    groups = [Answered(chr(65 + i), sum(counts), counts) for i, counts in enumerate(answers)]
    total, told = disclose_question(groups, one_choice_each=True)
    sizes = {group.label: group.n for group in groups}
    hidden = sum(sizes[group.label] for group in told if not group.shown)
    if not hidden or total[0] is None:
        return
    for low, high in attack_question(total, told, sizes):
        assert high - low >= 2
        assert high > 0
        assert low < hidden


# --- Two-way tables ------------------------------------------------------------------------------------


def greatest_value(counts: Sequence[Sequence[int]], hidden: set[tuple[int, int]], cell: tuple[int, int]) -> int:
    """The most a hidden cell can hold given margins and visible cells: Gale's condition over all sets of rows."""
    rows, columns = range(len(counts)), range(len(counts[0]))
    row_rest = [sum(counts[r][c] for c in columns if (r, c) in hidden) for r in rows]
    column_rest = [sum(counts[r][c] for r in rows if (r, c) in hidden) for c in columns]
    row, column = cell
    for value in range(min(row_rest[row], column_rest[column]), -1, -1):
        supply = [rest - value * (r == row) for r, rest in enumerate(row_rest)]
        demand = [rest - value * (c == column) for c, rest in enumerate(column_rest)]
        if all(
            sum(supply[r] for r in some) <= sum(demand[c] for c in columns if any((r, c) in hidden for r in some))
            for size in range(1, len(rows) + 1)
            for some in itertools.combinations(rows, size)
        ):
            return value
    raise AssertionError("no table fits")


def assert_table_is_safe(counts: Sequence[Sequence[int]]) -> None:
    hidden = set(disclose_two_way(counts))
    cells = [(r, c) for r, line in enumerate(counts) for c in range(len(line))]
    assert all(cell in hidden for cell in cells if 0 < counts[cell[0]][cell[1]] < 10)
    if len(hidden) == len(cells):  # nothing is told
        return
    lines = [[cell for cell in cells if cell[0] == r] for r in range(len(counts))]
    lines += [[cell for cell in cells if cell[1] == c] for c in range(len(counts[0]))]
    for line in lines:
        covered = [counts[r][c] for r, c in line if (r, c) in hidden]
        assert not covered or (len(covered) >= 2 and sum(covered) >= 10)
    for cell in hidden:
        if 0 < counts[cell[0]][cell[1]] < 10:
            assert greatest_value(counts, hidden, cell) >= 10


tables = st.integers(1, 5).flatmap(
    lambda columns: st.lists(
        st.lists(st.one_of(st.integers(0, 12), st.integers(8, 80)), min_size=columns, max_size=columns),
        min_size=1,
        max_size=5,
    )
)


@settings(max_examples=300, deadline=None)
@given(tables)
def test_every_small_cell_of_a_two_way_table_could_hold_ten(counts: list[list[int]]) -> None:
    assert_table_is_safe(counts)


def test_closed_blocks_are_opened_until_their_cells_could_hold_ten() -> None:
    # Row and column sums are 10 within the corner, so before it is opened no cell there could be more than 10;
    # with three in a chain, a cell could be no more than its neighbours leave it.
    assert_table_is_safe([[1, 9, 40, 40], [9, 1, 40, 40], [40, 40, 1, 9], [40, 40, 9, 1]])
    assert_table_is_safe([[5, 5, 0, 90], [0, 5, 5, 90], [5, 0, 5, 90], [90, 90, 90, 90]])


# --- Many at once --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_five_thousand_random_families_and_tables_hold_out(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(4000):
        counts = []
        for _ in range(dice.randint(1, 6)):
            n = dice.randint(0, dice.choice([12, 40, 120]))
            counts.append((n, dice.choice([0, n, dice.randint(0, n)])))
        document, sizes = as_document(counts)
        assert_family_is_safe(disclose(document)["families"][0], sizes)
    for _ in range(1000):
        columns = dice.randint(2, 4)
        top = dice.choice([15, 40, 120])
        assert_table_is_safe([[dice.randint(0, top) for _ in range(columns)] for _ in range(dice.randint(2, 4))])


def test_the_attacker_would_succeed_without_the_rules() -> None:
    """The tests above can fail: hide the one small group only, tell it in exact counts, and it is worked out."""
    told = {
        "total": {"low": 41, "high": 41},
        "groups": [
            {"label": "A", "shown": True, "low": 50, "high": 50},
            {"label": "B", "shown": True, "low": 39, "high": 39},
            {"label": "C", "shown": False, "low": None, "high": None},
        ],
    }
    assert attack_family(told, {"A": 42, "B": 23, "C": 9}) == {"C": (0, 0)}
    assert band(0, 10).high == 49
