"""What is the headline under each window? The same definition; only the window differs.

Counted is what the grid calls `measured`; bounds and baseline belong to the window in use, and stand in the grid.
"""

from collections.abc import Sequence

import polars as pl

from expectations.tables import UNITS_OF_THE_RECORDS, WINDOW_FIGURES
from transforms.settings import Interval, Settings

_ENTITIES = {
    "message": "message_key",
    "address": "address",
    "mailbox": "mailbox",
    "account": "account_id",
    "customer": "customer_id",
}


def figures_under(
    deliveries: pl.LazyFrame, segments: Sequence[str], settings: Settings, windows: pl.DataFrame
) -> pl.DataFrame:
    """Return WINDOW_FIGURES for the rows of WINDOWS that have a window; `segments` are those of the records."""
    late = _late(deliveries, settings)
    is_of_the_records = settings.headline.unit in UNITS_OF_THE_RECORDS
    names = ["all", *sorted(segments), *([] if is_of_the_records else ["unmatched"])]
    counted: dict[Interval, dict[str, int]] = {}
    rows = []
    for row in windows.filter(pl.col("start_at").is_not_null()).iter_rows(named=True):
        window = Interval(row["start_at"], row["end_at"])
        if window not in counted:
            counted[window] = _by_segment(late, window)
        rows += [(row["source"], row["penalty"], name, counted[window].get(name, 0)) for name in names]
    return pl.DataFrame(rows, schema=dict(WINDOW_FIGURES.schema), orient="row")


def _late(deliveries: pl.LazyFrame, settings: Settings) -> pl.DataFrame:
    """Return arrival, segment and entity of what the headline's definition counts, over the whole log."""
    headline = settings.headline
    is_late = pl.col("outcome").is_in(["delivered", "pending"]) & (
        pl.col("delay_seconds") >= headline.threshold_seconds
    )
    is_lost = (pl.col("outcome") == "lost") & pl.lit(headline.count == "late_or_lost")
    is_chosen = pl.lit(headline.messages == "all") | ~pl.col("is_bulk")
    is_known = pl.lit(headline.unit not in UNITS_OF_THE_RECORDS) | pl.col("mailbox").is_not_null()
    every_row = pl.int_range(pl.len())
    entity = every_row if headline.unit == "delivery" else pl.col(_ENTITIES[headline.unit])
    chosen = deliveries.filter(is_late | is_lost, is_chosen, is_known)
    return chosen.select("arrived_at", "segment", entity.alias("entity")).collect()


def _by_segment(late: pl.DataFrame, window: Interval) -> dict[str, int]:
    inside = late.filter(
        pl.col("arrived_at").is_between(window.start, window.end, closed="left"), pl.col("entity").is_not_null()
    )
    by_segment = inside.drop_nulls("segment").group_by("segment").agg(pl.col("entity").n_unique())
    return dict(by_segment.iter_rows()) | {"all": inside["entity"].n_unique()}
