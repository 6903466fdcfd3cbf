"""Whose mail is it? Address to mailbox to account, by the records valid on the day of first arrival.

The final recipient is looked up first, as written and then without its `+tag`; where the records don't know it, the
original recipient in the same way. Validity is by day in the incident's zone, both ends inclusive, no date meaning
no limit. A recipient is local when its domain is, or when it was written to a local domain and the records lead from
there to the final recipient.
"""

from pathlib import Path

import polars as pl

from transforms.recount_events import address_hash
from transforms.settings import Settings

_TAG = r'^([^+@"]+)\+[^@]*@'


def read_tags(event_files: list[Path]) -> pl.DataFrame:
    """Return `address` → `untagged` (codes) for every address in the events that carries a `+tag`."""
    if not event_files:
        return pl.DataFrame(schema={"address": pl.UInt64, "untagged": pl.UInt64})
    scanned = pl.scan_parquet(event_files)
    texts = pl.concat(
        [
            scanned.select(text=column).filter(pl.col("text").str.contains("+", literal=True))
            for column in ("recipient", "original_recipient")
        ]
    ).unique()
    return (
        texts.select(
            address=address_hash("text"),
            untagged=pl.col("text").str.to_lowercase().str.replace(_TAG, "${1}@").hash(2),
        )
        .unique("address")
        .collect(engine="streaming")
    )


def code_records(records: pl.DataFrame) -> pl.DataFrame:
    """Return the records with address and mailbox as codes, numbered (`record`), one row per span of validity."""
    ordered = records.sort("mailbox", "account_id", "customer_id", "segment", nulls_last=True).with_row_index("record")
    return ordered.select(
        "record",
        "segment",
        "valid_from",
        "valid_to",
        address=address_hash("address"),
        mailbox=address_hash("mailbox"),
        account=pl.col("account_id").rank("dense"),
        customer=pl.col("customer_id").rank("dense"),
    )


def resolve(rows: pl.DataFrame, records: pl.DataFrame, tags: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Return the rows with mailbox (code) and record (null if unknown), target (else the address) and `is_ours`.

    `rows` has the arrival of the message and the addresses.
    `records` comes from `code_records`. On a day on which one address leads to several mailboxes the first in
    alphabetical order is taken: the gates refuse such records before anyone reads the figures.
    """
    day = pl.from_epoch("arrival", time_unit="us").dt.replace_time_zone("UTC").dt.convert_time_zone(settings.timezone)
    dated = rows.with_columns(day=day.dt.date())
    asked = pl.concat(
        [dated.select("address", "day"), dated.select(pl.col("original").alias("address"), "day")]
    ).unique()
    known = _mailboxes(asked.drop_nulls(), records, tags)
    written = known.rename({"address": "original", "mailbox": "written_mailbox", "record": "written_record"})
    found = dated.join(known, on=["address", "day"], how="left", validate="m:1").join(
        written, on=["original", "day"], how="left", validate="m:1"
    )
    leads_to_final = (pl.col("is_original_local") & (pl.col("written_mailbox") == pl.col("address"))).fill_null(False)
    return found.with_columns(
        mailbox=pl.coalesce("mailbox", "written_mailbox"),
        record=pl.coalesce("record", "written_record"),
        target=pl.coalesce("mailbox", "written_mailbox", "address"),
        is_ours=pl.col("is_local") | leads_to_final,
    ).drop("written_mailbox", "written_record", "is_local", "is_original_local", "day")


def _mailboxes(asked: pl.DataFrame, records: pl.DataFrame, tags: pl.DataFrame) -> pl.DataFrame:
    exact = _valid(asked.with_columns(looked_up="address"), records)
    rest = asked.join(exact, on=["address", "day"], how="anti").join(tags, on="address", validate="m:1")
    return pl.concat([exact, _valid(rest.rename({"untagged": "looked_up"}), records)])


def _valid(asked: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    spans = records.select("valid_from", "valid_to", "record", looked_up="address")
    return (
        asked.join(spans, on="looked_up")
        .filter(
            (pl.col("valid_from") <= pl.col("day")).fill_null(True),
            (pl.col("day") <= pl.col("valid_to")).fill_null(True),
        )
        .group_by("address", "day")
        .agg(pl.col("record").min())
        .join(records.select("record", "mailbox"), on="record", validate="m:1")
    )
