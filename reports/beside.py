"""What stands beside the figures: other windows, time up, and scales that others judge by."""

from datetime import datetime
from typing import Any

import polars as pl

from reports import page_table, words
from reports.page_table import Entry, PageTable
from reports.publication import Publication


def windows_table(p: Publication) -> PageTable | None:
    """Return the declared window beside those that change points find; None where none was looked for."""
    if p.windows is None or p.windows.is_empty():
        return None
    zone = p.settings.timezone
    rows = tuple(
        (
            page_table.text(_named(row)),
            page_table.count(row["penalty"]),
            page_table.count(row.get("measured")),
            page_table.when(row["start_at"], zone),
            page_table.when(row["end_at"], zone),
            page_table.seconds(_length(row["start_at"], row["end_at"])),
            page_table.count(row["change_points"]),
        )
        for row in p.windows.iter_rows(named=True)
    )
    heads = ("window", "penalty", f"{words.units(p.headline.unit)} in it", "start", "end", "length", "change points")
    return PageTable("windows-table", "The window, declared and detected", heads, rows)


def _named(row: dict[str, Any]) -> str:
    return row["source"] + (" as fixed" if row["is_default"] else "") + (", used" if row["is_used"] else "")


def uptime_table(p: Publication) -> PageTable | None:
    """Return user-uptime over the window and in its worst stretches, per segment; None where none was measured."""
    if p.uptime is None or p.uptime.is_empty():
        return None
    rows = tuple(
        (
            page_table.text(row["segment"]),
            page_table.seconds(row["window_seconds"]),
            page_table.when(row["worst_start_at"], p.settings.timezone),
            page_table.share(row["uptime_share"], 1),
            page_table.count(row["accounts"]),
            page_table.count(round(row["down_seconds"] / 3600, 2)),
        )
        for row in p.uptime.iter_rows(named=True)
    )
    heads = ("segment", "worst stretch of", "which began", "time up", "accounts with mail", "account-hours down")
    return PageTable("uptime-table", "Time up, over all and in the worst stretches", heads, rows)


def refusals_table(p: Publication) -> PageTable | None:
    """Return the waits in senders' queues after our own temporary refusals, by segment; None where there were none."""
    if p.refusals is None or p.refusals.is_empty():
        return None
    rows = tuple(
        (
            page_table.text(row["segment"]),
            page_table.text(words.messages(row["messages"])),
            page_table.count(row["waits"]),
            page_table.count(row["accepted"]),
            page_table.count(row["never_accepted"]),
            page_table.seconds(row["median_wait_seconds"]),
            page_table.seconds(row["longest_wait_seconds"]),
            page_table.count(row["late_only_with_wait"]),
        )
        for row in p.refusals.sort(pl.col("segment") != "all", "segment", "messages").iter_rows(named=True)
    )
    late = f"late by {words.duration(p.headline.threshold_seconds)} only with this wait"
    heads = ("segment", "messages", "turned away", "accepted later", "never accepted", "median wait", "longest", late)
    return PageTable("refusals-table", "Mail that we turned away for the time being, in the window", heads, rows)


def scales_table(p: Publication) -> PageTable | None:
    """Return regulators' scales as illustrations, each with its caveat; None where none was applied."""
    if p.scales is None or p.scales.is_empty():
        return None
    rows = tuple(
        (
            page_table.text(row["scale"]),
            page_table.text(row["criterion"]),
            _quantity(row["observed"], row["unit"]),
            _quantity(row["threshold"], row["unit"]),
            page_table.text({True: "would be met", False: "would not be met", None: "no figure"}[row["is_met"]]),
        )
        for row in p.scales.iter_rows(named=True)
    )
    heads = ("scale", "criterion", "observed", "from", "if e-mail were in scope")
    return PageTable("scales-table", "Regulators’ scales, as illustrations", heads, rows)


def scale_notes(p: Publication) -> list[dict[str, str]]:
    """Return each scale's source and why it may not apply, once."""
    if p.scales is None:
        return []
    return list(p.scales.select("scale", "source", "caveat").unique(maintain_order=True).iter_rows(named=True))


def _quantity(value: float | None, unit: str) -> Entry:
    if unit == "s":
        return page_table.seconds(value)
    plain = page_table.count(value)
    return plain if value is None else Entry(f"{plain.text} {unit}", plain.value, True)


def _length(start: object, end: object) -> float | None:
    return (end - start).total_seconds() if isinstance(start, datetime) and isinstance(end, datetime) else None
