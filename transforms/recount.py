"""Do we get the same figures when somebody else counts?

The second count: written from the definitions alone, in Polars, from the events. It shares no code with the first
count but the settings and the declared tables. Every cell must agree, or nothing is published.

Steps, one module each: `recount_events` (lines to queue-file lifetimes), `recount_legs` (chains of queue files),
`recount_resolve` (addresses to accounts), `recount_recipients` (which lines speak), `recount_outcomes`,
`recount_addresses` (what the sender wrote), `recount_cells`.
"""

from pathlib import Path

import polars as pl

from transforms.recount_addresses import written_addresses
from transforms.recount_cells import RECOUNTED, bulk_senders, count_cells
from transforms.recount_events import read_events
from transforms.recount_legs import attach_listing, find_chains, find_legs, read_legs
from transforms.recount_outcomes import delivery_code, find_holders, read_outcomes
from transforms.recount_recipients import drop_overtaken, find_hops, mark_hops, read_recipients
from transforms.recount_resolve import code_records, read_tags, resolve
from transforms.settings import Settings

CELL = list(RECOUNTED[:-1])


def recount(event_files: list[Path], records: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Count every cell of the grid again from the events.

    `event_files` are Parquet files with the columns of `tables.EVENTS`, in any order; `records` has those of
    `tables.CUSTOMER_RECORDS`. Returns unit, threshold_seconds, messages, count, segment, measured, sorted.
    """
    deliveries = recount_deliveries(event_files, records, settings)
    segments = sorted(records["segment"].drop_nulls().unique().to_list())
    return count_cells(deliveries, segments, settings)


def differences(cells: pl.DataFrame, recounted: pl.DataFrame) -> pl.DataFrame:
    """Return the cells on which the two counts differ: the cell, measured, recounted (null: not counted there)."""
    counted = cells.select(*CELL, "measured").join(
        recounted.select(*CELL, recounted="measured"), on=CELL, how="full", coalesce=True
    )
    return counted.filter(pl.col("measured").ne_missing(pl.col("recounted"))).sort(CELL)


def recount_deliveries(event_files: list[Path], records: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Return the deliveries of the window as the second count sees them.

    One row per message and mailbox or unmatched address: delivery, message, address, mailbox, account, customer
    (numbers, codes and names; null where the records know none), segment, is_bulk, outcome, arrival and delay (both in µs).
    """
    events = read_events(event_files, settings)
    legs, places = attach_listing(read_legs(events), events)
    spoken = read_recipients(events, places)
    hops = find_hops(spoken, legs)
    chains = find_chains(legs, hops)
    messages = _messages_in_window(legs, chains, _notices(events, legs), settings)
    coded, tags = code_records(records), read_tags(event_files)
    placed = mark_hops(spoken, hops).join(
        chains.join(messages, on="root").select("leg", "root", "depth", "arrival"), on="leg", validate="m:1"
    )
    rows = resolve(placed, coded, tags, settings)
    held = find_holders(drop_overtaken(rows, legs), legs, chains).filter("is_ours")
    outcomes = read_outcomes(held, legs, _microseconds(settings))
    written = written_addresses(rows.with_columns(whose=delivery_code()), event_files)
    owners = coded.select("record", "mailbox", "segment", account="account_id", customer="customer_id")
    return (
        outcomes.join(written, on=["root", "whose"], how="left", validate="1:1")
        .join(owners, on="record", how="left", validate="m:1")
        .join(messages.select("root", "is_bulk"), on="root", validate="m:1")
        .with_columns(segment=pl.when(pl.col("record").is_null()).then(pl.lit("unmatched")).otherwise("segment"))
        .rename({"root": "message", "written": "address"})
        .with_row_index("delivery")
        .drop("whose", "record")
    )


def _microseconds(settings: Settings) -> int:
    return int(pl.Series([settings.as_of]).dt.epoch("us")[0])


def _notices(events: pl.LazyFrame, legs: pl.DataFrame) -> pl.DataFrame:
    """Return the legs (`root`) that are non-delivery notices, no messages of anybody's."""
    told = (
        events.filter(pl.col("kind") == "notified", pl.col("related").is_not_null())
        .select("related", "host", "at", from_leg="leg")
        .collect(engine="streaming")
        .with_row_index("mention")
        .with_columns(named=pl.lit(None, pl.UInt64))
    )
    return find_legs(told, legs).select(root="found").unique()


def _messages_in_window(
    legs: pl.DataFrame, chains: pl.DataFrame, notices: pl.DataFrame, settings: Settings
) -> pl.DataFrame:
    """Return root, arrival and is_bulk of the messages that arrived in the window."""
    start, end = pl.lit(settings.window.start).dt.epoch("us"), pl.lit(settings.window.end).dt.epoch("us")
    first = chains.filter(pl.col("depth") == 0).select("root").join(notices, on="root", how="anti")
    found = first.join(legs.select("arrival", "sender", root="leg"), on="root", validate="1:1").filter(
        pl.col("arrival") >= start, pl.col("arrival") < end
    )
    senders = found.select("sender").unique()
    senders = senders.with_columns(is_bulk=bulk_senders(senders["sender"], settings.bulk_senders))
    return found.join(senders, on="sender", nulls_equal=True, validate="m:1").drop("sender")
