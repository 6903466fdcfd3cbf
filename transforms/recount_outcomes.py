"""What became of each delivery: one message for one mailbox or, unmatched, one address.

Rules in docs/methodology.md, "What became of a delivery". A row that was handed on speaks no more; of the others the
best outcome counts: delivered, then still waiting, then unknown, then lost, then refused.
"""

from collections.abc import Iterable

import polars as pl

from transforms.recount_events import SECOND
from transforms.recount_legs import DELETED, ENDED, REMOVED, REQUEUED

OUTCOMES = ("rejected_recipient", "lost", "unresolved", "pending", "delivered")  # worst first: the highest counts
_REJECTED, _LOST, _UNRESOLVED, _PENDING, _DELIVERED = range(5)
_LISTING_TAKES = 10 * SECOND  # a queue that moves while it is listed


def hop_relays(parts: Iterable[pl.DataFrame], hops: pl.DataFrame) -> pl.DataFrame:
    """Return relay: the next hops to which more than half of what was sent came back as a queue file of ours.

    `parts` together are the rows of all recipients: row, status and relay.
    """
    if hops.is_empty():
        return pl.DataFrame(schema={"relay": pl.UInt64})
    tallies = []
    for rows in parts:
        sent = rows.filter(pl.col("status") == "sent", pl.col("relay").is_not_null()).select("row", "relay")
        handed = hops.select("row", is_handed=True)
        marked = sent.join(handed, on="row", how="left", validate="1:1")
        tallies.append(marked.group_by("relay").agg(pl.col("is_handed").sum(), sent=pl.len()))
    whole = pl.concat(tallies).group_by("relay").sum()
    return whole.filter(2 * pl.col("is_handed") > pl.col("sent")).select("relay")


def judge(rows: pl.DataFrame, legs: pl.DataFrame, relays: pl.DataFrame, listed_at: int | None) -> pl.DataFrame:
    """Return the rows with `state` (place in OUTCOMES; null: handed on), `ended_at` and `is_tried_by_name`.

    `rows` are those of whole messages, with root, depth, mailbox, target and child (null: not handed on); `legs` have
    heir and known (how many rows speak of them) and include every leg in which a recipient of the rows may be now.
    `listed_at` is the stamp of the queue listing.
    """
    placed = rows.join(legs.select(child="number", child_heir="heir"), on="child", how="left", validate="m:1")
    placed = placed.join(legs.select("number", "has_host", "heir"), on="number", validate="m:1").with_columns(
        holder=pl.when(pl.col("child").is_null())
        .then(pl.coalesce("heir", "number"))
        .otherwise(pl.coalesce("child_heir", "child"))
    )
    held = legs.select(
        "end_kind",
        "last_at",
        "is_listed",
        "recipient_count",
        "expired_at",
        "known",
        holder="number",
        over_at="ended_at",
    )
    seen = (
        placed.join(held, on="holder", validate="m:1")
        .join(relays.with_columns(is_hop_relay=True), on="relay", how="left", validate="m:1")
        .join(_named_later(rows), on="row", how="left", validate="1:1")
        .join(_tried_by_name(rows), on="row", how="left", validate="1:1")
    )
    return seen.with_columns(
        pl.col("is_tried_by_name").fill_null(False),
        state=_state(listed_at),
        ended_at=pl.when(pl.col("child").is_null() & pl.col("status").is_not_null())
        .then("ended_at")
        .otherwise(pl.coalesce("expired_at", "over_at")),
    )


def _state(listed_at: int | None) -> pl.Expr:
    is_handed, status = pl.col("child").is_not_null(), pl.col("status")
    is_merged = (pl.col("end_kind") == REMOVED) & (
        pl.col("known").fill_null(0) >= pl.col("recipient_count").fill_null(1)
    )
    is_silent = pl.col("last_at") < pl.lit(listed_at, pl.Int64) - _LISTING_TAKES
    is_dropped = pl.col("expired_at").is_not_null() | pl.col("end_kind").is_in([DELETED, ENDED])
    own = ~is_handed
    return (
        pl.when(pl.col("is_named_later") | pl.col("is_tried_by_name") | (is_handed & is_merged))
        .then(None)
        .when(own & (status == "sent") & pl.col("is_hop_relay").fill_null(False))
        .then(_UNRESOLVED)
        .when(own & (status == "sent"))
        .then(_DELIVERED)
        .when(own & (status == "forwarded") & pl.col("has_host"))
        .then(_UNRESOLVED)
        .when(own & (status == "bounced") & pl.col("is_unknown_mailbox").fill_null(False))
        .then(_REJECTED)
        .when(own & status.is_in(["bounced", "expired", "discarded"]))
        .then(_LOST)
        .when(is_dropped)
        .then(_LOST)
        .when(pl.col("end_kind").is_not_null())
        .then(_UNRESOLVED)
        .when(pl.col("is_listed"))
        .then(_PENDING)
        .when(is_silent)
        .then(_UNRESOLVED)
        .otherwise(_PENDING)
        .cast(pl.Int8)
    )


def _named_later(rows: pl.DataFrame) -> pl.DataFrame:
    """Return row, is_named_later: handed on, and a later leg of the message names the recipient or its mailbox."""
    handed = rows.filter(pl.col("child").is_not_null()).select("row", "root", "depth", "address", "target")
    later = rows.filter(pl.col("depth") > 0)
    names = pl.concat(
        [later.select("root", later="depth", name=name) for name in ("address", "original", "mailbox")]
    ).drop_nulls()
    deepest = names.group_by("root", "name").agg(pl.col("later").max())
    found = [
        handed.join(deepest.rename({"name": own}), on=["root", own], validate="m:1")
        .filter(pl.col("later") > pl.col("depth"))
        .select("row")
        for own in ("address", "target")
    ]
    return pl.concat(found).unique().with_columns(is_named_later=True)


