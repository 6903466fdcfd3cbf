"""Which of the declared definitions agrees with what somebody said?

A claim is read as a range of figures in a unit, by the incident file, before anything is counted. A definition is a
cell of the grid for segment `all` in that unit; it agrees when its bounds meet the claim's range. The nearest is the
one with the smallest gap to the claim; of several, the one whose threshold is nearest to the headline's, the shorter
of two, then the headline's choice of messages and of outcomes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from expectations.tables import UNITS
from transforms.settings import Definition, Settings

_CHOICES = ("unit", "threshold_seconds", "messages", "count")
_FIGURES = ("measured", "lower", "upper", "baseline")
_PLURALS = {unit: f"{unit}es" if unit in ("address", "mailbox") else f"{unit}s" for unit in UNITS} | {
    "delivery": "deliveries"
}
_SPANS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True)
class Claim:
    """What somebody said, and the figures that it can mean: `low` to `high`, both inclusive, in `unit`."""

    who: str
    said: str
    low: int
    high: int
    unit: str


@dataclass(frozen=True)
class ClaimReading:
    """A claim beside the grid.

    `consistent_definitions` of `definitions` agree with it. `nearest` has unit, threshold_seconds, messages, count,
    measured, lower, upper, baseline and `gap`: 0 where it agrees, negative where the claim is too low by that many,
    positive where too high; None where nothing was counted in the unit. `sentence` is what may honestly be printed.
    """

    who: str
    said: str
    low: int
    high: int
    unit: str
    consistent_definitions: int
    definitions: int
    nearest: dict[str, Any] | None
    sentence: str


def read_claims(claims: Iterable[Claim], cells: pl.DataFrame, settings: Settings) -> tuple[ClaimReading, ...]:
    """Hold each claim against every definition of `cells` (columns of CELLS), in the order given.

    An empty grid (a refused run) gives readings with no definitions and no nearest.
    """
    curve = specification_curve(cells)
    return tuple(_read(claim, curve.filter(unit=claim.unit), settings.headline) for claim in claims)


def specification_curve(cells: pl.DataFrame) -> pl.DataFrame:
    """Return every definition (segment `all`), fewest first: rank from 1, its choices, its figures and bounds."""
    curve = cells.filter(segment="all").sort("measured", "upper", *_CHOICES)
    return curve.with_row_index("rank", offset=1).select("rank", *_CHOICES, *_FIGURES)


def _read(claim: Claim, definitions: pl.DataFrame, headline: Definition) -> ClaimReading:
    too_high = pl.lit(claim.low) - pl.col("upper")
    too_low = pl.lit(claim.high) - pl.col("lower")
    gap = pl.when(too_high > 0).then(too_high).when(too_low < 0).then(too_low).otherwise(0)
    ranked = definitions.with_columns(gap=gap).sort(
        pl.col("gap").abs(),
        (pl.col("threshold_seconds") - headline.threshold_seconds).abs(),
        "threshold_seconds",
        pl.col("messages") != headline.messages,
        pl.col("count") != headline.count,
    )
    agreeing = ranked.filter(gap=0).height
    nearest = ranked.drop("rank").row(0, named=True) if ranked.height else None
    return ClaimReading(
        who=claim.who,
        said=claim.said,
        low=claim.low,
        high=claim.high,
        unit=claim.unit,
        consistent_definitions=agreeing,
        definitions=ranked.height,
        nearest=nearest,
        sentence=_sentence(claim, agreeing, ranked.height, nearest, headline),
    )


def _sentence(claim: Claim, agreeing: int, total: int, nearest: dict[str, Any] | None, headline: Definition) -> str:
    said = f"“{' '.join(claim.said.split())}”"
    units = _PLURALS[claim.unit]
    if nearest is None:
        return f"{said} can’t be compared with anything: nothing was counted in {units}."
    definition = f"{_in_words(nearest)}, {_result(nearest)}"
    if not agreeing:
        fits = f"fits none of the {total:,} definitions counted in {units}; the nearest is"
        if total == 1:
            fits = f"does not fit the only definition counted in {units}"
        side = "high" if nearest["gap"] > 0 else "low"
        return f"{said} {fits}: {definition}. The claim is too {side} by at least {abs(nearest['gap']):,}."
    how_many = f"all {total:,} definitions" if agreeing == total else f"{agreeing:,} of {total:,} definitions"
    if total == 1:
        how_many = "the only definition"
    choices = tuple(nearest[choice] for choice in _CHOICES[1:])
    is_the_headlines = choices == (headline.threshold_seconds, headline.messages, headline.count)
    if agreeing == 1:
        lead = ", the headline’s own" if is_the_headlines else ""
    else:
        lead = ", the headline’s own among them" if is_the_headlines else "; the nearest to the headline is"
    return f"{said} fits {how_many} counted in {units}{lead}: {definition}."


def _in_words(nearest: dict[str, Any]) -> str:
    """Say what a definition counts: `at least one ordinary message 15 minutes late or more, or lost`."""
    ordinary = "" if nearest["messages"] == "all" else "ordinary "
    late = f"{_duration(nearest['threshold_seconds'])} late or more"
    ends = ", or lost" if nearest["count"] == "late_or_lost" else ""
    if nearest["unit"] in ("delivery", "message"):
        return f"{ordinary}{_PLURALS[nearest['unit']]} {late}{ends}"
    return f"at least one {ordinary}message {late}{ends}"


def _result(nearest: dict[str, Any]) -> str:
    """Say how many that is: `which hit 4,210 mailboxes`, `of which there were between 10 and 12`."""
    lower, upper = nearest["lower"], nearest["upper"]
    many = (f"{upper:,}" if upper else "no") if lower == upper else f"between {lower:,} and {upper:,}"
    if nearest["unit"] in ("delivery", "message"):
        return f"of which there {'was' if lower == upper == 1 else 'were'} {many if upper else 'none'}"
    return f"which hit {many} {nearest['unit'] if upper == 1 else _PLURALS[nearest['unit']]}"


def _duration(seconds: int) -> str:
    size, word = next((step for step in _SPANS if seconds and seconds % step[0] == 0), _SPANS[-1])
    count = seconds // size
    return f"{count:,} {word}{'' if count == 1 else 's'}"
