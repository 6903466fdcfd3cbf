"""What happened: arrivals, backlog and delay by time, with the incident's window shaded."""

import math
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import polars as pl

from reports import page_table, words
from reports.charts import base
from reports.charts.base import Chart
from reports.page_table import PageTable
from reports.publication import Publication
from reports.timeline import Facts, facts, steps

_STOPS = [
    {"dtickrange": [None, 1000], "value": "%H:%M:%S.%L"},
    {"dtickrange": [1000, 60000], "value": "%H:%M:%S"},
    {"dtickrange": [60000, 43200000], "value": "%H:%M\n%-d %b"},
    {"dtickrange": [43200000, None], "value": "%-d %b\n%Y"},
]
_MARGIN = {"l": 78, "r": 16, "t": 62, "b": 52}
"""The same for all three, so that one instant stands at one place down the page."""
_TICKS = (0.1, 1, 10, 60, 600, 3600, 6 * 3600, 86400, 4 * 86400)


def timeline_charts(p: Publication) -> list[Chart]:
    """Return the three charts over the whole log on one time axis; none where no step was counted."""
    frame, known = steps(p), facts(p)
    if frame is None or known is None:
        return []
    return [_arrivals(p, frame, known), _backlog(p, frame, known), _delay(p, frame, known)]


def _arrivals(p: Publication, frame: pl.DataFrame, known: Facts) -> Chart:
    step = words.duration(frame["step_seconds"].median()).removeprefix("1 ")  # type: ignore[arg-type]
    bulk = words.percent(known.bulk_in_window, known.arrivals_in_window)
    lead = f"{words.number(known.arrivals_in_window)} deliveries arrived in the window"
    lead += f"; bulk senders sent {bulk} of them." if p.settings.bulk_senders else "; no bulk sender was declared."
    traces = _stack(p, frame, "arrivals", "arrivals_bulk")
    return Chart(
        id="arrivals",
        title="Arrivals by time",
        lead=lead,
        alternative=f"Stacked areas: deliveries that arrived in each step of {step}, ordinary and bulk.",
        figure=base.finish(
            traces, 280, **_layout(p, frame, base.axis(f"deliveries per {step}", rangemode="tozero", tickformat=","))
        ),
        table=_table(p, frame, "arrivals", "Deliveries that arrived in each step", ("arrivals", "arrivals_bulk")),
    )


def _backlog(p: Publication, frame: pl.DataFrame, known: Facts) -> Chart:
    lead = "No mail waited at the end of any step."
    if known.peak_at:
        lead = f"At its longest, {words.instant(known.peak_at, p.settings.timezone)}, "
        lead += f"{words.number(known.peak_backlog)} deliveries waited"
        share = words.percent(known.peak_backlog_bulk, known.peak_backlog)
        lead += f"; {share} of them bulk." if p.settings.bulk_senders else "."
    return Chart(
        id="backlog",
        title="Backlog by time",
        lead=lead,
        alternative="Stacked areas: deliveries waiting at the end of each step, ordinary and bulk.",
        figure=base.finish(
            _stack(p, frame, "backlog", "backlog_bulk"),
            280,
            **_layout(p, frame, base.axis("deliveries waiting", rangemode="tozero", tickformat=",")),
        ),
        table=_table(p, frame, "backlog", "Deliveries waiting at the end of each step", ("backlog", "backlog_bulk")),
    )


