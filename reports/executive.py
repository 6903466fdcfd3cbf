"""`summary.html`: one page for the reader with one minute. Plain words, inlined styles, no script, no picture."""

from reports import story, words
from reports.cells import headline_cell
from reports.page import render
from reports.plain_reasons import plain_reasons
from reports.publication import Publication
from reports.segments import segment_counts
from reports.verdicts import Verdict, verdicts

_RELATIONS = {
    "within": "That agrees with our count",
    "below": "That is lower than our count",
    "above": "That is higher than our count",
    "unknown": "We have no count to compare it with",
}


def executive_summary(p: Publication) -> str:
    """Return the page; for a refused run it says that there is no figure, and why."""
    window, zone = p.settings.window, p.settings.timezone
    c = headline_cell(p)
    return render(
        "summary.html.j2",
        p=p,
        headline=c,
        status_sentence=story.status_sentence(p),
        definition=story.definition_sentence(p) if c else "",
        range=story.range_sentence(c) if c else "",
        ordinary=story.ordinary_sentence(p, c) if c else "",
        mail=story.mail_sentence(p) if c else None,
        several_units=any(v.unit != p.headline.unit for v in p.claims),
        left_out=p.headline.messages == "excluding_bulk" and bool(p.settings.bulk_senders),
        when=words.span(window.start, window.end, zone),
        lasted=words.duration((window.end - window.start).total_seconds()),
        claims=[(v, said_against(v)) for v in verdicts(p)] if c else [],
        segments=segment_counts(p) if c else [],
        doubts=story.plain_doubts(p) if c else [],
        reasons=plain_reasons(p) if p.is_refused else [],
    )


def said_against(v: Verdict) -> str:
    """Return one plain sentence that sets a claim against the count in the claim's own unit."""
    if v.counted is None:
        return f"{_RELATIONS['unknown']}."
    return f"{_RELATIONS[v.relation]} of {words.units(v.unit)}: {words.bounds(v.counted)}."
