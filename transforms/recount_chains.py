"""Which queue files carry one and the same message?

Rules in docs/methodology.md, "One message": the reply of an attempt names the next queue file (`queued as`,
`forwarded as`); else the next one's arrival names the former (`orig_id`); else the same Message-ID comes back from
the machine itself. The last also finds whom a reply left out that answered for more recipients than the file that it
names has places. The first queue file of a chain is the message. Numbers of legs rise with their arrival.
"""

from collections.abc import Iterator

import polars as pl

from transforms.recount_events import SECOND
from transforms.recount_legs import REQUEUED
from transforms.recount_store import Store

_SAME_HOST, _OTHER_HOST = 5 * SECOND, 300 * SECOND  # how far the stamps of one hand-over may lie apart
_COMES_BACK_WITHIN = 60 * SECOND
_NOTICE_WITHIN = 10 * SECOND
_MOST_REQUEUES = 50
_ASKED_AT_ONCE = 500_000  # queue files whose next or former ones are looked for: some 100 MB
_HOP = {"row": pl.UInt32, "number": pl.UInt32, "child": pl.UInt32}


def find_former(links: pl.DataFrame) -> pl.DataFrame:
    """Return number, former_leg, is_requeued: the legs whose arrival names the file that they continue, on their host.

    Whom no client brought was picked up again after a requeue, of a file that was requeued if there is one: its id may
    be used again within seconds. The others come from a filter. Message-IDs that differ rule it out.
    """
    named = links.filter(pl.col("former").is_not_null())
    asked = named.select(
        "number", "host", "arrival", queue="former", is_requeued=~pl.col("has_client"), own_name="named"
    )
    if asked.is_empty():
        return pl.DataFrame(schema={"number": pl.UInt32, "former_leg": pl.UInt32, "is_requeued": pl.Boolean})
    known = links.select("queue", "host", "named", "end_kind", former_leg="number", former_arrival="arrival")
    found = asked.join(known, on=["queue", "host"]).filter(
        pl.col("former_leg") != pl.col("number"),
        pl.col("former_arrival") <= pl.col("arrival") + _SAME_HOST,
        (pl.col("named") == pl.col("own_name")).fill_null(True),
    )
    gave_up = (pl.col("is_requeued") & (pl.col("end_kind") == REQUEUED)).fill_null(False)
    last = found.sort(gave_up, "former_leg").unique("number", keep="last", maintain_order=True)
    return last.select("number", "is_requeued", "former_leg")


