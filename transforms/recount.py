"""Do we get the same figures when somebody else counts?

The second count: written from the definitions (docs/methodology.md), in Polars, from the events. It shares no code
with the first count but the settings and the declared tables. Every cell must agree, or nothing is published.

Steps, one module each: `recount_events` (lines to queue-file lifetimes), `recount_legs`, `recount_recipients` (what
each says of whom), `recount_chains` (queue files to messages), `recount_resolve` (addresses to accounts),
`recount_outcomes`, `recount_addresses` (what the sender wrote), `recount_cells`.
"""

from pathlib import Path

import polars as pl

from transforms.recount_addresses import written_addresses
from transforms.recount_cells import RECOUNTED, count_cells, is_hit
from transforms.recount_chains import find_chains, find_former, find_heirs, find_hops, find_notices
from transforms.recount_events import read_bulk_senders, read_events
from transforms.recount_legs import read_legs
from transforms.recount_outcomes import OUTCOMES, hop_relays, judge, nameless, settle
from transforms.recount_recipients import read_recipients
from transforms.recount_resolve import code_records, read_tags, resolve
from transforms.settings import Settings

CELL = list(RECOUNTED[:-1])


def recount(event_files: list[Path], records: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Count every cell of the grid again from the events.

    `event_files` are Parquet files with the columns of `tables.EVENTS`, in any order; `records` has those of
    `tables.CUSTOMER_RECORDS`. Returns unit, threshold_seconds, messages, count, segment, measured, sorted.
    """
    hit = recount_deliveries(event_files, records, settings, only_hit=True)
    segments = sorted(records["segment"].drop_nulls().unique().to_list())
    return count_cells(hit, segments, settings)


def differences(cells: pl.DataFrame, recounted: pl.DataFrame) -> pl.DataFrame:
    """Return the cells on which the two counts differ: the cell, measured, recounted (null: not counted there)."""
    counted = cells.select(*CELL, "measured").join(
        recounted.select(*CELL, recounted="measured"), on=CELL, how="full", coalesce=True
    )
    return counted.filter(pl.col("measured").ne_missing(pl.col("recounted"))).sort(CELL)


def recount_deliveries(
    event_files: list[Path], records: pl.DataFrame, settings: Settings, only_hit: bool = False
) -> pl.DataFrame:
    """Return the deliveries of the window as the second count sees them, or only those that can count in a cell.

    One row per message and mailbox or unmatched address: a column for each unit (numbers and codes; null where it is
    unknown), segment, is_bulk, outcome and delay (µs). A recipient whom a queue file counts and no line names has
    neither address nor segment.
    """
    events = read_events(event_files, settings)
    legs = read_legs(events)
    rows = read_recipients(events, legs)
    former = find_former(legs)
    hops = find_hops(rows, legs, former)
    relays = hop_relays(rows, hops)
    chains = find_chains(legs, hops, former)
    heirs = find_heirs(legs, former)
    placed = (
        legs.join(chains, on="number", how="left", validate="1:1")
        .join(heirs, on="number", how="left", validate="1:1")
        .with_columns(root=pl.coalesce("root", "number"), depth=pl.col("depth").fill_null(0))
    )
    messages = _messages_in_window(
        placed, find_notices(events, legs), read_bulk_senders(event_files, settings), settings
    )
    inside = placed.join(messages.select("root", message_arrival="arrival"), on="root", validate="m:1")
    coded, as_of = code_records(records), int(pl.Series([settings.as_of]).dt.epoch("us")[0])
    spoken = rows.join(
        inside.select("number", "root", "depth", arrival="message_arrival"), on="number", validate="m:1"
    ).join(hops.select("row", "child"), on="row", how="left", validate="1:1")
    judged = judge(resolve(spoken, coded, read_tags(event_files), settings), inside, relays)
    settled = settle(judged, as_of)
    unnamed = nameless(judged, inside, hops).join(messages.select("root", "arrival"), on="root", validate="m:1")
    deliveries = pl.concat([settled, unnamed], how="diagonal").with_columns(
        outcome=pl.col("outcome").replace_strict(dict(enumerate(OUTCOMES)), return_dtype=pl.Enum(OUTCOMES))
    )
    if only_hit:
        deliveries = deliveries.filter(is_hit(settings))
    return _described(deliveries, judged, messages, coded)


def _messages_in_window(
    placed: pl.DataFrame, notices: pl.DataFrame, bulk: pl.DataFrame, settings: Settings
) -> pl.DataFrame:
    """Return root, arrival and is_bulk of the messages that arrived in the window."""
    start, end = pl.lit(settings.window.start).dt.epoch("us"), pl.lit(settings.window.end).dt.epoch("us")
    first = placed.filter(pl.col("depth") == 0, pl.col("arrival") >= start, pl.col("arrival") < end)
    found = first.join(notices, on="number", how="anti").select("root", "arrival", "sender")
    anonymous = found.filter(pl.col("sender").is_null()).select("root")
    later = (
        placed.filter(pl.col("sender").is_not_null(), pl.col("depth") > 0)
        .join(anonymous, on="root", how="semi")
        .sort("depth", "number")
        .unique("root", keep="first", maintain_order=True)
        .select("root", later_sender="sender")
    )
    known = found.join(later, on="root", how="left", validate="1:1")
    return known.select(
        "root",
        "arrival",
        is_bulk=pl.coalesce("sender", "later_sender").is_in(bulk["sender"].implode()).fill_null(False),
    )


def _described(
    deliveries: pl.DataFrame, judged: pl.DataFrame, messages: pl.DataFrame, coded: pl.DataFrame
) -> pl.DataFrame:
    """Add whom each delivery concerns."""
    concerned = judged.join(deliveries.select("root", "target"), on=["root", "target"], how="semi")
    owners = coded.select("record", "mailbox", "segment", "account", "customer")
    described = (
        deliveries.join(written_addresses(concerned), on=["root", "target"], how="left", validate="m:1")
        .join(owners, on="record", how="left", validate="m:1")
        .join(messages.select("root", "is_bulk"), on="root", validate="m:1")
    )
    is_unmatched = pl.col("record").is_null() & pl.col("target").is_not_null()
    return (
        described.with_columns(segment=pl.when(is_unmatched).then(pl.lit("unmatched")).otherwise("segment"))
        .rename({"root": "message", "written": "address"})
        .with_row_index("delivery")
        .drop("target", "record", "arrival")
    )
