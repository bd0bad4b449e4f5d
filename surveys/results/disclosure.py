"""What may be told of a table of answers without telling on anybody in it.

Pure functions over whole numbers: no database, no clock, no chance. Whoever doubts a release can feed its counts to
``manage.py disclose`` and check the answer by hand. The rules, by the names used in the results' README:

* R1 a group of 1 to k-1 answers is hidden;
* R2 within a family (groups that add up to a published total) no hidden group stands alone: at least two are hidden,
  of at least k answers together, or nothing could be hidden by subtracting;
* R3 percentages are told in bands, never as counts;
* R4 from all that is told, the hidden groups together must still be able to hold at least three different counts;
* R6 in a two-way table every line that hides a cell hides two, of at least k together, and each small cell could,
  for all that its margins and the visible cells say, hold k or more;
* R10 the size of a survey is told exactly only from 300 answers up.

Throughout, the outsider is assumed to know the exact size of every group: sizes are often known from elsewhere (a
school's enrolment, a class register), so nothing may rest on their being unknown.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

K = 10  # the least k there is
RULES_VERSION = "1"  # part of every release; a new number when anything here decides differently
COUNTS_LEAST = 3  # R4: different counts that the hidden groups together must be able to hold
EXACT_FROM = 300  # answers, from which percentages are whole (R3) and the size of the whole is told exactly (R10)


class Malformed(ValueError):
    """The input is not what the contract says. The message names the place and what belongs there."""


# --- Bands (R3) -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Band:
    """From ``low`` to ``high`` percent, both inside."""

    low: int
    high: int


def _steps(*starts: int) -> tuple[Band, ...]:
    """Bands that begin at these percentages, each ending where the next begins, the last at 100."""
    return tuple(Band(low, high - 1) for low, high in zip(starts, (*starts[1:], 101), strict=True))


# The least size of a group, and the bands its percentages are told in. Each band fits at least three counts.
_BANDS: tuple[tuple[int, tuple[Band, ...]], ...] = (
    (300, _steps(0, *range(2, 100))),
    (100, _steps(0, 6, *range(10, 100, 5))),
    (40, _steps(0, 11, *range(20, 100, 10))),
    (20, _steps(0, 21, 40, 60, 80)),
    (10, _steps(0, 50)),
)


def percent(yes: int, n: int) -> int:
    """Return ``yes`` of ``n`` in whole percent, halves rounded up, without a floating point."""
    return (200 * yes + n) // (2 * n)


def band(yes: int, n: int) -> Band:
    """Return the band in which ``yes`` of ``n`` is told. Raises ``ValueError`` for fewer than 10: never told."""
    for least, bands in _BANDS:
        if n >= least:
            share = percent(yes, n)
            return next(step for step in bands if step.low <= share <= step.high)
    raise ValueError(f"A group of {n} has no band.")


def counts_within(told: Band, n: int) -> tuple[int, int]:
    """Return the least and the greatest count out of ``n`` that would be told as this band."""
    least = -(-n * (2 * told.low - 1) // 200)  # rounded up: the first count that rounds to ``low``
    most = -(-n * (2 * told.high + 1) // 200) - 1  # the last that does not yet round to ``high`` + 1
    return max(0, least), min(n, most)


def size_band(n: int) -> tuple[int, int]:
    """Return the size of the whole survey as it is told: exact from 300 up, else in tens (R10)."""
    return (n, n) if n >= EXACT_FROM else (n // 10 * 10, n // 10 * 10 + 9)


# --- Families (R1, R2, R4) ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """``n`` people answered, ``yes`` of them so."""

    label: str
    n: int
    yes: int


@dataclass(frozen=True, slots=True)
class ToldGroup:
    """A group as it is told. Hidden, or empty: no band."""

    label: str
    shown: bool
    band: Band | None


@dataclass(frozen=True, slots=True)
class ToldFamily:
    """A family as it is told. A total of fewer than k answers has no band."""

    total: Band | None
    groups: tuple[ToldGroup, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """``n`` people of a group answered a question, ``yes[i]`` of them with its choice ``i``."""

    label: str
    n: int
    yes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ToldAnswers:
    """A group's answers to a question as they are told: a band for each choice, or hidden."""

    label: str
    shown: bool
    bands: tuple[Band | None, ...]


