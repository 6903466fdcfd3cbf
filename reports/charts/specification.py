"""Every definition at once: all head-counts sorted, with their bounds, and below each which choices it made."""

from typing import Any

import plotly.graph_objects as go

from reports import page_table, words
from reports.cells import Cell, all_cells
from reports.charts import base
from reports.charts.base import Chart
from reports.page_table import PageTable
from reports.publication import HEADS, Publication
from reports.verdicts import Verdict, verdicts
from transforms.settings import Definition

_CURVE = 0.40
"""The curve takes the upper 60 % of the height, the choice matrix what is below this line."""


def specification_chart(p: Publication) -> Chart | None:
    """Return the specification curve of accounts, mailboxes and customers; None where there is no grid."""
    cells = sorted((c for c in all_cells(p, "all") if c.unit in HEADS), key=lambda c: (c.measured, c.upper, c.key))
    if not cells:
        return None
    claims = verdicts(p)
    choices = _choices(cells)
    lead = f"{len(cells)} definitions give {words.number(cells[0].measured)} to {words.number(cells[-1].measured)}."
    y_of = {choice: -i for i, (choice, _) in enumerate(choices)}
    return Chart(
        id="specification",
        title="Every declared definition, sorted",
        lead=lead,
        alternative="Above, a dot with its bounds for each definition, fewest first; below, which choices it made.",
        figure=base.finish(
            [_bounds(cells), _measured(p, cells), *_claim_lines(claims, len(cells)), *_matrix(p, cells, y_of)],
            420 + 19 * len(choices),
            xaxis=base.axis(
                "definitions, fewest first",
                showticklabels=False,
                showgrid=False,
                zeroline=False,
                range=[-1, len(cells)],
                anchor="y2",
            ),
            yaxis=base.axis(
                "how many, in each one’s own unit", domain=[_CURVE + 0.04, 1], rangemode="tozero", tickformat=","
            ),
            yaxis2=base.axis(
                domain=[0, _CURVE],
                tickvals=list(y_of.values()),
                ticktext=[label for _, label in choices],
                zeroline=False,
                range=[-len(choices) + 0.4, 0.6],
            ),
        ),
        table=_table(cells, claims),
    )


def _choices(cells: list[Cell]) -> list[tuple[tuple[str, Any], str]]:
    found: list[tuple[tuple[str, Any], str]] = []
    found += [(("unit", u), words.units(u)) for u in HEADS if any(c.unit == u for c in cells)]
    found += [
        (("threshold_seconds", t), f"≥ {words.short_duration(t)}") for t in sorted({c.threshold_seconds for c in cells})
    ]
    found += [
        (("messages", m), words.messages(m)) for m in ("all", "excluding_bulk") if any(c.messages == m for c in cells)
    ]
    found += [(("count", n), words.count_word(n)) for n in ("late", "late_or_lost") if any(c.count == n for c in cells)]
    return found


def _bounds(cells: list[Cell]) -> go.Scatter:
    return go.Scatter(
        mode="lines",
        x=[v for i in range(len(cells)) for v in (i, i, None)],
        y=[v for c in cells for v in (c.lower, c.upper, None)],
        name="lower to upper bound",
        line={"color": base.MUTED, "width": 2},
        hoverinfo="skip",
    )


def _is_headline(p: Publication, c: Cell) -> bool:
    return Definition(c.unit, c.threshold_seconds, c.messages, c.count) == p.headline


def _measured(p: Publication, cells: list[Cell]) -> go.Scatter:
    chosen = [_is_headline(p, c) for c in cells]
    return go.Scatter(
        mode="markers",
        x=list(range(len(cells))),
        y=[c.measured for c in cells],
        name="measured (large: the headline)",
        marker={
            "color": [base.ACCENT if yes else base.ORDINARY for yes in chosen],
            "size": [14 if yes else 6 for yes in chosen],
            "symbol": ["diamond" if yes else "circle" for yes in chosen],
            "opacity": 1,
        },
        customdata=[f"{_words(c)}<br>{words.bounds(c)}" for c in cells],
        hovertemplate="%{y:,}<br>%{customdata}<extra></extra>",
    )


def _claim_lines(claims: list[Verdict], n: int) -> list[go.Scatter]:
    lines = []
    for i, v in enumerate(claims):
        edges = [v.low] if v.low == v.high else [v.low, v.high]
        name = base.for_chart(f"{v.who}: {v.said}"[:60])
        for edge in edges:
            lines.append(
                go.Scatter(
                    mode="lines",
                    x=[-1, n],
                    y=[edge, edge],
                    name=name,
                    legendgroup=str(i),
                    showlegend=edge == edges[0],
                    line={"color": "var(--claim)", "width": 1.5, "dash": ("dash", "dot", "dashdot", "longdash")[i % 4]},
                    hovertemplate=f"{name}: " + "%{y:,}<extra></extra>",
                )
            )
    return lines


def _matrix(p: Publication, cells: list[Cell], y_of: dict[tuple[str, Any], int]) -> list[go.Scatter]:
    places = [
        (i, y_of[(name, getattr(c, name))], c)
        for i, c in enumerate(cells)
        for name in ("unit", "threshold_seconds", "messages", "count")
    ]
    return [
        go.Scatter(
            mode="markers",
            x=[x for x, _, _ in places],
            y=[y for _, y, _ in places],
            yaxis="y2",
            showlegend=False,
            marker={
                "symbol": "line-ns-open",
                "size": 11,
                "color": [base.ACCENT if _is_headline(p, c) else base.MUTED for _, _, c in places],
                "line": {"width": 2},
            },
            hoverinfo="skip",
        )
    ]


def _words(c: Cell) -> str:
    return words.short_definition(Definition(c.unit, c.threshold_seconds, c.messages, c.count))


def _table(cells: list[Cell], claims: list[Verdict]) -> PageTable:
    rows = tuple(
        (
            page_table.text(_words(c)),
            *(page_table.figure(c, f) for f in ("measured", "lower", "upper")),
            page_table.text(
                "; ".join(v.who for v in claims if v.unit == c.unit and v.low <= c.upper and v.high >= c.lower)
                or "no claim"
            ),
        )
        for c in reversed(cells)
    )
    return PageTable(
        "specification-table",
        "Every definition of heads, most first",
        ("definition", "measured", "lower", "upper", "agrees with"),
        rows,
    )
