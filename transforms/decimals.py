"""Short decimal numbers, many at a time: up to eight characters are read as one machine word.

The digits of `0.03` are put side by side without the point, and joined by three multiplications (D. Lemire, *Quickly
parsing eight digits*, 2018). Longer numbers are left to Polars.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from transforms.spans import ABSENT, FIRST_BYTES, Mask, Spans

_WORD_BYTES = 8
_ZEROS = np.uint64(0x3030303030303030)
_POWERS = 10.0 ** np.arange(_WORD_BYTES + 1)


def read_decimals(strings: Spans) -> tuple[NDArray[np.float64], Mask]:
    """Read digits with at most one point among them; say which strings are that (the others' value is void)."""
    values, is_number = _read_short(strings)
    long = np.flatnonzero(strings.lengths > _WORD_BYTES)
    if len(long):
        texts = strings.take(long).series()
        values[long] = texts.cast(pl.Float64, strict=False).fill_null(0.0).to_numpy()
        is_number[long] = texts.str.contains(r"^[0-9]+(?:\.[0-9]+)?$").to_numpy()
    return values, is_number


def _read_short(strings: Spans) -> tuple[NDArray[np.float64], Mask]:
    lengths, word = strings.lengths, strings.double_words()
    point = strings.find_byte(".", _WORD_BYTES)
    has_point = point != ABSENT
    whole = np.where(has_point, point - strings.start, _WORD_BYTES)
    before = FIRST_BYTES[whole]
    word = (word & before) | ((word >> np.uint64(8)) & ~before)
    digits = np.clip(lengths - has_point, 0, _WORD_BYTES)
    missing = _WORD_BYTES - digits
    word = (word << (missing * 8).astype(np.uint64)) | (_ZEROS & FIRST_BYTES[missing])
    is_number = (digits > 0) & (lengths <= _WORD_BYTES) & _are_digits(word)
    return _joined(word) / _POWERS[np.where(has_point, digits - whole, 0)], is_number


def _are_digits(word: NDArray[np.uint64]) -> Mask:
    high = np.uint64(0xF0F0F0F0F0F0F0F0)
    overflow = ((word + np.uint64(0x0606060606060606)) & high) >> np.uint64(4)
    return ((word & high) | overflow) == np.uint64(0x3333333333333333)


def _joined(word: NDArray[np.uint64]) -> NDArray[np.uint64]:
    for mask, factor, shift in (
        (0x0F0F0F0F0F0F0F0F, 2561, 8),
        (0x00FF00FF00FF00FF, 6553601, 16),
        (0x0000FFFF0000FFFF, 42949672960001, 32),
    ):
        word = ((word & np.uint64(mask)) * np.uint64(factor)) >> np.uint64(shift)
    return word
