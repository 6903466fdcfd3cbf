"""When did each queue file arrive, how did it end, and is it in the queue listing?

Rules in docs/methodology.md, "One queue file": arrival is the stamp of `arrived`, else the earliest of stamp minus
logged delay. A listing belongs to the latest lifetime of its id on any host, unless that one ended before the listed
file arrived; a listed file without any line is a leg of its own.
"""

import polars as pl

from transforms.recount_events import ENDS

_RANK = {"removed": 1, "ended": 2, "deleted": 3, "requeued": 4}  # of several ends of one file the highest counts
_MOST_LINES = 2**32  # of one file
REMOVED, ENDED, DELETED, REQUEUED = (_RANK[end] for end in ENDS)


def read_legs(events: pl.LazyFrame) -> pl.DataFrame:
    """Return one row per leg. `events` has `leg` and all lines about its queue ids.

    Columns: place (of the row), leg, queue, host, has_host, arrival, first_line (file and line in one number; null: no
    line), last_at, ended_at, end_kind, expired_at, named, is_bulk (null: no sender known), recipient_count,
    announced_count, former, is_accepted, is_foreign, has_client (of the arrival line), is_listed.
    """
    logged = _from_lines(events)
    listed = _from_listing(events)
    fits = (
        logged.select("leg", "queue", "ended_at", "first_line", known_arrival="arrival")
        .join(listed, on="queue")
        .sort("queue", "known_arrival", "first_line")
        .unique("queue", keep="last", maintain_order=True)
        .filter(pl.col("ended_at").is_null() | (pl.col("arrival") < pl.col("ended_at")))
    )
    marks = fits.select("leg", listed_sender="sender", listed_count="recipient_count")
    known = logged.join(marks, on="leg", how="left", validate="1:1").with_columns(
        sender=pl.coalesce("sender", "listed_sender"),
        recipient_count=pl.max_horizontal("recipient_count", "listed_count"),
        is_accepted=pl.col("is_accepted") | pl.col("listed_count").is_not_null(),
        is_listed=pl.col("listed_count").is_not_null() & pl.col("ended_at").is_null(),
    )
    unknown = listed.join(fits, on="queue", how="anti").with_columns(
        leg="queue", last_at="arrival", host=pl.lit(0, pl.UInt64), has_host=False, is_accepted=True, is_listed=True
    )
    legs = pl.concat([known.drop("listed_sender", "listed_count"), unknown], how="diagonal")
    return legs.with_columns(is_bulk=pl.col("sender") % 2 == 1).drop("sender").with_row_index("place")


def _from_lines(events: pl.LazyFrame) -> pl.DataFrame:
    kind = pl.col("kind")
    picked = events.filter(kind != "snapshot").select(
        "leg",
        "queue",
        "host",
        "has_host",
        "named",
        "at",
        first_line=pl.col("file").cast(pl.UInt64) * _MOST_LINES + pl.col("line"),
        arrived_at=_of("at", "arrived"),
        estimated_at=pl.col("at") - pl.col("delay").fill_null(0),
        ended_at=_of("at", *ENDS),
        end_kind=kind.replace_strict(_RANK, default=None, return_dtype=pl.UInt8),
        expired_at=_of("at", "expired"),
        queued_sender=_of("sender", "queued"),
        arrived_sender=_of("sender", "arrived"),
        recipient_count=_of("recipient_count", "queued"),
        announced_count=_of("recipient_count", "arrived"),
        former=_of("related", "arrived"),
        is_accepted=~kind.is_in(["arrived", "named"]) | (pl.col("recipient_count") > 0).fill_null(False),
        is_foreign=_of("is_foreign", "arrived"),
        has_client=_of("is_foreign", "arrived").is_not_null(),
    )
    grouped = picked.group_by("leg").agg(
        pl.col("queue", "host", "has_host").first(),
        pl.col("named", "first_line", "arrived_at", "estimated_at", "ended_at", "expired_at", "former").min(),
        pl.col("queued_sender", "arrived_sender").min(),
        pl.col("recipient_count", "announced_count", "end_kind").max(),
        pl.col("is_accepted", "is_foreign", "has_client").any(),
        last_at=pl.col("at").max(),
    )
    legs = grouped.with_columns(
        arrival=pl.coalesce("arrived_at", "estimated_at"),
        sender=pl.coalesce("queued_sender", "arrived_sender"),
    )
    unneeded = ("arrived_at", "estimated_at", "queued_sender", "arrived_sender")
    return legs.drop(unneeded).collect(engine="streaming")


def _of(column: str, *kinds: str) -> pl.Expr:
    """Return the column on lines of these kinds; picked before grouping, which is much faster than in it."""
    return pl.when(pl.col("kind").is_in(kinds)).then(column)


def _from_listing(events: pl.LazyFrame) -> pl.DataFrame:
    arrival = pl.col("at") - pl.col("delay").fill_null(0)
    listed = events.filter(pl.col("kind") == "snapshot").group_by("queue")
    return listed.agg(
        pl.col("sender").min(), arrival=arrival.min(), recipient_count=pl.col("address").n_unique().cast(pl.Int32)
    ).collect()
