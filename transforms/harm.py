"""What one count did to each account: the facts that customer care and redress go by.

An account is down while at least one of its messages has waited for the headline's threshold; several that wait at
once count once.
"""

import polars as pl


def harmed_accounts(accounts: pl.DataFrame, downtime: pl.DataFrame) -> pl.DataFrame:
    """Return one row per account with a late, lost or waiting message, from ACCOUNTS and DOWNTIME.

    Columns: those of ACCOUNTS that are added up or the worst of an account's segments, `segments` (a sorted list: more
    than one where it changed in the window) and `down_seconds`.
    """
    of_account = accounts.group_by("account_id").agg(
        pl.col("customer_id").min(),
        pl.col("segment").unique().sort().alias("segments"),
        pl.col("late_deliveries", "lost_deliveries", "pending_deliveries").sum(),
        pl.col("longest_delay_seconds").max(),
    )
    return (
        of_account.join(_down(downtime), on="account_id", how="left", validate="1:1")
        .with_columns(pl.col("down_seconds").fill_null(0.0))
        .filter(pl.any_horizontal(pl.col("late_deliveries", "lost_deliveries", "pending_deliveries") > 0))
    )


def _down(downtime: pl.DataFrame) -> pl.DataFrame:
    """Return how long each account was down; what several spans have in common counts once."""
    spans = downtime.filter(unit="account").sort("entity_id", "start_at", "end_at")
    reached = pl.col("end_at").shift().cum_max().over("entity_id")
    new = pl.col("end_at") - pl.max_horizontal("start_at", reached)
    seconds = pl.max_horizontal(new.dt.total_milliseconds(), 0).sum() / 1000
    return spans.group_by(pl.col("entity_id").alias("account_id")).agg(seconds.alias("down_seconds"))
