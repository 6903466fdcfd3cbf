"""Bounds for whoever assumes something must lie within the bounds that assume nothing, and hold the figure."""

import polars as pl

from expectations.declared import check_declared, has_declared_types
from expectations.gx import Count, run_counts
from expectations.tables import CELLS, NARROWER
from expectations.wording import counted, listed

_REMEDY = "Do not use these figures; keep the run's folder and report a bug in the counting."
_KEY = list(CELLS.key)


def gates_on_narrower(narrower: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Return GATES rows on NARROWER, held against CELLS."""
    declared = check_declared(narrower, NARROWER, _REMEDY)
    if not has_declared_types(narrower, NARROWER):
        return declared
    return pl.concat([declared, run_counts([_within(narrower, cells)])])


def _within(narrower: pl.DataFrame, cells: pl.DataFrame) -> Count:
    """Every cell has the same assumptions, and none of them leads out of its bounds or past its figure."""
    worst = cells.select(*_KEY, "measured", lowest="lower", highest="upper")
    both = worst.join(narrower, on=_KEY, how="full", coalesce=True)
    ascends = [
        pl.col(low) <= pl.col(high)
        for low, high in (("lowest", "lower"), ("lower", "measured"), ("measured", "upper"), ("upper", "highest"))
    ]
    wrong = both.filter(~pl.all_horizontal(ascends).fill_null(False)).sort(_KEY)
    names = [
        f"{r['assumption']}: {r['unit']} ≥ {r['threshold_seconds']} s, {r['messages']}, {r['count']}, {r['segment']}"
        for r in wrong.iter_rows(named=True)
    ]
    observed = f"{counted(both.height, 'narrower range')} compared with the worst case, {len(names)} broke it"
    return Count(
        gate="assumptions_only_narrow",
        subject="narrower",
        severity="fail",
        value=len(names),
        maximum=0,
        observed=f"{observed}: {listed(names)}" if names else observed,
        limit="within the cell's bounds, around its figure (fixed)",
        remedy=_REMEDY,
        nothing="" if both.height else "no range was compared",
    )
