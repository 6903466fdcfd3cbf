"""When did it begin and end? Change points of the late share, found by a rule that never looks at the total.

1. Deliveries in order of arrival are cut into steps of equally many, so that each step's late share is as sure as the
   next one's, by day and by night. Late is what the headline calls late, and lost mail. The last threshold's length
   before *as of* is left out: what arrived there can't be judged yet.
2. The steps' shares (arcsine square root, which makes their noise alike) are split where their level changes: the
   exact minimum of squared error plus a price per change point (`change_points.py`).
3. A level stands out when it is clear above ordinary time: by five points, and at least twice as high. Ordinary is the
   baseline's share where a baseline was declared, else the lowest level.
4. Neighbouring levels that stand out are one disturbance, also over a pause shorter than the threshold. The window is
   the disturbance with the most late mail above ordinary. If it lasts until the steps end, it ends at *as of*.

The price is fixed beforehand; what other prices give is shown beside it.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from expectations.tables import INSTANT, LATE_SHARE, WINDOWS
from transforms.change_points import level_ends
from transforms.settings import Definition, Interval

PENALTIES = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Prices of a change point, in noise variances times the logarithm of the number of steps."""
PENALTY = 8.0
# Fewer deliveries make a step's share jumpy; more steps can't be drawn, and cost time.
_LEAST_PER_STEP = 20
_MOST_STEPS = 1_000
# A change that lasts for one step only is noise.
_LEAST_STEPS = 2
_LEAST_EXCESS = 0.05
_LEAST_RATIO = 2.0
# A window that lasts for hours is named in whole minutes, outward.
_LONG = timedelta(hours=2)
_JUDGED = ("delivered", "pending", "lost")
Numbers = np.ndarray


@dataclass(frozen=True)
class Detection:
    """Frames of WINDOWS (one row per penalty; `is_used` false) and LATE_SHARE, and the window of the fixed penalty.

    `window` is None where nothing stands out.
    """

    windows: pl.DataFrame
    late_share: pl.DataFrame
    window: Interval | None


def detect_window(
    deliveries: pl.LazyFrame, headline: Definition, as_of: datetime, baseline: Interval | None
) -> Detection:
    """Find the window in DELIVERIES of the whole log; neither a declared window nor any total is looked at."""
    steps = _steps(deliveries, headline, as_of)
    ordinary = _ordinary(steps, baseline)
    rows, used = [], None
    levels = _levels(steps, ordinary)
    for penalty, found in levels.items():
        window = _window(steps, found, headline.threshold_seconds, as_of)
        used = window if penalty == PENALTY else used
        rows.append(
            {
                "source": "detected",
                "penalty": penalty,
                "is_used": False,
                "is_default": penalty == PENALTY,
                "change_points": found.change_points,
                "start_at": window.start if window else None,
                "end_at": window.end if window else None,
            }
        )
    shown = steps.with_columns(
        pl.Series("level_share", levels[PENALTY].share, pl.Float64),
        pl.Series("is_disturbed", levels[PENALTY].is_disturbed, pl.Boolean),
    )
    frame = pl.DataFrame(rows, schema=dict(WINDOWS.schema))
    return Detection(WINDOWS.conform(frame), LATE_SHARE.conform(shown), used)


def choose(detection: Detection, declared: Interval | None) -> pl.DataFrame:
    """Return WINDOWS with the declared window, if any, in front, and `is_used` on the one that is counted in."""
    is_used = pl.col("is_default") & pl.lit(declared is None) & pl.col("start_at").is_not_null()
    detected = detection.windows.with_columns(is_used.alias("is_used"))
    if declared is None:
        return detected
    own = {
        "source": "declared",
        "is_used": True,
        "is_default": False,
        "start_at": declared.start,
        "end_at": declared.end,
    }
    return pl.concat(
        [WINDOWS.conform(pl.DataFrame([own], schema_overrides={"start_at": INSTANT, "end_at": INSTANT})), detected]
    )


@dataclass(frozen=True)
class _Levels:
    """Level of every step, whether it stands out, what it has above ordinary, and the number of change points."""

    share: Numbers
    is_disturbed: Numbers
    excess: Numbers
    change_points: int


