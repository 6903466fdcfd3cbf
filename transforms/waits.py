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
Numbers = np.ndarray


@dataclass(frozen=True)
class Waits:
    """Waits of one unit, sorted by person, then arrival; instants in milliseconds since 1970.

    `person` numbers persons from 0; `part` is the position in `parts` of the segment they are counted in, and
    `is_also_all` says that the same row serves `all` too (all of the person's mail is in one segment). `entity` is
    the position in `entities`.
    """

    parts: tuple[str, ...]
    entities: pl.Series
    entity: Numbers
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
            "account_id",
            "mailbox",
            "mailbox_or_address",
            "is_bulk",
            pl.when(pl.col("mailbox").is_null()).then(pl.lit(STRANGER)).otherwise("segment").alias("segment"),
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
    # A recipient that the log counts and never names may be anybody: no other mail joins it.
    stranger = pl.coalesce("mailbox_or_address", pl.format("{}", pl.int_range(pl.len())))
    is_known = pl.col("mailbox").is_not_null()
    rows = late.with_columns(
        is_known.alias("is_known"), pl.when(is_known).then(UNITS[unit]).otherwise(stranger).alias("entity_id")
    )
    identity = ["is_known", "entity_id"]
    names = rows.select(identity).unique().sort(identity).with_row_index("entity")
    rows = rows.drop(*UNITS.values(), "mailbox_or_address", strict=False).join(names, on=identity).drop(identity)
    in_several = rows.group_by("entity").agg(pl.col("segment").n_unique() > 1).filter("segment")["entity"]
    part = pl.col("segment").replace_strict(parts, range(len(parts)), return_dtype=pl.Int64)
    is_mover = pl.col("entity").is_in(in_several.implode())
    rows = rows.with_columns(part.alias("part"), (~is_mover).alias("is_also_all")).drop("segment")
    again = rows.filter(~pl.col("is_also_all")).with_columns(pl.lit(len(parts) - 1, pl.Int64).alias("part"))
    rows = pl.concat([rows, again])
    key = pl.col("entity").cast(pl.Int64) * len(parts) + pl.col("part")
    rows = rows.with_columns(key.alias("key")).sort("key", "arrived")
    person = (pl.col("key") != pl.col("key").shift(1)).fill_null(False).cast(pl.Int64).cum_sum()
    rows = rows.with_columns(person.alias("person"))
    columns = {name: rows[name].to_numpy() for name in rows.columns if name != "key"}
    return Waits(parts=parts, entities=names["entity_id"], **columns)
