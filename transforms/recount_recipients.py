"""What does each queue file say of each of its recipients, and which line ended it?

One row per leg, recipient and original recipient. Of several lines that end a recipient the first counts, `forwarded`
only where there is no other.
"""

import polars as pl

_ROW = ["leg", "address", "original"]
_MOST_LINES = 2**32  # of one file
_FINAL = ("sent", "forwarded", "bounced", "expired", "discarded")
_SAID = ["ended_at", "status", "delay", "related", "relay", "is_unknown_mailbox"]


def read_recipients(events: pl.LazyFrame, legs: pl.DataFrame) -> pl.DataFrame:
    """Return one row per leg, address and original. `events` has `leg`, `legs` are theirs.

    Columns: place (of the leg), address, original, is_local, is_original_local, is_tried, named_at, first_at,
    first_line (file and line in one number), and of the line that ended it, null while there is none: ended_at,
    status, delay, related, relay, is_unknown_mailbox. A queue listing speaks for the legs that it lists.
    """
    kind = pl.col("kind")
    is_final = kind.eq("attempted") & pl.col("status").is_in(_FINAL)
    spoken = events.filter(kind.is_in(["attempted", "accepted", "snapshot"]), pl.col("address").is_not_null())
    final = spoken.with_columns(pl.when(is_final).then(c).alias(c) for c in _SAID[1:]).with_columns(
        ended_at=pl.when(is_final).then("at")
    )
    rows = (
        final.select(
            *_ROW,
            *_SAID,
            "is_local",
            "is_original_local",
            "at",
            line=pl.col("file").fill_null(0).cast(pl.UInt64) * _MOST_LINES + pl.col("line"),
            is_tried=kind == "attempted",
            is_listing=kind == "snapshot",
            named_at=pl.when(kind == "accepted").then("at"),
            is_end=is_final.fill_null(False),
        )
        .group_by(_ROW)
        .agg(
            pl.col("is_local", "is_original_local").first(),
            pl.col("is_tried", "is_listing", "is_unknown_mailbox").any(),
            pl.col("named_at", "ended_at", "status", "delay", "related", "relay").min(),
            first_at=pl.col("at").min(),
            first_line=pl.col("line").min(),
            ends=pl.col("is_end").sum(),
        )
        .collect()
    )
    told = _placed(_with_first_ends(rows, final), legs)
    return told.join(legs.select("leg", "place"), on="leg", validate="m:1").drop("leg")


def _with_first_ends(rows: pl.DataFrame, final: pl.LazyFrame) -> pl.DataFrame:
    """Replace what was mixed from several lines that end a recipient by what the first of them says."""
    several = rows.filter(pl.col("ends") > 1)
    if several.is_empty():
        return rows.drop("ends")
    first = (
        final.filter(pl.col("ended_at").is_not_null())
        .join(several.lazy().select(_ROW), on=_ROW, how="semi", nulls_equal=True)
        .select(*_ROW, *_SAID, "line", "file")
        .sort(pl.col("status") == "forwarded", "ended_at", "file", "line")
        .unique(_ROW, keep="first", maintain_order=True)
        .drop("line", "file")
        .collect()
    )
    settled = several.drop(_SAID).join(first, on=_ROW, nulls_equal=True, validate="1:1").select(rows.columns)
    return pl.concat([rows.filter(pl.col("ends") <= 1), settled]).drop("ends")


def _placed(rows: pl.DataFrame, legs: pl.DataFrame) -> pl.DataFrame:
    """Give what a listing says to the leg that it lists; of a queue file that had just ended it is left out."""
    logged = rows.filter(~pl.col("is_listing")).drop("is_listing")
    listed = legs.filter("is_listed").select("leg", "queue")
    waiting = rows.filter("is_listing").rename({"leg": "queue"}).join(listed, on="queue", validate="m:1")
    if waiting.is_empty():
        return logged
    placed = pl.concat([logged, waiting.select(logged.columns)])
    twice = placed.select(_ROW).is_duplicated()
    merged = (
        placed.filter(twice)
        .group_by(_ROW)
        .agg(pl.col("is_tried").any(), pl.exclude(*_ROW, "is_tried").drop_nulls().first())
    )
    return pl.concat([placed.filter(~twice), merged.select(placed.columns)])
