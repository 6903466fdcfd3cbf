"""How sure we are: what is proven, what might be, and what an ordinary time of the same length has."""

import plotly.graph_objects as go

from reports import page_table, story, words
from reports.cells import Cell, by_threshold
from reports.charts import base
from reports.charts.base import Chart
from reports.page_table import PageTable
from reports.publication import Publication


def certainty_chart(p: Publication) -> Chart | None:
    """Return bounds and the ordinary count for the headline's definition at each threshold."""
    cells = by_threshold(p, p.headline)
    if not cells:
        return None
    names = [f"late ≥ {words.short_duration(c.threshold_seconds)}" for c in cells]
    unit = words.units(p.headline.unit)
    with_baseline = [c for c in cells if c.baseline is not None]
    lead = _lead(p, cells)
    traces = [
        go.Scatter(
            mode="lines",
            x=[v for c in cells for v in (c.lower, c.upper, None)],
            y=[v for name in names for v in (name, name, None)],
            name="proven to possible",
            line={"color": base.ACCENT, "width": 7},
            opacity=0.4,
            hoverinfo="skip",
        ),
        go.Scatter(
            mode="markers",
            x=[c.measured for c in cells],
            y=names,
            name="measured",
            marker={"size": 11, "color": base.ACCENT},
            customdata=[words.bounds(c) for c in cells],
            hovertemplate="%{x:,}, %{customdata}<extra>measured</extra>",
        ),
    ]
    if with_baseline:
        traces.append(
            go.Scatter(
                mode="markers",
                x=[c.baseline for c in with_baseline],
                y=[n for n, c in zip(names, cells, strict=True) if c.baseline is not None],
                name="ordinary time",
                marker={"size": 12, "symbol": "line-ns-open", "color": base.BASELINE, "line": {"width": 3}},
                hovertemplate="%{x:,}<extra>ordinary time</extra>",
            )
        )
    fields = ("measured", "lower", "upper", "baseline")
    rows = tuple(
        (
            page_table.seconds(c.threshold_seconds),
            *(page_table.figure(c, f) for f in fields),
            page_table.count(c.excess),
        )
        for c in cells
    )
    return Chart(
        id="certainty",
        title="Proven, possible, and ordinary",
        lead=lead,
        alternative="Per threshold: a dot for the count, a bar from lower to upper bound, a tick for ordinary time.",
        figure=base.finish(
            traces,
            110 + 44 * len(cells),
            xaxis=base.axis(
                f"{unit}, {words.messages(p.headline.messages)}",
                rangemode="tozero",
                tickformat=",",
                nticks=6,
                tickangle=0,
            ),
            yaxis=base.axis(type="category", categoryorder="array", categoryarray=names[::-1], showgrid=False),
        ),
        table=PageTable(
            "certainty-table",
            f"Bounds, ordinary time and excess, in {unit}",
            ("late by at least", *fields, "excess"),
            rows,
        ),
    )


def _lead(p: Publication, cells: list[Cell]) -> str:
    chosen = [c for c in cells if c.threshold_seconds == p.headline.threshold_seconds] or cells
    c = chosen[0]
    width = f"Open and unmatched mail could add up to {words.number(c.upper - c.lower)}"
    width = width if c.upper > c.lower else "Nothing left open could move the headline"
    if c.baseline is None:
        return f"{width}. No ordinary time was declared, so how many are late anyway isn’t known."
    return f"{width}. {story.ordinary_sentence(p, c)}"