def _delay(p: Publication, frame: pl.DataFrame, known: Facts) -> Chart:
    lead = "No delay is known in the window."
    if known.worst_median_seconds is not None:
        lead = (
            f"Half of what arrived at the worst moment, {words.instant(known.worst_median_at, p.settings.timezone)}, "
        )
        lead += f"took {words.duration(known.worst_median_seconds)} or more."
    at = _local(p, frame)
    floor = pl.col("delay_median_seconds", "delay_p95_seconds").clip(lower_bound=_TICKS[0])
    shown = frame.with_columns(floor)
    highest = shown["delay_p95_seconds"].max() or 1.0
    ticks = [t for t in _TICKS if t <= float(highest) * 1.5]  # type: ignore[arg-type]
    traces = [
        go.Scatter(
            x=at,
            y=shown["delay_p95_seconds"].to_list(),
            name="95th percentile",
            line={"color": base.ACCENT, "width": 1.25, "dash": "dot"},
            hovertemplate="%{text}<extra>95th percentile</extra>",
            text=[words.short_duration(s) for s in frame["delay_p95_seconds"]],
        ),
        go.Scatter(
            x=at,
            y=shown["delay_median_seconds"].to_list(),
            name="median",
            line={"color": base.ACCENT, "width": 2.25},
            hovertemplate="%{text}<extra>median</extra>",
            text=[words.short_duration(s) for s in frame["delay_median_seconds"]],
        ),
    ]
    y = base.axis("delay (logarithmic)", type="log", tickvals=ticks, ticktext=[words.short_duration(t) for t in ticks])
    layout = _layout(p, frame, y)
    threshold = p.headline.threshold_seconds
    layout["shapes"] = [*layout["shapes"], _line(threshold)]
    layout["annotations"] = [*layout["annotations"], _line_label(threshold)]
    return Chart(
        id="delay-by-time",
        title="Delay by time of arrival",
        lead=lead,
        alternative="Two lines on a logarithmic scale: median and 95th percentile of delay.",
        figure=base.finish(traces, 300, **layout),
        table=_table(
            p,
            frame,
            "delay-by-time",
            "Delay of what arrived in each step",
            ("delay_median_seconds", "delay_p95_seconds"),
        ),
    )


def _stack(p: Publication, frame: pl.DataFrame, everything: str, bulk: str) -> list[Any]:
    at = _local(p, frame)
    ordinary = (frame[everything] - frame[bulk]).to_list()
    parts = [("ordinary mail", ordinary, base.ORDINARY)]
    if p.settings.bulk_senders:
        parts.append(("bulk senders", frame[bulk].to_list(), base.BULK))
    return [
        go.Scatter(
            x=at,
            y=values,
            name=name,
            stackgroup="all",
            mode="lines",
            line={"width": 0.75, "color": colour, "shape": "hv"},
            fillcolor=colour,
            hovertemplate="%{y:,} " + name + "<extra></extra>",
        )
        for name, values, colour in parts
    ]


def _layout(p: Publication, frame: pl.DataFrame, y: dict[str, Any]) -> dict[str, Any]:
    window, offset = p.settings.window, _offset(p)
    start, end = ((at + offset).replace(tzinfo=None) for at in (window.start, window.end))
    at = _local(p, frame)
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


def _line(seconds: float) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": seconds,
        "y1": seconds,
        "line": {"color": base.INK, "width": 1, "dash": "dash"},
    }


def _line_label(seconds: float) -> dict[str, Any]:
    return {
        "xref": "paper",
        "x": 1,
        "y": math.log10(seconds),
        "text": f"late from {words.short_duration(seconds)}",
        "showarrow": False,
        "xanchor": "right",
        "yanchor": "bottom",
        "font": {"size": 12, "color": base.INK},
    }


def _local(p: Publication, frame: pl.DataFrame) -> list[datetime]:
    """Return the steps' starts as clock time in the window's own offset, which holds over the whole axis."""
    offset = _offset(p)
    return [(at + offset).replace(tzinfo=None) for at in frame["start_at"]]


def _offset(p: Publication) -> timedelta:
    return p.settings.window.start.astimezone(ZoneInfo(p.settings.timezone)).utcoffset() or timedelta()


def _table(p: Publication, frame: pl.DataFrame, name: str, caption: str, columns: tuple[str, ...]) -> PageTable:
    heads = {
        "arrivals": "arrived",
        "arrivals_bulk": "of them bulk",
        "backlog": "waiting",
        "backlog_bulk": "of them bulk",
        "delay_median_seconds": "median delay",
        "delay_p95_seconds": "95th percentile",
    }
    say = page_table.seconds if name == "delay-by-time" else page_table.count
    rows = tuple(
        (page_table.when(row["start_at"], p.settings.timezone), *(say(row[c]) for c in columns))
        for row in frame.iter_rows(named=True)
    )
    return PageTable(f"{name}-table", caption, ("step begins", *(heads[c] for c in columns)), rows)
