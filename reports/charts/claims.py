"""The answer in a picture: what was claimed and what was counted, on one scale."""

import plotly.graph_objects as go

from reports import page_table, words
from reports.cells import Cell, cell, heads_unit
from reports.charts import base
from reports.charts.base import Chart
from reports.page_table import Entry, PageTable
from reports.publication import HEADS, Publication
from reports.verdicts import Verdict, verdicts
from transforms.settings import Definition


def claims_chart(p: Publication) -> Chart | None:
    """Return claims above, counts by the headline's definition in each unit below; None where there is no count."""
    counted, claims = _counted(p), verdicts(p)
    if not counted or not claims:
        return None
    lead = "Each unit asks a different question: one account can hold several mailboxes."
    names = [_wrap(f"{v.who}: “{v.said}”") for v in claims] + [_counted_name(p, c) for c in counted]
    traces = [_claim_ranges(claims, names), _claim_points(claims, names), _counts(counted, names[len(claims) :])]
    said = [f"{v.who} said {v.said}, {v.reading}" for v in claims]
    said += [f"counted {words.bounds(c)} {words.units(c.unit, c.upper)}" for c in counted]
    return Chart(
        id="claims-chart",
        title="What was said, and what was counted",
        lead=lead,
        alternative=f"Horizontal ranges on one scale of heads: {'; '.join(said)}.",
        figure=base.finish(
            traces,
            90 + 44 * len(names),
            xaxis=base.axis(
                "how many, in the unit of the row", rangemode="tozero", tickformat=",", nticks=6, tickangle=0
            ),
            yaxis=base.axis(type="category", categoryorder="array", categoryarray=names[::-1], showgrid=False),
            barmode="overlay",
        ),
        table=PageTable(
            "claims-chart-table", lead, ("row", "unit", "from", "measured", "to"), _rows(p, claims, counted)
        ),
    )


def _counted(p: Publication) -> list[Cell]:
    d = p.headline
    first = heads_unit(p)
    order = [first, *(u for u in HEADS if u != first)]
    cells = [cell(p, Definition(unit, d.threshold_seconds, d.messages, d.count)) for unit in order]
    return [c for c in cells if c is not None]


def _counted_name(p: Publication, c: Cell) -> str:
    name = f"Counted: {words.units(c.unit)}"
    return f"<b>{name}</b>" if c.unit == p.headline.unit else name


def _claim_ranges(claims: list[Verdict], names: list[str]) -> go.Bar:
    wide = [(v, name) for v, name in zip(claims, names, strict=False) if v.high > v.low]
    return go.Bar(
        orientation="h",
        name="claimed",
        showlegend=False,
        y=[name for _, name in wide],
        base=[v.low for v, _ in wide],
        x=[v.high - v.low for v, _ in wide],
        width=0.34,
        marker={"color": "var(--claim)", "opacity": 0.55, "line": {"width": 0}},
        text=[f"{words.number(v.low)} to {words.number(v.high)}" for v, _ in wide],
        textposition="none",
        hovertemplate="%{text}<extra>claimed</extra>",
    )


def _claim_points(claims: list[Verdict], names: list[str]) -> go.Scatter:
    exact = [(v, name) for v, name in zip(claims, names, strict=False) if v.high == v.low]
    return go.Scatter(
        mode="markers",
        name="claimed",
        showlegend=False,
        y=[name for _, name in exact],
        x=[v.low for v, _ in exact],
        marker={"symbol": "diamond", "size": 13, "color": "var(--claim)"},
        hovertemplate="%{x:,}<extra>claimed</extra>",
    )


def _counts(counted: list[Cell], names: list[str]) -> go.Scatter:
    return go.Scatter(
        mode="markers+text",
        name="counted",
        showlegend=False,
        y=names,
        x=[c.measured for c in counted],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [c.upper - c.measured for c in counted],
            "arrayminus": [c.measured - c.lower for c in counted],
            "color": base.ACCENT,
            "thickness": 3,
            "width": 6,
        },
        marker={"size": 12, "color": base.ACCENT},
        text=[words.number(c.measured) for c in counted],
        textposition="top center",
        textfont={"color": base.INK, "size": 13},
        cliponaxis=False,
        hovertemplate="%{x:,}<extra>counted</extra>",
    )


def _wrap(name: str, width: int = 30) -> str:
    lines, line = [], ""
    for word in name.split():
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    kept = [*lines, line][:3]
    return "<br>".join(base.for_chart(part[:60]) for part in kept)


def _rows(p: Publication, claims: list[Verdict], counted: list[Cell]) -> tuple[tuple[Entry, ...], ...]:
    count, text = page_table.count, page_table.text
    said = [
        (text(f"{v.who}: {v.said}"), text(words.units(v.unit)), count(v.low), text(None), count(v.high)) for v in claims
    ]
    found = [
        (text("counted"), text(words.units(c.unit)), *(page_table.figure(c, f) for f in ("lower", "measured", "upper")))
        for c in counted
    ]
    return (*said, *found)
