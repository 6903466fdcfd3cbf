"""Ordinary time by the headline's definition: each ordinary window, their mean and range, and the excess."""

import polars as pl

from reports import page_table, words
from reports.cells import cell
from reports.page_table import PageTable
from reports.publication import Publication


def ordinary_range(p: Publication, segment: str = "all") -> tuple[int, int] | None:
    """Return the fewest and the most that an ordinary window has of the headline's cell; None where there is none."""
    counts = [] if p.ordinary is None else p.ordinary.filter(segment=segment)["measured"].to_list()
    return (min(counts), max(counts)) if counts else None


def range_words(p: Publication) -> str:
    """Return the range over several ordinary windows as it follows their mean; empty for fewer than two."""
    if p.ordinary is None or p.ordinary["start_at"].n_unique() < 2:
        return ""
    found = ordinary_range(p)
    return f" ({words.number(found[0])} to {words.number(found[1])})" if found else ""


def baseline_table(p: Publication) -> PageTable | None:
    """Return the headline's cells beside ordinary time: mean, fewest, most and excess, by segment."""
    rows = []
    for segment in [] if p.ordinary is None else _segments(p.ordinary):
        found, span = cell(p, p.headline, segment), ordinary_range(p, segment)
        if found and span:
            excess = page_table.count(None if found.excess is None else round(found.excess, 1))
            figures = (page_table.figure(found, "measured"), page_table.figure(found, "baseline"))
            rows.append((page_table.text(segment), *figures, *map(page_table.count, span), excess))
    heads = ("segment", "measured", "ordinarily (mean)", "fewest", "most", "more than ordinary")
    title = f"{words.units(p.headline.unit).capitalize()} by the headline’s definition, beside ordinary time"
    return PageTable("baseline-table", title, heads, tuple(rows)) if rows else None


def windows_table(p: Publication) -> PageTable | None:
    """Return each ordinary window with its count in every segment; None where there is none."""
    if p.ordinary is None or p.ordinary.is_empty():
        return None
    zone, names = p.settings.timezone, _segments(p.ordinary)
    counts = {(row[0], row[1]): row[2] for row in p.ordinary.select("start_at", "segment", "measured").iter_rows()}
    rows = tuple(
        (
            page_table.when(start, zone),
            page_table.when(end, zone),
            *(page_table.count(counts.get((start, name))) for name in names),
        )
        for start, end in p.ordinary.select("start_at", "end_at").unique().sort("start_at").iter_rows()
    )
    heads = ("start", "end", *(words.sentence(name) for name in names))
    return PageTable("ordinary-windows-table", "Each ordinary window", heads, rows)


def _segments(ordinary: pl.DataFrame) -> list[str]:
    names = ordinary["segment"].unique(maintain_order=True).to_list()
    return sorted(names, key=lambda name: (name != "all", name == "unmatched", name))
