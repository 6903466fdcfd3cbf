"""What does each queue file say of each of its recipients, and which line ended it?

One row per leg, recipient and original recipient. Of several lines that end a recipient the first counts, `forwarded`
only where there is no other. Whoever is first told of as standing in for another has as original recipient whom the
sender wrote (`_as_written`).
"""

import polars as pl

_ROW = ["leg", "address", "original"]
_MOST_LINES = 2**32  # of one file
_MOST_STAND_INS = 20  # one behind the other; groups that hold each other go round
_FINAL = ("sent", "forwarded", "bounced", "expired", "discarded")
_SAID = ["ended_at", "status", "delay", "related", "relay", "is_unknown_mailbox"]


def read_recipients(events: pl.LazyFrame, legs: pl.DataFrame) -> pl.DataFrame:
    """Return one row per leg, address and original. `events` has `leg`, `legs` are theirs.

    Columns: place (of the leg), address, original, is_local, is_original_local, is_tried, is_replaced (by others that
    were put in its place; null: nobody was), named_at, first_at, first_line (file and line in one number), first_place
    (in the list of a line), and of the line that ended it, null while there is none: ended_at, status, delay, related,
    relay, is_unknown_mailbox. A queue listing speaks for the legs that it lists.
    """
    kind = pl.col("kind")
    is_final = kind.eq("attempted") & pl.col("status").is_in(_FINAL)
    told = events.filter(kind.is_in(["attempted", "accepted", "snapshot"]), pl.col("address").is_not_null())
    spoken, replaced = _as_written(told)
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
            "recipient_place",
            line=_line(),
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
            first_place=pl.col("recipient_place").min(),
            ends=pl.col("is_end").sum(),
            lines=pl.len(),
        )
        .collect()
    )
    placed = _placed(_with_first_ends(_with_first_lines(rows, final), final), legs)
    rows = placed.join(replaced, on=["leg", "address"], how="left", validate="m:1", maintain_order="left")
    return rows.join(legs.select("leg", "place"), on="leg", validate="m:1").drop("leg")


def _as_written(told: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """Return the lines with the original recipient that the sender wrote; and leg, address, is_replaced.

    The latter are those whom others were put in place of. They are replaced unless the last line that did so, or a
    later one, names them for themselves.
    """
    named = told.filter(pl.col("kind") == "accepted")
    legs = named.filter(pl.col("original").is_not_null()).select("leg").collect()
    if legs.is_empty():
        return told, legs.with_columns(address=pl.lit(0, pl.UInt64), is_replaced=True)
    some = named.join(legs.lazy(), on="leg", how="semi").with_columns(line=_line()).sort("at", "line").collect()
    step = _stand_ins(some)
    onward = step.select("leg", written="address", further="written", is_further_local="is_written_local")
    known = step
    for _ in range(_MOST_STAND_INS - 1):
        moved = known.join(onward, on=["leg", "written"], how="left", validate="m:1")
        known = moved.select(
            "leg",
            "address",
            written=pl.coalesce("further", "written"),
            is_written_local=pl.coalesce("is_further_local", "is_written_local"),
        )
        if moved["further"].null_count() == moved.height:
            break
    by_original = known.select("leg", original="address", rooted="written", is_rooted_local="is_written_local")
    spoken = told.join(known.lazy(), on=["leg", "address"], how="left", validate="m:1").join(
        by_original.lazy(), on=["leg", "original"], how="left", validate="m:1"
    )
    original = pl.coalesce("rooted", "original", "written")
    is_local = (
        pl.when(pl.col("rooted").is_not_null())
        .then("is_rooted_local")
        .when(pl.col("original").is_null() & pl.col("written").is_not_null())
        .then("is_written_local")
        .otherwise("is_original_local")
    )
    is_other = original != pl.col("address")
    written = spoken.with_columns(original=pl.when(is_other).then(original), is_original_local=is_other & is_local)
    return written, _replaced(some)


def _stand_ins(named: pl.DataFrame) -> pl.DataFrame:
    """Return leg, address, written, is_written_local: who is first told of as standing in, of accepted lines in order.

    At one moment, a name in another file is what the next server was told.
    """
    is_stand_in = pl.col("original").is_not_null()
    told = named.filter(is_stand_in).unique(["leg", "address"], keep="first", maintain_order=True)
    before = named.filter(~is_stand_in).select("leg", "address", named_at="at", named_line="line")
    at, file = pl.col("named_at"), pl.col("named_line") // _MOST_LINES
    is_same_file = (at == pl.col("at")) & (file == pl.col("line") // _MOST_LINES)
    is_named = (at < pl.col("at")) | (is_same_file & (pl.col("named_line") < pl.col("line")))
    written = told.join(before, on=["leg", "address"]).filter(is_named)
    return told.join(written, on=["leg", "address"], how="anti").select(
        "leg", "address", written="original", is_written_local="is_original_local"
    )


def _replaced(named: pl.DataFrame) -> pl.DataFrame:
    """Return leg, address, is_replaced, of accepted lines in order."""
    # Of lines that two files hold the first.
    once = named.unique(["leg", "address", "original", "at"], keep="first", maintain_order=True)
    order = once.select("leg", "address", "original", order=pl.struct("at", "line").rle_id())
    is_stand_in = pl.col("original").is_not_null()
    left = order.filter(is_stand_in).group_by("leg", address="original").agg(left=pl.col("order").max())
    last = order.filter(~is_stand_in).group_by("leg", "address").agg(last=pl.col("order").max())
    both = left.join(last, on=["leg", "address"], how="left", validate="1:1")
    return both.select("leg", "address", is_replaced=(pl.col("left") > pl.col("last")).fill_null(True))


def _line() -> pl.Expr:
    return pl.col("file").fill_null(0).cast(pl.UInt64) * _MOST_LINES + pl.col("line")


def _with_first_lines(rows: pl.DataFrame, final: pl.LazyFrame) -> pl.DataFrame:
    """Replace `first_line`, the least, by that of the first stamp, as log files lie one over the other in time.

    Only where the leg has other rows: to compare with them is what it is for.
    """
    several = rows.filter(pl.col("lines") > 1, pl.len().over("leg") > 1)
    if several.is_empty():
        return rows.drop("lines")
    first = (
        final.join(several.lazy().select(_ROW), on=_ROW, how="semi", nulls_equal=True)
        .select(*_ROW, "at", told=_line())
        .sort("at", "told")
        .unique(_ROW, keep="first", maintain_order=True)
        .drop("at")
        .collect()
    )
    told = rows.drop("lines").join(first, on=_ROW, how="left", nulls_equal=True, validate="1:1", maintain_order="left")
    return told.with_columns(first_line=pl.coalesce("told", "first_line")).drop("told")


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
