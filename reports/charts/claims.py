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

_LABEL_WIDTH = 30
"""Characters per line of a row's label; longer words are cut."""


def claims_chart(p: Publication) -> Chart | None:
    """Return claims above, counts by the headline's definition in each unit below; None where there is no count."""
    counted, claims = counted_in_units(p), verdicts(p)
    if not counted or not claims:
        return None
    labels = [_wrap(f"{v.who}: “{v.said}”") for v in claims] + [_counted_label(p, c) for c in counted]
    places = [-row for row in range(len(labels))]
    lead = "Each unit asks a different question: one account can hold several mailboxes."
    said = [f"{v.who} said {v.said}, {v.reading}" for v in claims]
    said += [f"counted {words.bounds(c)} {words.units(c.unit, c.upper)}" for c in counted]
    of_counts = places[len(claims) :]
    return Chart(
        id="claims-chart",
        title="What was said, and what was counted",
        lead=lead,
        alternative=f"Horizontal ranges on one scale of heads: {'; '.join(said)}.",
        figure=base.finish(
            [*_claims(claims, places), _ranges(counted, of_counts), _counts(counted, of_counts)],
            90 + 48 * len(labels),
            xaxis=base.axis(
                "how many, in the unit of the row", rangemode="tozero", tickformat=",", nticks=6, tickangle=0
            ),
            yaxis=base.axis(
                tickvals=places, ticktext=labels, range=[places[-1] - 0.6, 0.7], showgrid=False, zeroline=False
            ),
            showlegend=False,
        ),
        table=PageTable("claims-chart-table", lead, ("row", "unit", "from", "measured", "to"), _rows(claims, counted)),
    )


def counted_in_units(p: Publication) -> list[Cell]:
    """Return the headline's definition in each unit of the records, the headline's own first."""
    d = p.headline
    first = heads_unit(p)
    order = [first, *(u for u in HEADS if u != first)]
    cells = [cell(p, Definition(unit, d.threshold_seconds, d.messages, d.count)) for unit in order]
    return [c for c in cells if c is not None]


def _counted_label(p: Publication, c: Cell) -> str:
    label = f"Counted: {words.units(c.unit)}"
    return f"<b>{label}</b>" if c.unit == p.headline.unit else label


def _claims(claims: list[Verdict], places: list[int]) -> list[go.Scatter | go.Bar]:
    """Return a bar for each claim that is a range, a diamond for each that is one figure, and their figures."""
    rows = list(zip(claims, places, strict=False))
    wide, exact = [(v, y) for v, y in rows if v.high > v.low], [(v, y) for v, y in rows if v.high == v.low]
    return [
        go.Bar(
            orientation="h",
            y=[y for _, y in wide],
            base=[v.low for v, _ in wide],
            x=[v.high - v.low for v, _ in wide],
            width=0.3,
            marker={"color": "var(--claim)", "opacity": 0.55, "line": {"width": 0}},
            hoverinfo="skip",
        ),
        go.Scatter(
            mode="markers",
            y=[y for _, y in exact],
            x=[v.low for v, _ in exact],
            marker={"symbol": "diamond", "size": 13, "color": "var(--claim)"},
            hoverinfo="skip",
        ),
        _figures([(v.low + v.high) / 2 for v in claims], places[: len(claims)], [_said(v) for v in claims]),
    ]


def _said(v: Verdict) -> str:
    return words.number(v.low) if v.low == v.high else f"{words.number(v.low)}–{words.number(v.high)}"


def _ranges(counted: list[Cell], places: list[int]) -> go.Scatter:
    return go.Scatter(
        mode="lines",
        x=[v for c in counted for v in (c.lower, c.upper, None)],
        y=[v for y in places for v in (y, y, None)],
        line={"color": base.ACCENT, "width": 7},
        opacity=0.4,
        hoverinfo="skip",
    )


def _counts(counted: list[Cell], places: list[int]) -> go.Scatter:
    trace = _figures([c.measured for c in counted], places, [words.number(c.measured) for c in counted])
    trace.update(
        marker={"size": 12, "color": base.ACCENT},
        hoverinfo="text",
        hovertext=[f"{words.bounds(c)} {words.units(c.unit, c.upper)}" for c in counted],
    )
    return trace


def _figures(x: list[float] | list[int], y: list[int], said: list[str]) -> go.Scatter:
    return go.Scatter(
        mode="markers+text",
        marker={"size": 14, "color": base.NOTHING},  # keeps the figure clear of the bar beneath it
        x=x,
        y=y,
        text=said,
        textposition="top center",
        textfont={"color": base.INK, "size": 13},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _wrap(label: str) -> str:
    lines, line = [], ""
    for word in label.split():
        if line and len(line) + len(word) >= _LABEL_WIDTH:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return "<br>".join(base.for_chart(part[: 2 * _LABEL_WIDTH]) for part in [*lines, line][:3])


def _rows(claims: list[Verdict], counted: list[Cell]) -> tuple[tuple[Entry, ...], ...]:
    count, text = page_table.count, page_table.text
    said = [
        (text(f"{v.who}: {v.said}"), text(words.units(v.unit)), count(v.low), count(None), count(v.high))
        for v in claims
    ]
    found = [
        (text("counted"), text(words.units(c.unit)), *(page_table.figure(c, f) for f in ("lower", "measured", "upper")))
        for c in counted
    ]
    return (*said, *found)
