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
    delays = _full(p.delays)
    frame = delays.filter((pl.col("segment") == "all") & (pl.col("messages") == p.headline.messages))
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
        table=_table(delays),
    )


def _full(delays: pl.DataFrame) -> pl.DataFrame:
    """Return every class of delay for every segment and choice of messages; a class that holds nothing is 0."""
    groups = delays.select("segment", "messages").unique(maintain_order=True)
    edges = delays.select("at_most_seconds").unique().sort("at_most_seconds", nulls_last=True)
    keys = ("segment", "messages", "at_most_seconds")
    every = groups.join(edges, how="cross")
    joined = every.join(delays, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return joined.with_columns(pl.col("delivered", "pending", "lost").fill_null(0))


def _classes(edges: list[float | None]) -> list[str]:
    """Return the classes' names; a class holds delays from the edge before it up to, and without, its own."""
    return [_class(low, edge) for low, edge in zip([None, *edges[:-1]], edges, strict=True)]


def _class(low: float | None, edge: float | None) -> str:
    if edge is None:
        return "any delay" if low is None else f"{words.short_duration(low)} or more"
    return (
        f"under {words.short_duration(edge)}"
        if low is None
        else f"{words.short_duration(low)} – {words.short_duration(edge)}"
    )


def _table(delays: pl.DataFrame) -> PageTable:
    classes = _classes(delays["at_most_seconds"].unique(maintain_order=True).to_list())
    rows = tuple(
        (
            page_table.text(classes[i % len(classes)]),
            page_table.text(row["segment"]),
            page_table.text(words.messages(row["messages"])),
            *(page_table.count(row[c]) for c in ("delivered", "pending", "lost")),
        )
        for i, row in enumerate(delays.iter_rows(named=True))
    )
    heads = ("delay", "segment", "messages", "delivered", "still waiting", "lost")
    return PageTable("delays-table", "Deliveries that arrived in the window, by delay", heads, rows)
