"""How many lines each host and program wrote, what became of them, and in which minutes: counted as a log is read."""

import numpy as np
import polars as pl

from expectations.tables import ACTIVITY, LINE_COUNTS

_FATES = ("ignored", "parsed", "quarantined")


def count_lines(
    raw: pl.DataFrame, opened: pl.DataFrame, parsed: pl.Series, aside: pl.Series, source_id: str
) -> pl.DataFrame:
    """Return LINE_COUNTS of one chunk: of every line in `raw`, opened or not.

    `parsed` and `aside` are the numbers of the lines that gave an event, and of those that were set aside (which
    prevails); all others were ignored.
    """
    first = raw["line_number"][0]
    fates = np.zeros(raw.height, np.uint8)
    fates[parsed.to_numpy() - first] = _FATES.index("parsed")
    fates[aside.to_numpy() - first] = _FATES.index("quarantined")
    place = opened["line_number"].to_numpy() - first
    at = pl.col("logged_at")
    counts = (
        opened.select("host", "service", "logged_at", pl.Series("fate", fates[place]))
        .group_by("host", "service", "fate")
        .agg(pl.len().cast(pl.Int64).alias("lines"), at.min().alias("first_at"), at.max().alias("last_at"))
        .with_columns(pl.col("host", "service").cast(pl.String))
    )
    if opened.height < raw.height:
        is_unopened = np.ones(raw.height, bool)
        is_unopened[place] = False
        lines = np.bincount(fates[is_unopened], minlength=len(_FATES))
        unopened = pl.DataFrame({"fate": pl.Series(range(len(_FATES)), dtype=pl.UInt8), "lines": lines})
        counts = pl.concat([counts, unopened.filter(pl.col("lines") > 0)], how="diagonal")
    names = pl.Series(_FATES).gather(counts["fate"]).alias("fate")
    return LINE_COUNTS.conform(counts.with_columns(names, pl.lit(source_id).alias("source_id")).sort(LINE_COUNTS.key))


def count_activity(opened: pl.DataFrame, source_id: str) -> pl.DataFrame:
    """Return ACTIVITY of one chunk; each run of lines of one host in one minute is counted as a whole first."""
    minute = opened["logged_at"].to_physical().to_numpy() // 60_000_000
    host = opened["host"].to_physical().to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], (minute[1:] != minute[:-1]) | (host[1:] != host[:-1])]))
    runs = opened.select("host", pl.col("logged_at").dt.truncate("1m").alias("minute_at"))[starts[: opened.height]]
    lengths = pl.Series("lines", np.diff(starts[: opened.height], append=opened.height))
    minutes = runs.with_columns(lengths).group_by("host", "minute_at").agg(pl.col("lines").sum())
    return ACTIVITY.conform(
        minutes.with_columns(pl.col("host").cast(pl.String), pl.lit(source_id).alias("source_id"))
    ).sort("minute_at", "host")
