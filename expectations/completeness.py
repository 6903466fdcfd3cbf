"""Is there a hole in the logs? A host that was silent in the window far longer than its own habit has lost lines.

Rule: a silence is a hole when it covers at least `silence_minutes` of the window and its probability is below e^-20,
by how soon the host's silences end at the same time of other days (weekdays beside weekdays, weekends beside
weekends), toned down where the hours around are quieter than theirs. Where the logs know no other day, the quieter
parts of the hours around speak alone. A whole day without a line, in a host that wrote on every other day, always is
a hole. What lies before a host's first line and after its last one is silence too.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import polars as pl

from expectations.habit import Host, Logs, Minutes
from expectations.tables import FINDINGS
from expectations.wording import minutes
from transforms.gate_limits import GateLimits
from transforms.settings import Interval

# e^-20 is one in 500 million: ten hosts have five million minutes in a year, so chance alone brings none in a lifetime.
LOG_PROBABILITY_OF_A_HOLE = -20.0
AROUND_MINUTES = 180  # on either side: long enough to know a rate, short enough that day and night differ little
# What is around is taken in parts, so that one more hole nearby does not excuse this one. Alone, the quietest quarter
# of them counts, as an evening fades within three hours. A part of under ten minutes says too little beside longer.
PART_MINUTES, LEAST_PART_MINUTES, LENIENT_QUANTILE = 30, 10, 0.75
SAME_TIME_MARGIN_MINUTES = 30  # the mail of an hour is not punctual to the minute, nor is daylight saving
DAY_MINUTES = 1440
WEEK_MINUTES = 7 * DAY_MINUTES
LEAST_MINUTES_OF_A_DAY = 10  # with fewer minutes of lines a day, a day without any may be chance
LEAST_MINUTES, LEAST_LINES = 5, 100  # a name in a handful of lines (a relayed message, a test) has no habit
# Where a host writes in every minute, its minutes cannot prove how unlikely an empty one is; its lines can. They come
# in clumps: one message through a filter writes about a dozen, its connections some more.
LINES_OF_ONE_CAUSE = 20
QUIET_QUANTILE = 0.1  # the rate of the quietest tenth of the minutes around: lenient where traffic swings
LEAST_MINUTES_OF_A_RATE = 3
SHARE_OF_A_SHORT_WINDOW = 0.1  # a window much shorter than `silence_minutes` would never show a hole otherwise


def find_holes(
    activity: pl.DataFrame, window: Interval, as_of: datetime, limits: GateLimits, timezone: str = "UTC"
) -> pl.DataFrame:
    """Return a FINDINGS row (`log_hole`) per silence in the window that is a hole; `activity` has ACTIVITY's columns.

    `timezone` says when a weekend begins.
    """
    covered = Interval(window.start, min(window.end, as_of))
    if activity.is_empty() or covered.end <= covered.start:
        return FINDINGS.empty()
    least = max(shortest_hole_minutes(window, limits), 1)
    wrote = activity.select(pl.col("minute_at").dt.epoch("s").floordiv(60).alias("minute"), "host", "lines")
    known = (int(wrote["minute"].min()), int(wrote["minute"].max()) + 1)  # type: ignore[arg-type]
    inside = (-(-int(covered.start.timestamp()) // 60), int(covered.end.timestamp()) // 60)
    rows = []
    for name, host in _hosts(wrote):
        for start, end in host.silences(min(known[0], inside[0]), max(known[1], inside[1])):
            if min(end, inside[1]) - max(start, inside[0]) < least:
                continue
            if why := _why_a_hole(host, start, end, known, ZoneInfo(timezone)):
                began, ended = max(_at(start), covered.start), min(_at(end), covered.end)
                lasted = minutes((ended - began).total_seconds() / 60)
                detail = f"{name or 'the log'} wrote no line for {lasted} of the window, although {why}"
                rows.append(("log_hole", name, None, began, ended, None, detail))
    return pl.DataFrame(rows, schema=dict(FINDINGS.schema), orient="row") if rows else FINDINGS.empty()


def shortest_hole_minutes(window: Interval, limits: GateLimits) -> float:
    """Return the shortest silence that can be a hole: `silence_minutes`; by default less in a very short window."""
    if "silence_minutes" in limits.changed():
        return limits.silence_minutes
    return min(limits.silence_minutes, SHARE_OF_A_SHORT_WINDOW * (window.end - window.start).total_seconds() / 60)


def _hosts(wrote: pl.DataFrame) -> Iterator[tuple[str, Host]]:
    by_minute = wrote.group_by("host", "minute").agg(pl.col("lines").sum()).sort("host", "minute")
    for (name,), part in by_minute.group_by("host", maintain_order=True):
        if part.height >= LEAST_MINUTES and part["lines"].sum() >= LEAST_LINES:
            yield str(name), Host(part["minute"].to_numpy(), part["lines"].to_numpy())


def _why_a_hole(host: Host, start: int, end: int, known: tuple[int, int], zone: ZoneInfo) -> str:
    """Return in words why the silence [start, end) is a hole, or nothing; `known` is what any host's lines span."""
    if days := _other_days_written(host, start, end, known):
        return f"it wrote on each of the {days} other days"
    low, high = _around(start, end, known)
    pieces = np.arange(start, end, 60)
    lengths = np.minimum(pieces + 60, end) - pieces
    each = _log_of_each_minute(host, pieces, lengths, (start, end), known, zone)
    each = np.fmin(each, -_causes_per_minute(host, low, high))
    log_probability = float((each * lengths).sum())
    if log_probability >= LOG_PROBABILITY_OF_A_HOLE:
        return ""
    share = host.minutes_written(low, high).sum() / max((high - low).sum(), 1)
    odds = f"1 in 10^{-log_probability / np.log(10):.0f}"
    return f"it wrote in {share:.0%} of the minutes around: by its own habit such a silence has a chance below {odds}"


