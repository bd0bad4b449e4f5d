"""The rules on the examples they were written for, and on edges."""

import pytest

from surveys.results.disclosure import (
    Answered,
    Band,
    Group,
    Malformed,
    band,
    counts_within,
    disclose,
    disclose_family,
    disclose_question,
    disclose_two_way,
    hidden_range,
    size_band,
)


def shown(*groups: tuple[str, int, int], k: int = 10) -> list[str]:
    told = disclose_family([Group(*group) for group in groups], k=k)
    return [group.label for group in told.groups if group.shown]


def test_a_single_small_group_hides_the_next_smallest_with_it() -> None:
    told = disclose_family([Group("A", 42, 21), Group("B", 23, 9), Group("C", 9, 0)])
    assert told.total == Band(40, 49)
    assert [(group.label, group.shown, group.band) for group in told.groups] == [
        ("A", True, Band(50, 59)),
        ("B", False, None),
        ("C", False, None),
    ]


def test_what_is_told_leaves_six_to_fifteen_in_the_hidden_groups() -> None:
    groups = [Answered("A", 42, (21,)), Answered("B", 23, (9,)), Answered("C", 9, (0,))]
    assert hidden_range(groups, {"B", "C"}, 0, one_choice_each=False) == (6, 15)


def test_hiding_one_group_alone_would_leave_a_range_that_the_audit_refuses() -> None:
    # Exact counts would give 9 - 9 = 0; bands blur it, and R2 forbids it all the same.
    groups = [Answered("A", 200, (0,)), Answered("B", 9, (9,))]
    assert hidden_range(groups, {"B"}, 0, one_choice_each=False)[1] <= 9
    assert shown(("A", 200, 0), ("B", 9, 9)) == []


@pytest.mark.parametrize(
    ("yes", "n", "told"),
    [
        (12, 12, Band(50, 100)),
        (0, 12, Band(0, 49)),
        (5, 12, Band(0, 49)),
        (6, 12, Band(50, 100)),
        (9, 19, Band(0, 49)),
        (10, 19, Band(50, 100)),
        (4, 20, Band(0, 20)),
        (5, 20, Band(21, 39)),
        (8, 39, Band(21, 39)),  # 20.51 rounds up
        (39, 39, Band(80, 100)),
        (4, 40, Band(0, 10)),
        (21, 200, Band(10, 14)),  # 10.5 rounds half up to 11
        (11, 200, Band(6, 9)),  # 5.5 rounds half up to 6
        (36, 40, Band(90, 100)),
        (95, 100, Band(95, 100)),
        (299, 299, Band(95, 100)),
        (0, 300, Band(0, 1)),
        (6, 300, Band(2, 2)),
        (294, 300, Band(98, 98)),
        (297, 300, Band(99, 100)),
        (300, 300, Band(99, 100)),
    ],
)
def test_shares_are_told_in_bands(yes: int, n: int, told: Band) -> None:
    assert band(yes, n) == told


@pytest.mark.parametrize("n", [*range(10, 320), 500, 999, 12_345])
def test_each_band_fits_at_least_three_counts_and_none_is_nobody_or_everybody(n: int) -> None:
    seen: dict[Band, list[int]] = {}
    for yes in range(n + 1):
        seen.setdefault(band(yes, n), []).append(yes)
    for told, counts in seen.items():
        assert len(counts) >= 3
        assert (counts[0], counts[-1]) == counts_within(told, n)
        assert told.low < told.high or n >= 300
        assert (told.low, told.high) not in {(0, 0), (100, 100)}


def test_under_ten_has_no_band() -> None:
    with pytest.raises(ValueError, match="no band"):
        band(1, 9)


