"""What makes the range wide: from what is proven to what is possible, cause by cause, so that one sees what to mend."""

import plotly.graph_objects as go

from reports import page_table, words
from reports.cells import Cell, headline_cell
from reports.charts import base
from reports.charts.base import Chart
from reports.page_table import PageTable
from reports.publication import Publication

CAUSES = {
    "pending": "mail still waiting",
    "unresolved": "mail without an end in the logs",
    "arrival": "arrivals that may lie earlier",
    "unmatched": "recipients in no customer record",
    "nameless": "recipients counted, never named",
    "unread_lines": "lines that could not be read",
    "gaps": "gaps in the logs",
    "loss_marks": "lines that the logging dropped",
    "unseen": "mail of which no line is left",
}
"""Each cause of BOUNDS in words, in the order in which they are added."""


def causes_chart(p: Publication) -> Chart | None:
    """Return the steps from the headline's lower to its upper bound; None where it is exact or none was counted."""
    c = headline_cell(p)
    widths = _widths(p, c) if c else []
    if c is None or c.is_exact or not widths:
        return None
    unit = words.units(c.unit)
    steps = [("proven", 0, c.lower), ("counted", c.lower, c.measured - c.lower), *_placed(c, widths)]
    shown = [step for step in steps if step[2]]
    return Chart(
        id="range",
        title="What makes the range wide",
        lead=_lead(c, widths),
        alternative=f"A staircase of bars, from {words.number(c.lower)} proven up to {words.number(c.upper)} possible.",
        figure=base.finish(
            [
                go.Bar(
                    orientation="h",
                    y=[name for name, _, _ in shown],
                    x=[width for _, _, width in shown],
                    base=[start for _, start, _ in shown],
                    marker={
                        "color": [base.ACCENT if name in ("proven", "counted") else base.PENDING for name, *_ in shown]
                    },
                    text=[
                        words.number(width) if name == "proven" else f"+{words.number(width)}"
                        for name, _, width in shown
                    ],
                    textposition="outside",
                    textfont={"color": base.INK},
                    cliponaxis=False,
                    hovertemplate="%{text} " + unit + "<extra>%{y}</extra>",
                )
            ],
            90 + 40 * len(shown),
            xaxis=base.axis(
                f"{unit}, {words.messages(c.messages)}",
                range=[_floor(c), c.upper + (c.upper - _floor(c)) * 0.12],
                tickformat=",",
                nticks=6,
                tickangle=0,
            ),
            yaxis=base.axis(type="category", autorange="reversed", showgrid=False),
            showlegend=False,
        ),
        table=_table(c, steps),
    )


def _widths(p: Publication, c: Cell) -> list[tuple[str, int]]:
    if p.bounds is None:
        return []
    of_cell = {name: getattr(c, name) for name in ("unit", "threshold_seconds", "messages", "count", "segment")}
    found = dict(p.bounds.filter(**of_cell).sort("place").select("cause", "width").iter_rows())
    return [(cause, found.get(cause, 0)) for cause in CAUSES]


def _placed(c: Cell, widths: list[tuple[str, int]]) -> list[tuple[str, int, int]]:
    placed, at = [], c.measured
    for cause, width in widths:
        placed.append((CAUSES[cause], at, width))
        at += width
    return placed


def _floor(c: Cell) -> int:
    """Return where the axis begins: at nothing, unless the range would then be too thin to see."""
    return 0 if (c.upper - c.lower) * 12 > c.upper else max(0, c.lower - 2 * (c.upper - c.lower))


def _lead(c: Cell, widths: list[tuple[str, int]]) -> str:
    open_ = [(cause, width) for cause, width in widths if width]
    if not open_:
        return "Nothing can be added; part of what was counted rests on lines that may not be all there."
    most, width = max(open_, key=lambda found: found[1])
    cut = " The axis does not begin at 0." if _floor(c) else ""
    return f"Most of it is {CAUSES[most]}: up to {words.number(width)} of {words.number(c.upper - c.measured)}.{cut}"


def _table(c: Cell, steps: list[tuple[str, int, int]]) -> PageTable:
    rows = tuple(
        (page_table.text(name), page_table.count(width), page_table.count(start + width))
        for name, start, width in steps
    )
    return PageTable(
        "range-table", "From proven to possible", ("what", f"{words.units(c.unit)} it adds", "so far"), rows
    )