def _steps(deliveries: pl.LazyFrame, headline: Definition, as_of: datetime) -> pl.DataFrame:
    """Return `start_at`, `end_at`, `deliveries`, `late` of steps of about equally many arrivals."""
    threshold = headline.threshold_seconds
    is_late = (pl.col("outcome") == "lost") | (pl.col("delay_seconds") >= threshold)
    is_chosen = pl.lit(True) if headline.messages == "all" else ~pl.col("is_bulk")
    by_second = (
        deliveries.filter(
            is_chosen,
            pl.col("outcome").is_in(_JUDGED),
            pl.col("arrived_at") < as_of - timedelta(seconds=threshold),
        )
        .group_by(pl.col("arrived_at").dt.truncate("1s").alias("start_at"))
        .agg(pl.len().cast(pl.Int64).alias("deliveries"), is_late.sum().cast(pl.Int64).alias("late"))
        .collect()
        .sort("start_at")
    )
    total = int(by_second["deliveries"].sum())
    size = max(_LEAST_PER_STEP, math.ceil(total / _MOST_STEPS))
    step = (pl.col("deliveries").cum_sum() - pl.col("deliveries")) // size
    last = as_of - timedelta(seconds=threshold)
    return (
        by_second.group_by(step.alias("step"), maintain_order=True)
        .agg(pl.col("start_at").first(), pl.col("deliveries").sum(), pl.col("late").sum())
        .with_columns(pl.col("start_at").shift(-1).fill_null(last).cast(INSTANT).alias("end_at"))
        .select("start_at", "end_at", "deliveries", "late")
    )


def _ordinary(steps: pl.DataFrame, baseline: Interval | None) -> float | None:
    """Return the late share of the declared baseline; None: there is none, or no mail in it."""
    if baseline is None:
        return None
    inside = steps.filter(pl.col("start_at") >= baseline.start, pl.col("end_at") <= baseline.end)
    mail, late = int(inside["deliveries"].sum()), int(inside["late"].sum())
    return late / mail if mail else None


def _levels(steps: pl.DataFrame, ordinary: float | None) -> dict[float, _Levels]:
    """Return the levels by each of the prices."""
    late, mail = steps["late"].to_numpy(), steps["deliveries"].to_numpy()
    if len(mail) < 2 * _LEAST_STEPS:
        return dict.fromkeys(PENALTIES, _Levels(np.zeros(len(mail)), np.zeros(len(mail), bool), np.zeros(len(mail)), 0))
    signal = np.arcsin(np.sqrt(late / mail))
    price = _noise_variance(signal, mail) * math.log(len(signal))
    found = zip(PENALTIES, level_ends(signal, [p * price for p in PENALTIES], _LEAST_STEPS), strict=True)
    return {penalty: _levels_between(late, mail, ends, ordinary) for penalty, ends in found}


def _levels_between(late: Numbers, mail: Numbers, ends: Numbers, ordinary: float | None) -> _Levels:
    starts = np.concatenate([[0], ends[:-1]])
    share = np.add.reduceat(late, starts) / np.add.reduceat(mail, starts)
    usual = float(share.min()) if ordinary is None else ordinary
    is_out = (share >= usual + _LEAST_EXCESS) & (share >= _LEAST_RATIO * usual)
    excess = (share - usual) * np.add.reduceat(mail, starts)
    lengths = ends - starts
    return _Levels(
        np.repeat(share, lengths), np.repeat(is_out, lengths), np.repeat(excess / lengths, lengths), len(ends) - 1
    )


def _noise_variance(signal: Numbers, mail: Numbers) -> float:
    """A share's noise after the transform is 1/(4n); mail in bursts is noisier, as neighbours' differences say."""
    by_neighbours = np.median(np.abs(np.diff(signal))) / 0.6745 / math.sqrt(2)
    return max(float(np.mean(1 / (4 * mail))), float(by_neighbours) ** 2)


def _window(steps: pl.DataFrame, levels: _Levels, threshold: int, as_of: datetime) -> Interval | None:
    """Return the disturbance with the most late mail above ordinary."""
    if not levels.is_disturbed.any():
        return None
    edges = np.flatnonzero(np.diff(np.concatenate([[0], levels.is_disturbed.astype(int), [0]])))
    starts, ends = ([at.astimezone(UTC) for at in steps[name]] for name in ("start_at", "end_at"))
    runs: list[tuple[int, int]] = []
    for first, after in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if runs and starts[first] - ends[runs[-1][1] - 1] < timedelta(seconds=threshold):
            runs[-1] = (runs[-1][0], after)
        else:
            runs.append((first, after))
    first, after = max(runs, key=lambda run: levels.excess[run[0] : run[1]].sum())
    end = as_of if after == len(ends) else ends[after - 1]
    return _rounded(starts[first], end)


def _rounded(start: datetime, end: datetime) -> Interval:
    if end - start < _LONG:
        return Interval(start, end)
    minute = timedelta(minutes=1)
    whole = start.replace(second=0, microsecond=0)
    after = end.replace(second=0, microsecond=0)
    return Interval(whole, after if after == end else after + minute)
