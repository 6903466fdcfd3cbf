"""To which lifetime of a queue file (leg) does each line belong?

The rule is in docs/methodology.md, "One queue file".
"""

import polars as pl

from transforms.recount_events import ENDS, SECOND

_NEXT_LIFETIME = 0x9E3779B97F4A7C15  # odd, so that lifetimes of one id never meet
_LINE = ("key", "kind", "at", "address", "original", "related", "status")


def tell_lifetimes(events: pl.LazyFrame) -> pl.LazyFrame:
    """Return the events (see `with_reuse`) with `leg`: the code of host, id and lifetime.

    All lines about a queue id must be there. Rows of a queue listing have their `queue` as their leg. Lines that
    overlapping files repeat are left out where they could matter.
    """
    reused = _used_again(events)
    once = events.with_columns(leg=pl.when(pl.col("kind") == "snapshot").then("queue").otherwise("key"))
    if reused.is_empty():
        return once
    several = _with_lifetimes(events.filter("is_reusable").join(reused.lazy(), on="key").collect())
    marked = reused.lazy().with_columns(is_reusable=True)
    rest = once.join(marked, on=["key", "is_reusable"], how="anti").collect()
    return pl.concat([rest, several.select(rest.columns)]).lazy()


def _used_again(events: pl.LazyFrame) -> pl.DataFrame:
    """Return the keys that may have had several lifetimes, and whether one file holds all their lines.

    Nearly every key plainly has one: in one file, a single arrival that nothing precedes and a single end that nothing
    follows.
    """
    is_end, is_arrival = pl.col("kind").is_in(ENDS), pl.col("kind") == "arrived"
    picked = events.filter("is_reusable").select(
        "key",
        "file",
        "line",
        is_arrival=is_arrival,
        is_end=is_end,
        arrived_line=pl.when(is_arrival).then("line"),
        ended_line=pl.when(is_end).then("line"),
    )
    usage = picked.group_by("key").agg(
        arrivals=pl.col("is_arrival").sum(),
        ends=pl.col("is_end").sum(),
        is_one_file=pl.col("file").min() == pl.col("file").max(),
        is_preceded=pl.col("line").min() < pl.col("arrived_line").min(),
        is_followed=pl.col("line").max() > pl.col("ended_line").max(),
    )
    is_plain = (pl.col("arrivals") <= 1) & (pl.col("ends") <= 1) & pl.col("is_one_file")
    several = usage.filter(~is_plain | pl.col("is_preceded").fill_null(False) | pl.col("is_followed").fill_null(False))
    return several.select("key", "is_one_file").collect(engine="streaming")


def _with_lifetimes(events: pl.DataFrame) -> pl.DataFrame:
    """Number the lifetimes of each key, in the file's order or, over several files, in the order of the stamps."""
    kind, at, key = pl.col("kind"), pl.col("at"), "key"
    in_order = (
        # Of repeated lines those of the file that tells most of the key: its order of lines is the whole one.
        events.with_columns(told=pl.len().over("key", "file"))
        .sort(pl.col("told"), "file", "line", descending=[True, False, False])
        .drop("told")
        .unique(subset=list(_LINE), keep="first", maintain_order=True)
        .sort(key, pl.when("is_one_file").then(0).otherwise("at"), "file", "line")
        .with_columns(
            is_after_end=kind.shift(1).over(key).is_in(ENDS).fill_null(False),
            is_first=kind.shift(1).over(key).is_null(),
            ended_before=pl.when(kind.is_in(ENDS)).then("at").shift(1).over(key),
            arrived_before=pl.when(kind == "arrived").then("at").shift(1).over(key),
        )
        .with_columns(pl.col("ended_before", "arrived_before").cum_max().forward_fill().over(key))
    )
    ended, arrived = pl.col("ended_before"), pl.col("arrived_before")
    begins = (
        pl.when(pl.col("is_first") | (kind == "arrived"))
        .then(True)
        .when(kind == "named")
        .then(ended >= pl.coalesce(arrived, ended))
        .when(kind == "queued")
        .then("is_after_end")
        .otherwise(pl.col("is_after_end") & (at - pl.col("delay").fill_null(0) > ended + 2 * SECOND))
        .fill_null(False)
    )
    numbered = in_order.with_columns(lifetime=begins.cast(pl.UInt64).cum_sum().over(key))
    leg = pl.col(key) + pl.col("lifetime") * pl.lit(_NEXT_LIFETIME, pl.UInt64)
    return numbered.with_columns(leg=leg).drop(
        "lifetime", "is_one_file", "is_after_end", "is_first", "ended_before", "arrived_before"
    )
