"""The summary's two pictures: what was said beside what was counted, and the mail that waited around that time.

A picture here is figures and words only, placed from 0 to 1 along each axis; `templates/pictures.typ` draws it, for the
PDF as lines, for the mail as PNG.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from textwrap import shorten
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from reports import words
from reports.charts.claims import counted_in_units
from reports.publication import Publication
from reports.timeline import steps
from reports.verdicts import verdicts
from transforms.settings import Interval

MOST_ROWS = 8
"""More rows make the picture longer than the page that it is to sum up; the words name them all."""
LONGEST_LABEL = 64
"""Characters of a row's label: two lines beside its bar."""
_CLOCK = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, *(86400 * n for n in (1, 2, 7, 14, 28, 91)))
_MOST_TICKS = 7


@dataclass(frozen=True)
class Picture:
    """`kind` names the function that draws `content`; `alternative` says in words what there is to see."""

    kind: str
    title: str
    alternative: str
    content: dict[str, Any]

    @property
    def file(self) -> str:
        """The picture's name beside the summary."""
        return f"summary-{self.kind}.png"


def pictures(p: Publication) -> tuple[Picture, ...]:
    """Return the pictures that there is something to draw for; none where the run was refused."""
    return () if p.is_refused else tuple(filter(None, (_claims(p), _waiting(p))))


def _claims(p: Publication) -> Picture | None:
    claims, counted = verdicts(p), counted_in_units(p)
    if not claims or not counted or len(claims) + len(counted) > MOST_ROWS:
        return None
    rows = [
        (
            shorten(f"{v.who}: “{v.said}”", LONGEST_LABEL, placeholder=" …"),
            v.low,
            v.high,
            _range(v.low, v.high),
            "claim",
        )
        for v in claims
    ]
    rows += [(f"Counted: {words.units(c.unit)}", c.lower, c.upper, _range(c.lower, c.upper), "count") for c in counted]
    ticks = _ticks(max(high for _, _, high, _, _ in rows))
    said = [f"{v.who} said “{v.said}”, {v.reading}" for v in claims]
    said += [f"counted were {words.bounds(c)} {words.units(c.unit, c.upper)}" for c in counted]
    return Picture(
        kind="claims",
        title="What was said, and what was counted",
        alternative=f"Ranges on one scale: {'; '.join(said)}.",
        content={
            "rows": [
                {"label": label, "low": low / ticks[-1], "high": high / ticks[-1], "figure": text, "kind": kind}
                for label, low, high, text, kind in rows
            ],
            "ticks": [{"at": tick / ticks[-1], "text": words.number(tick)} for tick in ticks],
        },
    )


def _waiting(p: Publication) -> Picture | None:
    everything = steps(p)
    if everything is None or not everything["backlog"].max():
        return None
    most = everything.row(int(everything["backlog"].arg_max() or 0), named=True)
    window = p.settings.window
    frame = _around(everything, window, most["start_at"])
    zone, start = p.settings.timezone, frame["start_at"][0]
    length = (frame["start_at"][-1] - start).total_seconds() + frame["step_seconds"][-1]
    ticks = _ticks(most["backlog"])

    def place(at: datetime) -> float:
        return min(1.0, max(0.0, (at - start).total_seconds() / length))

    when = words.span(window.start, window.end, zone)
    peak = f"{words.number(most['backlog'])} at {words.instant(most['start_at'], zone)}"
    bulk = "; the part that is advertising sent in bulk stands on top" if p.settings.bulk_senders else ""
    return Picture(
        kind="waiting",
        title="Messages waiting to be delivered",
        alternative=f"An area over time, at most {peak}, with the time from {when} shaded{bulk}.",
        content={
            "steps": [
                {
                    "at": place(row["start_at"]),
                    "all": row["backlog"] / ticks[-1],
                    "bulk": row["backlog_bulk"] / ticks[-1],
                }
                for row in frame.iter_rows(named=True)
            ],
            "has_bulk": bool(p.settings.bulk_senders),
            "peak": peak,
            "window": {"from": place(window.start), "to": place(window.end)},
            "ticks": [{"at": tick / ticks[-1], "text": words.number(tick)} for tick in ticks],
            "clock": [{"at": place(at), "text": text} for at, text in _clock(start, length, zone)],
            "zone": words.zone_name(window.start, zone),
        },
    )


def _around(frame: pl.DataFrame, window: Interval, peak_at: datetime) -> pl.DataFrame:
    """Return the steps from one window's length before the window to one after it, and to the peak in any case."""
    length = window.end - window.start
    first, last = min(window.start - length, peak_at), max(window.end + length, peak_at)
    return frame.filter(pl.col("start_at").is_between(first, last))


def _range(low: int, high: int) -> str:
    return words.number(low) if low == high else f"{words.number(low)} to {words.number(high)}"


def _ticks(most: int) -> list[int]:
    """Return round figures from 0 to the first at or above `most`: at most six."""
    step = next(size * 10**power for power in count() for size in (1, 2, 5) if size * 10**power * 5 >= most)
    return list(range(0, max(most, 1) + step, step))


def _clock(start: datetime, length: float, zone: str) -> list[tuple[datetime, str]]:
    """Return round times of the incident's clock, in the offset that holds at the start; at most seven."""
    offset = start.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    apart = next((size for size in _CLOCK if length / size <= _MOST_TICKS), _CLOCK[-1])
    first = -(-(start + offset).timestamp() // apart) * apart - offset.total_seconds()
    at = [datetime.fromtimestamp(first + n * apart, start.tzinfo) for n in range(int(length // apart) + 1)]
    inside = [instant for instant in at if (instant - start).total_seconds() <= length]
    local = [(instant, instant.astimezone(ZoneInfo(zone))) for instant in inside]
    return [(i, f"{shown:%H:%M}" if apart < 86400 else f"{shown.day} {shown:%b}") for i, shown in local]
