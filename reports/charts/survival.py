"""How long mail waits, with pending mail counted as still waiting, beside the curve that leaves it out."""

from typing import Any

import plotly.graph_objects as go
import polars as pl

from reports import page_table, words
from reports.cells import segments
from reports.charts import base
from reports.charts.base import Chart
from reports.page_table import PageTable
from reports.publication import Publication

_TICKS = (0.1, 1, 10, 60, 600, 3600, 6 * 3600, 86400, 4 * 86400)


def survival_chart(p: Publication) -> Chart | None:
    """Return the share of the window's mail still waiting at each delay; None where no curve was made."""
    if p.survival is None:
        return None
    curves = p.survival.filter(pl.col("messages") == p.headline.messages).sort("segment", "delay_seconds")
    everything = curves.filter(segment="all")
    if everything.is_empty():
        return None
    names = [name for name in segments(p) if not curves.filter(segment=name).is_empty()]
    traces = [_line(curves.filter(segment=n), base.label(n), base.segment_colour(segments(p), n)) for n in names]
    traces += [] if len(names) > 1 else [_line(everything, "All", base.INK)]
    traces.append(_line(everything, "delivered mail alone: misleads", base.MUTED, "naive_waiting_share", "dot"))
    longest = float(everything["delay_seconds"][-1])
    ticks = [t for t in _TICKS if t <= longest * 1.5]
    return Chart(
        id="survival",
        title="Still waiting, by delay",
        lead=_lead(p, everything),
        alternative="Falling curves per segment: the share of mail that waits at least so long, from 100 % down.",
        figure=base.finish(
            traces,
            340,
            hovermode="x unified",
            xaxis=base.axis(
                "time since arrival (logarithmic)",
                type="log",
                tickvals=ticks,
                ticktext=[words.short_duration(t) for t in ticks],
                showgrid=False,
                hoverformat=",.3~s",
                tickangle=0,
            ),
            yaxis=base.axis(
                f"share still waiting, {words.messages(p.headline.messages)}", tickformat=".0%", range=[0, 1.02]
            ),
        ),
        table=_table(curves),
    )


def _line(
    curve: pl.DataFrame, name: str, colour: str, column: str = "waiting_share", dash: str = "solid"
) -> go.Scatter:
    shown = curve.filter(pl.col("delay_seconds") > 0).drop_nulls(column)
    return go.Scatter(
        mode="lines",
        name=name,
        x=shown["delay_seconds"].to_list(),
        y=shown[column].to_list(),
        line={"color": colour, "width": 2.25 if dash == "solid" else 1.5, "dash": dash},
        hovertemplate="%{y:.1%} " + name + "<extra></extra>",
    )


def _lead(p: Publication, everything: pl.DataFrame) -> str:
    at = everything.filter(delay_seconds=float(p.headline.threshold_seconds))
    if at.is_empty():
        return "Mail that still waits counts as waiting; leaving it out keeps the quick and drops the slow."
    row: dict[str, Any] = at.row(0, named=True)
    said = f"{words.percent(row['waiting_share'], 1)} waited {words.duration(p.headline.threshold_seconds)} or more"
    if row["naive_waiting_share"] is None:
        return f"{said}."
    return f"{said}; of delivered mail alone it would seem {words.percent(row['naive_waiting_share'], 1)}."


def _table(curves: pl.DataFrame) -> PageTable:
    shares = ("waiting_share", "delivered_share", "lost_share", "naive_waiting_share")
    heads = (
        "delay",
        "segment",
        "waited so long",
        "still waiting",
        "delivered sooner",
        "lost sooner",
        "delivered mail alone",
    )
    rows = tuple(
        (
            page_table.seconds(row["delay_seconds"]),
            page_table.text(row["segment"]),
            page_table.count(row["at_risk"]),
            *(page_table.share(row[c], 1) for c in shares),
        )
        for row in curves.iter_rows(named=True)
    )
    return PageTable("survival-table", "Share of the window’s mail by delay", heads, rows)
