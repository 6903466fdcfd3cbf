"""What is withheld can't be worked out: the table is solved by whole numbers, as an attacker would, in another form."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from transforms.disclosure import Counts, Shown, disclose, public_count


def attack(counts: Counts, shown: Shown, row: int, column: int) -> tuple[float, float]:
    """Return the least and greatest value of a cell for one who knows every shown figure exactly, all cells unknown."""
    height, width = len(counts), len(counts[0])
    at = np.arange(height * width).reshape(height, width)
    equal, least, most = [], [], []

    def add(terms: dict[int, int], low: float, high: float) -> None:
        weights = np.zeros(height * width)
        for place, weight in terms.items():
            weights[place] = weight
        equal.append(weights)
        least.append(low)
        most.append(high)

    for r in range(height):
        if width > 1:
            twice = sum(counts[r][1:]) - counts[r][0]
            add({int(at[r][c]): 1 if c else -1 for c in range(width)}, twice, twice)
        for c in range(width):
            if shown[r][c] is not None:
                add({int(at[r][c]): 1}, counts[r][c], counts[r][c])
            if r:
                add({int(at[r - 1][c]): 1, int(at[r][c]): -1}, 0, np.inf)
    aim = np.zeros(height * width)
    aim[at[row][column]] = 1
    found = []
    for sign in (1, -1):
        answer = milp(
            sign * aim,
            constraints=LinearConstraint(np.array(equal), np.array(least), np.array(most)),
            integrality=np.ones(height * width),
            bounds=Bounds(0, 100_000),
            options={
                "presolve": False
            },  # scipy 1.17's gives 2 for a cell of [[15, 4, 5, 6], [13, 3, 5, 5], …] that may be 0
        )
        assert answer.success, answer.message
        found.append(round(sign * answer.fun))
    return found[0], found[1]


@st.composite
def tables(draw: st.DrawFn) -> list[list[int]]:
    """Draw nested rows of one to four segments, some counted in two, with many small figures."""
    segments, height = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    count = st.one_of(st.integers(0, 12), st.integers(0, 120))
    columns = [sorted(draw(st.lists(count, min_size=height, max_size=height)), reverse=True) for _ in range(segments)]
    rows = [list(row) for row in zip(*columns, strict=True)]
    twice = draw(st.integers(0, 2)) if segments > 1 else 0
    totals = [max(sum(row) - twice, max(row)) for row in rows]
    return [[total, *row] for total, row in zip(totals, rows, strict=True)]


@settings(max_examples=60, deadline=None)
@given(tables())
def test_nobody_learns_more_of_a_withheld_figure_than_that_it_is_small(counts: list[list[int]]) -> None:
    shown = disclose(counts)

    for r, row in enumerate(shown):
        for c, figure in enumerate(row):
            count = counts[r][c]
            if figure is not None:
                assert not 0 < count < 10
                assert figure % 5 == 0
                assert abs(figure - count) <= 2
                continue
            least, most = attack(counts, shown, r, c)
            assert least <= count <= most
            if count < 10:
                assert (least <= 1, most >= 9) == (True, True), f"cell {r}, {c} of {counts} is {least} to {most}"
            else:
                assert most - least >= 8, f"cell {r}, {c} of {counts} is {least} to {most}"


@settings(max_examples=60, deadline=None)
@given(tables())
def test_the_difference_of_two_delays_tells_no_small_group(counts: list[list[int]]) -> None:
    shown = disclose(counts)

    for column in range(len(counts[0])):
        for (above, wide), (below, narrow) in pairwise(
            [(counts[r][column], shown[r][column]) for r in range(len(counts))]
        ):
            if wide is not None and narrow is not None and 0 < above - below < 10:
                # Both are up to 2 off: the group may be empty, or anything from 1 to 9.
                assert wide - narrow <= 5


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([[0, 0, 0]], ((0, 0, 0),)),
        ([[9]], ((None,),)),
        ([[10]], ((10,),)),
        ([[1, 1]], ((None, None),)),
        ([[60, 40, 20]], ((60, 40, 20),)),
        ([[13, 13, 0]], ((15, 15, 0),)),
        ([[63, 60, 3]], ((65, None, None),)),
        ([[100, 60, 40], [50, 46, 4]], ((100, 60, 40), (50, None, None))),
    ],
)
def test_small_figures_take_a_neighbour_with_them(counts: list[list[int]], shown: Shown) -> None:
    assert disclose(counts) == shown


def test_the_figure_that_matters_most_goes_last() -> None:
    counts = [[40, 28, 12], [21, 18, 3], [3, 3, 0]]

    assert disclose(counts, most_useful=1)[1] == (20, None, None)


def test_a_row_that_grows_is_refused() -> None:
    with pytest.raises(ValueError, match="more than the one before"):
        disclose([[10, 10], [11, 11]])


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (1, None), (9, None), (10, 10), (12, 10), (13, 15), (0.4, 0)])
def test_a_figure_that_stands_alone(count: float, shown: int | None) -> None:
    assert public_count(count) == shown
