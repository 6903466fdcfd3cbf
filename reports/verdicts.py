"""Each public claim beside what was counted: below it, within it or above it, by the headline's definition."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports import words
from reports.cells import Cell, cell
from reports.ladder import pin_sentence
from reports.publication import ClaimReading, Publication
from transforms.settings import Definition

RELATIONS = {
    "within": "agrees with the headline’s definition",
    "below": "too low by the headline’s definition",
    "above": "too high by the headline’s definition",
    "unknown": "can’t be compared with the headline’s definition",
}


@dataclass(frozen=True)
class Verdict:
    """A claim with its reading, what the headline's definition counts in its unit, its rung, and the sentence."""

    who: str
    said: str
    low: int
    high: int
    unit: str
    counted: Cell | None
    relation: str
    consistent_definitions: int
    definitions: int
    nearest: str | None
    sentence: str
    rung: str | None = None

    @property
    def label(self) -> str:
        """The relation in words."""
        return RELATIONS[self.relation]

    @property
    def reading(self) -> str:
        """The figures that the claim can mean, in words."""
        low, high = words.number(self.low), words.number(self.high)
        return f"{low if low == high else f'{low} to {high}'} {words.units(self.unit, self.high)}"


def verdicts(p: Publication) -> list[Verdict]:
    """Return a verdict for each claim, in the order of the incident file; none where the run was refused."""
    return [] if p.is_refused else [_verdict(p, claim) for claim in p.claims]


def _verdict(p: Publication, claim: ClaimReading) -> Verdict:
    d = p.headline
    counted = cell(p, Definition(claim.unit, d.threshold_seconds, d.messages, d.count))
    return Verdict(
        who=claim.who,
        said=claim.said,
        low=claim.low,
        high=claim.high,
        unit=claim.unit,
        counted=counted,
        relation=_relation(claim, counted),
        consistent_definitions=claim.consistent_definitions,
        definitions=claim.definitions,
        nearest=_nearest(claim.nearest),
        sentence=claim.sentence or _sentence(claim, counted),
        rung=pin_sentence(p, claim),
    )


def _relation(claim: ClaimReading, counted: Cell | None) -> str:
    if counted is None:
        return "unknown"
    if claim.high < counted.lower:
        return "below"
    return "above" if claim.low > counted.upper else "within"


def _sentence(claim: ClaimReading, counted: Cell | None) -> str:
    agree = (
        f"{words.number(claim.consistent_definitions)} of {words.number(claim.definitions)} definitions agree with it."
    )
    if counted is None:
        return agree
    return (
        f"By the headline’s definition it was {words.bounds(counted)} {words.units(claim.unit, counted.upper)}; {agree}"
    )


def _nearest(nearest: Mapping[str, Any] | None) -> str | None:
    keys = ("unit", "threshold_seconds", "messages", "count")
    if not nearest or any(k not in nearest for k in keys):
        return None
    d = Definition(*(nearest[k] for k in keys))
    measured = nearest.get("measured")
    return words.short_definition(d) + (f": {words.number(measured)}" if measured is not None else "")
