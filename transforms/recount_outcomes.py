"""What became of each delivery: one message for one mailbox (or, unmatched, one address), from the rows that speak.

Any delivery wins, at its earliest stamp; else a refusal; else giving up, discarding or deleting; else it is open, and
the leg that holds it decides: deleted or expired means lost; ended without a word means unresolved; in the queue
listing means pending; not in it, though silent for ten seconds before, unresolved; without any listing, pending.
"""

import polars as pl

from transforms.recount_legs import LISTING_TAKES, SECOND

_UNMATCHED = 1 << 63  # keeps the code of an unmatched address apart from the same code of a mailbox


def find_holders(rows: pl.DataFrame, legs: pl.DataFrame, chains: pl.DataFrame) -> pl.DataFrame:
    """Return the open rows' `holder`: the next leg of a hop, followed through requeues to where it waits now."""
    requeued = legs.filter("is_requeued").select(holder="leg")
    continued = legs.filter(pl.col("parent_related").is_not_null()).select("leg", "arrival")
    after = (
        chains.join(continued, on="leg", validate="1:1")
        .join(requeued, left_on="parent", right_on="holder", how="semi")
        .sort("arrival", "leg")
        .unique("parent", keep="last", maintain_order=True)
        .select(holder="parent", moved_to="leg")
    )
    held = rows.with_columns(holder=pl.when("is_open").then(pl.coalesce("next_leg", "leg")))
    while not after.is_empty():
        moved = held.join(after, on="holder", how="left", validate="m:1")
        if moved["moved_to"].null_count() == moved.height:
            break
        held = moved.with_columns(holder=pl.coalesce("moved_to", "holder")).drop("moved_to")
    return held


def read_outcomes(held: pl.DataFrame, legs: pl.DataFrame, as_of: int) -> pl.DataFrame:
    """Return one row per delivery: root, whose, is_late_kind, is_lost, is_rejected, delay (µs), record, arrival.

    `held` are the rows of `find_holders` with root, depth, arrival (of the root), mailbox, record. `as_of` is in
    microseconds. `whose` is the mailbox's code, or the address's with its highest bit turned.
    """
    listing_at = legs["listed_at"].max()
    state = legs.select(
        "last_at",
        "ended_at",
        holder="leg",
        dropped_at=pl.min_horizontal("deleted_at", "expired_at"),
        is_listed=pl.col("listed_at").is_not_null(),
    )
    is_waiting = (
        pl.col("is_listed") | (pl.col("last_at") >= int(listing_at) - LISTING_TAKES)  # type: ignore[arg-type]
        if listing_at is not None
        else pl.lit(True)
    )
    sent_delay = pl.col("sent_at") - pl.col("arrival")
    trusts_log = (pl.col("depth") == 0) & ((pl.col("sent_delay") - sent_delay).abs() <= 2 * SECOND).fill_null(False)
    rows = held.join(state, on="holder", how="left", validate="m:1").select(
        "root",
        "arrival",
        "record",
        "bounced_at",
        "sent_at",
        whose=delivery_code(),
        delay=pl.when(trusts_log).then("sent_delay").otherwise(sent_delay),
        lost_at=pl.min_horizontal("given_up_at", pl.when("is_open").then("dropped_at")),
        is_pending=pl.col("is_open") & pl.col("dropped_at").is_null() & pl.col("ended_at").is_null() & is_waiting,
        is_known=~pl.col("is_unknown_mailbox"),
    )
    merged = rows.group_by("root", "whose").agg(
        pl.col("arrival").first(),
        pl.col("record", "sent_at", "bounced_at", "lost_at").min(),
        pl.col("is_pending").any(),
        delay=pl.col("delay").filter(pl.col("sent_at") == pl.col("sent_at").min()).min(),
        is_known=pl.col("is_known").filter(pl.col("bounced_at") == pl.col("bounced_at").min()).all(),
    )
    is_sent, is_bounced, is_lost = (pl.col(c).is_not_null() for c in ("sent_at", "bounced_at", "lost_at"))
    outcome = (
        pl.when(is_sent)
        .then(pl.lit("delivered"))
        .when(is_bounced & ~pl.col("is_known"))
        .then(pl.lit("rejected_recipient"))
        .when(is_bounced | is_lost)
        .then(pl.lit("lost"))
        .when("is_pending")
        .then(pl.lit("pending"))
        .otherwise(pl.lit("unresolved"))
    )
    ended = (
        pl.when(is_sent)
        .then("delay")
        .otherwise(pl.coalesce("bounced_at", "lost_at", pl.lit(as_of)) - pl.col("arrival"))
    )
    return merged.select(
        "root", "whose", "record", "arrival", outcome=outcome, delay=pl.max_horizontal(ended, pl.lit(0))
    )


def delivery_code() -> pl.Expr:
    """Return the code of a row's mailbox or, where the records know none, of its address, kept apart."""
    return (
        pl.when(pl.col("mailbox").is_null())
        .then(pl.col("address") ^ pl.lit(_UNMATCHED, pl.UInt64))
        .otherwise("mailbox")
    )
