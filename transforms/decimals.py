"""Short decimal numbers, many at a time: up to seven characters are read as one machine word.

The digits of `0.03` are put side by side without the point, and joined by three multiplications (as D. Lemire's
*Quickly parsing eight digits* does). Longer numbers are left to Polars.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from transforms.spans import ABSENT, Mask, Places, Spans, below_lowest, bytes_equal

Words = NDArray[np.uint64]

_NUMBER = r"^(?:[0-9]+\.?[0-9]*|\.[0-9]+)$"
_ALL, _ZEROS = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(0x3030303030303030)
_POWERS = 10.0 ** np.arange(9)


def read_decimals(strings: Spans, mark: str) -> tuple[NDArray[np.float64], Mask, Places]:
    """Read the number with which each string begins, up to `mark` (ASCII): its value, whether it is one, its end.

    A number is digits with at most one point among them. Where it is none, value and end are void.
    """
    word = strings.double_words()
    at_mark = bytes_equal(word, mark[0])
    held = below_lowest(at_mark)
    end = strings.start + (np.bitwise_count(held) >> 3)
    values, is_number = _value(word & held, held)
    is_number &= (at_mark != 0) & strings.cut(end, strings.end).begins_with(mark.encode())
    far = np.flatnonzero(~is_number)
    if len(far):
        values[far], is_number[far], end[far] = _read_far(strings.take(far), mark)
    return values, is_number, end


def _read_far(strings: Spans, mark: str) -> tuple[NDArray[np.float64], Mask, Places]:
    end = strings.find(mark)
    texts = strings.cut(strings.start, end).series()
    is_number = texts.str.contains(_NUMBER).to_numpy() & (end != ABSENT)
    return texts.cast(pl.Float64, strict=False).fill_null(0.0).to_numpy(), is_number, end


def _value(word: Words, held: Words) -> tuple[NDArray[np.float64], Mask]:
    """Read the bytes of each word that `held` masks."""
    at_point = bytes_equal(word, ".")
    has_point = at_point != 0
    whole = np.where(has_point, below_lowest(at_point), held)
    digit_bits = np.bitwise_count(held).astype(np.uint64) - np.where(has_point, 8, 0).astype(np.uint64)
    digits: Words = (word & whole) | ((word >> np.uint64(8)) & ~whole)
    # Digits go to the upper end of the word, zeros before them.
    digits = (digits << (np.uint64(64) - digit_bits)) | (_ZEROS & (_ALL >> digit_bits))
    decimals = (digit_bits - np.bitwise_count(whole)) >> np.uint64(3)
    return _joined(digits) / _POWERS[np.minimum(decimals, 8).astype(np.int64)], (digit_bits > 0) & _are_digits(digits)


def _are_digits(word: Words) -> Mask:
    high = np.uint64(0xF0F0F0F0F0F0F0F0)
    overflow = ((word + np.uint64(0x0606060606060606)) & high) >> np.uint64(4)
    return ((word & high) | overflow) == np.uint64(0x3333333333333333)


def _joined(word: Words) -> Words:
    for mask, factor, shift in (
        (0x0F0F0F0F0F0F0F0F, 2561, 8),
        (0x00FF00FF00FF00FF, 6553601, 16),
        (0x0000FFFF0000FFFF, 42949672960001, 32),
    ):
        word = ((word & np.uint64(mask)) * np.uint64(factor)) >> np.uint64(shift)
    return word
