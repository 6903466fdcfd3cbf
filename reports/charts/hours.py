"""Heads and hours: for how long people were down, added up. Many for minutes can be less than few for days."""

from typing import Any

import plotly.graph_objects as go
import polars as pl

from reports import page_table, words
from reports.cells import cell, segments
from reports.charts import base
from reports.charts.base import Chart
from reports.page_table import PageTable
from reports.publication import Publication
from transforms.settings import Definition

_HOUR = 3600


def hours_chart(p: Publication) -> Chart | None:
    """Return account-hours down at each threshold per segment, by the headline's mail; None where none was measured."""
    if p.hours is None:
        return None
    unit = p.headline.unit if p.headline.unit == "mailbox" else "account"
    chosen = (pl.col("unit") == unit) & (pl.col("messages") == p.headline.messages)
    rows = p.hours.filter(chosen & (pl.col("count") == p.headline.count)).sort("threshold_seconds")
    if rows.is_empty():
        return None
    names = [name for name in segments(p) if name in set(rows["segment"])] or ["all"]
    ticks = [words.short_duration(s) for s in rows["threshold_seconds"].unique(maintain_order=True)]
    traces = [_bars(rows.filter(segment=name), name, ticks, segments(p)) for name in names]
    return Chart(
        id="hours",
        title="Heads and hours",
        lead=_lead(p, rows, unit),
        alternative=f"Bars per segment: {unit}-hours down, for each age from which a waiting message counts.",
        figure=base.finish(
            traces,
            320,
            barmode="group",
            bargap=0.3,
            xaxis=base.axis("down while a message is older than", type="category", showgrid=False),
            yaxis=base.axis(f"{unit}-hours, {words.messages(p.headline.messages)}", rangemode="tozero", tickformat=","),
        ),
        table=_table(rows, unit),
    )


def _bars(rows: pl.DataFrame, name: str, ticks: list[str], known: list[str]) -> go.Bar:
    hours = {column: (rows[f"{column}_seconds"] / _HOUR).to_list() for column in ("measured", "lower", "upper")}
    return go.Bar(
        name=base.label(name),
        x=ticks,
        y=hours["measured"],
        marker={"color": base.segment_colour(known, name) if name in known else base.ACCENT},
        error_y=base.bounds(hours["measured"], hours["lower"], hours["upper"]),
        hovertemplate="%{y:,.1f} hours<extra>" + base.label(name) + "</extra>",
    )


def _lead(p: Publication, rows: pl.DataFrame, unit: str) -> str:
    at_headline = rows.filter(pl.col("segment") == "all", threshold_seconds=p.headline.threshold_seconds)
    if at_headline.is_empty():
        return f"Time down is added up over {words.units(unit)}; mail that waits at the same time counts once."
    row: dict[str, Any] = at_headline.row(0, named=True)
    older = words.duration(p.headline.threshold_seconds)
    mean = words.duration(row["measured_seconds"] / row["people"]) if row["people"] else "no time"
    said = f"{words.number(row['people'])} {words.units(unit, row['people'])} had mail older than {older} waiting, for "
    said += f"{words.number(row['measured_seconds'] / _HOUR)} {unit}-hours in all: {mean} each on average."
    chosen = cell(p, Definition(unit, p.headline.threshold_seconds, p.headline.messages, p.headline.count))
    if chosen and chosen.measured > row["people"]:
        said += f" {words.number(chosen.measured - row['people'])} more waited {older} and no longer."
    return said


def _table(rows: pl.DataFrame, unit: str) -> PageTable:
    hours = ("measured_seconds", "lower_seconds", "upper_seconds")
    heads = ("older than", "segment", f"{words.units(unit)} down", "hours measured", "hours proven", "hours possible")
    entries = tuple(
        (
            page_table.seconds(row["threshold_seconds"]),
            page_table.text(row["segment"]),
            page_table.count(row["people"]),
            *(page_table.count(round(row[c] / _HOUR, 2)) for c in hours),
        )
        for row in rows.iter_rows(named=True)
    )
    return PageTable("hours-table", f"{words.sentence(unit)}-hours down", heads, entries)