def _next_smallest(groups: Sequence[Answered], hidden: set[str]) -> Answered | None:
    """Return the smallest group still visible, ties by label. Empty groups hide nobody and do not count."""
    visible = [group for group in groups if group.n and group.label not in hidden]
    return min(visible, key=lambda group: (group.n, group.label), default=None)


def _too_few_hidden(groups: Sequence[Answered], hidden: set[str], k: int) -> bool:
    """R2: whether the hidden groups, if any, are too few or too small to hide in one another."""
    return bool(hidden) and (len(hidden) < 2 or sum(group.n for group in groups if group.label in hidden) < k)


def hidden_range(
    groups: Sequence[Answered], hidden: set[str], choice: int, *, one_choice_each: bool
) -> tuple[int, int]:
    """Return the least and greatest count of a choice in the hidden groups together, for all that is told (R4).

    What is told: the band of every choice in the whole and in each visible group, and (see above) every size.
    ``one_choice_each``: everybody gave exactly one of the choices, so the choices of a group add up to its size and
    the bands of the others narrow this one.
    """
    apart = sum(group.n for group in groups if group.label in hidden)
    whole = sum(group.n for group in groups)
    visible = [group for group in groups if group.n and group.label not in hidden]
    totals = [sum(group.yes[i] for group in groups) for i in range(len(groups[0].yes))]

    def told(yes: int, n: int) -> tuple[int, int]:
        return counts_within(band(yes, n), n)

    if not one_choice_each:
        low, high = told(totals[choice], whole)
        for group in visible:
            least, most = told(group.yes[choice], group.n)
            low, high = low - most, high - least
        return max(0, low), min(apart, high)
    merged = [sum(group.yes[i] for group in groups if group.label in hidden) for i in range(len(totals))]
    table = _Transport(
        values=[[*group.yes] for group in visible] + [merged],
        ranges=[[told(yes, group.n) for yes in group.yes] for group in visible] + [[(0, apart)] * len(totals)],
        columns=[told(total, whole) for total in totals],
    )
    return table.range_of(len(visible), choice)


def _holds_in_residual(groups: Sequence[Answered], hidden: set[str], *, one_choice_each: bool) -> bool:
    """R4: whether the hidden groups could still hold three different counts of each choice.

    A range of three counts can be neither all "nobody" nor all "everybody", so this is the whole of the rule.
    """
    for choice in range(len(groups[0].yes)):
        low, high = hidden_range(groups, hidden, choice, one_choice_each=one_choice_each)
        if high - low + 1 < COUNTS_LEAST:
            return False
    return True


def _hide(groups: Sequence[Answered], *, k: int, one_choice_each: bool) -> set[str]:
    """Return the labels of the groups to hide by R1, R2 and R4."""
    hidden = {group.label for group in groups if 0 < group.n < k}  # R1
    while _too_few_hidden(groups, hidden, k) or (
        hidden
        and _next_smallest(groups, hidden) is not None
        and not _holds_in_residual(groups, hidden, one_choice_each=one_choice_each)
    ):
        smallest = _next_smallest(groups, hidden)
        if smallest is None:  # only the total is left
            break
        hidden.add(smallest.label)
    return hidden


def _checked_k(k: int) -> int:
    if k < K:
        raise Malformed(f"k: must be {K} or more, not {k}")
    return k