def _other_days_written(host: Host, start: int, end: int, known: tuple[int, int]) -> int:
    """Return how many other days the logs know if a silence of a day or more is the only such time; else 0."""
    if end - start < DAY_MINUTES:
        return 0
    before = np.arange(start - DAY_MINUTES, known[0] - 1, -DAY_MINUTES)
    after = np.arange(end, known[1] - DAY_MINUTES + 1, DAY_MINUTES)
    days = np.concatenate((before, after))
    weeks = np.concatenate((np.arange(start, known[0] - 1, -WEEK_MINUTES), np.arange(start, known[1], WEEK_MINUTES)))
    weeks = weeks[(weeks != start) & (weeks + end - start <= known[1])]
    is_usual = (host.minutes_written(weeks, weeks + end - start) == 0).any()  # so it was in another week
    is_sole = len(days) >= 2 and host.minutes_written(days, days + DAY_MINUTES).min() >= LEAST_MINUTES_OF_A_DAY
    return len(days) if is_sole and not is_usual else 0


def _log_of_each_minute(
    host: Host, pieces: Minutes, lengths: Minutes, silence: tuple[int, int], known: tuple[int, int], zone: ZoneInfo
) -> Logs:
    """Return for each piece of a silence the log of P(one more silent minute), by the host's own habit."""
    each = _on_other_days(host, pieces, pieces + lengths, silence, known, zone)
    is_unknown = np.isnan(each)
    if (np.nan_to_num(each) * lengths).sum() >= LOG_PROBABILITY_OF_A_HOLE and not is_unknown.any():
        return each  # no hole already; the hours around could only tone it down
    low, high = _parts_around(*silence, known)
    if not len(low):
        return np.nan_to_num(each)
    around = host.log_of_staying_silent(low[:, None], high[:, None])
    is_one_sided = (low >= silence[1]).all() or (high <= silence[0]).all()  # a fading evening may fade on
    quiet = float(np.quantile(around, 1.0 if is_one_sided else LENIENT_QUANTILE, method="higher"))
    usual = _on_other_days(host, low, high, silence, known, zone)
    is_comparable = usual < 0
    if is_unknown.all() or not is_comparable.any():
        return np.where(is_unknown, quiet, np.fmax(each, quiet))
    ratios = np.expm1(around[is_comparable]) / np.expm1(usual[is_comparable])
    ratio = min(float(np.quantile(ratios, 0.5, method="higher")), 1.0)
    return np.where(is_unknown, quiet, np.log1p(ratio * np.expm1(each)))


