"""When it began and ended, as the mail itself shows it: the late share of arrivals, and the levels found in it."""

from datetime import datetime
from typing import Any

import plotly.graph_objects as go
import polars as pl

from reports import page_table, words
from reports.charts import base, time_axis
from reports.charts.base import Chart
from reports.page_table import PageTable
from reports.publication import Publication

_MOST_STEPS = 240
"""More can't be told apart on a page, and each is a row of the table beside it; late mail of joined steps adds up."""


def late_share_chart(p: Publication) -> Chart | None:
    """Return the late share by time of arrival and its levels; None where the logs hold no mail to judge."""
    if p.late_share is None or p.late_share.is_empty():
        return None
    steps = _joined(p.late_share)
    x, y = _stairs(p, steps, steps["late"] / steps["deliveries"])
    levels = p.late_share.filter(
        pl.col("level_share").rle_id() != pl.col("level_share").rle_id().shift(1).fill_null(-1)
    )
    level_x, level_y = _stairs(p, levels.with_columns(end_at=_next_start(p.late_share, levels)), levels["level_share"])
    style = {"mode": "lines", "hovertemplate": "%{y:.1%}<extra>%{fullData.name}</extra>"}
    thin, thick = {"color": base.MUTED, "width": 0.75}, {"color": base.ACCENT, "width": 2.25}
    traces = [
        go.Scatter(x=x, y=y, name="steps of equally many deliveries", line=thin, **style),
        go.Scatter(x=level_x, y=level_y, name="levels between change points", line=thick, **style),
    ]
    lasting = (steps["end_at"] - steps["start_at"]).dt.total_seconds().alias("step_seconds")
    axis = base.axis(f"late share, {words.messages(p.headline.messages)}", rangemode="tozero", tickformat=".0%")
    return Chart(
        id="late-share",
        title="Late share by time of arrival",
        lead=_lead(p),
        alternative="A thin line, the share of each step, and a thick one, the level between change points.",
        figure=base.finish(traces, 280, **time_axis.layout(p, steps.with_columns(lasting), axis)),
        table=_table(p, steps),
    )


def _joined(steps: pl.DataFrame) -> pl.DataFrame:
    size = -(-len(steps) // _MOST_STEPS)
    return (
        steps.with_row_index("position")
        .group_by(pl.col("position") // size, maintain_order=True)
        .agg(
            pl.col("start_at").first(),
            pl.col("end_at").last(),
            pl.col("deliveries", "late").sum(),
            pl.col("level_share").first(),
            pl.col("is_disturbed").first(),
        )
        .drop("position")
    )


def _next_start(steps: pl.DataFrame, levels: pl.DataFrame) -> pl.Series:
    return levels["start_at"].shift(-1).fill_null(steps["end_at"][-1])


def _stairs(p: Publication, steps: pl.DataFrame, share: pl.Series) -> tuple[list[datetime], list[Any]]:
    """Return both ends of every step at its height."""
    starts = time_axis.clock_times(p, steps)
    ends = time_axis.clock_times(p, steps.with_columns(start_at=pl.col("end_at")))
    x = [at for pair in zip(starts, ends, strict=True) for at in pair]
    return x, [height for height in share.to_list() for _ in range(2)]


def _lead(p: Publication) -> str:
    default = None if p.windows is None else p.windows.filter(pl.col("is_default"))
    if default is None or default.is_empty() or default["start_at"][0] is None:
        return "No time stands out by its late mail."
    found = words.span(default["start_at"][0], default["end_at"][0], p.settings.timezone)
    return f"Change points find {found}, by a rule fixed beforehand that looks at no total."


def _table(p: Publication, steps: pl.DataFrame) -> PageTable:
    rows = tuple(
        (
            page_table.when(row["start_at"], p.settings.timezone),
            page_table.count(row["deliveries"]),
            page_table.count(row["late"]),
            page_table.share(row["late"], row["deliveries"]),
            page_table.share(row["level_share"], 1),
            page_table.text("yes" if row["is_disturbed"] else "no"),
        )
        for row in steps.iter_rows(named=True)
    )
    heads = ("step begins", "arrived", "of them late or lost", "late share", "level", "stands out")
    return PageTable("late-share-table", "Late mail among equally many arrivals", heads, rows)
