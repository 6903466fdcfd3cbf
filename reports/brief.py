"""What the reader with one minute is told: the same words and figures on the page, in the plain text and on paper.

Plain words only. What a sheet of paper or a mail makes of them is decided in `executive`, `executive_text` and
`typeset`.
"""

from dataclasses import dataclass

from reports import story, words
from reports.cells import Cell, headline_cell
from reports.plain_doubts import plain_doubts
from reports.plain_reasons import plain_reasons
from reports.publication import Publication
from reports.segments import SegmentCount, segment_counts
from reports.timeline import facts
from reports.verdicts import Verdict, verdicts

_RELATIONS = {
    "within": "That agrees with our count",
    "below": "That is lower than our count",
    "above": "That is higher than our count",
    "unknown": "We have no count to compare it with",
}
_UNDATED = {
    "preliminary": "No time is set for it.",
    "final": "No further one is planned: these figures are final.",
    "refused": "No time is set for it; a count follows when the reasons above are mended.",
}


@dataclass(frozen=True)
class Point:
    """One thing said; `lead` is who or what it is about, and may be empty."""

    text: str
    lead: str = ""


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it; `is_list` where the points are several answers to one question."""

    title: str
    points: tuple[Point, ...]
    is_list: bool = False


@dataclass(frozen=True)
class Brief:
    """Everything that is said, in order: headline, range, `above`, the segments, `below`, and where to read on.

    `headline` is None where there is no figure; then `claim` says so, and `explained` why a doubtful one is not given.
    """

    title: str
    status: str
    headline: Cell | None
    claim: str
    explained: str
    range: str
    above: tuple[Section, ...]
    segments: tuple[SegmentCount, ...]
    below: tuple[Section, ...]
    read_on: str


def brief(p: Publication) -> Brief:
    """Return the summary of a count, or of a refusal."""
    c = headline_cell(p)
    told = (_when(p, c), _cause(p))
    status = f"{words.sentence(p.status)}. {_status(p)}"
    end = Section("Next update", (Point(next_update(p)),))
    if c is None:
        why = plain_reasons(p) or ["The count for the chosen definition is missing."]
        return Brief(
            title=p.title,
            status=status,
            headline=None,
            claim="There is no figure yet.",
            explained="A count made from what we have could be wrong without anyone noticing, so none is given.",
            range="",
            above=(Section("Why", tuple(map(Point, why)), is_list=True), *_still_open(p), *told, end),
            segments=(),
            below=(),
            read_on="What exactly failed, and what to do, is in report.html, in this count’s folder.",
        )
    left_out = p.headline.messages == "excluding_bulk" and bool(p.settings.bulk_senders)
    return Brief(
        title=p.title,
        status=status,
        headline=c,
        claim=f"{words.number(c.measured)} {words.units(c.unit, c.measured)}",
        explained=story.definition_sentence(p) + (" Advertising sent in bulk is left out." if left_out else ""),
        range=f"{_range(c)} {story.ordinary_sentence(p, c)}",
        above=(_claims(p),),
        segments=tuple(segment_counts(p)),
        below=(*told, _unknown(p), end),
        read_on="The full report, every other way to count and the evidence: report.html, in this count’s folder.",
    )


def said_against(v: Verdict) -> str:
    """Return one plain sentence that sets a claim against the count in the claim's own unit."""
    if v.counted is None:
        return f"{_RELATIONS['unknown']}."
    return f"{_RELATIONS[v.relation]} of {words.units(v.unit)}: {words.bounds(v.counted)}."


def _status(p: Publication) -> str:
    as_of = words.instant(p.settings.as_of, p.settings.timezone)
    if p.status == "final":
        return f"What is known up to {as_of} covers the longest time that mail can wait."
    if p.status == "preliminary":
        return f"This is what is known up to {as_of}; some mail can wait longer, so figures may still move."
    return "A quality check failed, so no figure is published."


def _range(c: Cell) -> str:
    if c.is_exact:
        return "This figure is certain: nothing that is still open could change it."
    return f"At least {words.number(c.lower)} are certain; up to {words.number(c.upper)} are possible."


def _claims(p: Publication) -> Section:
    said = [Point(f"said “{v.said}”. {said_against(v)}", v.who) for v in verdicts(p)]
    if any(v.unit != p.headline.unit for v in p.claims):
        other = f"A claim can be about something else than {words.units(p.headline.unit)}"
        said.append(Point(f"{other}: one account can have several mailboxes, one customer several accounts."))
    return Section("Against what was said", tuple(said) or (Point("No public claim was named."),))


def _still_open(p: Publication) -> tuple[Section, ...]:
    """Return the claims that a refused count leaves open."""
    said = tuple(Point(f"said “{claim.said}”.", claim.who) for claim in p.claims)
    return (Section("What was said, still open", said),) if said else ()


def _when(p: Publication, c: Cell | None) -> Section:
    window = p.settings.window
    lasted = words.duration((window.end - window.start).total_seconds())
    mail = _mail(p) if c else ""
    said = f"From {words.span(window.start, window.end, p.settings.timezone)}: {lasted}. {mail}"
    return Section("Since when and until when", (Point(said.strip()),))


def _mail(p: Publication) -> str:
    """Say how much mail came in that time, how much of it was advertising, and when most was waiting."""
    known = facts(p)
    if known is None or not known.arrivals_in_window:
        return ""
    said = f"{words.number(known.arrivals_in_window)} messages came in, counted once per recipient"
    if p.settings.bulk_senders:
        said += f"; {words.percent(known.bulk_in_window, known.arrivals_in_window)} were advertising sent in bulk"
    if known.peak_at:
        at = words.instant(known.peak_at, p.settings.timezone)
        said += f". Most were waiting at {at}: {words.number(known.peak_backlog)}"
    return f"{said}."


def _cause(p: Publication) -> Section:
    return Section("Cause", (Point(p.cause or "Not stated so far."),))


def _unknown(p: Publication) -> Section:
    doubts = tuple(map(Point, plain_doubts(p)))
    return Section("What is still unknown", doubts or (Point("Nothing that we know of."),), is_list=bool(doubts))


def next_update(p: Publication) -> str:
    """Say when more will be known."""
    return words.instant(p.next_update, p.settings.timezone) + "." if p.next_update else _UNDATED[p.status]
