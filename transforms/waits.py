"""Which waits of whom make somebody down?

Mail of the window that waited as long as the least threshold, one frame per unit, in order of person and arrival.
A person is one account or mailbox in one segment; for `all`, one account or mailbox. A recipient that no record knows
is a stranger: it may be one more person of any segment, so it only ever widens the upper bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from transforms.settings import Settings

ALL = "all"
STRANGER = "unmatched"
UNITS = {"account": "account_id", "mailbox": "mailbox"}
_OUTCOMES = ("delivered", "pending", "lost", "unresolved")
_CARRIED = ("is_bulk", "is_sender_known", "is_lost", "is_resolved", "arrived", "until", "proven_until")
# More names than any platform has, and twice that is still a number.
_MOST_NAMES = 2**40
Numbers = np.ndarray


@dataclass(frozen=True)
class Waits:
    """Waits of one unit, sorted by person, then arrival; instants in milliseconds since 1970.

    `person` numbers persons from 0; `part` is the position in `parts` of the segment they are counted in, and
    `is_also_all` says that the same row serves `all` too (all of the person's mail is in one segment). `entity_id`
    names the account or mailbox; null: a stranger.
    """

    parts: tuple[str, ...]
    entity_id: pl.Series
    person: Numbers
    part: Numbers
    is_also_all: Numbers
    is_bulk: Numbers
    is_sender_known: Numbers
    is_lost: Numbers
    is_resolved: Numbers
    arrived: Numbers
    until: Numbers
    proven_until: Numbers

    def chosen(self, messages: str, count: str) -> Numbers:
        """Return which waits count by a choice of messages and outcomes, strangers and unresolved mail among them."""
        is_chosen = np.ones(len(self.person), bool) if messages == "all" else ~self.is_bulk
        return is_chosen if count == "late_or_lost" else is_chosen & ~self.is_lost


def late_mail(deliveries: pl.LazyFrame, settings: Settings) -> pl.DataFrame:
    """Read from DELIVERIES the mail of the window that waited as long as the least threshold."""
    window, least = settings.window, min(settings.thresholds_seconds)
    arrived = pl.col("arrived_at").dt.epoch("ms")
    return (
        deliveries.filter(
            pl.col("arrived_at").is_between(window.start, window.end, closed="left"),
            pl.col("delay_seconds") >= least,
            pl.col("outcome").is_in(_OUTCOMES),
        )
        .select(
            pl.col("account_id", "mailbox").cast(pl.Categorical),  # ten million names would fill the memory
            pl.when(pl.col("mailbox").is_null()).then("mailbox_or_address").cast(pl.Categorical).alias("stranger"),
            "is_bulk",
            pl.when(pl.col("mailbox").is_null())
            .then(pl.lit(STRANGER))
            .otherwise("segment")
            .cast(pl.Categorical)
            .alias("segment"),
            pl.col("sender").is_not_null().alias("is_sender_known"),
            (pl.col("outcome") == "lost").alias("is_lost"),
            (pl.col("outcome") != "unresolved").alias("is_resolved"),
            arrived.alias("arrived"),
            (arrived + (pl.col("delay_seconds") * 1000).round().cast(pl.Int64)).alias("until"),
            (arrived + (pl.col("proven_delay_seconds") * 1000).round().cast(pl.Int64)).alias("proven_until"),
        )
        .collect()
    )


def waits_of(late: pl.DataFrame, unit: str, segments: Sequence[str]) -> Waits:
    """Return the waits of `late_mail` by person of one unit; `segments` are those of the records."""
    parts = (*segments, STRANGER, ALL)
    part = pl.col("segment").cast(pl.String).replace_strict(parts, range(len(parts)), return_dtype=pl.Int8)
    is_known = pl.col("mailbox").is_not_null()
    # Numbers of names, strangers after all others. A recipient that the log counts and never names may be anybody:
    # each is somebody else.
    stranger = pl.col("stranger").to_physical().cast(pl.Int64).fill_null(_MOST_NAMES + pl.int_range(pl.len()))
    known = pl.col(UNITS[unit]).to_physical().cast(pl.Int64)
    rows = late.select(
        pl.when(is_known).then(UNITS[unit]).alias("entity_id"),
        pl.when(is_known).then(known).otherwise(_MOST_NAMES + stranger).alias("entity"),
        part.alias("part"),
        *_CARRIED,
    )
    moved = rows.filter(pl.col("part") != parts.index(STRANGER)).select("entity", "part").unique()
    movers = moved.filter(pl.col("entity").is_duplicated())["entity"].unique()
    again = rows.filter(pl.col("entity").is_in(movers.implode())) if len(movers) else rows.clear()
    all_of_them = pl.lit(parts.index(ALL), pl.Int8)
    rows = pl.concat(
        [
            rows.with_columns((~pl.col("entity").is_in(movers.implode())).alias("is_also_all")),
            again.with_columns(all_of_them.alias("part"), pl.lit(False).alias("is_also_all")),
        ]
    ).sort("entity", "part", "arrived")
    is_next = (pl.col("entity") != pl.col("entity").shift(1)) | (pl.col("part") != pl.col("part").shift(1))
    rows = rows.select(pl.exclude("entity"), is_next.fill_null(False).cast(pl.Int32).cum_sum().alias("person"))
    columns = {name: rows[name].to_numpy() for name in rows.columns if name != "entity_id"}
    return Waits(parts=parts, entity_id=rows["entity_id"], **columns)