def disclose_question(
    groups: Sequence[Answered], *, k: int = K, one_choice_each: bool = False
) -> tuple[tuple[Band | None, ...], tuple[ToldAnswers, ...]]:
    """Return what may be told of a question: each choice over all, and within each group.

    ``groups`` are the values of one dimension and part those who answered the question; each has its count of every
    choice, in the same order. A group is shown only if every choice allows it: a group hidden for the sake of one
    choice is hidden for all, and what is then left is examined again.
    """
    _checked_k(k)
    whole = sum(group.n for group in groups)
    choices = len(groups[0].yes) if groups else 0
    nothing: tuple[Band | None, ...] = (None,) * choices
    hidden = _hide(groups, k=k, one_choice_each=one_choice_each)
    total = nothing
    if whole >= k:
        total = tuple(band(sum(group.yes[i] for group in groups), whole) for i in range(choices))
    told = []
    for group in groups:
        shown = group.n >= k and group.label not in hidden
        bands = tuple(band(yes, group.n) for yes in group.yes) if shown else nothing
        told.append(ToldAnswers(group.label, shown, bands))
    return total, tuple(told)


def disclose_family(groups: Sequence[Group], *, k: int = K) -> ToldFamily:
    """Return what may be told of groups that add up to a published total."""
    answered = [Answered(group.label, group.n, (group.yes,)) for group in groups]
    total, told = disclose_question(answered, k=k)
    return ToldFamily(
        total[0] if total else None,
        tuple(ToldGroup(group.label, group.shown, group.bands[0]) for group in told),
    )


# --- Two-way tables (R1, R6) --------------------------------------------------------------------------

Cell = tuple[int, int]  # row, column


def disclose_two_way(counts: Sequence[Sequence[int]], *, k: int = K) -> list[Cell]:
    """Return the cells to hide, in order of row and column, so that margins and visible cells tell on nobody.

    A table that cannot be made safe is hidden whole: one with a line of fewer than k answers, for example, since no
    cell on it could ever be thought to hold k.
    """
    _checked_k(k)
    everything = [(row, column) for row, line in enumerate(counts) for column in range(len(line))]
    small = [cell for cell in everything if 0 < counts[cell[0]][cell[1]] < k]
    hidden = set(small)  # R1
    while hidden:
        if not _hide_lines(counts, hidden, k):
            return everything
        weak = next((cell for cell in small if not _may_hold(counts, hidden, cell, k)), None)
        if weak is None:
            break
        visible = [cell for cell in everything if cell not in hidden]
        on_its_lines = [cell for cell in visible if cell[0] == weak[0] or cell[1] == weak[1]]
        if not visible:
            return everything
        hidden.add(_best_to_hide(counts, hidden, on_its_lines or visible, _crossing_hides(weak, hidden)))
    return sorted(hidden)


def _crossing_hides(weak: Cell, hidden: set[Cell]) -> Callable[[Cell], bool]:
    """For a cell on one of the weak cell's lines: whether the line that crosses it there hides a cell."""

    def hides(cell: Cell) -> bool:
        if cell[0] == weak[0]:
            return any(column == cell[1] for _, column in hidden)
        return any(row == cell[0] for row, _ in hidden)

    return hides


def _best_to_hide(
    counts: Sequence[Sequence[int]],
    hidden: set[Cell],
    candidates: Iterable[Cell],
    crossing_hides: Callable[[Cell], bool],
) -> Cell:
    """Return the cell that costs least: its crossing line hides one already, then the smallest, then the first.

    An empty cell hides nobody, so it is taken only when its line has nothing else.
    """
    return min(
        candidates,
        key=lambda cell: (
            counts[cell[0]][cell[1]] == 0,
            not crossing_hides(cell),
            counts[cell[0]][cell[1]],
            cell,
        ),
    )


