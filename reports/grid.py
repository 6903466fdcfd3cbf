"""The whole declared grid as a table that can be filtered."""

from collections.abc import Callable
from typing import Any

from reports import page_table, words
from reports.cells import Cell, all_cells
from reports.page_table import Entry, PageTable
from reports.publication import CELL_KEY, Publication

_FILTERS = (
    ("unit", "Unit"),
    ("threshold_seconds", "Late by at least"),
    ("messages", "Messages"),
    ("count", "Outcomes"),
    ("segment", "Segment"),
)


def grid(p: Publication) -> dict[str, Any]:
    """Return the whole grid with its filters: for each key column, its values with their words."""
    cells = all_cells(p)
    filters = []
    for name, title in _FILTERS:
        values = list(dict.fromkeys(getattr(c, name) for c in cells))
        filters.append({"name": name, "title": title, "values": [(str(v), _say(name, v)) for v in values]})
    rows = tuple(_grid_row(c) for c in cells)
    heads = (
        "unit",
        "late by at least",
        "messages",
        "outcomes",
        "segment",
        "measured",
        "lower",
        "upper",
        "ordinary",
        "excess",
    )
    keys = [{name: str(getattr(c, name)) for name in CELL_KEY} for c in cells]
    return {
        "filters": filters,
        "table": PageTable("grid-table", "Every declared definition, by segment", heads, rows),
        "keys": keys,
    }


def _grid_row(c: Cell) -> tuple[Entry, ...]:
    keys = tuple(Entry(_say(name, getattr(c, name)), str(getattr(c, name))) for name, _ in _FILTERS)
    figures = (page_table.figure(c, f) for f in ("measured", "lower", "upper", "baseline"))
    return (*keys, *figures, page_table.count(None if c.excess is None else round(c.excess, 1)))


def _say(name: str, value: Any) -> str:
    say: dict[str, Callable[[Any], str]] = {
        "unit": words.units,
        "threshold_seconds": words.short_duration,
        "messages": words.messages,
        "count": words.count_word,
    }
    return say[name](value) if name in say else str(value)
