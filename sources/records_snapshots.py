"""Days of validity for records that keep none: from snapshots of the whole, one a day, in a folder of their own.

A record is valid from the day of the first snapshot that has it to the day before the first that has it no more. What
the first snapshot has was valid before, what the last one has still is.
"""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl

from sources.errors import BadInput
from sources.raw_store import write_aside

STATE = ("account_id", "customer_id", "segment", "mailbox", "address")
_BEGINS = {"first": pl.Int32, "valid_from": pl.Date}
_ENDS = {"last": pl.Int32, "valid_to": pl.Date}
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})\.csv")


def add_snapshot(state: pl.DataFrame, folder: Path, day: date) -> None:
    """Keep the records as they are on `day`, in place of an earlier snapshot of that day.

    `BadInput` where there is no record: an export that failed would end every customer's validity.
    """
    if state.is_empty():
        raise BadInput(f"{folder}: the customer records of {day} have no row; no snapshot is kept of them.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = state.select(STATE).unique().sort(STATE, nulls_last=True).write_csv()
    write_aside(text.encode("utf-8"), folder / f"{day}.csv")


def snapshots_in(folder: Path) -> dict[date, Path]:
    """Return the snapshots in a folder by their day, in order; other files there are none."""
    named = ((_NAME.fullmatch(path.name), path) for path in folder.glob("*.csv"))
    return dict(sorted((date.fromisoformat(name[1]), path) for name, path in named if name))


def with_validity(snapshots: Mapping[date, pl.DataFrame]) -> pl.DataFrame:
    """Return records with `valid_from` and `valid_to` from their snapshots, which have the columns of `STATE`."""
    days = sorted(snapshots)
    seen = pl.concat(
        snapshots[day].select(STATE).unique().with_columns(pl.lit(number).alias("number"))
        for number, day in enumerate(days)
    )
    spans = (
        # While a record is in every snapshot, the number of the snapshot and that of the row grow alike.
        seen.sort("number")
        .with_columns((pl.col("number") - pl.int_range(pl.len()).over(STATE)).alias("span"))
        .group_by(*STATE, "span")
        .agg(pl.col("number").min().alias("first"), pl.col("number").max().alias("last"))
    )
    begins = pl.DataFrame({"first": range(len(days)), "valid_from": [None, *days[1:]]}, schema=_BEGINS)
    ends = pl.DataFrame({"last": range(len(days)), "valid_to": [*days[1:], None]}, schema=_ENDS)
    dated = spans.join(begins, on="first").join(ends, on="last")
    return dated.select(*STATE, "valid_from", pl.col("valid_to").dt.offset_by("-1d")).sort(pl.all(), nulls_last=True)