def _hide_lines(counts: Sequence[Sequence[int]], hidden: set[Cell], k: int) -> bool:
    """Hide more until every row and column that hides a cell hides two, of k together. ``False``: one cannot."""
    rows, columns = len(counts), len(counts[0])
    lines = [[(row, column) for column in range(columns)] for row in range(rows)]
    lines += [[(row, column) for row in range(rows)] for column in range(columns)]
    settled = False
    while not settled:
        settled = True
        for line in lines:
            while True:
                covered = [cell for cell in line if cell in hidden]
                if not covered or (len(covered) >= 2 and sum(counts[r][c] for r, c in covered) >= k):
                    break
                visible = [cell for cell in line if cell not in hidden]
                if not visible:
                    return False
                hidden.add(_best_to_hide(counts, hidden, visible, _crossing_hides(covered[0], hidden)))
                settled = False
    return True


def _may_hold(counts: Sequence[Sequence[int]], hidden: set[Cell], cell: Cell, k: int) -> bool:
    """Whether a hidden cell could hold k or more, for all that the margins and the visible cells say."""
    whole = sum(map(sum, counts))
    table = _Transport(
        values=[[*line] for line in counts],
        ranges=[
            [(0, whole) if (r, c) in hidden else (count, count) for c, count in enumerate(line)]
            for r, line in enumerate(counts)
        ],
    )
    return table.most(*cell, enough=k) >= k


# --- The range of one cell of a table with known row sums -----------------------------------------------


