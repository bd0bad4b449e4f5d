"""A figure, what it is measured against, and how both are told."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """``ratio`` is value to floor. ``target`` bounds the ratio if there is a floor, else the value. None: no target."""

    bench: str
    figure: str
    value: float
    unit: str
    floor: float | None = None
    target: float | None = None
    bound: Literal["least", "most"] = "least"

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def ok(self) -> bool:
        if self.target is None:
            return True
        measured = self.value if self.ratio is None else self.ratio
        return measured >= self.target if self.bound == "least" else measured <= self.target

    def as_json(self) -> str:
        told = {**asdict(self), "ratio": self.ratio, "ok": self.ok}
        names = ("bench", "figure", "value", "unit", "floor", "ratio", "target", "ok")
        return json.dumps({name: _rounded(told[name]) for name in names})


def _rounded(value: object) -> object:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a table for people."""
    rows = [("bench", "figure", "value", "floor", "ratio", "target", "")]
    for figure in figures:
        sign = {"least": "≥", "most": "≤"}[figure.bound]
        rows.append(
            (
                figure.bench,
                figure.figure,
                f"{figure.value:,.4g} {figure.unit}",
                "" if figure.floor is None else f"{figure.floor:,.4g}",
                "" if figure.ratio is None else f"{figure.ratio:.3f}",
                "" if figure.target is None else f"{sign} {figure.target:,g}",
                "" if figure.target is None else ("ok" if figure.ok else "MISSED"),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def taking_turns(rounds: int, one: Callable[[], float], other: Callable[[], float]) -> tuple[float, float]:
    """Measure two things in turns, so that what else the machine does falls on both.

    Returns both figures of the round whose ratio is the median one. Who goes first alternates: the second of a round
    finds the machine warmer.
    """
    pairs: list[tuple[float, float]] = []
    for number in range(rounds):
        if number % 2 == 0:
            first, second = one(), other()
        else:
            second, first = other(), one()
        pairs.append((first, second))
    return sorted(pairs, key=lambda pair: pair[0] / pair[1])[rounds // 2]


def percentile(values: Sequence[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]