@pytest.mark.parametrize(
    ("groups", "visible"),
    [
        ([("IEP", 9, 4), ("none", 200, 90)], []),
        ([("A", 9, 1), ("B", 9, 2), ("C", 50, 20)], ["C"]),
        ([("A", 0, 0), ("B", 12, 5), ("C", 15, 5)], ["B", "C"]),
        ([("A", 0, 0), ("B", 3, 1), ("C", 40, 20)], []),
        ([("A", 3, 1), ("B", 4, 1), ("C", 20, 9), ("D", 40, 20)], ["D"]),  # 3 + 4 is under ten
        ([("A", 9, 1), ("C", 20, 9), ("B", 20, 9), ("D", 40, 20)], ["C", "D"]),  # a tie goes by label
        ([("A", 40, 20)], ["A"]),
        ([], []),
    ],
)
def test_no_hidden_group_stands_alone(groups: list[tuple[str, int, int]], visible: list[str]) -> None:
    assert shown(*groups) == visible


def test_a_total_under_k_is_not_told() -> None:
    assert disclose_family([Group("A", 4, 2), Group("B", 5, 2)]).total is None


def test_a_greater_k_hides_more() -> None:
    groups = [("A", 15, 5), ("B", 30, 10), ("C", 60, 20), ("D", 70, 30)]
    assert shown(*groups) == ["A", "B", "C", "D"]
    assert shown(*groups, k=20) == ["C", "D"]


def test_a_k_under_ten_is_refused() -> None:
    with pytest.raises(Malformed, match="k: must be 10 or more"):
        disclose_family([], k=9)


@pytest.mark.parametrize(
    ("groups", "left"),
    [
        # Bands of the whole (8 to 13 of 68) and of C (12 to 17 of 30) would leave A and B nobody or one.
        ([("A", 8, 0), ("B", 30, 0), ("C", 30, 12)], (0, 1)),
        # ... and here 29 or 30 of 30: everybody but perhaps one.
        ([("A", 350, 273), ("B", 25, 25), ("C", 5, 5)], (29, 30)),
    ],
)
def test_the_residual_audit_hides_another_group_when_too_few_counts_are_left(
    groups: list[tuple[str, int, int]], left: tuple[int, int]
) -> None:
    answered = [Answered(label, n, (yes,)) for label, n, yes in groups]
    smallest_two = {group.label for group in sorted(answered, key=lambda group: group.n)[:2]}
    assert hidden_range(answered, smallest_two, 0, one_choice_each=False) == left
    assert shown(*groups) == []


def test_a_group_is_hidden_for_all_choices_when_one_choice_asks_for_it() -> None:
    groups = [Answered("A", 9, (4, 5)), Answered("B", 11, (5, 6)), Answered("C", 80, (40, 40))]
    total, told = disclose_question(groups, one_choice_each=True)
    assert [group.shown for group in told] == [False, False, True]
    assert told[1].bands == (None, None)
    assert None not in total


def test_the_bands_of_the_other_choices_narrow_what_the_hidden_groups_can_hold() -> None:
    groups = [Answered("A", 9, (4, 5)), Answered("B", 50, (30, 20)), Answered("C", 25, (0, 25))]
    hidden = {"A", "C"}
    alone = hidden_range(groups, hidden, 0, one_choice_each=False)
    together = hidden_range(groups, hidden, 0, one_choice_each=True)
    assert alone[1] - alone[0] >= 2 > together[1] - together[0]
    assert [group.shown for group in disclose_question(groups)[1]] == [False, True, False]
    assert [group.shown for group in disclose_question(groups, one_choice_each=True)[1]] == [False] * 3


def test_the_size_of_the_whole_is_exact_only_from_three_hundred() -> None:
    assert [size_band(n) for n in (7, 230, 237, 299, 300, 301)] == [
        (0, 9),
        (230, 239),
        (230, 239),
        (290, 299),
        (300, 300),
        (301, 301),
    ]


def test_a_small_cell_hides_a_rectangle() -> None:
    assert disclose_two_way([[3, 20, 30], [20, 30, 40], [50, 60, 70]]) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_a_line_hides_first_where_the_crossing_line_already_hides() -> None:
    # Row 0 takes column 2 though column 1 is smaller, because column 2 hides a cell already.
    assert disclose_two_way([[4, 12, 30], [40, 50, 9], [60, 70, 80]]) == [(0, 0), (0, 2), (1, 0), (1, 2)]


