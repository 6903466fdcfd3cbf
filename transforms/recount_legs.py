"""When did each queue file arrive, how did it end, and which earlier queue file does it continue?

Arrival is the stamp of `arrived`; without one, the earliest of stamp minus logged delay. A queue listing names no
host: a listed queue file is the latest logged lifetime of that id that had not ended ten seconds before the listing,
or, where no log knows it, a leg of its own.

A leg continues another when an attempt said so (`queued as`, `forwarded as`) or its own arrival did (`orig_id`).
An id means, on the same host first and else on another, the latest lifetime that arrived no later than five seconds
after the line that names it, with a Message-ID that doesn't contradict. The first leg of a chain is the message.
"""

import polars as pl

from transforms.recount_events import ENDS, host_hash

SECOND = 1_000_000
CLOCKS_AGREE_WITHIN = 5 * SECOND  # two lines of one hand-over may be stamped by two hosts
LISTING_TAKES = 10 * SECOND  # a queue that moves while it is listed
_ROUNDS = 24  # pointer jumping doubles its reach: chains of 2^24 legs; what is left is a circle of forged lines


def read_legs(events: pl.LazyFrame) -> pl.DataFrame:
    """Return one row per leg that the logs or a listing know, before it is known what it continues.

    Columns: leg, key, host, arrival, last_at, ended_at, deleted_at, expired_at, is_requeued, named, sender,
    recipient_count, parent_related (code of the former queue id), listed_at.
    """
    logged = (
        events.filter(~pl.col("is_listed_only"))
        .select(
            "leg",
            "key",
            "host",
            "named",
            "recipient_count",
            "at",
            arrived_at=_of("at", "arrived"),
            estimated_at=pl.col("at") - pl.col("delay").fill_null(0),
            ended_at=_of("at", *ENDS),
            deleted_at=_of("at", "deleted"),
            expired_at=_of("at", "expired"),
            is_requeued=pl.col("kind") == "requeued",
            queued_sender=_of("sender", "queued"),
            any_sender="sender",
            parent_related=_of("related", "arrived"),
        )
        .group_by("leg")
        .agg(
            pl.col("key", "host").first(),
            pl.col(
                "arrived_at", "estimated_at", "ended_at", "deleted_at", "expired_at", "named", "parent_related"
            ).min(),
            pl.col("queued_sender", "any_sender").min(),
            pl.col("recipient_count").max(),
            pl.col("is_requeued").any(),
            last_at=pl.col("at").max(),
        )
        .collect(engine="streaming")
    )
    return logged.with_columns(
        arrival=pl.coalesce("arrived_at", "estimated_at"),
        sender=pl.coalesce("queued_sender", "any_sender"),
        listed_at=pl.lit(None, pl.Int64),
    ).drop("arrived_at", "estimated_at", "queued_sender", "any_sender")


def _of(column: str, *kinds: str) -> pl.Expr:
    """Return the column on lines of these kinds; picked before grouping, which is much faster than in it."""
    return pl.when(pl.col("kind").is_in(kinds)).then(column)


