"""How long does mail take, when some of it still waits?

Mail that is pending when the logs end has waited at least so long: it is right-censored, not left out. Leaving it out
keeps the mail that was quick and drops the mail that was not. The share that still waits is Kaplan and Meier's (JASA
1958); loss ends the wait too, but is no delivery: delivered and lost are competing outcomes, each with its cumulative
incidence by Aalen and Johansen (1978). Unresolved mail is censored where the log's proof ends. Censoring is taken to
say nothing of how long a message would have waited: true of a log that simply ends, not of a line that was lost.

No band is published: every message was counted. The band is there to hold the curve against a known one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from expectations.tables import MESSAGES, SURVIVAL
from transforms.settings import Settings

# Delays are grouped by this much, rounded down: "at least D" stays exact for every D of whole seconds.
_STEP_SECONDS = 0.1
_POINTS_PER_DECADE = 12
_EDGES_SECONDS = (1, 10, 30, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 432000)
_OUTCOMES = ("delivered", "lost", "pending", "unresolved")
Numbers = np.ndarray


@dataclass(frozen=True)
class Curves:
    """Shares just after each of the `times` (ascending, distinct): waiting + delivered + lost = 1.

    `at_risk` is how many are known to have waited at least that long. `variance` is Greenwood's sum, of log waiting.
    """

    times: Numbers
    at_risk: Numbers
    waiting: Numbers
    delivered: Numbers
    lost: Numbers
    variance: Numbers

    def just_before(self, times: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Return the shares waiting at least as long as each of `times`, delivered sooner and lost sooner."""
        at = np.searchsorted(self.times, times, side="left")
        starts = ((1.0, self.waiting), (0.0, self.delivered), (0.0, self.lost))
        waiting, delivered, lost = (np.concatenate([[first], values])[at] for first, values in starts)
        return waiting, delivered, lost

    def band(self, z: float) -> tuple[Numbers, Numbers]:
        """Return the pointwise band of `waiting`, `z` standard errors wide on the log-log scale."""
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = z * np.sqrt(self.variance) / np.log(self.waiting)
            low, high = self.waiting ** np.exp(-spread), self.waiting ** np.exp(spread)
        return np.minimum(low, high), np.maximum(low, high)


def curves(times: Numbers, delivered: Numbers, lost: Numbers, censored: Numbers) -> Curves:
    """Return the curves of grouped waits: how many ended by delivery, by loss, or were last seen, at each of `times`.

    `times` are distinct and ascending. What ends and what is censored at the same instant: the end comes first.
    """
    leaving = delivered + lost + censored
    at_risk = np.cumsum(leaving[::-1])[::-1]
    ended = delivered + lost
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(at_risk > 0, 1 - ended / at_risk, 1.0)
        hazards = np.where(at_risk > ended, ended / (at_risk * (at_risk - ended).astype(float)), np.inf)
    waiting = np.cumprod(kept)
    before = np.concatenate([[1.0], waiting[:-1]])
    share = before / np.maximum(at_risk, 1)
    variance = np.cumsum(np.where(ended > 0, hazards, 0.0))
    return Curves(times, at_risk, waiting, np.cumsum(share * delivered), np.cumsum(share * lost), variance)


def measure_survival(deliveries: pl.LazyFrame, segments: Sequence[str], settings: Settings) -> pl.DataFrame:
    """Return SURVIVAL from DELIVERIES: the curves of each segment and choice of messages, at delays fit for drawing."""
    grouped = _grouped(deliveries, settings)
    found = [SURVIVAL.empty()]
    for messages in MESSAGES:
        chosen = grouped if messages == "all" else grouped.filter(~pl.col("is_bulk"))
        for segment in ("all", *sorted(segments), "unmatched"):
            rows = chosen if segment == "all" else chosen.filter(segment=segment)
            points = pl.DataFrame(list(_points(rows, settings)), schema=list(_COLUMNS), orient="row")
            found.append(SURVIVAL.conform(points.with_columns(segment=pl.lit(segment), messages=pl.lit(messages))))
    return pl.concat(found)


_COLUMNS = ("delay_seconds", "at_risk", "waiting_share", "delivered_share", "lost_share", "naive_waiting_share")


def _grouped(deliveries: pl.LazyFrame, settings: Settings) -> pl.DataFrame:
    """Return how many left at each step of delay, by segment, kind of message and how they left."""
    window = settings.window
    is_unresolved = pl.col("outcome") == "unresolved"
    waited = pl.when(is_unresolved).then("proven_delay_seconds").otherwise("delay_seconds")
    return (
        deliveries.filter(
            pl.col("arrived_at").is_between(window.start, window.end, closed="left"),
            pl.col("outcome").is_in(_OUTCOMES),
        )
        .group_by(
            pl.col("segment").fill_null("unmatched"),
            "is_bulk",
            # the small part keeps 0.3 s from falling to 0.2 s
            (waited / _STEP_SECONDS + 1e-6).floor().cast(pl.Int64).alias("step"),
        )
        .agg(
            (pl.col("outcome") == "delivered").sum().cast(pl.Int64).alias("delivered"),
            (pl.col("outcome") == "lost").sum().cast(pl.Int64).alias("lost"),
            pl.col("outcome").is_in(["pending", "unresolved"]).sum().cast(pl.Int64).alias("censored"),
        )
        .collect()
    )


def _points(rows: pl.DataFrame, settings: Settings) -> Iterator[tuple[float | None, ...]]:
    """Yield the curves of some groups at delays fit for drawing; nothing beyond the longest wait that was seen."""
    if rows.is_empty():
        return
    by_step = rows.group_by("step").agg(pl.col("delivered", "lost", "censored").sum()).sort("step")
    step, delivered, lost, censored = (by_step[name].to_numpy() for name in by_step.columns)
    found = curves(step, delivered, lost, censored)
    shown = _steps_shown(int(step[-1]), settings.thresholds_seconds)
    at = np.searchsorted(step, shown, side="left")
    slower = np.cumsum(delivered[::-1])[::-1][at]
    naive: list[float | None] = (slower / delivered.sum()).tolist() if delivered.any() else [None] * len(at)
    columns = (shown * _STEP_SECONDS, found.at_risk[at], *found.just_before(shown))
    yield from zip(*(c.tolist() for c in columns), naive, strict=True)


def _steps_shown(last: int, thresholds: Sequence[int]) -> Numbers:
    """Return steps from none to the last wait: evenly spread over the decades, and every threshold."""
    decades = np.log10(max(last, 1))
    spread = np.logspace(0, decades, int(decades * _POINTS_PER_DECADE) + 1)
    named = np.array([*_EDGES_SECONDS, *thresholds]) / _STEP_SECONDS
    steps = np.unique(np.round(np.concatenate([[0], spread, named])).astype(np.int64))
    return steps[steps <= last]
