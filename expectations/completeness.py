"""Is there a hole in the logs? A host that was silent in the window far longer than its own habit has lost lines.

Rule: a silence is a hole when it covers at least `silence_minutes` of the window and its probability, by the host's own
habit, is below e^-20; or when, up to three hours long, it is five times as long as any of a hundred other silences. A
whole day without a line, in a host that wrote on every other day, always is a hole. What lies
before a host's first line and after its last one is silence too, as long as any host's log or the window reaches there.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from expectations.habit import Host
from expectations.silence import DAY_MINUTES, Span, log_probability, share_written_around
from expectations.tables import FINDINGS
from expectations.wording import minutes
from transforms.gate_limits import GateLimits
from transforms.settings import Interval

# e^-20 is one in 485 million: ten hosts have five million minutes in a year, so chance alone brings none in a lifetime.
LOG_PROBABILITY_OF_A_HOLE, ODDS = -20.0, "one in 400 million"
WEEK_MINUTES = 7 * DAY_MINUTES
MISSING_OF_A_DAY = 180  # a missing day lengthens the silence by the quiet hours beside it, and shortens its neighbours
LEAST_MINUTES_OF_A_DAY = 10  # with fewer minutes of lines a day, a day without any may be chance
# A steady host, however sparse: chance makes a silence five times the longest of a hundred others once in 10^8 logs.
# Longer than three hours may be a night that these logs know only once.
TIMES_THE_LONGEST, LEAST_SILENCES, LONGEST_BY_RHYTHM_MINUTES = 5, 100, 180
LEAST_MINUTES, LEAST_LINES = 5, 100  # a name in a handful of lines (a relayed message, a test) has no habit
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
    least = shortest_hole_minutes(window, limits)
    wrote = activity.select(pl.col("minute_at").dt.epoch("s").floordiv(60).alias("minute"), "host", "lines")
    known = (int(wrote["minute"].min()), int(wrote["minute"].max()) + 1)  # type: ignore[arg-type]
    inside = (-(-int(covered.start.timestamp()) // 60), int(covered.end.timestamp()) // 60)
    rows = []
    for name, host in _hosts(wrote):
        for start, end in host.silences(min(known[0], inside[0]), max(known[1], inside[1])):
            if min(end, inside[1]) - max(start, inside[0]) < least:
                continue
            if why := _why_a_hole(host, (start, end), known, ZoneInfo(timezone)):
                began, ended = max(_at(start), covered.start), min(_at(end), covered.end)
                lasted = minutes((ended - began).total_seconds() / 60)
                detail = f"{name or 'the log'} wrote no line for {lasted} of the window, although {why}"
                rows.append(("log_hole", name, None, began, ended, None, detail))
    return pl.DataFrame(rows, schema=dict(FINDINGS.schema), orient="row") if rows else FINDINGS.empty()


def shortest_hole_minutes(window: Interval, limits: GateLimits) -> float:
    """Return the shortest silence that can be a hole: `silence_minutes`; by default less in a very short window.

    Never less than a minute, as activity is known by the minute.
    """
    tenth = SHARE_OF_A_SHORT_WINDOW * (window.end - window.start).total_seconds() / 60
    is_declared = "silence_minutes" in limits.changed()
    return max(limits.silence_minutes if is_declared else min(limits.silence_minutes, tenth), 1)


def _hosts(wrote: pl.DataFrame) -> Iterator[tuple[str, Host]]:
    by_minute = wrote.group_by("host", "minute").agg(pl.col("lines").sum()).sort("host", "minute")
    for (name,), part in by_minute.group_by("host", maintain_order=True):
        if part.height >= LEAST_MINUTES and part["lines"].sum() >= LEAST_LINES:
            yield str(name), Host(part["minute"].to_numpy(), part["lines"].to_numpy())


def _why_a_hole(host: Host, silence: Span, known: Span, zone: ZoneInfo) -> str:
    """Return in words why a silence is a hole, or nothing; `known` is what the lines of any host span."""
    if days := _other_days_written(host, silence, known):
        return f"it wrote on each of the {days} other days"
    if longest := _longest_other(host, silence, known):
        return f"none of its other silences lasted longer than {minutes(longest)}"
    least = LOG_PROBABILITY_OF_A_HOLE
    if log_probability(host, silence, known, zone, enough=least) >= least:
        return ""
    share = share_written_around(host, silence, known)
    return f"it wrote in {share:.0%} of the minutes around: by its own habit, such a silence is less likely than {ODDS}"


def _longest_other(host: Host, silence: Span, known: Span) -> int:
    """Return the longest other silence, in minutes, if this one breaks the rhythm of a steady host; else 0."""
    start, end = silence
    if end - start > LONGEST_BY_RHYTHM_MINUTES or start <= known[0] or end >= known[1]:
        return 0
    others = [b - a for a, b in host.silences(*known) if (a, b) != silence]
    longest = max(others, default=0)
    return longest if len(others) >= LEAST_SILENCES and end - start >= TIMES_THE_LONGEST * longest else 0


def _other_days_written(host: Host, silence: Span, known: Span) -> int:
    """Return how many other days the logs know if a silence of a day or more is the only such time; else 0."""
    start, end = silence
    if end - start < DAY_MINUTES:
        return 0
    before = np.arange(start - DAY_MINUTES, known[0] - MISSING_OF_A_DAY - 1, -DAY_MINUTES)
    after = np.arange(end, known[1] - DAY_MINUTES + MISSING_OF_A_DAY + 1, DAY_MINUTES)
    days = np.concatenate((before, after))
    weeks = np.concatenate((np.arange(start, known[0] - 1, -WEEK_MINUTES), np.arange(start, known[1], WEEK_MINUTES)))
    weeks = weeks[(weeks != start) & (weeks + end - start <= known[1])]
    is_usual = (host.minutes_written(weeks, weeks + end - start) == 0).any()  # so it was in another week
    is_sole = len(days) >= 2 and host.minutes_written(days, days + DAY_MINUTES).min() >= LEAST_MINUTES_OF_A_DAY
    return len(days) if is_sole and not is_usual else 0


def _at(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)