def attach_listing(legs: pl.DataFrame, events: pl.LazyFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the legs with `listed_at` filled and listed-only legs added, and the map `listed` → `leg`."""
    listed = (
        events.filter("is_listed_only")
        .group_by("leg")
        .agg(
            pl.col("key").first(),
            listed_at=pl.col("at").max(),
            arrival=(pl.col("at") - pl.col("delay").fill_null(0)).min(),
            sender=pl.col("sender").min(),
            named=pl.col("named").min(),
        )
        .collect(engine="streaming")
        .rename({"leg": "listed"})
    )
    # The listing's key was built with the empty host: taking that away leaves the code of the queue id alone.
    listed = listed.with_columns(queue_id=pl.col("key") ^ host_hash(pl.lit("")))
    known = legs.select("leg", "ended_at", "last_at", queue_id=pl.col("key") ^ pl.col("host"), known_arrival="arrival")
    fits = (
        listed.join(known, on="queue_id", how="inner")
        .filter((pl.col("ended_at") >= pl.col("listed_at") - LISTING_TAKES).fill_null(True))
        .with_columns(
            is_over=pl.col("ended_at").is_not_null(), apart=(pl.col("known_arrival") - pl.col("arrival")).abs()
        )
        .sort("listed", "is_over", "apart", "leg")
        .unique("listed", keep="first", maintain_order=True)
    )
    unknown = listed.join(fits, on="listed", how="anti")
    added = unknown.select(
        "key",
        "arrival",
        "sender",
        "named",
        "listed_at",
        leg="listed",
        host=host_hash(pl.lit("")),
        last_at="listed_at",
        is_requeued=pl.lit(False),
    )
    marks = fits.group_by("leg").agg(pl.col("listed_at").max())
    marked = legs.drop("listed_at").join(marks, on="leg", how="left", validate="1:1")
    places = pl.concat([fits.select("listed", "leg"), unknown.select("listed", leg="listed")])
    return pl.concat([marked, added], how="diagonal"), places


def find_legs(mentions: pl.DataFrame, legs: pl.DataFrame) -> pl.DataFrame:
    """Return `mention` → `found`, for the mentions of a queue id that name a known leg.

    `mentions` has mention (unique), related (code of the id), host (code), at, from_leg and named (of the leg that
    speaks). Mentions of nothing known have no row.
    """
    known = legs.select(found="leg", known_host="host", key="key", arrival="arrival", known_name="named")
    near = _best(mentions.with_columns(key=pl.col("related") ^ pl.col("host")).join(known, on="key"))
    rest = mentions.join(near, on="mention", how="anti")
    if rest.is_empty():
        return near
    elsewhere = known.with_columns(related=pl.col("key") ^ pl.col("known_host"))
    return pl.concat([near, _best(rest.join(elsewhere, on="related"))])


def _best(candidates: pl.DataFrame) -> pl.DataFrame:
    return (
        candidates.filter(
            pl.col("arrival") <= pl.col("at") + CLOCKS_AGREE_WITHIN,
            pl.col("found") != pl.col("from_leg"),
            (pl.col("known_name") == pl.col("named")).fill_null(True),
        )
        .sort("mention", "arrival", "found")
        .unique("mention", keep="last", maintain_order=True)
        .select("mention", "found")
    )


def find_chains(legs: pl.DataFrame, hops: pl.DataFrame) -> pl.DataFrame:
    """Return leg, parent (null for the first), root and depth (0 for the first), for every leg.

    `hops` has leg, found (the next leg) and at (of the line). What an arrival says of its former leg counts before
    what an attempt says of its next; of several attempts the earliest counts.
    """
    own = legs.filter(pl.col("parent_related").is_not_null()).select(
        "host", "named", mention="leg", from_leg="leg", related="parent_related", at="arrival"
    )
    by_arrival = find_legs(own, legs).rename({"mention": "leg", "found": "parent"})
    by_attempt = (
        hops.select("at", leg="found", parent="leg")
        .join(by_arrival, on="leg", how="anti")
        .sort("leg", "at", "parent")
        .unique("leg", keep="first", maintain_order=True)
        .select("leg", "parent")
    )
    linked = legs.select("leg").join(pl.concat([by_arrival, by_attempt]), on="leg", how="left", validate="1:1")
    return _to_first(linked)


def _to_first(linked: pl.DataFrame) -> pl.DataFrame:
    """Follow `parent` to the first leg of each chain by pointer jumping; a leg in a circle is a first leg."""
    moving = linked.filter(pl.col("parent").is_not_null()).with_columns(root="parent", depth=pl.lit(1, pl.UInt32))
    still = moving.select("leg", next_root="root", next_depth="depth")
    for _ in range(_ROUNDS):
        stepped = moving.join(still, left_on="root", right_on="leg", how="left")
        if stepped["next_root"].null_count() == stepped.height:
            break
        moving = stepped.select(
            "leg",
            "parent",
            root=pl.coalesce("next_root", "root"),
            depth=pl.col("depth") + pl.col("next_depth").fill_null(0),
        )
        still = moving.select("leg", next_root="root", next_depth="depth")
    in_circle = moving.join(still, left_on="root", right_on="leg", how="semi").select("leg")
    chained = moving.join(in_circle, on="leg", how="anti")
    first = linked.join(chained, on="leg", how="anti").with_columns(
        parent=pl.lit(None, pl.UInt64), root="leg", depth=pl.lit(0, pl.UInt32)
    )
    return pl.concat([chained.select("leg", "parent", "root", "depth"), first.select("leg", "parent", "root", "depth")])
