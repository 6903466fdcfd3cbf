"""The summary as plain text: the twin of `summary.html` in a mail, complete on its own."""

import textwrap

from reports import words
from reports.brief import Brief, Section, brief
from reports.harmless import harmless
from reports.publication import Publication
from reports.segments import SegmentCount

WIDTH = 72
"""Columns; RFC 3676 advises lines of at most 78."""


def executive_text(p: Publication) -> str:
    """Return the summary in lines of at most 72 columns, words longer than that apart; one final newline."""
    b = brief(p)
    parts = [b.title, b.status, b.claim.upper(), b.explained, b.range]
    parts += [line for section in b.above for line in _section(section)]
    parts += _segments(b)
    parts += [line for section in b.below for line in _section(section)]
    parts += [f"Incident {p.incident_id}. {b.read_on}"]
    return "\n\n".join(_wrap(str(harmless(part))) for part in parts if part) + "\n"


def _section(section: Section) -> list[str]:
    mark = "- " if section.is_list or len(section.points) > 1 else ""
    return [section.title.upper(), *(f"{mark}{point.lead} {point.text}" for point in section.points)]


def _segments(b: Brief) -> list[str]:
    if b.headline is None:
        return []
    return ["WHO WAS HIT", *(map(_segment, b.segments) if b.segments else ("The customer records name no groups.",))]


def _segment(count: SegmentCount) -> str:
    c = count.cell
    said = f"- {words.sentence(c.segment)}: {words.number(c.measured)} {words.units(c.unit, c.measured)}"
    return f"{said}, {words.percent(c.measured, count.exposed)} of those that had mail" if count.exposed else said


def _wrap(part: str) -> str:
    indent = "  " if part.startswith("- ") else ""
    return textwrap.fill(
        " ".join(part.split()), WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
