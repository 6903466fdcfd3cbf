"""The digits of a stamp become a time: wall-clock time where no zone is written, an instant where one is.

Rules
- `Nov 25 02:22:48[.123]` (RFC 3164) gives month, day and time; whoever knows the year makes an instant of them.
- `2026-11-25T02:22:48[.123456]+13:00` (RFC 3339) is an instant; `Z`, `z`, `+1300` and a comma before the fraction
  occur. What is finer than a microsecond is cut off.
- A leap second (`:60`) is read as the next second. A stamp that is no time (30 February, 24:00) is none.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from transforms.compiled import kernels
from transforms.spans import Bytes, Mask, Places, Spans

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = np.array([int.from_bytes(name.encode(), "little") for name in MONTHS], np.uint32)
YEARLESS_WIDTH = len("Nov 25 02:22:48")
SECOND = 1_000_000
DAY = 86_400 * SECOND
# In a shape, 0 stands for a digit, _ for a digit or a blank, ? for anything; the rest for itself.
_YEARLESS = "??? _0 00:00:00"
_MINUTE = "0000-00-00T00:00"
_RUN_BYTES = 16
_LEAP_SECOND = 60
_MICROSECOND_DIGITS, _MOST_FRACTION_DIGITS = 6, 9
_DOT, _COMMA, _COLON, _PLUS, _MINUS = (ord(mark) for mark in ".,:+-")


@dataclass(frozen=True)
class Yearless:
    """Stamps without a year: month and day from 1, microseconds of the day; `is_stamp` says where that is one."""

    month: Places
    day: Places
    time: Places
    is_stamp: Mask


def read_yearless(stamps: Spans) -> Yearless:
    """Read `Nov 25 02:22:48[.123]`."""
    loops = kernels()
    if loops is None:
        return _read_yearless(stamps)
    month, day, time, is_plain = *np.empty((3, len(stamps)), np.int64), np.empty(len(stamps), bool)
    loops.read_yearless(stamps.block, stamps.start, stamps.end, _MONTHS, month, day, time, is_plain)
    odd = np.flatnonzero(~is_plain)
    if len(odd):
        read = _read_yearless(stamps.take(odd))
        month[odd], day[odd], time[odd], is_plain[odd] = read.month, read.day, read.time, read.is_stamp
    return Yearless(month, day, time, is_plain)


def _read_yearless(stamps: Spans) -> Yearless:
    letters = stamps.words() & 0xFFFFFF
    month = np.zeros(len(stamps), np.int64)
    for number, name in enumerate(_MONTHS, start=1):
        month[letters == name] = number
    fraction, is_fraction = _fraction(stamps, np.full(len(stamps), YEARLESS_WIDTH), stamps.lengths)
    hour, minute, second = (_number(stamps, place) for place in (7, 10, 13))
    is_stamp = (month > 0) & _has_shape(stamps, _YEARLESS) & is_fraction & _is_time(hour, minute, second)
    return Yearless(month, _number(stamps, 4), ((hour * 60 + minute) * 60 + second) * SECOND + fraction, is_stamp)


def read_zoned(stamps: Spans) -> tuple[Places, Mask]:
    """Read `2026-11-25T02:22:48[.123456]+13:00` as microseconds since 1970 in UTC, and say where that is a stamp.

    Stamps of one minute share their first 16 bytes, which are read once for each run of them.
    """
    loops = kernels()
    if loops is None:
        return _read_zoned(stamps)
    micros, is_plain = np.empty(len(stamps), np.int64), np.empty(len(stamps), bool)
    loops.read_zoned(stamps.block, stamps.start, stamps.end, micros, is_plain)
    odd = np.flatnonzero(~is_plain)
    if len(odd):
        micros[odd], is_plain[odd] = _read_zoned(stamps.take(odd))
    return micros, is_plain


def _read_zoned(stamps: Spans) -> tuple[Places, Mask]:
    is_new = begins_run(stamps)
    run = np.cumsum(is_new) - 1
    first = stamps.take(is_new)
    hour, minute = _number(first, 11), _number(first, 14)
    days, is_day = days_since_1970(_number(first, 0) * 100 + _number(first, 2), _number(first, 5), _number(first, 8))
    is_minute = is_day & _has_shape(first, _MINUTE) & _is_time(hour, minute, np.zeros_like(hour))
    minutes = days * DAY + (hour * 60 + minute) * 60 * SECOND
    second = _number(stamps, 17)
    zone_at, offset, is_zone = _zone(stamps)
    fraction, is_fraction = _fraction(stamps, np.full(len(stamps), 19), zone_at)
    is_second = _has_shape(stamps, ":00", 16) & (second <= _LEAP_SECOND)
    return minutes[run] + second * SECOND + fraction - offset, is_minute[run] & is_second & is_fraction & is_zone


def begins_run(stamps: Spans) -> Mask:
    """Say where the first 16 bytes differ from those of the string before; a shorter string, and the next, differ."""
    if loops := kernels():
        is_begun = np.empty(len(stamps), bool)
        loops.begin_runs(stamps.block, stamps.start, stamps.end, is_begun)
        return is_begun
    is_short = stamps.lengths < _RUN_BYTES
    is_new = is_short.copy()
    is_new[:1] = True
    is_new[1:] |= is_short[:-1]
    for words in (stamps.double_words(), stamps.double_words(8)):
        is_new[1:] |= words[1:] != words[:-1]
    return is_new


def days_since_1970(year: Places, month: Places, day: Places) -> tuple[Places, Mask]:
    """Return the number of days to a date, and whether there is such a date."""
    months = (year - 1970) * 12 + np.clip(month, 1, 12) - 1
    first, following = (_first_day(m) for m in (months, months + 1))
    return first + day - 1, (month >= 1) & (month <= 12) & (day >= 1) & (day <= following - first)


def as_series(microseconds: Places, is_there: Mask, dtype: pl.Datetime) -> pl.Series:
    """Return times as a series; null where there is none."""
    times = pl.Series(microseconds).cast(dtype)
    return times if is_there.all() else times.set(pl.Series(~is_there), None)


def _first_day(months: Places) -> Places:
    return months.astype("M8[M]").astype("M8[D]").astype(np.int64)


def _is_time(hour: Places, minute: Places, second: Places) -> Mask:
    return (hour < 24) & (minute < 60) & (second <= _LEAP_SECOND)


def _zone(stamps: Spans) -> tuple[Places, Places, Mask]:
    """Return where in each stamp its zone begins, how far that zone is ahead of UTC, and whether it is one."""
    is_utc = (stamps.byte(-1) | 0x20) == ord("z")
    has_colon = stamps.byte(-3) == _COLON
    width = np.where(is_utc, 1, np.where(has_colon, 6, 5))
    zone = stamps.cut(stamps.end - width, stamps.end)
    minute = stamps.cut(stamps.end - 2, stamps.end)
    sign = zone.byte()
    is_offset = ((sign == _PLUS) | (sign == _MINUS)) & _has_shape(zone, "00", 1) & _has_shape(minute, "00")
    ahead = (_number(zone, 1) * 60 + _number(minute, 0)) * 60 * SECOND
    offset = np.where(is_utc, 0, np.where(sign == _MINUS, -ahead, ahead))
    return stamps.lengths - width, offset, (is_utc | is_offset) & (stamps.lengths > width)


def _fraction(stamps: Spans, place: Places, end: Places) -> tuple[Places, Mask]:
    """Read `.123` from `place` to `end` of each stamp as microseconds; nothing there is none."""
    digits = end - place - 1
    mark = stamps.cut(stamps.start + place, stamps.end)
    is_marked = (mark.byte() == _DOT) | (mark.byte() == _COMMA)
    is_fraction = (digits == -1) | ((digits >= 1) & (digits <= _MOST_FRACTION_DIGITS) & is_marked)
    value = np.zeros(len(stamps), np.int64)
    for number in range(int(np.clip(digits.max(initial=0), 0, _MOST_FRACTION_DIGITS))):
        digit = _digit(mark, number + 1)
        is_here = number < digits
        is_fraction &= ~is_here | (digit < 10)
        if number < _MICROSECOND_DIGITS:
            value += np.where(is_here, digit, 0).astype(np.int64) * 10 ** (_MICROSECOND_DIGITS - 1 - number)
    return value, is_fraction


def _has_shape(stamps: Spans, shape: str, place: int = 0) -> Mask:
    is_so = stamps.lengths >= place + len(shape)
    for number, mark in enumerate(shape, start=place):
        if mark == "0":
            is_so &= _digit(stamps, number) < 10
        elif mark == "_":
            is_so &= (_digit(stamps, number) < 10) | (stamps.byte(number) == ord(" "))
        elif mark != "?":
            is_so &= stamps.byte(number) == ord(mark)
    return is_so


def _digit(stamps: Spans, place: int) -> Bytes:
    return stamps.byte(place) - np.uint8(ord("0"))


def _number(stamps: Spans, place: int) -> Places:
    """Read two digits; a blank counts as nought, and what is no number gives anything."""
    tens, ones = (stamps.byte(place + i) & 0x0F for i in range(2))
    return tens.astype(np.int64) * 10 + ones
