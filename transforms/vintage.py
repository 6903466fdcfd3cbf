"""How a headline figure changed from one count to the next, and how much of the change each cause accounts for.

Four things can make a count come out otherwise: the code, the definition, the customer records and the logs (which
files were read, how their lines were to be read, and up to which instant they are complete). Causes act on each other,
so their shares depend on the order in which they are swapped: here always code, definition, records, logs. Each share
is the difference that one swap makes to a count in which the causes before it are new already and those after it still
old. So the shares add up to the whole difference, exactly.

Where a count in between is impossible (the old logs are gone), the causes on both sides of it are told together.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from expectations.tables import CELLS
from transforms import impact
from transforms.settings import Definition, Settings

CAUSES = ("code", "definition", "records", "logs")
Figures = Mapping[str, int]
"""segment (`all` among them) → what was measured by the headline's definition."""


@dataclass(frozen=True)
class Step:
    """One part of a change: what was measured before and after these causes were swapped."""

    causes: tuple[str, ...]
    before: Figures
    after: Figures

    def difference(self, segment: str = "all") -> int:
        """Return how much the causes add to a segment's figure; one that a side does not know counts 0."""
        return self.after.get(segment, 0) - self.before.get(segment, 0)


@dataclass(frozen=True)
class Vintage:
    """One published count. `number` counts from 1; `folder` is relative to the run's folder.

    `measured`, `lower` and `upper` are the headline's; `figures` its measured count by segment. `steps` split the
    difference from the vintage before; the first has none.
    """

    number: int
    folder: str
    as_of: datetime
    status: str
    headline: Definition
    measured: int
    lower: int
    upper: int
    figures: Figures
    definition_sha256: str
    code_version: str
    steps: tuple[Step, ...] = ()


def split_change(
    old: Figures, new: Figures, changed: Collection[str], recount: Callable[[frozenset[str]], Figures | None]
) -> tuple[Step, ...]:
    """Split the change from `old` to `new` among the causes that `changed`, in the order of CAUSES.

    `recount` counts with these causes new and all others old; None: that cannot be counted any more. It is not asked
    for the first nor for the last count, which are known. A difference that no cause explains is a step without any.
    """
    todo = [cause for cause in CAUSES if cause in changed]
    if not todo:
        return (Step((), old, new),) if dict(old) != dict(new) else ()
    steps: list[Step] = []
    together: list[str] = []
    before = old
    for place, cause in enumerate(todo, start=1):
        together.append(cause)
        after = new if place == len(todo) else recount(frozenset(todo[:place]))
        if after is not None:
            steps.append(Step(tuple(together), before, after))
            before, together = after, []
    return tuple(steps)


def headline_figures(event_files: Sequence[Path], records: pl.DataFrame, settings: Settings) -> dict[str, int]:
    """Count the headline's cells alone, from files of EVENTS and a frame of CUSTOMER_RECORDS."""
    narrowed = replace(settings, thresholds_seconds=(settings.headline.threshold_seconds,), placebo_windows=())
    with impact.workspace() as db:
        impact.stitch(db, event_files, records, narrowed)
        impact.count(db, records, narrowed)
        return figures_of(impact.table(db, "cells", CELLS), settings.headline)


def figures_of(cells: pl.DataFrame, headline: Definition) -> dict[str, int]:
    """Return what was measured by the headline's definition, by segment, from a frame of CELLS."""
    rows = cells.filter(
        unit=headline.unit,
        threshold_seconds=headline.threshold_seconds,
        messages=headline.messages,
        count=headline.count,
    )
    return dict(rows.select("segment", "measured").iter_rows())
