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
from transforms.recount_chains import find_former, find_guests, find_heirs, find_hops, find_notices
from transforms.recount_messages import find_chains, is_within, messages_in_windows
from transforms.recount_outcomes import OUTCOMES, hop_relays, judge, nameless, settle
from transforms.recount_resolve import code_records, read_tags, resolve
from transforms.recount_store import shares, store
from transforms.settings import Interval, Settings

CELL = list(RECOUNTED[:-1])
# A mean of counts, by two engines.
_SAME_MEAN = 1e-9


def recount(event_files: list[Path], records: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Count every cell of the grid again from the events.

    `event_files` are Parquet files with the columns of `tables.EVENTS`, in any order; `records` has those of
    `tables.CUSTOMER_RECORDS`. Returns unit, threshold_seconds, messages, count, segment, measured, baseline, sorted;
    `baseline` is the mean of what each ordinary window measures, null without one.
    """
    hit = _deliveries_within(
        (settings.window, *settings.placebo_windows), event_files, records, settings, only_hit=True
    )
    segments = sorted(records["segment"].drop_nulls().unique().to_list())

    def cells(span: Interval) -> pl.DataFrame:
        return count_cells(hit.filter(is_within("arrived", span)), segments, settings)

    ordinary = [cells(span)["measured"] for span in settings.placebo_windows]
    mean = sum(ordinary, start=pl.Series([0.0])) / len(ordinary) if ordinary else pl.lit(None, pl.Float64)
    return cells(settings.window).with_columns(baseline=mean)


def differences(cells: pl.DataFrame, recounted: pl.DataFrame) -> pl.DataFrame:
    """Return the cells on which the two counts differ, in what was measured or in the baseline.

    Columns: the cell, measured, recounted, baseline, recounted_baseline (null: not counted there).
    """
    again = recounted.select(*CELL, recounted="measured", recounted_baseline="baseline")
    counted = cells.select(*CELL, "measured", "baseline").join(again, on=CELL, how="full", coalesce=True)
    first, second = pl.col("baseline"), pl.col("recounted_baseline")
    is_same_mean = ((first - second).abs() <= _SAME_MEAN * pl.max_horizontal(first, 1.0)).fill_null(False)
    is_other_baseline = ~is_same_mean & first.ne_missing(second)
    return counted.filter(pl.col("measured").ne_missing(pl.col("recounted")) | is_other_baseline).sort(CELL)


def recount_deliveries(
    event_files: list[Path], records: pl.DataFrame, settings: Settings, only_hit: bool = False
) -> pl.DataFrame:
    """Return the deliveries of the window as the second count sees them, or only those that can count in a cell.

    One row per message and mailbox or unmatched address: a column for each unit (numbers and codes; null where it is
    unknown), segment, is_bulk, outcome and delay (µs). A recipient whom a queue file counts and no line names has
    neither address nor segment.
    """
    found = _deliveries_within((settings.window,), event_files, records, settings, only_hit)
    return found.drop("arrived")


def _deliveries_within(
    spans: tuple[Interval, ...], event_files: list[Path], records: pl.DataFrame, settings: Settings, only_hit: bool
) -> pl.DataFrame:
    """Return the deliveries of messages that arrived in any of these windows; `arrived` says when (µs)."""
    coded, tags = code_records(records), read_tags(event_files)
    as_of = int(pl.Series([settings.as_of]).dt.epoch("us")[0])
    found = []
    with store(event_files, settings) as stored:
        former = find_former(stored.links)
        hops, replies = find_hops(stored, former)
        heirs = find_heirs(stored.links, former)
        relays = hop_relays((stored.rows(part, "status", "relay") for part in range(stored.parts)), hops)
        chains = find_chains(pl.concat([hops, replies]), former)
        messages, members = messages_in_windows(spans, stored.links, chains, find_notices(stored))
        guests = stored.legs_of(find_guests(stored.links, chains, hops, heirs))
        for own, rows in shares(stored, members):
            legs = own.join(heirs, on="number", how="left", validate="1:1")
            others = guests.join(own, on="number", how="anti").join(heirs, on="number", how="left", validate="1:1")
            spoken = rows.rename({"message_arrival": "arrival"}).join(
                hops.select("row", "child"), on="row", how="left", validate="1:1"
            )
            judged = judge(
                resolve(spoken, coded, tags, settings),
                pl.concat([legs, others], how="diagonal"),
                relays,
                stored.listed_at,
            )
            deliveries = pl.concat([settle(judged, as_of), nameless(judged, legs, hops, as_of)], how="diagonal")
            deliveries = deliveries.with_columns(
                outcome=pl.col("outcome").replace_strict(dict(enumerate(OUTCOMES)), return_dtype=pl.Enum(OUTCOMES))
            )
            if only_hit:
                deliveries = deliveries.filter(is_hit(settings))
            found.append(_described(deliveries, judged, messages, coded))
    return pl.concat(found).with_row_index("delivery")


def _described(
    deliveries: pl.DataFrame, judged: pl.DataFrame, messages: pl.DataFrame, coded: pl.DataFrame
) -> pl.DataFrame:
    """Add whom each delivery concerns."""
    concerned = judged.join(deliveries.select("root", "target"), on=["root", "target"], how="semi")
    owners = coded.select("record", "mailbox", "segment", "account", "customer")
    described = (
        deliveries.join(written_addresses(concerned), on=["root", "target"], how="left", validate="m:1")
        .join(owners, on="record", how="left", validate="m:1")
        .join(messages.select("root", "is_bulk", "arrived"), on="root", validate="m:1")
    )
    is_unmatched = pl.col("record").is_null() & pl.col("target").is_not_null()
    return (
        described.with_columns(segment=pl.when(is_unmatched).then(pl.lit("unmatched")).otherwise("segment"))
        .rename({"root": "message", "written": "address"})
        .drop("target", "record")
    )
