"""How many of each unit does each definition hit, by segment?

Late at D is a delay of at least D, delivered or still pending; `late_or_lost` adds what was lost. A unit is hit when
one of its deliveries is. Mailboxes, accounts and customers exist only in the records; deliveries, messages and
addresses include recipients that the records don't know, who are the segment `unmatched`.
"""

import polars as pl

from expectations.tables import CELLS, COUNTS, MESSAGES, UNITS, UNITS_OF_THE_RECORDS
from transforms.recount_events import SECOND
from transforms.settings import Settings

RECOUNTED = ("unit", "threshold_seconds", "messages", "count", "segment", "measured")
_WORST = (pl.col("waited").max(), pl.col("is_lost").any())


def is_hit(settings: Settings) -> pl.Expr:
    """Say whether a delivery can count in any cell: late at the lowest threshold, or lost."""
    lowest = min(settings.thresholds_seconds, default=0) * SECOND
    is_late = pl.col("outcome").is_in(["delivered", "pending"]) & (pl.col("delay") >= lowest)
    return is_late | (pl.col("outcome") == "lost")


def count_cells(deliveries: pl.DataFrame, segments: list[str], settings: Settings) -> pl.DataFrame:
    """Return the grid in the columns RECOUNTED, every cell of it, those that nobody is in with 0.

    `deliveries` are those of the window that are hit, with a column for each unit (null: unknown), segment, is_bulk,
    outcome and delay (µs). `segments` are those of the records.
    """
    is_late = pl.col("outcome").is_in(["delivered", "pending"])
    hits = deliveries.with_columns(
        waited=pl.when(is_late).then("delay").otherwise(-1), is_lost=pl.col("outcome") == "lost"
    )
    rows: list[dict[str, object]] = []
    for unit in UNITS:
        known = hits.filter(pl.col(unit).is_not_null()).group_by("is_bulk", "segment", unit).agg(_WORST)
        named = segments if unit in UNITS_OF_THE_RECORDS else [*segments, "unmatched"]
        for messages in MESSAGES:
            chosen = known if messages == "all" else known.filter(~pl.col("is_bulk"))
            rows += _counts(chosen, unit, messages, ["all", *named], settings)
    types = {column: CELLS.schema[column] for column in RECOUNTED}
    return pl.DataFrame(rows, schema=types).sort(RECOUNTED[:-1])


def _counts(
    known: pl.DataFrame, unit: str, messages: str, segments: list[str], settings: Settings
) -> list[dict[str, object]]:
    by_segment = known.group_by("segment", unit).agg(_WORST)
    whole = by_segment.group_by(unit).agg(_WORST).select("waited", "is_lost", segment=pl.lit("all"))
    thresholds = settings.thresholds_seconds
    late = {("late", d): pl.col("waited") >= d * SECOND for d in thresholds}
    both = {("late_or_lost", d): (pl.col("waited") >= d * SECOND) | pl.col("is_lost") for d in thresholds}
    named = by_segment.select("waited", "is_lost", pl.col("segment").cast(pl.String))
    totals = (
        pl.concat([whole, named])
        .group_by("segment")
        .agg(hit.sum().alias(f"{count}:{d}") for (count, d), hit in (late | both).items())
    )
    found = {row["segment"]: row for row in totals.to_dicts()}
    return [
        {
            "unit": unit,
            "threshold_seconds": d,
            "messages": messages,
            "count": count,
            "segment": segment,
            "measured": found.get(segment, {}).get(f"{count}:{d}", 0),
        }
        for count in COUNTS
        for d in thresholds
        for segment in segments
    ]