def test_a_table_without_small_cells_hides_nothing() -> None:
    assert disclose_two_way([[10, 0], [30, 40]]) == []


def test_a_table_that_cannot_be_made_safe_is_hidden_whole() -> None:
    everything = [(r, c) for r in range(3) for c in range(3)]
    assert disclose_two_way([[3, 0, 0], [20, 30, 40], [50, 60, 70]]) == everything
    assert disclose_two_way([[5], [50]]) == [(0, 0), (1, 0)]


def test_lines_that_hide_enough_may_still_need_more_for_their_cells_to_reach_ten() -> None:
    counts = [[27, 23, 9, 7], [37, 24, 1, 35], [25, 19, 40, 3], [2, 9, 38, 37]]
    # Every line of the first nine hides two, of ten together, and still the 9 of row 3 could be no more than 9.
    nine = [(0, 2), (0, 3), (1, 1), (1, 2), (2, 0), (2, 1), (2, 3), (3, 0), (3, 1)]
    assert disclose_two_way(counts) == sorted([*nine, (1, 3)])


def test_the_document_is_answered_as_the_contract_says() -> None:
    told = disclose(
        {
            "families": [
                {
                    "name": "school",
                    "groups": [
                        {"label": "A", "n": 42, "yes": 21},
                        {"label": "B", "n": 23, "yes": 9},
                        {"label": "C", "n": 9, "yes": 0},
                    ],
                }
            ],
            "two_way": [{"name": "t", "counts": [[3, 20, 30], [20, 30, 40], [50, 60, 70]]}],
        }
    )
    assert told == {
        "families": [
            {
                "name": "school",
                "total": {"low": 40, "high": 49},
                "groups": [
                    {"label": "A", "shown": True, "low": 50, "high": 59},
                    {"label": "B", "shown": False, "low": None, "high": None},
                    {"label": "C", "shown": False, "low": None, "high": None},
                ],
            }
        ],
        "two_way": [{"name": "t", "hidden": [[0, 0], [0, 1], [1, 0], [1, 1]]}],
    }


def _family(**group: object) -> dict[str, object]:
    return {"families": [{"name": "f", "groups": [{"label": "A", "n": 1, "yes": 1, **group}]}]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "the document: must be an object, not a list"),
        ({"familes": []}, "the document: 'familes' is unknown"),
        ({"families": {}}, "families: must be a list, not an object"),
        ({"families": [{"name": "f"}]}, "families[0]: 'groups' is missing"),
        ({"families": [{"name": 3, "groups": []}]}, "families[0].name: must be a text, not a number"),
        (_family(n=-1), "families[0].groups[0].n: must be a whole number from 0 up, not -1"),
        (_family(n=1.5), "families[0].groups[0].n: must be a whole number from 0 up, not 1.5"),
        (_family(n=True), "families[0].groups[0].n: must be a whole number from 0 up, not True"),
        (_family(yes=2), "families[0].groups[0].yes: must not be more than n, which is 1, but is 2"),
        (_family(no=2), "families[0].groups[0]: 'no' is unknown"),
        (
            {"families": [{"name": "f", "groups": [{"label": "A", "n": 1, "yes": 0}] * 2}]},
            "families[0].groups[1].label: 'A' is the label of two groups",
        ),
        ({"two_way": [{"name": "t", "counts": [[1, 2], [3]]}]}, "two_way[0].counts[1]: must be as long"),
        ({"two_way": [{"name": "t", "counts": [[1, "2"]]}]}, "two_way[0].counts[0][1]: must be a whole number"),
    ],
)
def test_malformed_input_is_refused_naming_the_place(document: object, message: str) -> None:
    with pytest.raises(Malformed) as refusal:
        disclose(document)
    assert message in str(refusal.value)
