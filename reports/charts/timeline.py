"""What happened: arrivals, backlog and delay by time, with the incident's window shaded."""

from typing import Any

import plotly.graph_objects as go
import polars as pl

from reports import words
from reports.charts import base, time_axis
from reports.charts.base import Chart
from reports.charts.delay_by_time import delay_chart
from reports.publication import Publication
from reports.timeline import Facts, facts, steps


def timeline_charts(p: Publication) -> list[Chart]:
    """Return the three charts over the whole log on one time axis; none where no step was counted."""
    frame, known = steps(p), facts(p)
    if frame is None or known is None:
        return []
    return [_arrivals(p, frame, known), _backlog(p, frame, known), delay_chart(p, frame, known)]


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
            traces,
            280,
            **time_axis.layout(p, frame, base.axis(f"deliveries per {step}", rangemode="tozero", tickformat=",")),
        ),
        table=time_axis.step_table(
            p, frame, "arrivals", "Deliveries that arrived in each step", ("arrivals", "arrivals_bulk")
        ),
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
            **time_axis.layout(p, frame, base.axis("deliveries waiting", rangemode="tozero", tickformat=",")),
        ),
        table=time_axis.step_table(
            p, frame, "backlog", "Deliveries waiting at the end of each step", ("backlog", "backlog_bulk")
        ),
    )


def _stack(p: Publication, frame: pl.DataFrame, everything: str, bulk: str) -> list[Any]:
    at = time_axis.clock_times(p, frame)
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
