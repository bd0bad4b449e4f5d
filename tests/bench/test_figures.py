"""How a figure is judged."""

import json

from tests.bench.figures import Figure, taking_turns


def test_the_target_bounds_the_ratio_where_there_is_a_floor_and_else_the_value() -> None:
    assert Figure("b", "f", 90, "a second", floor=100, target=0.8).ok
    assert not Figure("b", "f", 79, "a second", floor=100, target=0.8).ok
    assert Figure("b", "f", 49, "ms", target=50, bound="most").ok
    assert not Figure("b", "f", 51, "ms", target=50, bound="most").ok
    assert Figure("b", "f", 1, "rows").ok


def test_a_figure_is_told_with_exactly_these_names() -> None:
    told = json.loads(Figure("b", "f", 1.23456, "ms", floor=2.0, target=1, bound="most").as_json())
    assert told == {
        "bench": "b",
        "figure": "f",
        "value": 1.235,
        "unit": "ms",
        "floor": 2.0,
        "ratio": 0.6173,
        "target": 1,
        "ok": True,
    }


def test_the_round_with_the_median_ratio_is_told() -> None:
    ones, others = iter([10.0, 30.0, 20.0]), iter([20.0, 20.0, 20.0])
    assert taking_turns(3, lambda: next(ones), lambda: next(others)) == (20.0, 20.0)
