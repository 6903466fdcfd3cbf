"""Which queue files carry one and the same message?

Rules in docs/methodology.md, "One message": the reply of an attempt names the next queue file (`queued as`,
`forwarded as`); else the next one's arrival names the former (`orig_id`); else the same Message-ID comes back from
the machine itself. The first queue file of a chain is the message. Numbers of legs rise with their arrival.
"""

import polars as pl

from transforms.recount_events import SECOND
from transforms.recount_legs import REQUEUED

_SAME_HOST, _OTHER_HOST = 5 * SECOND, 300 * SECOND  # how far the stamps of one hand-over may lie apart
_COMES_BACK_WITHIN = 60 * SECOND
_NOTICE_WITHIN = 10 * SECOND
_ROUNDS = 24  # pointer jumping doubles its reach: chains of 2^24 legs; what is left is a circle of forged lines
_MOST_REQUEUES = 50


def find_former(legs: pl.DataFrame) -> pl.DataFrame:
    """Return number, former_leg: the legs whose arrival names the queue file that they continue, on the same host."""
    asked = legs.filter(pl.col("former").is_not_null()).select("number", "host", "arrival", queue="former")
    known = legs.select("queue", "host", former_leg="number", former_arrival="arrival")
    found = asked.join(known, on=["queue", "host"]).filter(
        pl.col("former_leg") != pl.col("number"), pl.col("former_arrival") <= pl.col("arrival") + _SAME_HOST
    )
    return found.group_by("number").agg(pl.col("former_leg").max())


