"""The site's index: every incident with its published counts, newest first, made from their public figures alone.

A change is the difference of two shown figures, both rounded, so that it tells no small group either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports import words
from reports.page import render

Figures = Mapping[str, Any]
"""What `reports.public.public_figures` said of a count."""


@dataclass(frozen=True)
class Line:
    """One count in the index; `folder` is its address below its incident's."""

    folder: str
    figures: Figures
    change: str


def site_index(incidents: Mapping[str, Mapping[str, Figures]]) -> str:
    """Return the page over all incidents: id → folder of a count → its figures."""
    sections = [(name, f"{name}/", _lines(counts)) for name, counts in sorted(incidents.items()) if counts]
    return render("site_index.html.j2", sections=sections, title="E-mail incidents and whom they reached", top="")


def incident_index(name: str, counts: Mapping[str, Figures]) -> str:
    """Return the page over one incident's counts."""
    lines = _lines(counts)
    return render("site_index.html.j2", sections=[(name, "", lines)], title=lines[0].figures["title"], top="../")


def _lines(counts: Mapping[str, Figures]) -> Sequence[Line]:
    oldest_first = sorted(counts.items(), key=lambda item: item[1]["number"])
    former = [None, *(figures for _, figures in oldest_first)]
    lines = [Line(folder, now, change(was, now)) for was, (folder, now) in zip(former, oldest_first, strict=False)]
    return lines[::-1]


def change(was: Figures | None, now: Figures) -> str:
    """Return how the headline differs from the count before it, in words."""
    if was is None:
        return "the first count"
    if was["definition"] != now["definition"]:
        return "counts something else than the one before"
    before, after = was["headline"]["count"], now["headline"]["count"]
    if before is None or after is None:
        return "can’t be told: a figure is withheld"
    if before == after:
        return "unchanged" if was["status"] == now["status"] else f"unchanged, now {now['status']}"
    return f"{words.number(abs(after - before))} {'more' if after > before else 'fewer'}"
