"""What every chart of the page shares: its parts, its quiet look, and colours that the page decides.

Colours are names of CSS variables (`var(--bulk)`); the page puts in the light or the dark value when it draws.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from reports import words
from reports.harmless import for_chart
from reports.page_table import PageTable

INK, MUTED, RULE, PAPER = "var(--ink)", "var(--muted)", "var(--rule)", "var(--paper)"
ACCENT, ORDINARY, BULK, BASELINE = "var(--accent)", "var(--ordinary)", "var(--bulk)", "var(--baseline)"
DELIVERED, PENDING, LOST = "var(--ordinary)", "var(--pending)", "var(--lost)"
_SEGMENTS = ("var(--segment-1)", "var(--segment-2)", "var(--segment-3)", "var(--segment-4)", "var(--segment-5)")
NOTHING = "rgba(0,0,0,0)"


@dataclass(frozen=True)
class Chart:
    """A chart with what makes it readable to everyone.

    `lead` is the one sentence to take from it, `alternative` says in words what it shows, `table` holds every
    figure drawn. `figure` is Plotly's JSON.
    """

    id: str
    title: str
    lead: str
    alternative: str
    figure: dict[str, Any]
    table: PageTable


def finish(traces: Sequence[Any], height: int, **layout: Any) -> dict[str, Any]:
    """Return Plotly's JSON for traces in the house's look; `layout` adds to it."""
    look = _look(height)
    for name, value in layout.items():
        look[name] = look[name] | value if isinstance(value, dict) and name in look else value
    figure = go.Figure(data=list(traces), layout=look | {"template": go.layout.Template()})
    content: dict[str, Any] = json.loads(figure.to_json(validate=False))
    _whole_ticks(content)
    return content


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """Return a quiet axis: light grid, no frame, its unit as title."""
    return {
        "title": {"text": title, "font": {"size": 12, "color": MUTED}},
        "gridcolor": RULE,
        "zerolinecolor": RULE,
        "linecolor": RULE,
        "tickfont": {"size": 12, "color": MUTED},
        "automargin": True,
        "fixedrange": True,
        **more,
    }


def segment_colour(segments: Sequence[str], name: str) -> str:
    """Return the colour of a segment: the same one in every chart."""
    return _SEGMENTS[list(segments).index(name) % len(_SEGMENTS)] if name in segments else MUTED


def bounds(measured: Sequence[float], lower: Sequence[float], upper: Sequence[float]) -> dict[str, Any]:
    """Return thin lines that reach from the lower to the upper bound of each bar; none where every bar is exact."""
    return {
        "type": "data",
        "visible": list(lower) != list(upper),
        "symmetric": False,
        "array": [high - value for value, high in zip(measured, upper, strict=True)],
        "arrayminus": [value - low for value, low in zip(measured, lower, strict=True)],
        "color": INK,
        "thickness": 1.5,
        "width": 5,
    }


def label(name: str) -> str:
    """Return a name from the data as a chart may show it."""
    return for_chart(words.sentence(name))


def _whole_ticks(content: dict[str, Any]) -> None:
    """Give axes that count a few heads whole ticks, and one that counts nobody a length all the same."""
    for axis_name, letter in (("xaxis", "x"), ("yaxis", "y")):
        settings = content["layout"].get(axis_name, {})
        if settings.get("tickformat") != ",":
            continue
        own = [trace for trace in content["data"] if f"{letter}axis" not in trace]
        highest = max((v for trace in own for v in trace.get(letter, ()) if isinstance(v, int | float)), default=0)
        if highest < 5:
            settings["dtick"] = 1
        if highest <= 0:
            settings["range"] = [0, 1]


def _look(height: int) -> dict[str, Any]:
    return {
        "height": height,
        "paper_bgcolor": NOTHING,
        "plot_bgcolor": NOTHING,
        "font": {"family": "inherit", "size": 13, "color": INK},
        "margin": {"l": 8, "r": 16, "t": 36, "b": 8},
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": MUTED, "font": {"color": INK}},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom", "font": {"size": 13}},
        "dragmode": False,
    }
