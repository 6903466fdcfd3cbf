"""Which lines of which queue file speak for a recipient, and which are overtaken by a later queue file?

One row per leg, recipient, original recipient and next leg. A row that names a next leg known to the logs is a hop,
not a delivery. A row without an end of its own (a hop, a deferral, a recipient only named) is overtaken by

- a row of the same leg for the same recipient that has an end or a hop, or that was written to this recipient;
- a row of a later leg of the message for, or written to, the same recipient, or for the same mailbox;
- for a hop: a next leg that ended by `removed` with an end for each of its recipients (aliases that were merged).
"""

import polars as pl

from transforms.recount_legs import find_legs

_SPOKEN = ("attempted", "accepted", "snapshot")


def read_recipients(events: pl.LazyFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Return one row per leg, address, original and related id, with the earliest end of each sort.

    `places` maps the legs of a queue listing to the legs they are (`listed` → `leg`).
    """
    status, at = pl.col("status"), pl.col("at")
    is_handed = status.is_in(["sent", "forwarded"])
    rows = (
        events.filter(pl.col("kind").is_in(_SPOKEN), pl.col("address").is_not_null())
        .select(
            "leg",
            "address",
            "original",
            "is_local",
            "is_original_local",
            "is_unknown_mailbox",
            related=pl.when(is_handed).then("related"),
            sent_at=pl.when(status == "sent").then(at),
            sent_delay=pl.when(status == "sent").then("delay"),
            handed_at=pl.when(is_handed).then(at),
            bounced_at=pl.when(status == "bounced").then(at),
            given_up_at=pl.when(status.is_in(["expired", "discarded"])).then(at),
            is_attempted=pl.col("kind") == "attempted",
            is_deferred=(status == "deferred").fill_null(False),
        )
        .group_by("leg", "address", "original", "related")
        .agg(
            pl.col("is_local", "is_original_local").first(),
            pl.col("sent_at", "sent_delay", "handed_at", "bounced_at", "given_up_at").min(),
            pl.col("is_attempted", "is_deferred", "is_unknown_mailbox").any(),
        )
        .collect(engine="streaming")
    )
    moved = rows.join(places, left_on="leg", right_on="listed", how="left", validate="m:1")
    if moved.columns[-1] == "leg_right":
        moved = moved.with_columns(leg=pl.coalesce("leg_right", "leg")).drop("leg_right")
    return moved


def find_hops(rows: pl.DataFrame, legs: pl.DataFrame) -> pl.DataFrame:
    """Return leg, related, found and at: the next legs that attempts named and the logs know."""
    named = (
        rows.filter(pl.col("related").is_not_null())
        .group_by("leg", "related")
        .agg(at=pl.col("handed_at").min())
        .with_row_index("mention")
        .join(legs.select("leg", "host", "named"), on="leg", validate="m:1")
        .with_columns(from_leg="leg")
    )
    return named.join(find_legs(named, legs), on="mention").select("leg", "related", "found", "at")


def mark_hops(rows: pl.DataFrame, hops: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with `next_leg`; where it is known the row is no delivery."""
    known = hops.select("leg", "related", next_leg="found")
    marked = rows.join(known, on=["leg", "related"], how="left", validate="m:1")
    is_delivery = pl.col("next_leg").is_null()
    return marked.with_columns(pl.when(is_delivery).then(pl.col("sent_at", "sent_delay"))).with_columns(
        is_open=pl.all_horizontal(pl.col("sent_at", "bounced_at", "given_up_at").is_null())
    )


def drop_overtaken(rows: pl.DataFrame, legs: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that speak for their recipient. `rows` has root, depth and mailbox; `legs` ends and counts."""
    waiting = rows.filter("is_open").with_row_index("row")
    overtaken = pl.concat(
        [
            _in_same_leg(waiting, rows),
            *(_in_later_leg(waiting, rows, column) for column in ("address", "original", "mailbox")),
            _in_finished_leg(waiting, rows, legs),
        ]
    ).unique()
    left = waiting.join(overtaken, on="row", how="anti").drop("row")
    return pl.concat([rows.filter(~pl.col("is_open")), left])


def _in_same_leg(waiting: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    plain = waiting.filter(pl.col("next_leg").is_null())
    settled = rows.filter(~pl.col("is_open") | pl.col("next_leg").is_not_null()).select("leg", "address")
    written = rows.filter(pl.col("original") != pl.col("address")).select("leg", address="original")
    return plain.join(pl.concat([settled, written]), on=["leg", "address"], how="semi").select("row")


def _in_later_leg(waiting: pl.DataFrame, rows: pl.DataFrame, column: str) -> pl.DataFrame:
    own = "mailbox" if column == "mailbox" else "address"
    deepest = (
        rows.filter(pl.col(column).is_not_null(), pl.col("depth") > 0)
        .group_by("root", pl.col(column).alias(own))
        .agg(deepest=pl.col("depth").max())
    )
    return (
        waiting.join(deepest, on=["root", own], validate="m:1")
        .filter(pl.col("deepest") > pl.col("depth"))
        .select("row")
    )


def _in_finished_leg(waiting: pl.DataFrame, rows: pl.DataFrame, legs: pl.DataFrame) -> pl.DataFrame:
    finished = legs.filter(
        pl.col("ended_at").is_not_null(), pl.col("deleted_at").is_null(), ~pl.col("is_requeued")
    ).select("leg", "recipient_count", is_expired=pl.col("expired_at").is_not_null())
    is_settled = ~pl.col("is_open") | pl.col("next_leg").is_not_null() | pl.col("is_expired")
    accounted = (
        rows.join(waiting.select(leg="next_leg").unique(), on="leg", how="semi")
        .join(finished, on="leg", validate="m:1")
        .group_by("leg", "address")
        .agg(pl.col("recipient_count").first(), is_settled=is_settled.any())
        .group_by("leg")
        .agg(pl.col("recipient_count").first(), recipients=pl.len(), is_settled=pl.col("is_settled").all())
        .filter("is_settled", pl.col("recipients") >= pl.col("recipient_count").fill_null(1))
    )
    return waiting.join(accounted, left_on="next_leg", right_on="leg", how="semi").select("row")
