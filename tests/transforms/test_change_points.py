"""Where levels change: by hand, against every possible split, against a package that does nothing else."""

from itertools import combinations

import numpy as np
import pytest
import ruptures

from transforms.change_points import change_points


def ends(signal: list[float] | np.ndarray, *prices: float, least: int = 2) -> list[list[int]]:
    return [found.tolist() for found in change_points(np.array(signal, float), prices, least)]


def cost(signal: np.ndarray, split: list[int], price: float) -> float:
    return sum(((level - level.mean()) ** 2).sum() + price for level in np.split(signal, split[:-1]))


@pytest.mark.parametrize(
    ("signal", "price", "expected"),
    [
        ([1, 1, 1, 1], 0.1, [4]),
        ([0, 0, 1, 1], 0.9, [2, 4]),  # two levels save 1, and one more costs less
        ([0, 0, 1, 1], 1.1, [4]),
        ([0, 0, 9, 0, 0], 1, [2, 5]),  # no level of one step: the peak takes a neighbour, or all of them
        ([0, 0, 9, 9, 0, 0, 0], 1, [2, 4, 7]),
    ],
)
def test_a_level_begins_where_it_saves_more_than_it_costs(
    signal: list[float], price: float, expected: list[int]
) -> None:
    assert ends(signal, price) == [expected]


def test_no_other_split_of_short_series_costs_less() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        signal, price = rng.integers(0, 4, 10) / 3, float(rng.choice([0.2, 0.5, 1.0]))
        splits = [[*inner, 10] for size in range(5) for inner in combinations(range(2, 9), size)]
        least = min(cost(signal, s, price) for s in splits if min(np.diff([0, *s])) >= 2)
        assert cost(signal, ends(signal, price)[0], price) == pytest.approx(least)


def test_another_programme_finds_the_same() -> None:
    rng = np.random.default_rng(7)
    for length in (4, 5, 30, 400):
        for noise in (0, 0.02, 0.2):
            signal = np.repeat(rng.random(length), 20)[:length] + rng.normal(0, noise, length)
            prices = [price * np.log(length) for price in (0.001, 0.004, 0.016, 0.064)]
            model = ruptures.KernelCPD(kernel="linear", min_size=2).fit(signal.reshape(-1, 1))
            assert ends(signal, *prices) == [model.predict(pen=price) for price in prices]
