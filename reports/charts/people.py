"""Who was hit: the ladder from all that is provisioned down to what was lost, and the count at each threshold."""

import plotly.graph_objects as go

from reports import page_table, words
from reports.cells import Cell, by_threshold, cell, heads_unit, segments
from reports.charts import base
from reports.charts.base import Chart
from reports.ladder import WORKING_HOURS, rung_words
from reports.page_table import PageTable
from reports.publication import Publication
from transforms.settings import Definition

Rung = tuple[str, dict[str, Cell | int]]


def ladder_chart(p: Publication) -> Chart | None:
    """Return provisioned → active → exposed → late at each threshold → lost, per segment; None without any rung."""
    unit, names = heads_unit(p), segments(p)
    rungs = _rungs(p, unit, names)
    if not rungs or not names:
        return None
    lead = _ladder_lead(p, unit, rungs)
    order = [name for name, _ in rungs]
    traces = [
        go.Bar(
            orientation="h",
            name=base.label(name),
            y=order,
            x=[_value(found.get(name)) for _, found in rungs],
            marker={"color": base.segment_colour(names, name)},
            text=[words.number(_value(found.get(name))) for _, found in rungs],
            textposition="outside",
            textfont={"size": 12, "color": base.INK},
            cliponaxis=False,
            hovertemplate="%{text}<extra>" + base.label(name) + "</extra>",
        )
        for name in reversed(names)  # Plotly stacks a group's bars from below
    ]
    return Chart(
        id="ladder",
        title="From everyone to those who lost mail",
        lead=lead,
        alternative="Horizontal bars per segment, one group for each rung from provisioned to lost.",
        figure=base.finish(
            traces,
            100 + len(rungs) * (16 + 20 * len(names)),
            barmode="group",
            bargap=0.28,
            bargroupgap=0.06,
            xaxis=base.axis(words.units(unit), rangemode="tozero", tickformat=",", nticks=5, tickangle=0),
            yaxis=base.axis(type="category", categoryorder="array", categoryarray=order[::-1], showgrid=False),
            legend={"traceorder": "reversed"},
            margin={"l": 8, "r": 60, "t": 36, "b": 8},
        ),
        table=PageTable(
            "ladder-table",
            f"{words.units(unit).capitalize()} on each rung",
            ("rung", *(words.sentence(n) for n in names)),
            tuple((page_table.text(rung), *(_entry(found.get(n)) for n in names)) for rung, found in rungs),
        ),
    )


def thresholds_chart(p: Publication) -> Chart | None:
    """Return the headline's count at each declared threshold, with its bounds, per segment."""
    names = segments(p)
    series = {name: by_threshold(p, p.headline, name) for name in ["all", *names]}
    if not series["all"]:
        return None
    shown = [name for name in names if series[name]] if len(names) > 1 else ["all"]
    ticks = [words.short_duration(c.threshold_seconds) for c in series["all"]]
    first, last = series["all"][0], series["all"][-1]
    lead = f"From {words.number(first.measured)} at {words.duration(first.threshold_seconds)} or more "
    lead += f"to {words.number(last.measured)} at {words.duration(last.threshold_seconds)} or more."
    traces = [
        go.Bar(
            name="All" if name == "all" else base.label(name),
            x=ticks,
            y=[c.measured for c in series[name]],
            marker={"color": base.segment_colour(names, name) if name != "all" else base.ACCENT},
            error_y=base.bounds(
                [c.measured for c in series[name]],
                [c.lower for c in series[name]],
                [c.upper for c in series[name]],
            ),
            hovertemplate="%{y:,}<extra>" + base.label(name) + "</extra>",
        )
        for name in shown
    ]
    unit = words.units(p.headline.unit)
    return Chart(
        id="thresholds",
        title="How many, by how late",
        lead=lead,
        alternative="Bars per segment for each threshold; thin lines reach from the lower to the upper bound.",
        figure=base.finish(
            traces,
            340,
            barmode="group",
            bargap=0.3,
            xaxis=base.axis("late by at least", type="category", showgrid=False),
            yaxis=base.axis(f"{unit}, {words.messages(p.headline.messages)}", rangemode="tozero", tickformat=","),
        ),
        table=_threshold_table(series),
    )


def _rungs(p: Publication, unit: str, names: list[str]) -> list[Rung]:
    """Return the rungs of the headline's messages; of those in working hours the one at the headline's threshold."""
    d = p.headline
    if p.ladder is None:
        return []
    rungs: list[Rung] = []
    of_unit = p.ladder.filter(unit=unit, messages=d.messages).sort("step")
    for (_, rung, seconds), rows in of_unit.group_by(["step", "rung", "threshold_seconds"], maintain_order=True):
        if rung == "late_in_working_hours" and seconds != d.threshold_seconds:
            continue
        found: dict[str, Cell | int] = dict(rows.select("segment", "measured").iter_rows())
        if rung == "late":
            found |= _of_segments(p, Definition(unit, int(str(seconds)), d.messages, "late"), names)
        rungs.append((rung_words(str(rung), seconds), {n: c for n, c in found.items() if n in names or n == "all"}))
    return rungs


def _of_segments(p: Publication, d: Definition, names: list[str]) -> dict[str, Cell | int]:
    cells = {name: cell(p, d, name) for name in names}
    return {name: c for name, c in cells.items() if c is not None}


def _ladder_lead(p: Publication, unit: str, rungs: list[Rung]) -> str:
    d, of = p.headline, {rung: _value(found.get("all")) for rung, found in rungs}
    exposed = of.get(rung_words("exposed", None))
    late = cell(p, Definition(unit, d.threshold_seconds, d.messages, "late"))
    if not exposed or late is None:
        return f"Each rung counts {words.units(unit)} of the rung above that meet one condition more."
    hit = f"{words.percent(late.measured, exposed)} had mail late by {words.duration(d.threshold_seconds)} or more"
    working = of.get(rung_words("late_in_working_hours", d.threshold_seconds), 0)
    hours = f"{words.number(working)} of them in working hours ({WORKING_HOURS})"
    bulk = "" if d.messages == "all" else " Bulk mail is left out."
    return f"Of {words.number(exposed)} {words.units(unit)} that had mail in the window, {hit}, {hours}.{bulk}"


def _value(found: Cell | int | None) -> int:
    return found.measured if isinstance(found, Cell) else found or 0


def _entry(found: Cell | int | None) -> page_table.Entry:
    return page_table.figure(found, "measured") if isinstance(found, Cell) else page_table.count(found)


def _threshold_table(series: dict[str, list[Cell]]) -> PageTable:
    fields = ("measured", "lower", "upper", "baseline")
    rows = tuple(
        (page_table.seconds(c.threshold_seconds), page_table.text(name), *(page_table.figure(c, f) for f in fields))
        for name, cells in series.items()
        for c in cells
    )
    return PageTable(
        "thresholds-table", "The headline’s count at each threshold", ("late by at least", "segment", *fields), rows
    )
