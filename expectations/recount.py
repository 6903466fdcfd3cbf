"""Counted twice: the second count must agree with the first in every cell, or nothing is published."""

import polars as pl

from expectations.gx import Count, run_counts
from expectations.wording import counted, listed

_SHOWN = 5


def gates_on_recount(differences: pl.DataFrame, compared: int) -> pl.DataFrame:
    """Return the GATES row on the cells that differ between the two counts, out of `compared` cells.

    `differences`: unit, threshold_seconds, messages, count, segment, measured, recounted, baseline,
    recounted_baseline; one row per cell that differs in the one or the other.
    """
    cells = [
        f"{row['unit']}/{row['threshold_seconds']} s/{row['messages']}/{row['count']}/{row['segment']}: "
        f"{row['measured']} (baseline {row['baseline']}) by SQL, "
        f"{row['recounted']} (baseline {row['recounted_baseline']}) by the recount"
        for row in differences.head(_SHOWN).iter_rows(named=True)
    ]
    rest = f" and {differences.height - _SHOWN} more" if differences.height > _SHOWN else ""
    return run_counts(
        [
            Count(
                gate="counted_twice",
                subject="cells",
                severity="fail",
                value=differences.height,
                maximum=0,
                observed=f"{counted(compared, 'cell')} compared, {differences.height} differ"
                + (f" ({listed(cells)}{rest})" if cells else ""),
                limit="the two counts agree in every cell",
                remedy="one of the two counts is wrong: keep the run folder and report it; publish neither figure",
                nothing="" if compared else "no cell was compared",
            )
        ]
    )
