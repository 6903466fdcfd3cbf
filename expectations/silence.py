"""How likely a silence of a host is, by its own habit.

Rule: what counts is how soon the host's silences end at the same time of other days (weekdays beside weekdays,
weekends beside weekends), toned down where the hours around this one are quieter than theirs. Where the logs know no
other day, the quieter parts of the hours around speak alone.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from expectations.habit import Host, Minutes, Shares

Span = tuple[int, int]  # [start, end), in minutes since the epoch

AROUND_MINUTES = 180  # on either side: long enough to know a rate, short enough that day and night differ little
# What is around is taken in parts. Alone, the quietest quarter of them counts, as an evening fades within three hours.
# A part of under ten minutes says too little beside longer ones.
PART_MINUTES, LEAST_PART_MINUTES, QUIET_PARTS = 30, 10, 0.25
PIECE_MINUTES = 60  # the habit is asked hour by hour
SAME_TIME_MARGIN_MINUTES = 30  # the mail of an hour is not punctual to the minute, nor is daylight saving
STANDARD_ERRORS = 2.0  # what an hour or two of one other day says is only known to within so many
DAY_MINUTES = 1440
# Where a host writes in every minute, its minutes cannot prove how unlikely an empty one is; its lines can. They come
# in clumps: one message through a filter writes about a dozen, its connections some more.
LINES_OF_ONE_CAUSE = 20
QUIET_QUANTILE = 0.1  # the rate of the quietest tenth of the minutes around: lenient where traffic swings
LEAST_MINUTES_OF_A_RATE = 3


def log_probability(host: Host, silence: Span, known: Span, zone: ZoneInfo, enough: float = 0.0) -> float:
    """Return the natural log of the probability of a silence; `known` is what the lines of any host span.

    Where other days alone make it likelier than `enough`, how quiet the hours around are is not looked at.
    """
    pieces = np.arange(*silence, PIECE_MINUTES)
    lengths = np.minimum(pieces + PIECE_MINUTES, silence[1]) - pieces
    each = np.log1p(-_hazard_of_each_piece(host, pieces, lengths, silence, known, zone, enough))
    each = np.fmin(each, -_causes_per_minute(host, silence, known))
    return float((each * lengths).sum())


def share_written_around(host: Host, silence: Span, known: Span) -> float:
    """Return in which share of the minutes around a silence the host wrote."""
    low, high = _around(silence, known)
    return float(host.minutes_written(low, high).sum() / max((high - low).sum(), 1))


def _hazard_of_each_piece(
    host: Host, pieces: Minutes, lengths: Minutes, silence: Span, known: Span, zone: ZoneInfo, enough: float
) -> Shares:
    """Return for each piece of a silence P(a silent minute is followed by one with lines), by the host's habit."""
    hazard = _on_other_days(host, pieces, pieces + lengths, silence, known, zone)
    is_unknown = np.isnan(hazard)
    if not is_unknown.any() and (np.log1p(-hazard) * lengths).sum() >= enough:
        return hazard
    low, high = _parts_around(silence, known)
    if not len(low):
        return np.nan_to_num(hazard)
    is_before = high <= silence[0]
    is_one_sided = is_before.all() or not is_before.any()  # a fading evening may fade on
    around, _ = host.hazard(low, high)
    quiet = float(np.quantile(around, 0.0 if is_one_sided else QUIET_PARTS, method="lower"))
    if is_unknown.all():
        return np.full(len(hazard), quiet)
    usual = _on_other_days(host, low, high, silence, known, zone)
    # The livelier side counts: one more hole on the other side must not excuse this one.
    tone = max(_tone(host, low[side], high[side], usual[side]) for side in (is_before, ~is_before))
    return np.where(is_unknown, quiet, tone * hazard)


def _tone(host: Host, low: Minutes, high: Minutes, usual: Shares) -> float:
    """Return how often silences ended on one side of this one, as a share of what is usual then; at most 1.

    Half an ending on either side of the ratio keeps hours without silences from saying anything; hours that no other
    day knows say nothing, and a side without hours counts for nothing.
    """
    is_comparable = ~np.isnan(usual)
    if not is_comparable.any():
        return 1.0 if len(low) else 0.0
    silent, resumed = host.silent_and_resumed(low[is_comparable], high[is_comparable])
    expected = float((silent * usual[is_comparable]).sum())
    return min((float(resumed.sum()) + 0.5) / (expected + 0.5), 1.0)


