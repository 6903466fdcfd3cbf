"""How long it took: the distribution of delay, with mail that still waits in the class it has reached."""

import plotly.graph_objects as go
import polars as pl

from reports import page_table, words
from reports.charts import base
from reports.charts.base import Chart
from reports.page_table import PageTable
from reports.publication import Publication


def delays_chart(p: Publication) -> Chart | None:
    """Return deliveries that arrived in the window by delay and fate; None where none arrived."""
    if p.delays is None:
        return None
    frame = p.delays.filter((pl.col("segment") == "all") & (pl.col("messages") == p.headline.messages))
    frame = frame.sort("at_most_seconds", nulls_last=True)
    if frame.is_empty() or frame.select(pl.sum_horizontal("delivered", "pending", "lost").sum()).item() == 0:
        return None
    ticks = _classes(frame["at_most_seconds"].to_list())
    waiting, lost = int(frame["pending"].sum()), int(frame["lost"].sum())
    lead = f"{words.number(waiting)} were still waiting when the logs end, and stand in the class they had reached"
    lead = lead if waiting else "Nothing was still waiting when the logs end"
    lead += f"; {words.number(lost)} were lost." if lost else "; nothing was lost."
    parts = [
        ("delivered", base.DELIVERED, ""),
        ("still waiting", base.PENDING, "/"),
        ("lost", base.LOST, "x"),
    ]
    traces = [
        go.Bar(
            name=name,
            orientation="h",
            y=ticks,
            x=frame[column].to_list(),
            marker={
                "color": colour,
                "pattern": {
                    "shape": pattern,
                    "solidity": 0.35,
                    "fgcolor": base.PAPER,
                    "size": 7,
                    "fillmode": "overlay",
                },
            },
            hovertemplate="%{x:,} " + name + "<extra></extra>",
        )
        for (name, colour, pattern), column in zip(parts, ("delivered", "pending", "lost"), strict=True)
    ]
    return Chart(
        id="delays",
        title="Deliveries by delay",
        lead=lead,
        alternative="Stacked horizontal bars: deliveries of each class of delay, by fate.",
        figure=base.finish(
            traces,
            120 + 30 * len(ticks),
            barmode="stack",
            bargap=0.22,
            hovermode="y unified",
            xaxis=base.axis(
                f"deliveries, {words.messages(p.headline.messages)}",
                rangemode="tozero",
                tickformat=",",
                nticks=6,
                tickangle=0,
            ),
            yaxis=base.axis("delay", type="category", categoryorder="array", categoryarray=ticks[::-1], showgrid=False),
            legend={"traceorder": "normal"},
        ),
        table=_table(p.delays),
    )


def _classes(edges: list[float | None]) -> list[str]:
    below = [None, *edges[:-1]]
    return [
        f"over {words.short_duration(low)}"
        if edge is None
        else f"up to {words.short_duration(edge)}"
        if low is None
        else f"{words.short_duration(low)} – {words.short_duration(edge)}"
        for low, edge in zip(below, edges, strict=True)
    ]


def _table(delays: pl.DataFrame) -> PageTable:
    rows = []
    for (segment, messages), part in delays.group_by("segment", "messages", maintain_order=True):
        part = part.sort("at_most_seconds", nulls_last=True)
        for name, row in zip(_classes(part["at_most_seconds"].to_list()), part.iter_rows(named=True), strict=True):
            counts = (page_table.count(row[c]) for c in ("delivered", "pending", "lost"))
            rows.append(
                (
                    page_table.text(name),
                    page_table.text(segment),
                    page_table.text(words.messages(str(messages))),
                    *counts,
                )
            )
    heads = ("delay", "segment", "messages", "delivered", "still waiting", "lost")
    return PageTable("delays-table", "Deliveries that arrived in the window, by delay", heads, tuple(rows))
