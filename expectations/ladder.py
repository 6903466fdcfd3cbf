"""The ladder must agree with the grid, and nobody may stand on a rung without standing on those above it."""

from itertools import pairwise

import polars as pl

from expectations.declared import check_declared, has_declared_types
from expectations.gx import Count, run_counts
from expectations.tables import LADDER
from expectations.wording import counted, listed

_REMEDY = "Do not use these figures; keep the run's folder and report a bug in the counting."
_PLACE = ["unit", "messages", "segment"]
_TIMED = [*_PLACE, "threshold_seconds"]


def gates_on_ladder(ladder: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Return GATES rows on LADDER, held against CELLS and against itself."""
    declared = check_declared(ladder, LADDER, _REMEDY)
    if not has_declared_types(ladder, LADDER):
        return declared
    return pl.concat([declared, run_counts([_agreement(ladder, cells), _nesting(ladder)])])


def _agreement(ladder: pl.DataFrame, cells: pl.DataFrame) -> Count:
    """Late at D on the ladder is late at D in the grid, which is counted twice."""
    late = ladder.filter(rung="late").select(*_TIMED, "measured")
    grid = cells.filter(pl.col("count") == "late", pl.col("unit").is_in(ladder["unit"].unique().implode()))
    both = late.join(grid.select(*_TIMED, counted="measured"), on=_TIMED, how="full", coalesce=True)
    wrong = both.filter(pl.col("measured").ne_missing(pl.col("counted"))).sort(_TIMED)
    names = [
        f"{r['unit']} ≥ {r['threshold_seconds']} s, {r['messages']}, {r['segment']}: {r['measured']} and {r['counted']}"
        for r in wrong.iter_rows(named=True)
    ]
    observed = f"{counted(both.height, 'rung')} compared with the grid, {len(names)} differ"
    return Count(
        gate="ladder_agrees_with_the_grid",
        subject="ladder",
        severity="fail",
        value=len(names),
        maximum=0,
        observed=f"{observed}: {listed(names)}" if names else observed,
        limit="late at each threshold is the same in both (fixed)",
        remedy=_REMEDY,
        nothing="" if both.height else "no rung was compared",
    )


def _nesting(ladder: pl.DataFrame) -> Count:
    """Each rung holds no more than the one that it is a part of."""
    plain = ladder.select(*_TIMED, "rung", "measured")
    whole = ["provisioned", "active", "exposed"]
    pairs = [_pair(plain, upper, lower, _PLACE) for upper, lower in pairwise(whole)]
    pairs += [_pair(plain, "exposed", "late", _PLACE), _pair(plain, "exposed", "lost", _PLACE)]
    pairs.append(_pair(plain, "late", "late_in_working_hours", _TIMED))
    compared = pl.concat(pairs)
    wrong = compared.filter(pl.col("measured") > pl.col("above"))["rung"].unique().sort().to_list()
    observed = f"{counted(compared.height, 'comparison')} of a rung with the one above it"
    return Count(
        gate="rungs_nest",
        subject="ladder",
        severity="fail",
        value=len(wrong),
        maximum=0,
        observed=f"{observed}: {listed(wrong)} broke it" if wrong else observed,
        limit="a rung holds no more than the one above it (fixed)",
        remedy=_REMEDY,
        nothing="" if compared.height else "no rung was compared",
    )


def _pair(plain: pl.DataFrame, upper: str, lower: str, on: list[str]) -> pl.DataFrame:
    above = plain.filter(rung=upper).select(*on, above="measured")
    return plain.filter(rung=lower).join(above, on=on).select("rung", "measured", "above")
