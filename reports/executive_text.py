"""The summary as plain text: the twin of `summary.html` in a mail, complete on its own."""

import textwrap

from reports import story, words
from reports.cells import Cell, headline_cell
from reports.executive import said_against
from reports.harmless import harmless
from reports.plain_reasons import plain_reasons
from reports.publication import Publication
from reports.segments import SegmentCount, segment_counts
from reports.verdicts import verdicts

WIDTH = 72
"""Columns; RFC 3676 advises lines of at most 78."""


def executive_text(p: Publication) -> str:
    """Return the summary in lines of at most 72 columns, words longer than that apart; one final newline."""
    c = headline_cell(p)
    window = p.settings.window
    parts = [p.title, f"{words.sentence(p.status)}. {story.status_sentence(p)}"]
    parts += _figure(p, c) if c else _no_figure(p)
    when = words.span(window.start, window.end, p.settings.timezone)
    lasted = words.duration((window.end - window.start).total_seconds())
    mail = story.mail_sentence(p) if c else None
    parts += ["SINCE WHEN AND UNTIL WHEN", " ".join(filter(None, (f"From {when}: {lasted}.", mail)))]
    if c:
        parts += _comparisons(p)
    more = "The full report" if c else "What exactly failed, and what to do,"
    parts += [f"Incident {p.incident_id}. {more} is in report.html beside this text."]
    return "\n\n".join(_wrap(str(harmless(part))) for part in parts) + "\n"


def _figure(p: Publication, c: Cell) -> list[str]:
    left_out = p.headline.messages == "excluding_bulk" and bool(p.settings.bulk_senders)
    headline = f"{words.number(c.measured)} {words.units(c.unit, c.measured).upper()}"
    bulk = " Advertising sent in bulk is left out." if left_out else ""
    return [headline, story.definition_sentence(p) + bulk, f"{story.range_sentence(c)} {story.ordinary_sentence(p, c)}"]


def _no_figure(p: Publication) -> list[str]:
    why = plain_reasons(p) or ["The count for the chosen definition is missing."]
    none = "A count made from what we have could be wrong without anyone noticing, so none is given."
    return ["THERE IS NO FIGURE YET", none, "WHY", *(f"- {reason}" for reason in why)]


def _comparisons(p: Publication) -> list[str]:
    said = [f"- {v.who} said “{v.said}”. {said_against(v)}" for v in verdicts(p)] or ["No public claim was named."]
    hit = [_segment(count) for count in segment_counts(p)] or ["The customer records name no groups."]
    open_questions = [f"- {doubt}" for doubt in story.plain_doubts(p)] or ["Nothing that we know of."]
    return ["AGAINST WHAT WAS SAID", *said, "WHO WAS HIT", *hit, "WHAT IS STILL UNKNOWN", *open_questions]


def _segment(count: SegmentCount) -> str:
    c = count.cell
    said = f"- {words.sentence(c.segment)}: {words.number(c.measured)} {words.units(c.unit, c.measured)}"
    return f"{said}, {words.percent(c.measured, count.exposed)} of those that had mail" if count.exposed else said


def _wrap(part: str) -> str:
    indent = "  " if part.startswith("- ") else ""
    return textwrap.fill(
        " ".join(part.split()), WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
