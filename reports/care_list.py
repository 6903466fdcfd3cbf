"""Whom to write to first, and what to tell them: one row per account that was harmed, in the order of harm.

Order: who lost most messages, for they will never arrive; then who was down longest; then whose message took longest;
then who had most late ones (`transforms/harm.py` says what down is). Restricted: it names accounts, and goes to
customer care alone.
"""

from typing import Any

import polars as pl
from markupsafe import escape

from expectations.tables import CARE_LIST
from reports import words
from reports.page import macro, render
from transforms.harm import harmed_accounts
from transforms.settings import Settings

ON_THE_PAGE = 500
"""Accounts that the page shows; it says so, and the table holds all."""


def care_list(accounts: pl.DataFrame, downtime: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Return CARE_LIST of a count, from ACCOUNTS and DOWNTIME."""
    harmed = (
        harmed_accounts(accounts, downtime)
        .with_columns(pl.col("segments").list.join(" and ").alias("segment"))
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
    window, zone = settings.window, settings.timezone
    of_all = {
        "threshold": words.duration(settings.headline.threshold_seconds),
        "when": words.span(window.start, window.end, zone),
        "as_of": words.instant(settings.as_of, zone),
    }
    what_happened, letter = macro("care_words.txt.j2"), macro("letter.txt.j2")
    facts = [of_all | _facts(row) for row in harmed.iter_rows(named=True)]
    told = [
        {"what_happened": " ".join(what_happened(**fact).split()), "letter": letter(**fact).strip()} for fact in facts
    ]
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


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "late": row["late_deliveries"],
        "lost": row["lost_deliveries"],
        "pending": row["pending_deliveries"],
        "longest": words.duration(row["longest_delay_seconds"]),
        "down": words.duration(row["down_seconds"]) if row["down_seconds"] >= 1 else "",
    }
