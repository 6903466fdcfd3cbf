"""Few names, many strings: the hosts and programs of a log, each told once.

A log names the same dozen programs in millions of lines. They are told apart by their bytes, taken as numbers, in a
table of slots; should two names fall into one slot, or one be longer than `_LONGEST`, Polars tells them apart.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from transforms.spans import FIRST_BYTES, Places, Spans

_LONGEST = 32
_SLOT_BITS = 16
# An odd number with well-mixed bits (the golden ratio, as in Fibonacci hashing).
_MIX = np.uint64(0x9E3779B97F4A7C15)


def distinct(strings: Spans) -> tuple[pl.Series, NDArray[np.uint32]]:
    """Return the distinct strings, in no particular order, and for each string the number of its name among them."""
    lengths = strings.lengths
    if lengths.max(initial=0) > _LONGEST:
        return _told_by_polars(strings)
    words = [
        strings.double_words(place) & FIRST_BYTES[np.clip(lengths - place, 0, 8)]
        for place in range(0, int(lengths.max(initial=0)), 8)
    ]
    mixed = lengths.astype(np.uint64)
    for word in words:
        mixed = (mixed ^ word) * _MIX
        mixed ^= mixed >> np.uint64(32)
    slot = ((mixed * _MIX) >> np.uint64(64 - _SLOT_BITS)).astype(np.int64)
    holder = np.full(1 << _SLOT_BITS, -1)
    holder[slot] = np.arange(len(strings))
    same: Places = holder[slot]
    if not all((key[same] == key).all() for key in (lengths, *words)):
        return _told_by_polars(strings)
    used = np.flatnonzero(holder >= 0)
    number = np.zeros(1 << _SLOT_BITS, np.uint32)
    number[used] = np.arange(len(used))
    return strings.take(holder[used]).series(), number[slot]


def _told_by_polars(strings: Spans) -> tuple[pl.Series, NDArray[np.uint32]]:
    values = strings.series().cast(pl.Categorical)
    used, numbers = np.unique(values.to_physical().to_numpy(), return_index=True, return_inverse=True)[1:]
    return values.gather(used).cast(pl.String), numbers.astype(np.uint32)
