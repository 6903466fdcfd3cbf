"""Which address did the sender write?

Of the rows of a delivery, those of the earliest queue file; of these what was named at arrival, then the mailbox's
own name, then the first line. What was written is the original recipient, else the recipient.
"""

import polars as pl

_DELIVERY = ["root", "target"]


def written_addresses(judged: pl.DataFrame) -> pl.DataFrame:
    """Return root, target, written (code): one row per delivery.

    `judged` are the rows of whole messages with root, target, depth, mailbox and `is_tried_by_name`, those that were
    handed on too.
    """
    told = judged.filter("is_ours", ~pl.col("is_tried_by_name") | pl.col("named_at").is_not_null())
    spoken = told.select(
        *_DELIVERY,
        "depth",
        "named_at",
        "mailbox",
        "first_at",
        "first_line",
        "first_place",
        written=pl.coalesce("original", "address"),
    )
    first = spoken.filter(pl.col("depth") == 0)
    later = spoken.filter(pl.col("depth") > 0).join(first, on=_DELIVERY, how="anti")
    both = pl.concat([first, later])
    twice = both.select(_DELIVERY).is_duplicated()
    chosen = (
        both.filter(twice)
        .sort(
            "depth",
            "named_at",
            pl.col("written").ne_missing(pl.col("mailbox")),
            "first_at",
            "first_line",
            "first_place",
            nulls_last=True,
        )
        .unique(_DELIVERY, keep="first", maintain_order=True)
    )
    return pl.concat([both.filter(~twice), chosen]).select(*_DELIVERY, "written")
