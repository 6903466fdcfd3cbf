"""How narrow the range becomes for whoever is ready to assume something: a bar each, under that of the worst case."""

import plotly.graph_objects as go
import polars as pl

from reports import page_table, words
from reports.cells import Cell, headline_cell
from reports.charts import base
from reports.charts.base import Chart
from reports.page_table import PageTable
from reports.publication import CELL_KEY, Publication

_NAMES = {
    "waiting_like_delivered": "waiting mail fares alike",
    "open_as_shown": "open is open",
    "unresolved_in_time": "unresolved came in time",
    "arrivals_as_shown": "arrived as first told",
    "strangers_no_customers": "strangers are nobody’s",
    "hidden_like_seen": "hidden like seen",
    "all_of_these": "all of these",
}
_WORST = "worst case"
Row = tuple[str, str, int, int]  # name, sentence, lower, upper


def assumptions_chart(p: Publication) -> Chart | None:
    """Return a bar per assumption for the headline; None where its bounds are exact or no assumption was counted."""
    c = headline_cell(p)
    if c is None or c.is_exact or p.narrower is None or p.narrower.is_empty():
        return None
    rows = _rows(p.narrower, c)
    unit = words.units(c.unit)
    colors = [base.PENDING, *[base.ACCENT] * (len(rows) - 1)]
    bars = go.Bar(
        orientation="h",
        y=[name for name, *_ in rows],
        x=[upper - lower for *_, lower, upper in rows],
        base=[lower for *_, lower, _ in rows],
        marker={"color": colors},
        customdata=[[sentence, _range(lower, upper)] for _, sentence, lower, upper in rows],
        hovertemplate="%{customdata[1]} " + unit + "<br>%{customdata[0]}<extra>%{y}</extra>",
        name="proven to possible",
    )
    counted = go.Scatter(
        mode="markers",
        x=[c.measured] * len(rows),
        y=[name for name, *_ in rows],
        name="measured",
        marker={"size": 14, "symbol": "line-ns-open", "color": base.INK, "line": {"width": 3}},
        hovertemplate="%{x:,}<extra>measured</extra>",
    )
    room = (c.upper - c.lower) * 0.1
    floor = max(0.0, c.lower - room)
    return Chart(
        id="assumptions",
        title="What the range would be if…",
        lead=_lead(rows) + (" The axis does not begin at 0." if floor else ""),
        alternative=f"A bar for the worst case, {_range(c.lower, c.upper)}, and under it one for each assumption.",
        figure=base.finish(
            [bars, counted],
            90 + 36 * len(rows),
            xaxis=base.axis(
                f"{unit}, {words.messages(c.messages)}",
                range=[floor, c.upper + room],
                tickformat=",",
                nticks=6,
                tickangle=0,
            ),
            yaxis=base.axis(type="category", autorange="reversed", showgrid=False),
            showlegend=False,
        ),
        table=PageTable(
            "assumptions-table",
            f"Bounds by what is assumed, in {unit}",
            ("bar", "assumed", "at least", "at most"),
            tuple(
                (page_table.text(name), page_table.text(said), page_table.count(lower), page_table.count(upper))
                for name, said, lower, upper in rows
            ),
        ),
    )


def _rows(narrower: pl.DataFrame, c: Cell) -> list[Row]:
    of_cell = narrower.filter(**{name: getattr(c, name) for name in CELL_KEY}).sort("place")
    found = of_cell.select("assumption", "sentence", "lower", "upper").iter_rows()
    return [
        (_WORST, "Nothing is assumed.", c.lower, c.upper),
        *((_NAMES[name], sentence, lower, upper) for name, sentence, lower, upper in found),
    ]


def _range(lower: int, upper: int) -> str:
    return words.number(lower) if lower == upper else f"{words.number(lower)} to {words.number(upper)}"


def _lead(rows: list[Row]) -> str:
    worst, single, together = rows[0], rows[1:-1], rows[-1]
    width = worst[3] - worst[2]
    best = min(single, key=lambda row: row[3] - row[2])
    together_said = f"With all of them: {_range(*together[2:])}."
    said = f"No log can tell whether an assumption holds, so none is in the bounds. {together_said}"
    if best[3] - best[2] == width:
        return f"{said} No single one narrows the range."
    return f"{said} “{best[1].rstrip('.')}” alone narrows it most, to {_range(*best[2:])}."
