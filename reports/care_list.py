"""Whom to write to first, and what to tell them: one row per account that was harmed, in the order of harm.

Order: who lost most messages, for they will never arrive; then who was down longest; then whose message took longest;
then who had most late ones. Down is time in which at least one message had waited for the headline's threshold; several
that wait at once count once. Restricted: it names accounts, and goes to customer care alone.
"""

from typing import Any

import polars as pl
from markupsafe import escape

from expectations.tables import CARE_LIST
from reports import words
from reports.page import render
from transforms.settings import Settings

ON_THE_PAGE = 500
"""Accounts that the page shows; it says so, and the table holds all."""


def care_list(accounts: pl.DataFrame, downtime: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Return CARE_LIST of a count, from ACCOUNTS and DOWNTIME."""
    of_account = accounts.group_by("account_id").agg(
        pl.col("customer_id").min(),
        pl.col("segment").unique().sort().str.join(" and "),
        pl.col("late_deliveries", "lost_deliveries", "pending_deliveries").sum(),
        pl.col("longest_delay_seconds").max(),
    )
    harmed = (
        of_account.join(_down(downtime), on="account_id", how="left", validate="1:1")
        .with_columns(pl.col("down_seconds").fill_null(0.0))
        .filter(pl.any_horizontal(pl.col("late_deliveries", "lost_deliveries", "pending_deliveries") > 0))
        .sort(
            "lost_deliveries",
            "down_seconds",
            "longest_delay_seconds",
            "late_deliveries",
            "account_id",
            descending=[True, True, True, True, False],
        )
        .with_row_index("place", offset=1)
    )
    told = [_told(settings, row) for row in harmed.iter_rows(named=True)]
    return CARE_LIST.conform(harmed.hstack(pl.DataFrame(told, {"what_happened": pl.String, "letter": pl.String})))


def care_page(title: str, settings: Settings, listed: pl.DataFrame) -> str:
    """Return the page for customer care: the first accounts to write to, and the rule of their order."""
    rows = [
        row | {"account_id": escape(row["account_id"])}  # Markup: to be shown even where it is an address
        for row in listed.head(ON_THE_PAGE).iter_rows(named=True)
    ]
    when = words.span(settings.window.start, settings.window.end, settings.timezone)
    threshold = settings.headline.threshold_seconds
    return render("care_list.html.j2", title=title, when=when, threshold=threshold, rows=rows, total=listed.height)


def _down(downtime: pl.DataFrame) -> pl.DataFrame:
    """Return how long each account was down; what several spans have in common counts once."""
    spans = downtime.filter(unit="account").sort("entity_id", "start_at", "end_at")
    reached = pl.col("end_at").shift().cum_max().over("entity_id")
    new = pl.col("end_at") - pl.max_horizontal("start_at", reached)
    seconds = pl.max_horizontal(new.dt.total_milliseconds(), 0).sum() / 1000
    return spans.group_by(pl.col("entity_id").alias("account_id")).agg(seconds.alias("down_seconds"))


def _told(settings: Settings, row: dict[str, Any]) -> dict[str, str]:
    window, zone = settings.window, settings.timezone
    facts = {
        "late": row["late_deliveries"],
        "lost": row["lost_deliveries"],
        "pending": row["pending_deliveries"],
        "longest": words.duration(row["longest_delay_seconds"]),
        "down": words.duration(row["down_seconds"]) if row["down_seconds"] >= 1 else "",
        "threshold": words.duration(settings.headline.threshold_seconds),
        "when": words.span(window.start, window.end, zone),
        "as_of": words.instant(settings.as_of, zone),
    }
    return {
        "what_happened": " ".join(render("care_words.txt.j2", **facts).split()),
        "letter": render("letter.txt.j2", **facts).strip(),
    }