def _tried_by_name(rows: pl.DataFrame) -> pl.DataFrame:
    """Return row, is_tried_by_name: only told of, while the same leg tried that recipient under another name.

    Whom others replaced is silent, tried or not; whom others were put in place of and who stays is so only where its
    own mailbox was tried.
    """
    told = rows.filter(~pl.col("is_tried"), pl.col("status").is_null())
    replaced, kept = told.filter("is_replaced"), told.filter(~pl.col("is_replaced"))
    others = told.filter(pl.col("is_replaced").is_null())
    tried = rows.filter("is_tried").join(told, on="number", how="semi")
    targets = tried.select("number", name="target").drop_nulls()
    names = pl.concat([tried.select("number", name="original").drop_nulls(), targets])
    found = [
        replaced,
        kept.join(targets.rename({"name": "target"}), on=["number", "target"], how="semi"),
        *(others.join(names.rename({"name": own}), on=["number", own], how="semi") for own in ("address", "target")),
    ]
    return pl.concat([rows.select("row") for rows in found]).unique().with_columns(is_tried_by_name=True)


def settle(judged: pl.DataFrame, as_of: int) -> pl.DataFrame:
    """Return one row per delivery: root, target, record (null: unmatched), outcome (place in OUTCOMES), delay.

    `judged` has arrival (of the message) and record. Delay is in microseconds, never negative; of what has no end it
    is `as_of` minus arrival. The logged delay counts where the first leg ended it and whole-second stamps agree
    within 2 s.
    """
    own = judged.filter(pl.col("state").is_not_null(), "is_ours")
    twice = own.select("root", "target").is_duplicated()
    best = (
        own.filter(twice)
        .with_columns(
            pl.col("record").min().over("root", "target"),
            # The first end of what was delivered, the last of what was not.
            when=pl.when(pl.col("state") == _DELIVERED).then("ended_at").otherwise(-pl.col("ended_at")),
            has_failed=pl.col("state") <= _LOST,
        )
        .sort("state", "when", "depth", "number", descending=[True, False, False, False])
        .with_columns(
            ended_at=pl.when("has_failed")
            .then(pl.when("has_failed").then("ended_at").max().over("root", "target"))
            .otherwise("ended_at")
        )
        .unique(["root", "target"], keep="first", maintain_order=True)
    )
    speaking = _owned(pl.concat([own.filter(~twice), best.select(own.columns)]), judged)
    by_stamps = pl.col("ended_at") - pl.col("arrival")
    is_whole = (pl.col("arrival") % SECOND == 0) & (pl.col("ended_at") % SECOND == 0)  # finer stamps know better
    is_logged = (pl.col("depth") == 0) & is_whole & ((pl.col("delay") - by_stamps).abs() <= 2 * SECOND).fill_null(False)
    has_end = pl.col("state").is_in([_DELIVERED, _LOST, _REJECTED])
    delay = (
        pl.when(is_logged & (pl.col("state") == _DELIVERED))
        .then("delay")
        .when(has_end)
        .then(by_stamps)
        .otherwise(pl.lit(as_of) - pl.col("arrival"))
    )
    return speaking.select(
        "root",
        "target",
        "record",
        outcome="state",
        delay=pl.max_horizontal(delay, pl.lit(0, pl.Int64)),
    )


def _owned(speaking: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with the record that an earlier leg's row leads to, where their own leads to none."""
    delivery = ["root", "target"]
    lacking = speaking.filter(pl.col("record").is_null()).select(delivery)
    known = judged.filter("is_ours", pl.col("record").is_not_null()).join(lacking, on=delivery, how="semi")
    owners = known.group_by(delivery).agg(owner=pl.col("record").min())
    found = speaking.join(owners, on=delivery, how="left", validate="m:1", maintain_order="left")
    return found.with_columns(record=pl.coalesce("record", "owner")).drop("owner")


def nameless(judged: pl.DataFrame, legs: pl.DataFrame, hops: pl.DataFrame, as_of: int) -> pl.DataFrame:
    """Return root, outcome, delay: one row per recipient whom a queue file counts and no line names.

    `legs` are those of the messages, with root, heir and known.
    """
    held = judged.filter(pl.col("child").is_not_null(), pl.col("state").is_not_null())
    more = held.group_by(number="holder").agg(more=pl.len().cast(pl.Int32))
    missing = (
        pl.when(pl.col("recipient_count").is_not_null())
        .then(pl.col("recipient_count") - pl.col("known"))
        .when(pl.col("known") > 0)
        .then(0)
        .otherwise(pl.coalesce("announced_count", pl.col("ended_at").is_not_null().cast(pl.Int32)))
    )
    is_lost = pl.col("end_kind").is_in([DELETED, ENDED]).fill_null(False) | pl.col("expired_at").is_not_null()
    short = (
        legs.filter("is_accepted", pl.col("heir").is_null(), (pl.col("end_kind") != REQUEUED).fill_null(True))
        .join(hops, on="number", how="anti")
        .join(more, on="number", how="left", validate="1:1")
        .with_columns(pl.col("known") + pl.col("more").fill_null(0))
        .select(
            "root",
            missing=missing,
            outcome=pl.when(is_lost).then(_LOST).otherwise(_UNRESOLVED).cast(pl.Int8),
            delay=pl.when(is_lost).then(pl.coalesce("expired_at", "ended_at")).otherwise(as_of)
            - pl.col("message_arrival"),
        )
        .filter(pl.col("missing") > 0)
    )
    return short.select("root", "outcome", "delay", place=pl.int_ranges(0, "missing")).explode("place").drop("place")