def _around(start: int, end: int, known: tuple[int, int]) -> tuple[Minutes, Minutes]:
    """Return the hours before and after a silence, as far as any host's lines reach."""
    low = np.clip([start - AROUND_MINUTES, end], *known)
    high = np.clip([start, end + AROUND_MINUTES], *known)
    return low, high


def _parts_around(start: int, end: int, known: tuple[int, int]) -> tuple[Minutes, Minutes]:
    """Return the hours before and after a silence in parts; none where no host's lines reach there."""
    offsets = np.arange(0, AROUND_MINUTES, PART_MINUTES)
    low = np.clip(np.concatenate((start - offsets - PART_MINUTES, end + offsets)), *known)
    high = np.clip(np.concatenate((start - offsets, end + offsets + PART_MINUTES)), *known)
    length = high - low
    kept = length >= max(min(LEAST_PART_MINUTES, length.max()), 1)
    return low[kept], high[kept]


def _on_other_days(
    host: Host, start: Minutes, end: Minutes, silence: tuple[int, int], known: tuple[int, int], zone: ZoneInfo
) -> Logs:
    """Return for each piece of a silence the log of staying silent at that time of other days; NaN where none is known.

    The median day speaks, the more suspicious one of two: one more day that is missing excuses nothing. Days of the
    same part of the week speak alone where there are any.
    """
    reach = (known[1] - known[0] + silence[1] - silence[0]) // DAY_MINUTES + 1
    shifts = np.array([d for d in range(-reach, reach + 1) if d]) * DAY_MINUTES
    low = start[:, None] + shifts - SAME_TIME_MARGIN_MINUTES
    high = end[:, None] + shifts + SAME_TIME_MARGIN_MINUTES
    is_known = (low >= known[0]) & (high <= known[1]) & ((high <= silence[0]) | (low >= silence[1]))
    is_alike = is_known & (_is_weekend(start[:, None] + shifts, zone) == _is_weekend(start, zone)[:, None])
    counts = np.where(is_alike.any(axis=1, keepdims=True), is_alike, is_known)
    logs = np.where(counts, host.log_of_staying_silent(low[..., None], high[..., None]), np.inf)
    logs.sort(axis=1)
    middle = np.maximum(counts.sum(axis=1) - 1, 0) // 2
    found = logs[np.arange(len(logs)), middle]
    return np.where(np.isinf(found), np.nan, found)


def _is_weekend(minute: Minutes, zone: ZoneInfo) -> npt.NDArray[np.bool_]:
    """Say for each minute whether it is a Saturday or Sunday in a zone, whose offset is taken at the first one."""
    offset = _at(int(minute.flat[0])).astimezone(zone).utcoffset() or timedelta()
    weekday = ((minute + offset // timedelta(minutes=1)) // DAY_MINUTES + 3) % 7  # the epoch was a Thursday
    return weekday >= 5


def _causes_per_minute(host: Host, low: Minutes, high: Minutes) -> float:
    """Return how many independent causes of lines each minute around a silence has at least; 0 for too short a time."""
    edges = (host.active[0] + 1, host.active[-1])  # its first and its last minute are seldom whole
    low, high = np.clip(low, *edges), np.clip(high, *edges)
    if (high - low).sum() < LEAST_MINUTES_OF_A_RATE:
        return 0.0
    return host.lines_per_minute(low, high, QUIET_QUANTILE) / LINES_OF_ONE_CAUSE


def _at(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)
