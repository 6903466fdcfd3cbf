"""What redress would cost: each what-if scheme by segment and cut, and who falls just under a cut."""

from typing import Any

import polars as pl

from reports import page_table
from reports.page_table import Entry, PageTable
from reports.publication import Publication

_MEASURES = {
    "late": ("late message", "late messages"),
    "lost": ("lost message", "lost messages"),
    "hours": ("hour down", "hours down"),
    "days": ("day down", "days down"),
    "longest": ("hour of the longest wait", "hours of the longest wait"),
}


def redress_table(p: Publication) -> PageTable | None:
    """Return what each scheme would pay: its sum, then its cuts, for all and by segment; None without a policy."""
    if p.redress is None or p.redress.is_empty():
        return None
    rows = []
    for (_, _), cuts in p.redress.group_by("scheme", "segment", maintain_order=True):
        if cuts.height > 1:
            rows.append(_row(_sum(cuts), p.currency, "all of it"))
        rows += [_row(row, p.currency, _from(row)) for row in cuts.iter_rows(named=True)]
    heads = ("scheme", "segment", "from", f"each, {p.currency}", "accounts", f"cost, {p.currency}", "just under it")
    return PageTable("redress-table", "What redress would cost, if it were paid so", heads, tuple(rows))


def _sum(cuts: pl.DataFrame) -> dict[str, Any]:
    added = cuts.select(pl.col("accounts", "cost").sum(), pl.col("just_under").sum()).row(0, named=True)
    return cuts.row(0, named=True) | added | {"pay": None}


def _from(row: dict[str, Any]) -> str:
    one, more = _MEASURES[row["measure"]]
    if row["is_each"]:
        return f"each {one}"
    return f"{row['cut']:g} {one if row['cut'] == 1 else more}"


def _row(row: dict[str, Any], currency: str, start: str) -> tuple[Entry, ...]:
    return (
        page_table.text(row["scheme"]),
        page_table.text(row["segment"]),
        page_table.text(start),
        _money(row["pay"], currency),
        page_table.count(row["accounts"]),
        _money(row["cost"], currency),
        page_table.count(row["just_under"]),
    )


def _money(amount: float | None, currency: str) -> Entry:
    """Return an entry with an amount: hundredths are shown where there are any."""
    if amount is None:
        return Entry("–", "", is_number=True)
    return Entry(f"{amount:,.2f}".removesuffix(".00"), f"{amount:.2f}", is_number=True, saved_in=currency)