def find_hops(rows: pl.DataFrame, legs: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """Return row, number, child: the rows whose recipient was handed on, and to which leg."""
    replied = _by_reply(rows, legs)
    if replied.is_empty() and former.is_empty() and legs["named"].drop_nulls().is_unique().all():
        return replied
    taken_over = _by_former(rows.join(replied, on="row", how="anti"), former)
    named_alike = _by_message_id(rows, legs, replied, former)
    return pl.concat([replied, taken_over, named_alike])


def _by_reply(rows: pl.DataFrame, legs: pl.DataFrame) -> pl.DataFrame:
    said = rows.filter(pl.col("related").is_not_null(), pl.col("status").is_in(["sent", "forwarded"])).select(
        "row", "number", "ended_at", queue="related"
    )
    known = legs.select("queue", "host", "arrival", "named", child="number")
    own = legs.select("number", own_host="host", own_arrival="arrival", own_name="named")
    # Few of the ids that replies name are ours: look for them before anything is compared.
    met = said.join(known, on="queue").join(own, on="number", validate="m:1")
    is_same = pl.col("host") == pl.col("own_host")
    apart = pl.when(is_same).then(_SAME_HOST).otherwise(_OTHER_HOST)
    fits = met.filter(
        pl.col("child") != pl.col("number"),
        pl.col("arrival") >= pl.col("own_arrival") - apart,
        pl.col("arrival") <= pl.col("ended_at") + apart,
        (pl.col("named") == pl.col("own_name")).fill_null(True),
    ).select("row", "number", "child", is_same=is_same)
    twice = fits["row"].is_duplicated()
    chosen = fits.filter(twice).sort("row", "is_same", "child").unique("row", keep="last", maintain_order=True)
    return pl.concat([fits.filter(~twice), chosen]).select("row", "number", "child")


def _by_former(rows: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """Whoever still waited when a file was requeued, and whom a filter's next file names."""
    given = rows.join(former.select(child="number", number="former_leg"), on="number")
    names = _names(rows.join(former, on="number", how="semi")).select(child="number", address="name")
    taken = given.filter(pl.col("status") == "sent").join(names, on=["child", "address"], how="semi")
    waiting = given.filter(pl.col("status").is_null())
    return pl.concat([waiting, taken]).select("row", "number", "child")


def _by_message_id(rows: pl.DataFrame, legs: pl.DataFrame, replied: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    nothing = replied.clear()
    named = legs.filter(pl.col("named").is_not_null())
    alike = named.filter(named.select("host", "named").is_duplicated())
    if alike.is_empty():
        return nothing
    orphans = (
        alike.filter(~pl.col("is_foreign").fill_null(False))
        .join(replied, left_on="number", right_on="child", how="anti")
        .join(former, on="number", how="anti")
        .select("host", "named", "arrival", child="number")
    )
    before = alike.select("host", "named", "number", own_arrival="arrival")
    pairs = orphans.join(before, on=["host", "named"]).filter(
        pl.col("number") < pl.col("child"), pl.col("arrival") >= pl.col("own_arrival")
    )
    back = replied.select(number="child", child="number").unique()
    pairs = pairs.join(back, on=["number", "child"], how="anti")
    given = rows.filter(pl.col("status").is_in(["sent", "forwarded"])).join(replied, on="row", how="anti")
    names = _names(rows.join(orphans, left_on="number", right_on="child", how="semi"))
    found = (
        given.join(pairs.select("number", "child", "arrival"), on="number")
        .filter(pl.col("arrival") <= pl.col("ended_at") + _COMES_BACK_WITHIN)
        .join(names.select(child="number", address="name"), on=["child", "address"], how="semi")
    )
    return found.group_by("row", "number").agg(pl.col("child").min()).select(nothing.columns)


def _names(rows: pl.DataFrame) -> pl.DataFrame:
    """Return number, name: the recipients and original recipients that the rows name."""
    return pl.concat(
        [rows.select("number", name="address"), rows.select("number", name="original").drop_nulls()]
    ).unique()


def find_chains(legs: pl.DataFrame, hops: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """Return number, root, depth of every leg that isn't the first of its chain; the first have no row."""
    links = pl.concat([hops.select("child", "number"), former.select(child="number", number="former_leg")])
    linked = links.group_by("child").agg(root=pl.col("number").min()).rename({"child": "number"})
    moving = linked.with_columns(depth=pl.lit(1, pl.UInt32))
    for _ in range(_ROUNDS):
        onward = moving.select(root="number", next_root="root", next_depth="depth")
        stepped = moving.join(onward, on="root", how="left", validate="m:1")
        if stepped["next_root"].null_count() == stepped.height:
            return moving
        moving = stepped.select(
            "number",
            root=pl.coalesce("next_root", "root"),
            depth=pl.col("depth") + pl.col("next_depth").fill_null(0),
        )
    return moving.join(moving.select(root="number"), on="root", how="anti")


def find_heirs(legs: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """Return number, heir: where the recipients of a requeued leg wait now, through all its requeues."""
    requeued = legs.filter(pl.col("end_kind") == REQUEUED).select(former_leg="number")
    step = former.join(requeued, on="former_leg", how="semi").group_by("former_leg").agg(heir=pl.col("number").min())
    onward = step.select(heir="former_leg", further="heir")
    heirs = step
    for _ in range(_MOST_REQUEUES - 1):
        moved = heirs.join(onward, on="heir", how="left", validate="m:1")
        if moved["further"].null_count() == moved.height:
            break
        heirs = moved.select("former_leg", heir=pl.coalesce("further", "heir"))
    return heirs.rename({"former_leg": "number"})


def find_notices(events: pl.LazyFrame, legs: pl.DataFrame) -> pl.DataFrame:
    """Return the numbers of the legs that are non-delivery notices, no messages of anybody's."""
    told = events.filter(pl.col("kind") == "notified", pl.col("related").is_not_null())
    said = told.select("host", "at", queue="related").unique().collect(engine="streaming")
    met = said.join(legs.select("number", "queue", "host", "arrival"), on=["queue", "host"])
    return met.filter((pl.col("arrival") - pl.col("at")).abs() <= _NOTICE_WITHIN).select("number").unique()
