"""Which message is each leg part of, and which messages arrived in the window, or in an ordinary one?"""

import polars as pl

from transforms.settings import Interval

_ROUNDS = 24  # pointer jumping doubles its reach: chains of 2^24 legs; what is left is a circle of forged lines


def find_chains(hops: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """Return number, root, depth of every leg that isn't the first of its chain; the first have no row.

    Of several legs that lead to one, the earliest is its parent. Legs in a circle are first legs.
    """
    links = pl.concat([hops.select("child", "number"), former.select(child="number", number="former_leg")])
    linked = links.group_by("child").agg(root=pl.col("number").min()).rename({"child": "number"})
    moving = linked.with_columns(depth=pl.lit(1, pl.UInt32))
    for _ in range(_ROUNDS):
        onward = moving.select(root="number", next_root="root", next_depth="depth")
        stepped = moving.join(onward, on="root", how="left", validate="m:1")
        if stepped["next_root"].null_count() == stepped.height:
            return moving
        moving = stepped.select(
            "number",
            root=pl.coalesce("next_root", "root"),
            depth=pl.col("depth") + pl.col("next_depth").fill_null(0),
        )
    return moving.join(moving.select(root="number"), on="root", how="anti")


def is_within(arrival: str, span: Interval) -> pl.Expr:
    """Say whether an arrival (µs) lies in a window: its start belongs to it, its end does not."""
    start, end = pl.lit(span.start).dt.epoch("us"), pl.lit(span.end).dt.epoch("us")
    return (pl.col(arrival) >= start) & (pl.col(arrival) < end)


def messages_in_windows(
    spans: tuple[Interval, ...], links: pl.DataFrame, chains: pl.DataFrame, notices: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the messages that arrived in any of these windows (root, is_bulk, arrived) and all their legs.

    The legs have number, root, depth and message_arrival. The sender is that of the first leg where it is known, else
    of the next that knows it.
    """
    first = (
        links.filter(pl.any_horizontal(is_within("arrival", span) for span in spans))
        .join(chains, on="number", how="anti")
        .join(notices, on="number", how="anti")
        .select("arrival", "is_bulk", root="number")
    )
    later = chains.join(first.select("root", message_arrival="arrival"), on="root", validate="m:1")
    anonymous = later.join(first.filter(pl.col("is_bulk").is_null()), on="root", how="semi")
    known = (
        anonymous.join(links.select("number", later_is_bulk="is_bulk"), on="number", validate="1:1")
        .filter(pl.col("later_is_bulk").is_not_null())
        .sort("depth", "number")
        .unique("root", keep="first", maintain_order=True)
        .select("root", "later_is_bulk")
    )
    messages = first.join(known, on="root", how="left", validate="1:1").select(
        "root", is_bulk=pl.coalesce("is_bulk", "later_is_bulk", pl.lit(False)), arrived="arrival"
    )
    own = first.select("root", message_arrival="arrival", number="root", depth=pl.lit(0, pl.UInt32))
    columns = ["number", "root", "depth", "message_arrival"]
    return messages, pl.concat([own.select(columns), later.select(columns)])
