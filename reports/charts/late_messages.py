"""How often each account was hit: accounts by the number of their late messages."""

import plotly.graph_objects as go
import polars as pl

from reports import page_table, words
from reports.cells import segments
from reports.charts import base
from reports.charts.base import Chart
from reports.page_table import PageTable
from reports.publication import Publication

_LATE_CLASSES = ((1, 1), (2, 5), (6, 10), (11, 25), (26, 100), (101, None))


def late_messages_chart(p: Publication) -> Chart | None:
    """Return how many late messages the affected accounts had; None where no account was affected."""
    if p.accounts is None or p.accounts.filter("is_affected").is_empty():
        return None
    names = [n for n in segments(p) if n in set(p.accounts["segment"])]
    ticks = [f"{a}" if a == b else f"{a}–{b}" if b else f"{a}+" for a, b in _LATE_CLASSES]
    found = {name: [_in_class(p.accounts, name, a, b) for a, b in _LATE_CLASSES] for name in names}
    once = sum(values[0] for values in found.values())
    everyone = sum(sum(values) for values in found.values())
    lead = f"{words.percent(once, everyone)} of the accounts that had late mail had a single late message."
    traces = [
        go.Bar(
            name=base.label(n),
            x=ticks,
            y=found[n],
            marker={"color": base.segment_colour(segments(p), n)},
            hovertemplate="%{y:,} accounts<extra>" + base.label(n) + "</extra>",
        )
        for n in names
    ]
    return Chart(
        id="late-messages",
        title="Late messages per account",
        lead=lead,
        alternative="Bars per segment: accounts by how many late messages they had.",
        figure=base.finish(
            traces,
            300,
            barmode="group",
            bargap=0.3,
            xaxis=base.axis("late messages of one account", type="category", showgrid=False),
            yaxis=base.axis("accounts", rangemode="tozero", tickformat=","),
        ),
        table=PageTable(
            "late-messages-table",
            "Accounts by late messages",
            ("late messages", *(words.sentence(n) for n in names)),
            tuple((page_table.text(t), *(page_table.count(found[n][i]) for n in names)) for i, t in enumerate(ticks)),
        ),
    )


def _in_class(accounts: pl.DataFrame, segment: str, least: int, most: int | None) -> int:
    late = accounts.filter(pl.col("segment") == segment)["late_deliveries"]
    return int(((late >= least) & (late <= (most or late.max() or least))).sum())
