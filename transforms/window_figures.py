"""What is the headline under each window? The same count by the same SQL; only the window differs."""

from collections.abc import Mapping
from dataclasses import replace

import duckdb
import polars as pl

from expectations.tables import CELLS, WINDOW_FIGURES
from transforms import impact
from transforms.settings import Interval, Settings

_CELLS = ("50_cells.sql",)


def figures_under(
    db: duckdb.DuckDBPyConnection, records: pl.DataFrame, settings: Settings, windows: pl.DataFrame
) -> pl.DataFrame:
    """Return WINDOW_FIGURES for the rows of WINDOWS, from the table or view `deliveries`; leaves `cells` changed."""
    counted: dict[Interval, pl.DataFrame] = {}
    found = [WINDOW_FIGURES.empty()]
    for row in windows.filter(pl.col("start_at").is_not_null()).iter_rows(named=True):
        window = Interval(row["start_at"], row["end_at"])
        if window not in counted:
            counted[window] = _headline(db, records, settings, window)
        found.append(_as_of_window(counted[window], row))
    return pl.concat(found)


def _headline(
    db: duckdb.DuckDBPyConnection, records: pl.DataFrame, settings: Settings, window: Interval
) -> pl.DataFrame:
    """Return the headline's cells, by segment, as counted in one window."""
    headline = settings.headline
    narrowed = replace(settings, window=window, placebo_windows=(), thresholds_seconds=(headline.threshold_seconds,))
    impact.declare(db, records, narrowed)
    impact.run_files(db, _CELLS)
    cells = impact.table(db, "cells", CELLS)
    return cells.filter(unit=headline.unit, messages=headline.messages, count=headline.count)


def _as_of_window(cells: pl.DataFrame, row: Mapping[str, object]) -> pl.DataFrame:
    return WINDOW_FIGURES.conform(
        cells.with_columns(
            pl.lit(row["source"], pl.String).alias("source"), pl.lit(row["penalty"], pl.Float64).alias("penalty")
        )
    )
