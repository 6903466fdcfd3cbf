"""What happened by time, in few enough steps to draw and to read.

Steps are joined, never left out: arrivals are added up, the backlog is the highest of the joined steps, the 95th
percentile is the highest of theirs, and the median is the mean of their medians, weighted by arrivals.
"""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from reports.publication import Publication

MOST_STEPS = 720
"""More can't be told apart in a chart 700 pixels wide, and each is a row of the table beside it."""


@dataclass(frozen=True)
class Facts:
    """What the steps say in a few figures. Shares are None where there was nothing to take them of."""

    step_seconds: int
    is_joined: bool
    arrivals_in_window: int
    bulk_in_window: int
    peak_backlog: int
    peak_backlog_bulk: int
    peak_at: datetime | None
    worst_median_seconds: float | None
    worst_median_at: datetime | None


def steps(p: Publication) -> pl.DataFrame | None:
    """Return at most `MOST_STEPS` steps with the columns of MINUTES, or None where there are none."""
    if p.minutes is None or p.minutes.is_empty():
        return None
    minutes = p.minutes.sort("start_at")
    size = -(-len(minutes) // MOST_STEPS)
    if size == 1:
        return minutes
    weighted = pl.col("delay_median_seconds") * pl.col("arrivals")
    weight = pl.col("arrivals").filter(pl.col("delay_median_seconds").is_not_null())
    return (
        minutes.with_row_index("position")
        .group_by(pl.col("position") // size, maintain_order=True)
        .agg(
            pl.col("start_at").first(),
            pl.col("step_seconds").sum(),
            pl.col("arrivals", "arrivals_bulk", "ended").sum(),
            pl.col("backlog").max(),
            pl.col("backlog_bulk").sort_by("backlog").last(),
            pl.when(weight.sum() > 0).then(weighted.sum() / weight.sum()).alias("delay_median_seconds"),
            pl.col("delay_p95_seconds").max(),
        )
        .drop("position")
    )


def facts(p: Publication) -> Facts | None:
    """Return the few figures that the text quotes, read off the finest steps; None where there are none."""
    if p.minutes is None or p.minutes.is_empty():
        return None
    minutes, window = p.minutes, p.settings.window
    inside = minutes.filter((pl.col("start_at") >= window.start) & (pl.col("start_at") < window.end))
    peak = minutes.sort("backlog", "start_at", descending=[True, False]).row(0, named=True)
    timed = inside.drop_nulls("delay_median_seconds").sort("delay_median_seconds", "start_at", descending=[True, False])
    worst = timed.row(0, named=True) if len(timed) else None
    return Facts(
        step_seconds=minutes["step_seconds"].max() or 0,  # type: ignore[arg-type]
        is_joined=len(minutes) > MOST_STEPS,
        arrivals_in_window=int(inside["arrivals"].sum()),
        bulk_in_window=int(inside["arrivals_bulk"].sum()),
        peak_backlog=peak["backlog"],
        peak_backlog_bulk=peak["backlog_bulk"],
        peak_at=peak["start_at"] if peak["backlog"] else None,
        worst_median_seconds=worst["delay_median_seconds"] if worst else None,
        worst_median_at=worst["start_at"] if worst else None,
    )
