"""Which figures of a table of people may be shown to everybody: no small group, and none that follows from the rest.

A figure from 1 to 9 is withheld; the others are rounded to the nearest 5. Then the table is read as a stranger would
who knows how it was made: a total is the sum of its segments (less those counted in two, whose number may be known),
and a longer delay is never had by more people than a shorter one. A linear programme gives the range that this leaves
open, once for each withheld figure, as if the shown ones were not even rounded, and once for each small group between
two delays, which may also be one that could well be empty. Where the range is narrower than the words "fewer than 10"
(from 1 to 9), one more figure is withheld, the least useful one first, and the table is read again.

Ranges end at whole numbers, since the sums run over two laminar families of sets: asking for whole people would not
narrow them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

SMALLEST_SHOWN = 10
ROUNDED_TO = 5
_MOST_OFF = ROUNDED_TO // 2

Counts = Sequence[Sequence[int]]
Shown = tuple[tuple[int | None, ...], ...]


@dataclass(frozen=True)
class _Place:
    row: int
    column: int


@dataclass(frozen=True)
class _Guarded:
    """A number that nobody may learn: one cell, or what `cell` has more than a later row's `less`."""

    cell: _Place
    less: _Place | None
    value: int


def public_count(count: float) -> int | None:
    """Return a figure that stands alone, rounded; None where it is small."""
    whole = round(count)
    return None if 0 < whole < SMALLEST_SHOWN else ROUNDED_TO * round(whole / ROUNDED_TO)


def disclose(counts: Counts, most_useful: int = 0) -> Shown:
    """Return the table with what may be shown, rounded; None where a figure is withheld.

    Rows are nested, the widest first; column 0 is the total, each other one a segment. The total of row `most_useful`
    is the last to go. `ValueError`: a row holds more people than the row before it.
    """
    if any(below > above for above, below in _neighbours(counts)):
        raise ValueError("a row of the table holds more than the one before it")
    withheld = {place for place in _places(counts) if public_count(_at(counts, place)) is None}
    while exposed := next((g for g in _guarded(counts, withheld) if not _is_safe(counts, withheld, g)), None):
        withheld.add(_next_to_go(counts, withheld, exposed, _Place(most_useful, 0)))
    return tuple(
        tuple(None if _Place(r, c) in withheld else public_count(count) for c, count in enumerate(row))
        for r, row in enumerate(counts)
    )


def _guarded(counts: Counts, withheld: set[_Place]) -> Iterator[_Guarded]:
    """Yield every withheld figure, then every small group between two rows of one column."""
    for place in sorted(withheld, key=lambda p: (p.row, p.column)):
        yield _Guarded(place, None, _at(counts, place))
    for column in range(len(counts[0]) if counts else 0):
        for upper, lower in combinations(range(len(counts)), 2):
            between = counts[upper][column] - counts[lower][column]
            if 0 < between < SMALLEST_SHOWN:
                yield _Guarded(_Place(upper, column), _Place(lower, column), between)


def _is_safe(counts: Counts, withheld: set[_Place], guarded: _Guarded) -> bool:
    """Say whether the number stays as open as "from 1 to 9" leaves it; a large one: over as wide a range."""
    least, most = _range_of(counts, withheld, guarded)
    if guarded.less and least <= 0:
        return True
    if 0 < guarded.value < SMALLEST_SHOWN:
        return least <= 1 and most >= SMALLEST_SHOWN - 1
    return most - least >= SMALLEST_SHOWN - 2


def _range_of(counts: Counts, withheld: set[_Place], guarded: _Guarded) -> tuple[float, float]:
    """Return the least and the greatest value that agree with all that is shown and known."""
    from scipy.optimize import linprog  # slow to load: only where something is to be guarded

    columns = len(counts[0])
    segments = max(columns - 1, 1)
    size = len(counts) * segments
    overlap = [sum(row[1:]) - row[0] if columns > 1 else 0 for row in counts]

    def people(place: _Place) -> tuple[np.ndarray, int]:
        """Return a cell as a sum over the unknown segments, and what is to be taken off."""
        weights = np.zeros(size)
        first = place.row * segments
        if place.column:
            weights[first + place.column - 1] = 1
            return weights, 0
        weights[first : first + segments] = 1
        return weights, overlap[place.row]

    rows, limits = [], []

    def at_most(weights: np.ndarray, limit: float) -> None:
        rows.append(weights)
        limits.append(limit)

    for place in _places(counts):
        weights, off = people(place)
        at_most(-weights, -off)  # no figure is below nought, a total of people counted twice neither
        if place not in withheld:
            least, most = _read(_at(counts, place), is_rounded=guarded.less is not None)
            at_most(weights, off + most)
            at_most(-weights, -off - least)
        if place.row + 1 < len(counts):
            below, less_off = people(_Place(place.row + 1, place.column))
            at_most(below - weights, less_off - off)
    aim, off = people(guarded.cell)
    if guarded.less:
        less, less_off = people(guarded.less)
        aim, off = aim - less, off - less_off
    plenty = 2 * max(map(max, counts)) + 100 * SMALLEST_SHOWN  # what nothing limits ends here
    ends = []
    for sign in (1, -1):
        found = linprog(sign * aim, A_ub=np.array(rows), b_ub=np.array(limits), bounds=(0, plenty), method="highs")
        if not found.success:
            raise ArithmeticError(f"a table of figures could not be read as a stranger would: {found.message}")
        ends.append(round(float(sign * found.fun - off), 6))
    return ends[0], ends[1]


def _read(count: int, is_rounded: bool) -> tuple[int, int]:
    """Return what a shown figure says of the count behind it: at least, at most."""
    shown = public_count(count)
    if not is_rounded or not shown:
        return count, count
    return max(shown - _MOST_OFF, SMALLEST_SHOWN), shown + _MOST_OFF


def _next_to_go(counts: Counts, withheld: set[_Place], exposed: _Guarded, last: _Place) -> _Place:
    """Return the shown figure that costs readers least, of the same rows if there is one."""
    rows = {exposed.cell.row, *([exposed.less.row] if exposed.less else ())}
    shown = [place for place in _places(counts) if place not in withheld]
    return min(
        shown,
        key=lambda p: (p.row not in rows, p == last, _at(counts, p) == 0, p.column == 0, _at(counts, p), p.row),
    )


def _places(counts: Counts) -> list[_Place]:
    return [_Place(r, c) for r, row in enumerate(counts) for c in range(len(row))]


def _at(counts: Counts, place: _Place) -> int:
    return counts[place.row][place.column]


def _neighbours(counts: Counts) -> Iterator[tuple[int, int]]:
    for above, below in pairwise(counts):
        yield from zip(above, below, strict=True)
