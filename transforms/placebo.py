"""Which ordinary windows is the incident compared with?

Placebo windows have the incident window's length and lie inside the baseline period, clear of the incident window.
The first of these rules that yields a window is used, and all that it yields:

1. the same time on the same weekday: the window moved by whole weeks of local time;
2. the same time of day: the window moved by whole days of local time (these may overlap one another);
3. back to back, counted from the end of the baseline;
4. a baseline shorter than the window is taken whole: its count is a lower limit, and `is_short` says so.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from transforms.settings import Interval


def placebo_windows(window: Interval, baseline: Interval | None, timezone: str) -> tuple[Interval, ...]:
    """Return the ordinary windows to compare `window` with, oldest first; none without a baseline.

    `timezone` (IANA name) is the zone in which a whole day or week is a move: local time of day is kept over a
    change to or from daylight saving, and the elapsed length is the window's own. Instants returned are UTC.
    """
    if baseline is None:
        return ()
    if is_short(window, baseline):
        return (Interval(baseline.start.astimezone(UTC), baseline.end.astimezone(UTC)),)
    for found in (
        tuple(_moved(window, baseline, timezone, days=7)),
        tuple(_moved(window, baseline, timezone, days=1)),
        tuple(_back_to_back(window, baseline)),
    ):
        if found:
            return tuple(sorted(found, key=lambda placebo: placebo.start))
    return ()


def is_short(window: Interval, baseline: Interval | None) -> bool:
    """Say whether the baseline is shorter than the window, so that its count is only a lower limit."""
    return baseline is not None and baseline.end - baseline.start < window.end - window.start


def _moved(window: Interval, baseline: Interval, timezone: str, days: int) -> Iterator[Interval]:
    """Yield the window moved by every non-zero multiple of `days` local days that fits into the baseline."""
    zone = ZoneInfo(timezone)
    start, length = window.start.astimezone(zone), window.end - window.start
    first = (baseline.start - window.start) // timedelta(days=days) - 1
    last = (baseline.end - window.start) // timedelta(days=days) + 1
    for move in range(first, last + 1):
        # Adding days to a zoned stamp moves the wall clock; only the return to UTC looks at daylight saving.
        moved_start = (start + timedelta(days=days * move)).astimezone(UTC)
        moved = Interval(moved_start, moved_start + length)
        if move and _fits(moved, window, baseline):
            yield moved


def _back_to_back(window: Interval, baseline: Interval) -> Iterator[Interval]:
    """Yield adjoining windows, the last of which ends with the baseline."""
    length = window.end - window.start
    end: datetime = baseline.end.astimezone(UTC)
    while end - length >= baseline.start:
        placebo = Interval(end - length, end)
        if _fits(placebo, window, baseline):
            yield placebo
        end -= length


def _fits(placebo: Interval, window: Interval, baseline: Interval) -> bool:
    """Inside the baseline, and no part of the incident itself."""
    is_inside = baseline.start <= placebo.start and placebo.end <= baseline.end
    is_clear = placebo.end <= window.start or window.end <= placebo.start
    return is_inside and is_clear
