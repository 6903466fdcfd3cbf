"""The one time axis of the charts over the whole log, their shading of the window, and their table."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from reports import page_table, words
from reports.charts import base
from reports.page_table import PageTable
from reports.publication import Publication

_STOPS = [
    {"dtickrange": [None, 1000], "value": "%H:%M:%S.%L"},
    {"dtickrange": [1000, 60000], "value": "%H:%M:%S"},
    {"dtickrange": [60000, 43200000], "value": "%H:%M\n%-d %b"},
    {"dtickrange": [43200000, None], "value": "%-d %b\n%Y"},
]
_MARGIN = {"l": 78, "r": 16, "t": 62, "b": 52}
"""The same for all three, so that one instant stands at one place down the page."""


def layout(p: Publication, frame: pl.DataFrame, y: dict[str, Any]) -> dict[str, Any]:
    window, offset = p.settings.window, _offset(p)
    start, end = ((at + offset).replace(tzinfo=None) for at in (window.start, window.end))
    at = clock_times(p, frame)
    last = at[-1] + timedelta(seconds=frame["step_seconds"][-1])
    zone = f"{words.zone_name(window.start, p.settings.timezone)} ({base.for_chart(p.settings.timezone)})"
    x = base.axis(
        f"time, {zone}", type="date", showgrid=False, range=[at[0], last], fixedrange=False, tickformatstops=_STOPS
    )
    return {
        "xaxis": x | {"automargin": False},
        "yaxis": y | {"automargin": False},
        "hovermode": "x unified",
        "margin": _MARGIN,
        "legend": {"y": 1.1, "traceorder": "normal"},
        "shapes": [
            {
                "type": "rect",
                "xref": "x",
                "yref": "paper",
                "x0": start,
                "x1": end,
                "y0": 0,
                "y1": 1,
                "fillcolor": "var(--window)",
                "line": {"width": 0},
                "layer": "below",
            }
        ],
        "annotations": [
            {
                "x": start,
                "y": 1,
                "xref": "x",
                "yref": "paper",
                "text": "the window",
                "showarrow": False,
                "xanchor": "left",
                "yanchor": "bottom",
                "xshift": 0,
                "font": {"size": 12, "color": base.MUTED},
            }
        ],
    }


def clock_times(p: Publication, frame: pl.DataFrame) -> list[datetime]:
    """Return the steps' starts as clock time in the window's own offset, which holds over the whole axis."""
    offset = _offset(p)
    return [(at + offset).replace(tzinfo=None) for at in frame["start_at"]]


def _offset(p: Publication) -> timedelta:
    return p.settings.window.start.astimezone(ZoneInfo(p.settings.timezone)).utcoffset() or timedelta()


def step_table(p: Publication, frame: pl.DataFrame, name: str, caption: str, columns: tuple[str, ...]) -> PageTable:
    heads = {
        "arrivals": "arrived",
        "arrivals_bulk": "of them bulk",
        "backlog": "waiting",
        "backlog_bulk": "of them bulk",
        "delay_median_seconds": "median delay",
        "delay_p95_seconds": "95th percentile",
    }
    say = page_table.seconds if name == "delay-by-time" else page_table.count
    has_bulk = columns[-1].endswith("_bulk")
    rows = tuple(
        (
            page_table.when(row["start_at"], p.settings.timezone),
            *(say(row[c]) for c in columns),
            *([page_table.share(row[columns[1]], row[columns[0]])] if has_bulk else []),
        )
        for row in frame.iter_rows(named=True)
    )
    shown = ("step begins", *(heads[c] for c in columns), *(["bulk share"] if has_bulk else []))
    return PageTable(f"{name}-table", caption, shown, rows)
