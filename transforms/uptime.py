"""What share of their time were accounts up, and how bad was the worst minute, hour, day of it?

User-uptime is time up over time up and down, added up over accounts (Hauer, Hoffmann, Lunney, Ardelean, Diwan:
Meaningful Availability, NSDI 2020). Accounts are those that had mail in the window; each is watched through the
window, or until *as of* where that comes first, and is down as `hours.py` says, by the headline's definition. Windowed
user-uptime is the lowest user-uptime of any stretch of a given length: it tells one long outage from many short ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from expectations.tables import UPTIME
from transforms.settings import Interval, Settings

_ALL = "all"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# Lengths that people speak of; the whole window comes last.
_LENGTHS_SECONDS = (
    *(n * _MINUTE for n in (1, 5, 15, 30)),
    *(n * _HOUR for n in (1, 2, 4, 8)),
    *(n * _DAY for n in (1, 2, 7)),
)
Numbers = np.ndarray


@dataclass(frozen=True)
class Steps:
    """How many are down at a time: `down[i]` of them from `at[i]` to `at[i + 1]`, in seconds since 1970; then none."""

    at: Numbers
    down: Numbers

    def lost_until(self, when: Numbers) -> Numbers:
        """Return the time lost by all up to each instant, in seconds."""
        if len(self.at) == 0:
            return np.zeros(len(when))
        lost = np.concatenate([[0.0], np.cumsum(np.diff(self.at) * self.down[:-1])])
        return np.interp(when, self.at, lost)

    def longest(self, least: float) -> float:
        """Return the longest time without a break, in seconds, for which at least `least` were down at once."""
        if len(self.at) == 0:
            return 0.0
        is_down = np.concatenate([[False], self.down[:-1] >= max(least, 1), [False]])
        changes = np.flatnonzero(np.diff(is_down))
        lengths = self.at[changes[1::2]] - self.at[changes[::2]]
        return float(lengths.max()) if len(lengths) else 0.0


def measure_uptime(spans: pl.DataFrame, exposed: Mapping[str, int], settings: Settings) -> pl.DataFrame:
    """Return UPTIME from DOWNTIME; `exposed` counts accounts with mail in the window, by segment and `all`."""
    period = Interval(settings.window.start, min(settings.window.end, settings.as_of))
    whole = (period.end - period.start).total_seconds()
    accounts = clip(spans.filter(unit="account"), period)
    lengths = [*(n for n in _LENGTHS_SECONDS if n < round(whole)), whole]
    rows = []
    for segment, people in exposed.items():
        steps = steps_of(accounts if segment == _ALL else accounts.filter(segment=segment))
        for length in lengths if whole > 0 else []:
            start, lost = _worst(steps, period, length)
            share = max(0.0, 1 - lost / (people * length)) if people else None
            rows.append((segment, max(1, round(length)), people, start if lost else None, lost, share))
    frame = pl.DataFrame(rows, schema=[*UPTIME.schema], orient="row", infer_schema_length=None)
    seconds = (pl.col("worst_start_at").cast(pl.Float64) * 1e6).cast(pl.Int64)
    return UPTIME.conform(frame.with_columns(seconds.cast(pl.Datetime("us", "UTC")).alias("worst_start_at")))


def clip(spans: pl.DataFrame, period: Interval) -> pl.DataFrame:
    """Return the parts of spans of DOWNTIME that lie in a period."""
    start, end = pl.lit(period.start, pl.Datetime("us", "UTC")), pl.lit(period.end, pl.Datetime("us", "UTC"))
    clipped = spans.with_columns(pl.max_horizontal("start_at", start), pl.min_horizontal("end_at", end))
    return clipped.filter(pl.col("start_at") < pl.col("end_at"))


def steps_of(spans: pl.DataFrame) -> Steps:
    """Return how many are down at a time, of DOWNTIME of one unit; a person in two segments is one person."""
    united = union(spans)
    starts, ends = (united[name].dt.epoch("us").to_numpy() / 1e6 for name in ("start_at", "end_at"))
    at, where = np.unique(np.concatenate([starts, ends]), return_inverse=True)
    change = np.concatenate([np.ones(len(starts)), -np.ones(len(ends))])
    return Steps(at, np.cumsum(np.bincount(where, weights=change, minlength=len(at))))


def union(spans: pl.DataFrame) -> pl.DataFrame:
    """Return `entity_id`, `start_at`, `end_at` of the union of each person's spans, over all segments."""
    before = pl.col("end_at").cum_max().shift(1).over("entity_id")
    is_first = before.is_null() | (pl.col("start_at") > before)
    return (
        spans.select("entity_id", "start_at", "end_at")
        .sort("entity_id", "start_at")
        .with_columns(is_first.cum_sum().alias("number"))
        .group_by("entity_id", "number", maintain_order=True)
        .agg(pl.col("start_at").min(), pl.col("end_at").max())
        .drop("number")
    )


def _worst(steps: Steps, period: Interval, length: float) -> tuple[float, float]:
    """Return start and time lost of the worst stretch of `length` seconds in the period; the earliest, if several.

    The time lost in a moving stretch changes its slope only where one of its ends meets a step, so it is greatest
    with an end on one.
    """
    first, last = period.start.timestamp(), period.end.timestamp() - length
    starts = np.unique(np.clip(np.concatenate([[first, last], steps.at, steps.at - length]), first, max(first, last)))
    lost = np.round(steps.lost_until(starts + length) - steps.lost_until(starts), 6)
    at = int(np.argmax(lost))
    return float(starts[at]), float(lost[at])
