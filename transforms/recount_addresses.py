"""Which address did the sender write?

The one on the earliest leg of the message that speaks for the delivery: its original recipient, else its recipient.
A later leg's address that an earlier leg had itself rewritten is followed back to there. Of several the smallest in
alphabetical order counts.
"""

from pathlib import Path

import polars as pl

from transforms.recount_events import address_hash

_DELIVERY = ["root", "whose"]


def written_addresses(rows: pl.DataFrame, event_files: list[Path]) -> pl.DataFrame:
    """Return root, whose, written (code): one row per delivery. `rows` has depth, address, original, is_attempted."""
    spoken = rows.with_columns(written=pl.coalesce("original", "address"))
    earliest = _earliest(spoken)
    while True:
        is_later = pl.col("depth") > 0
        traced = _step_back(earliest.filter(is_later), spoken)
        if traced.is_empty():
            break
        kept = earliest.join(traced, on=[*_DELIVERY, "depth", "written"], how="anti")
        moved = traced.select(*_DELIVERY, depth="earlier_depth", written="earlier")
        earliest = pl.concat([kept, moved]).unique()
    return _smallest(earliest.select(*_DELIVERY, "written").unique(), event_files)


def _earliest(spoken: pl.DataFrame) -> pl.DataFrame:
    """Return the addresses on each delivery's earliest leg; one that was attempted counts before one only named."""
    first = spoken.filter(pl.col("depth") == 0)
    later = spoken.filter(pl.col("depth") > 0).join(first, on=_DELIVERY, how="anti")
    if later.height:
        depth = later.group_by(_DELIVERY).agg(pl.col("depth").min())
        first = pl.concat([first, later.join(depth, on=[*_DELIVERY, "depth"], how="semi")])
    attempted = first.filter("is_attempted")
    named = first.filter(~pl.col("is_attempted")).join(attempted, on=_DELIVERY, how="anti")
    return pl.concat([attempted, named]).select(*_DELIVERY, "depth", "written").unique()


def _step_back(earliest: pl.DataFrame, spoken: pl.DataFrame) -> pl.DataFrame:
    """Return the addresses that an earlier leg of the same message had rewritten, with what they were there."""
    before = spoken.join(earliest.select("root").unique(), on="root", how="semi").select(
        "root", earlier_depth="depth", earlier="written", written="address"
    )
    return (
        earliest.join(before, on=["root", "written"])
        .filter(pl.col("earlier_depth") < pl.col("depth"))
        .sort("earlier_depth", "earlier")
        .unique([*_DELIVERY, "depth", "written"], keep="first", maintain_order=True)
    )


def _smallest(written: pl.DataFrame, event_files: list[Path]) -> pl.DataFrame:
    several = written.filter(written.select(_DELIVERY).is_duplicated())
    if several.is_empty():
        return written
    codes = several.select("written").unique().lazy()
    scanned = pl.scan_parquet(event_files)
    texts = pl.concat(
        [
            scanned.select(text=pl.col(column).str.to_lowercase(), written=address_hash(column))
            for column in ("recipient", "original_recipient")
        ]
    )
    named = texts.join(codes, on="written", how="semi").unique().collect(engine="streaming")
    smallest = (
        several.join(named, on="written").sort("text").unique(_DELIVERY, keep="first", maintain_order=True)
    ).select(*_DELIVERY, "written")
    return pl.concat([written.join(smallest, on=_DELIVERY, how="anti"), smallest])
