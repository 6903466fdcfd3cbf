"""How long mail took, by the time at which it arrived: median and 95th percentile."""

import math
from typing import Any

import plotly.graph_objects as go
import polars as pl

from reports import words
from reports.charts import base, time_axis
from reports.charts.base import Chart
from reports.publication import Publication
from reports.timeline import Facts

_TICKS = (0.1, 1, 10, 60, 600, 3600, 6 * 3600, 86400, 4 * 86400)


def delay_chart(p: Publication, frame: pl.DataFrame, known: Facts) -> Chart:
    lead = "No delay is known in the window."
    if known.worst_median_seconds is not None:
        lead = (
            f"Half of what arrived at the worst moment, {words.instant(known.worst_median_at, p.settings.timezone)}, "
        )
        lead += f"took {words.duration(known.worst_median_seconds)} or more."
    at = time_axis.clock_times(p, frame)
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
    y = base.axis(
        "delay (logarithmic)",
        type="log",
        tickvals=ticks,
        ticktext=[f"≤ {words.short_duration(t)}" if t == _TICKS[0] else words.short_duration(t) for t in ticks],
    )
    layout = time_axis.layout(p, frame, y)
    threshold = p.headline.threshold_seconds
    layout["shapes"] = [*layout["shapes"], _line(threshold)]
    layout["annotations"] = [*layout["annotations"], _line_label(threshold)]
    return Chart(
        id="delay-by-time",
        title="Delay by time of arrival",
        lead=lead,
        alternative="Two lines on a logarithmic scale: median and 95th percentile of delay.",
        figure=base.finish(traces, 300, **layout),
        table=time_axis.step_table(
            p,
            frame,
            "delay-by-time",
            "Delay of what arrived in each step",
            ("delay_median_seconds", "delay_p95_seconds"),
        ),
    )


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
