"""How many of each unit does each definition hit, by segment?

Late at D is a delay of at least D, delivered or still pending; `late_or_lost` adds what was lost. A unit is hit when
one of its deliveries is. Mailboxes, accounts and customers exist only in the records; deliveries, messages and
addresses include recipients that the records don't know, who are the segment `unmatched`.
"""

import re

import polars as pl

from expectations.tables import CELLS, COUNTS, MESSAGES, UNITS, UNITS_OF_THE_RECORDS
from transforms.settings import Settings

RECOUNTED = ("unit", "threshold_seconds", "messages", "count", "segment", "measured")
_SECOND = 1_000_000


def count_cells(deliveries: pl.DataFrame, segments: list[str], settings: Settings) -> pl.DataFrame:
    """Return the grid in the columns RECOUNTED, every cell of it, those that nobody is in with 0.

    `deliveries` are those of the window, with delivery, message, address, mailbox, account, customer (null: unknown),
    segment, is_bulk, outcome and delay (µs). `segments` are those of the records.
    """
    is_late = pl.col("outcome").is_in(["delivered", "pending"])
    hits = deliveries.with_columns(
        waited=pl.when(is_late).then("delay").otherwise(-1), is_lost=pl.col("outcome") == "lost"
    )
    rows: list[dict[str, object]] = []
    for messages in MESSAGES:
        chosen = hits if messages == "all" else hits.filter(~pl.col("is_bulk"))
        for unit in UNITS:
            known = chosen.filter(pl.col(unit).is_not_null())
            named = segments if unit in UNITS_OF_THE_RECORDS else [*segments, "unmatched"]
            rows += _counts(known, unit, messages, ["all", *named], settings)
    types = {column: CELLS.schema[column] for column in RECOUNTED}
    return pl.DataFrame(rows, schema=types).sort(RECOUNTED[:-1])


def _counts(
    known: pl.DataFrame, unit: str, messages: str, segments: list[str], settings: Settings
) -> list[dict[str, object]]:
    worst = (pl.col("waited").max(), pl.col("is_lost").any())
    by_segment = known.group_by("segment", unit).agg(worst)
    whole = (known if unit == "delivery" else known.group_by(unit).agg(worst)).select(
        "waited", "is_lost", segment=pl.lit("all")
    )
    thresholds = settings.thresholds_seconds
    late = {("late", d): pl.col("waited") >= d * _SECOND for d in thresholds}
    both = {("late_or_lost", d): (pl.col("waited") >= d * _SECOND) | pl.col("is_lost") for d in thresholds}
    counted = {**late, **both}
    totals = (
        pl.concat([whole, by_segment.select("waited", "is_lost", "segment")])
        .group_by("segment")
        .agg(hit.sum().alias(f"{count}:{d}") for (count, d), hit in counted.items())
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


def bulk_senders(senders: pl.Series, patterns: tuple[str, ...]) -> pl.Series:
    """Return which of the (lower-case) senders match one of the shell patterns `*` and `?`, whatever their case."""
    if not patterns:
        return pl.repeat(False, senders.len(), dtype=pl.Boolean, eager=True)
    texts = ["".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern.lower()) for pattern in patterns]
    return senders.str.contains("^(?s:" + "|".join(f"(?:{text})" for text in texts) + ")$").fill_null(False)