def find_hops(stored: Store, former: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return row, number, child twice: where each recipient that was handed on is now, and what the replies name."""
    replied = _by_reply(stored)
    taken = _by_former(stored, replied, former)
    alike = _by_message_id(stored, replied, former).join(taken, on="row", how="anti")
    parted = _strangers_without_place(stored, replied, alike)
    elsewhere = alike.join(parted, on="row", how="semi")
    unanswered = alike.join(replied, on="row", how="anti")
    return pl.concat([replied.join(elsewhere, on="row", how="anti"), taken, unanswered, elsewhere]), replied


def _by_reply(stored: Store) -> pl.DataFrame:
    said = []
    for part in range(stored.parts):
        rows = stored.rows(part, "related", "status", "ended_at")
        given = rows.filter(pl.col("related").is_not_null(), pl.col("status").is_in(["sent", "forwarded"]))
        said.append(given.select("row", "number", "ended_at", queue="related"))
    return pl.concat([_replied(some, stored) for some in _in_parts(pl.concat(said), "queue")])


def _in_parts(asked: pl.DataFrame, code: str) -> Iterator[pl.DataFrame]:
    """Yield all rows, some at a time, those with one and the same code together; at least once."""
    parts = -(-asked.height // _ASKED_AT_ONCE) or 1
    return (asked.filter(pl.col(code) % parts == part) for part in range(parts))


def _replied(mentions: pl.DataFrame, stored: Store) -> pl.DataFrame:
    """Find the queue files that replies name."""
    is_named = pl.col("queue").is_in(mentions["queue"].implode())
    known = stored.links.filter(is_named).select("queue", "host", "arrival", "named", child="number")
    met = mentions.join(known, on="queue")
    own = stored.links.select(own_host="host", own_arrival="arrival", own_name="named")[met["number"]]
    is_same = pl.col("host") == pl.col("own_host")
    apart = pl.when(is_same).then(_SAME_HOST).otherwise(_OTHER_HOST)
    fits = (
        pl.concat([met, own], how="horizontal")
        .filter(
            pl.col("child") != pl.col("number"),
            pl.col("arrival") >= pl.col("own_arrival") - apart,
            pl.col("arrival") <= pl.col("ended_at") + apart,
            (pl.col("named") == pl.col("own_name")).fill_null(True),
        )
        .select("row", "number", "child", is_same=is_same)
    )
    twice = fits["row"].is_duplicated()
    chosen = fits.filter(twice).sort("row", "is_same", "child").unique("row", keep="last", maintain_order=True)
    return pl.concat([fits.filter(~twice), chosen]).select(list(_HOP))


def _by_former(stored: Store, replied: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """Whoever still waited when a file was requeued, and whom a filter's next file names."""
    if former.is_empty():
        return pl.DataFrame(schema=_HOP)
    onward = former.select("is_requeued", child="number", number="former_leg")
    given = pl.concat(
        [
            stored.rows(part)
            .filter(pl.col("status").is_null() | (pl.col("status") == "sent"))
            .join(onward, on="number")
            .join(replied, on="row", how="anti")
            .select("row", "number", "child", "status", "address", "is_requeued")
            for part in range(stored.parts)
        ]
    )
    names = _names(stored, given.select(number="child")).rename({"number": "child", "name": "address"})
    filtered = given.filter(pl.col("status") == "sent", ~pl.col("is_requeued"))
    taken = filtered.join(names, on=["child", "address"], how="semi")
    waiting = given.filter(pl.col("status").is_null(), "is_requeued")
    return pl.concat([waiting, taken]).group_by("row", "number").agg(pl.col("child").min()).select(list(_HOP))


def _by_message_id(stored: Store, replied: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    known = pl.concat([replied.select(number="child"), former.select("number")]).unique()
    own = stored.links.filter(pl.col("named").is_not_null(), ~pl.col("is_foreign").fill_null(False))
    orphans = own.join(known, on="number", how="anti").select("host", "named", "arrival", child="number")
    parts = [_alike(stored, some) for some in _in_parts(orphans, "named")]
    back = replied.select(number="child", child="number").unique()
    pairs = pl.concat(parts).join(back, on=["number", "child"], how="anti")
    if pairs.is_empty():
        return pl.DataFrame(schema=_HOP)
    given = pl.concat(
        [
            stored.rows(part)
            .filter(pl.col("status").is_in(["sent", "forwarded"]))
            .join(pairs, on="number")
            .filter(pl.col("arrival") <= pl.col("ended_at") + _COMES_BACK_WITHIN)
            .select("row", "number", "child", "address")
            for part in range(stored.parts)
        ]
    )
    names = _names(stored, given.select(number="child")).rename({"number": "child", "name": "address"})
    found = given.join(names, on=["child", "address"], how="semi")
    return found.group_by("row", "number").agg(pl.col("child").min()).select(list(_HOP))


def _strangers_without_place(stored: Store, replied: pl.DataFrame, alike: pl.DataFrame) -> pl.DataFrame:
    """Return row: whom the file in the reply doesn't name, where it has fewer places left than such recipients.

    Only files are asked from which a recipient may have gone another way (`alike`).
    """
    asked = replied.join(alike, on="row", how="semi").select("child").unique()
    if asked.is_empty():
        return asked.select(row="child")
    sent_there = replied.join(asked, on="child", how="semi").select("row", "child")
    given = pl.concat(
        [
            stored.rows(part).select("row", "address").join(sent_there, on="row", validate="1:1")
            for part in range(stored.parts)
        ]
    )
    files = asked.rename({"child": "number"})
    names = _names(stored, files).select(child="number", address="name")
    strangers = given.join(names, on=["child", "address"], how="anti")
    room = stored.legs_of(files).select(child="number", places=pl.col("recipient_count") - pl.col("known"))
    crowded = strangers.group_by("child").len().join(room, on="child", validate="1:1")
    full = crowded.filter(pl.col("places").fill_null(0) < pl.col("len"))
    return strangers.join(full, on="child", how="semi").select("row")


def _alike(stored: Store, orphans: pl.DataFrame) -> pl.DataFrame:
    """Return number, child, arrival (of the child): earlier legs of the same host with the Message-ID of an orphan."""
    is_alike = pl.col("named").is_in(orphans["named"].implode())
    before = stored.links.filter(is_alike).select("host", "named", "number", own_arrival="arrival")
    pairs = orphans.join(before, on=["host", "named"]).filter(
        pl.col("number") < pl.col("child"), pl.col("arrival") >= pl.col("own_arrival")
    )
    return pairs.select("number", "child", "arrival")


def _names(stored: Store, legs: pl.DataFrame) -> pl.DataFrame:
    """Return number, name: the recipients and original recipients that rows of these legs name."""
    parts = stored.links["part"].gather(legs["number"]).unique().to_list() or [0]
    found = [stored.rows(part, "address", "original").join(legs, on="number", how="semi") for part in parts]
    names = [rows.select("number", name=name) for rows in found for name in ("address", "original")]
    return pl.concat(names).drop_nulls().unique()


def find_heirs(links: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """Return number, heir: where the recipients of a requeued leg wait now, through all its requeues."""
    requeued = links.filter(pl.col("end_kind") == REQUEUED).select(former_leg="number")
    again = former.filter("is_requeued").join(requeued, on="former_leg", how="semi")
    step = again.group_by("former_leg").agg(heir=pl.col("number").min())
    onward, heirs = step.select(heir="former_leg", further="heir"), step
    for _ in range(_MOST_REQUEUES):
        moved = heirs.join(onward, on="heir", how="left", validate="m:1")
        if moved["further"].null_count() == moved.height:
            break
        heirs = moved.select("former_leg", heir=pl.coalesce("further", "heir"))
    return heirs.rename({"former_leg": "number"})


def find_notices(stored: Store) -> pl.DataFrame:
    """Return the numbers of the legs that are non-delivery notices, no messages of anybody's.

    Of several queue files of the id that was named the nearest in time is meant, of two as near the first.
    """
    met = stored.notices.join(stored.links.select("number", "queue", "host", "arrival"), on=["queue", "host"])
    near = met.with_columns(apart=(pl.col("arrival") - pl.col("at")).abs()).filter(pl.col("apart") <= _NOTICE_WITHIN)
    nearest = near.sort("apart", "number").unique(["queue", "host", "at"], keep="first", maintain_order=True)
    return nearest.select("number").unique()


def find_guests(links: pl.DataFrame, chains: pl.DataFrame, hops: pl.DataFrame, heirs: pl.DataFrame) -> pl.DataFrame:
    """Return the numbers of legs that hold recipients of another message's rows: torn or forged lines."""
    ends = pl.concat(
        [
            hops.select("number", "child"),
            hops.select("number", child="child")
            .join(heirs, left_on="child", right_on="number")
            .select("number", child="heir"),
            heirs.select("number", child="heir"),
        ]
    ).unique()
    roots = links.select("number").join(chains.select("number", "root"), on="number", how="left")
    root_of = roots.sort("number").select(pl.coalesce("root", "number"))["root"]
    is_strange = root_of.gather(ends["number"]) != root_of.gather(ends["child"])
    return ends.filter(is_strange).select(number="child").unique()
