"""What does each ordinary window hold, by the headline's definition?

The grid's `baseline` is the mean over the ordinary windows; this is the figure of each, so that their range can be
shown. It is counted apart from the grid, and a gate holds the two against each other.
"""

from collections.abc import Sequence

import polars as pl

from expectations.tables import ORDINARY, WINDOWS
from transforms.settings import Settings
from transforms.window_figures import figures_under


def ordinary_figures(deliveries: pl.LazyFrame, segments: Sequence[str], settings: Settings) -> pl.DataFrame:
    """Return ORDINARY from DELIVERIES: one row per window of `settings.placebo_windows` and segment.

    `segments` are those of the records. Without an ordinary window it has no row.
    """
    spans = settings.placebo_windows
    numbered = pl.DataFrame(
        {
            "source": ["ordinary"] * len(spans),
            "penalty": [float(place) for place in range(len(spans))],
            "start_at": [span.start for span in spans],
            "end_at": [span.end for span in spans],
        },
        schema={name: WINDOWS.schema[name] for name in ("source", "penalty", "start_at", "end_at")},
    )
    figures = figures_under(deliveries, segments, settings, numbered)
    return ORDINARY.conform(
        figures.join(numbered, on=["source", "penalty"], validate="m:1").sort("start_at", "segment")
    )
