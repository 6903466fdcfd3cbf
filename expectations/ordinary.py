"""Is there enough ordinary time to compare with, and does the grid's baseline agree with it?"""

import polars as pl

from expectations.gx import Count, run_counts
from expectations.tables import ORDINARY
from expectations.wording import counted
from transforms.settings import Settings

# Two figures have no spread to speak of: three are the fewest that show whether ordinary times differ.
FEWEST_WINDOWS = 3
_ROUNDING = 1e-6


def gates_on_ordinary(ordinary: pl.DataFrame, cells: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Return GATES rows on ORDINARY, the headline in each ordinary window, held against `baseline` of CELLS."""
    windows = len(settings.placebo_windows)
    few = Count(
        gate="ordinary_windows",
        subject="ordinary",
        severity="warn",
        value=FEWEST_WINDOWS - windows,
        maximum=0,
        observed=counted(windows, "ordinary window"),
        limit=f"at least {FEWEST_WINDOWS} (fixed)",
        remedy="name an earlier start under `baseline`, and give the logs of that time: one week for each window.",
    )
    return run_counts([few, *([_agreement(ordinary, cells, settings)] if windows else [])])


def _agreement(ordinary: pl.DataFrame, cells: pl.DataFrame, settings: Settings) -> Count:
    chosen = settings.headline
    headline = cells.filter(
        unit=chosen.unit,
        threshold_seconds=chosen.threshold_seconds,
        messages=chosen.messages,
        count=chosen.count,
    )
    means = ORDINARY.conform(ordinary).group_by("segment").agg(pl.col("measured").mean().alias("mean"))
    both = headline.select("segment", "baseline").join(means, on="segment", how="full", coalesce=True)
    is_same = ((pl.col("baseline") - pl.col("mean")).abs() <= _ROUNDING).fill_null(False)
    wrong = both.filter(~is_same)["segment"].sort().to_list()
    observed = f"{counted(both.height, 'segment')} compared with the mean of the ordinary windows, {len(wrong)} differ"
    return Count(
        gate="baseline_agrees_with_ordinary_windows",
        subject="ordinary",
        severity="fail",
        value=len(wrong),
        maximum=0,
        observed=f"{observed}: {', '.join(wrong)}" if wrong else observed,
        limit="the headline's baseline is their mean (fixed)",
        remedy="Do not use these figures; keep the run's folder and report a bug in the counting.",
        nothing="" if both.height else "no segment was compared",
    )