class _Transport:
    """All the tables that agree with what is told: exact row sums, and a range for each cell and column sum.

    The true table is one of them. Any other is reached from it by moving counts round closed loops of cells, so the
    range of a cell is a maximum flow from one end of its arc to the other, and flows over whole numbers are whole.
    A node is a row, a column or (only if column sums may vary) the hub through which columns trade.
    """

    def __init__(
        self,
        values: Sequence[Sequence[int]],
        ranges: Sequence[Sequence[tuple[int, int]]],
        columns: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        self.values, self.ranges = values, ranges
        self.rows, self.hub = len(values), len(values) + len(values[0])
        room: list[dict[int, int]] = [{} for _ in range(self.hub + 1)]
        for row, line in enumerate(values):
            for column, value in enumerate(line):
                low, high = ranges[row][column]
                room[row][self.rows + column] = high - value
                room[self.rows + column][row] = value - low
        for column, (low, high) in enumerate(columns or ()):
            total = sum(line[column] for line in values)
            room[self.rows + column][self.hub] = high - total
            room[self.hub][self.rows + column] = total - low
        self.room = room

    def range_of(self, row: int, column: int) -> tuple[int, int]:
        value, (low, high) = self.values[row][column], self.ranges[row][column]
        down = self._flow(row, self.rows + column, value - low)
        up = self._flow(self.rows + column, row, high - value)
        return value - down, value + up

    def most(self, row: int, column: int, *, enough: int) -> int:
        """Return the greatest value of a cell, or ``enough`` if it can be that much."""
        value = self.values[row][column]
        wanted = min(enough, self.ranges[row][column][1]) - value
        return value + self._flow(self.rows + column, row, wanted)

    def _flow(self, source: int, sink: int, wanted: int) -> int:
        """Return how much flows from source to sink, without the arc between the two, up to ``wanted``."""
        room = [dict(arcs) for arcs in self.room]
        room[source].pop(sink, None)
        room[sink].pop(source, None)
        moved = 0
        while moved < wanted:
            came_from = {source: source}
            queue = deque([source])
            while queue and sink not in came_from:
                node = queue.popleft()
                for neighbour, free in room[node].items():
                    if free and neighbour not in came_from:
                        came_from[neighbour] = node
                        queue.append(neighbour)
            if sink not in came_from:
                break
            path = [sink]
            while path[-1] != source:
                path.append(came_from[path[-1]])
            steps = [(b, a) for a, b in pairwise(path)]
            step = min([wanted - moved, *(room[a][b] for a, b in steps)])
            for a, b in steps:
                room[a][b] -= step
                room[b][a] += step
            moved += step
        return moved


# --- JSON in and out ------------------------------------------------------------------------------------


def disclose(document: Any, *, k: int = K) -> dict[str, Any]:
    """Answer a decoded JSON document by the rules. Raises ``Malformed``, naming the place.

    In: ``{"families": [{"name", "groups": [{"label", "n", "yes"}]}], "two_way": [{"name", "counts": [[…]]}]}``.
    Out: ``{"families": [{"name", "total": {"low", "high"} | null, "groups": [{"label", "shown", "low", "high"}]}],
    "two_way": [{"name", "hidden": [[row, column], …]}]}``, rows and columns counted from 0, bands in percent.
    Either list may be left out. One family is the values of one dimension; its total is their sum.
    """
    _checked_k(k)
    _fields(document, "the document", (), ("families", "two_way"))
    families = []
    for i, given in enumerate(_items(document.get("families", []), "families")):
        place = f"families[{i}]"
        _fields(given, place, ("name", "groups"))
        groups = _groups(given["groups"], f"{place}.groups")
        told = disclose_family(groups, k=k)
        families.append(
            {
                "name": _text(given["name"], f"{place}.name"),
                "total": told.total and {"low": told.total.low, "high": told.total.high},
                "groups": [
                    {
                        "label": group.label,
                        "shown": group.shown,
                        "low": group.band.low if group.band else None,
                        "high": group.band.high if group.band else None,
                    }
                    for group in told.groups
                ],
            }
        )
    two_way = []
    for i, given in enumerate(_items(document.get("two_way", []), "two_way")):
        place = f"two_way[{i}]"
        _fields(given, place, ("name", "counts"))
        counts = _counts(given["counts"], f"{place}.counts")
        two_way.append(
            {
                "name": _text(given["name"], f"{place}.name"),
                "hidden": [[row, column] for row, column in disclose_two_way(counts, k=k)],
            }
        )
    return {"families": families, "two_way": two_way}


def _groups(given: Any, place: str) -> list[Group]:
    groups: list[Group] = []
    for i, group in enumerate(_items(given, place)):
        spot = f"{place}[{i}]"
        _fields(group, spot, ("label", "n", "yes"))
        label = _text(group["label"], f"{spot}.label")
        if any(label == other.label for other in groups):
            raise Malformed(f"{spot}.label: {label!r} is the label of two groups")
        n, yes = _count(group["n"], f"{spot}.n"), _count(group["yes"], f"{spot}.yes")
        if yes > n:
            raise Malformed(f"{spot}.yes: must not be more than n, which is {n}, but is {yes}")
        groups.append(Group(label, n, yes))
    return groups


def _counts(given: Any, place: str) -> list[list[int]]:
    table = [
        [_count(value, f"{place}[{r}][{c}]") for c, value in enumerate(_items(line, f"{place}[{r}]"))]
        for r, line in enumerate(_items(given, place))
    ]
    for r, line in enumerate(table):
        if len(line) != len(table[0]):
            raise Malformed(f"{place}[{r}]: must be as long as the first row, {len(table[0])}, not {len(line)}")
    return table


def _fields(given: Any, place: str, needed: tuple[str, ...], may: tuple[str, ...] = ()) -> None:
    if not isinstance(given, dict):
        raise Malformed(f"{place}: must be an object, not {_kind(given)}")
    for name in needed:
        if name not in given:
            raise Malformed(f"{place}: {name!r} is missing")
    for name in given:
        if name not in needed + may:
            raise Malformed(f"{place}: {name!r} is unknown; known are {', '.join(needed + may)}")


def _items(given: Any, place: str) -> list[Any]:
    if not isinstance(given, list):
        raise Malformed(f"{place}: must be a list, not {_kind(given)}")
    return given


def _text(given: Any, place: str) -> str:
    if not isinstance(given, str):
        raise Malformed(f"{place}: must be a text, not {_kind(given)}")
    return given


def _count(given: Any, place: str) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise Malformed(f"{place}: must be a whole number from 0 up, not {given!r}")
    return given


def _kind(given: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(given), "a number")