def _around(silence: Span, known: Span) -> tuple[Minutes, Minutes]:
    """Return the hours before and after a silence, as far as any host's lines reach."""
    low = np.clip([silence[0] - AROUND_MINUTES, silence[1]], *known)
    high = np.clip([silence[0], silence[1] + AROUND_MINUTES], *known)
    return low, high


def _parts_around(silence: Span, known: Span) -> tuple[Minutes, Minutes]:
    """Return the hours before and after a silence in parts; none where no host's lines reach there."""
    offsets = np.arange(0, AROUND_MINUTES, PART_MINUTES)
    low = np.clip(np.concatenate((silence[0] - offsets - PART_MINUTES, silence[1] + offsets)), *known)
    high = np.clip(np.concatenate((silence[0] - offsets, silence[1] + offsets + PART_MINUTES)), *known)
    length = high - low
    kept = length >= max(min(LEAST_PART_MINUTES, length.max()), 1)
    return low[kept], high[kept]


def _on_other_days(host: Host, start: Minutes, end: Minutes, silence: Span, known: Span, zone: ZoneInfo) -> Shares:
    """Return for each interval the hazard at that time of other days; NaN where the logs know none.

    The median day speaks, the more suspicious one of two: one more day that is missing excuses nothing. Days of the
    same part of the week speak alone where there are any. Few days are taken at the low end of what they may mean.
    """
    reach = (known[1] - known[0] + silence[1] - silence[0]) // DAY_MINUTES + 1
    shifts = np.array([d for d in range(-reach, reach + 1) if d]) * DAY_MINUTES
    low = start[:, None] + shifts - SAME_TIME_MARGIN_MINUTES
    high = end[:, None] + shifts + SAME_TIME_MARGIN_MINUTES
    is_known = (low >= known[0]) & (high <= known[1]) & ((high <= silence[0]) | (low >= silence[1]))
    is_alike = is_known & (_is_weekend(start[:, None] + shifts, zone) == _is_weekend(start, zone)[:, None])
    counts = np.where(is_alike.any(axis=1, keepdims=True), is_alike, is_known)
    days = counts.sum(axis=1)
    hazard, observations = host.hazard(low, high)
    order = np.argsort(np.where(counts, -hazard, np.inf), axis=1, kind="stable")
    middle = np.take_along_axis(order, np.maximum(days - 1, 0)[:, None] // 2, axis=1)
    found = np.take_along_axis(hazard, middle, axis=1)[:, 0]
    error = np.sqrt(found * (1 - found) / np.take_along_axis(observations, middle, axis=1)[:, 0] / np.maximum(days, 1))
    return np.where(days > 0, np.maximum(found - STANDARD_ERRORS * error, 0), np.nan)


def _is_weekend(minute: Minutes, zone: ZoneInfo) -> npt.NDArray[np.bool_]:
    """Say for each minute whether it is a Saturday or Sunday in a zone, whose offset is taken at the first one."""
    offset = datetime.fromtimestamp(int(minute.flat[0]) * 60, UTC).astimezone(zone).utcoffset() or timedelta()
    weekday = ((minute + offset // timedelta(minutes=1)) // DAY_MINUTES + 3) % 7  # the epoch was a Thursday
    return weekday >= 5


def _causes_per_minute(host: Host, silence: Span, known: Span) -> float:
    """Return how many independent causes of lines each minute around a silence has at least; 0 for too short a time."""
    low, high = _around(
        silence, (known[0] + 1, max(known[1] - 1, known[0] + 1))
    )  # the logs' first and last minute are seldom whole
    if (high - low).sum() < LEAST_MINUTES_OF_A_RATE:
        return 0.0
    return host.lines_per_minute(low, high, QUIET_QUANTILE) / LINES_OF_ONE_CAUSE
