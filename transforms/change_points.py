"""Where does a level change? The split that costs least: squared error about each level's mean, and a price per level.

Found by dynamic programming over every place (Jackson et al. 2005), leaving out places that can no longer begin a last
level (Killick, Fearnhead, Eckley: PELT, 2012). The same arithmetic as `ruptures.KernelCPD(kernel="linear")`, step by
step, so the same answer; that package takes a second to load, a third of what stitching 390 MB of log takes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def change_points(signal: Numbers, prices: Sequence[float], least: int) -> list[NDArray[np.int64]]:
    """Return, for each price, the end of each level, as positions; the last is the length of `signal`.

    No level is shorter than `least`; `signal` has room for two.
    """
    length = len(signal)
    price = np.array(prices)[:, None]
    rows = np.arange(len(prices))
    total = np.full((len(prices), length + 1), np.inf)  # least cost of what comes before a place
    total[:, 0] = 0
    begun = np.zeros((len(prices), length + 1), np.int64)  # where the last level before a place begins
    first = np.zeros(len(prices), np.int64)  # earlier places begin no last level any more
    squares = np.concatenate([[0.0], np.cumsum(signal**2)])
    places = np.array([0, *range(least, length)])
    products = np.zeros(length)  # sum of all products of two values from a place on
    for end in range(1, length + 1):
        left = first.min()  # nobody asks for those before any more
        to_each = np.cumsum((signal[left:end] * signal[end - 1])[::-1])[::-1]
        products[left:end] += 2 * to_each - signal[end - 1] ** 2
        if end < least:
            continue
        starts = places[(places >= left) & (places <= max(0, end - least))]
        costs = total[:, starts] + (squares[end] - squares[starts] - products[starts] / (end - starts))
        costs[starts < first[:, None]] = np.inf
        best = np.argmin(costs + price, axis=1)
        total[:, end] = (costs + price)[rows, best]
        begun[:, end] = starts[best]
        if end >= 2 * least:
            is_kept = (costs < total[:, end, None]) & (starts >= first[:, None])
            after = max(least, end - least + 1)
            first = np.where(is_kept.any(axis=1), starts[np.argmax(is_kept, axis=1)], after)
    return [_ends(row) for row in begun]


def _ends(begun: NDArray[np.int64]) -> NDArray[np.int64]:
    ends = [len(begun) - 1]
    while begun[ends[-1]] > 0:
        ends.append(int(begun[ends[-1]]))
    return np.array(ends[::-1])
