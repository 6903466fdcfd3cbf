"""The cheapest split of a series: by hand, against every split there is, and against `ruptures`."""

from itertools import combinations

import numpy as np
import pytest
import ruptures
from hypothesis import given
from hypothesis import strategies as st

from transforms.change_points import level_ends

LEAST = 2


def cost(signal: np.ndarray, ends: tuple[int, ...] | list[int], price: float) -> float:
    """Squared error around the means of the levels, and a price for each change of level."""
    levels = np.split(signal, ends[:-1])
    return float(sum(((level - level.mean()) ** 2).sum() for level in levels)) + price * (len(ends) - 1)


def every_split(length: int) -> list[tuple[int, ...]]:
    inner = range(LEAST, length - LEAST + 1)
    splits = [(*at, length) for count in range(length // LEAST) for at in combinations(inner, count)]
    return [ends for ends in splits if min(np.diff([0, *ends])) >= LEAST]


@pytest.mark.parametrize(
    ("signal", "price", "ends"),
    [
        ([0, 0, 0, 1, 1, 1], 1.0, [3, 6]),  # the error of one level is 1.5
        ([0, 0, 0, 1, 1, 1], 1.49, [3, 6]),
        ([0, 0, 0, 1, 1, 1], 1.51, [6]),
        ([0, 0, 5, 0, 0, 0], 0.1, [2, 4, 6]),  # a level has two steps at least
        ([7, 7, 7, 7], 0.0001, [4]),
        ([7, 9], 0.0001, [2]),
    ],
)
def test_levels_by_hand(signal: list[float], price: float, ends: list[int]) -> None:
    assert level_ends(np.array(signal, float), [price], LEAST)[0].tolist() == ends


@given(st.lists(st.floats(0, 2), min_size=LEAST, max_size=11), st.floats(0.001, 2))
def test_no_other_split_costs_less(values: list[float], price: float) -> None:
    signal = np.array(values)
    (ends,) = level_ends(signal, [price], LEAST)
    assert tuple(ends) in every_split(len(signal))
    best = min(cost(signal, split, price) for split in every_split(len(signal)))
    assert cost(signal, ends.tolist(), price) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_ruptures_finds_none_that_costs_less(seed: int) -> None:
    """Its pruning forgets that levels have a least length, so that it may find one that costs a little more."""
    rng = np.random.default_rng(seed)
    levels = np.repeat(rng.random(6), rng.integers(20, 60, 6))
    signal = levels + rng.normal(0, 0.1, len(levels))
    prices = [0.02, 0.1, 0.5, 2.0]
    for price, ends in zip(prices, level_ends(signal, prices, LEAST), strict=True):
        model = ruptures.KernelCPD(kernel="linear", min_size=LEAST, jump=1).fit(signal.reshape(-1, 1))
        theirs = model.predict(pen=price)
        assert cost(signal, ends.tolist(), price) <= cost(signal, theirs, price) + 1e-9
        if price >= 0.1:  # a price at which no level is as short as two steps
            assert ends.tolist() == theirs
