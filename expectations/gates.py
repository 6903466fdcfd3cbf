"""All quality gates, in the two places where a run may stop: before anything is stitched, before it is published."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import polars as pl

from expectations.cells import gates_on_cells
from expectations.coverage import gates_on_coverage
from expectations.deliveries import gates_on_deliveries
from expectations.events import gates_on_events
from expectations.ladder import gates_on_ladder
from expectations.lines import gates_on_lines
from expectations.ordinary import gates_on_ordinary
from expectations.records import gates_on_records
from expectations.refusal import is_refused, reasons
from expectations.tables import FINDINGS
from transforms.gate_limits import GateLimits
from transforms.settings import Settings

__all__ = ["gates_on_impact", "gates_on_inputs", "gates_on_rungs", "is_refused", "reasons", "side_by_side"]


def gates_on_inputs(
    inputs: pl.DataFrame,
    line_counts: pl.DataFrame,
    activity: pl.DataFrame,
    records: pl.DataFrame,
    event_files: Sequence[Path],
    settings: Settings,
    limits: GateLimits,
    findings: pl.DataFrame | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return GATES rows on what was read, and FINDINGS: those of the parse step given as `findings`, and log holes.

    `event_files` are Parquet files of EVENTS, one per log file; the frames have the columns of INPUTS, LINE_COUNTS,
    ACTIVITY and CUSTOMER_RECORDS. A gate that had nothing to compare fails.
    """
    coverage, found = gates_on_coverage(activity, FINDINGS.empty() if findings is None else findings, settings, limits)
    gates = side_by_side(
        partial(gates_on_lines, inputs, line_counts, limits),
        lambda: coverage,
        partial(gates_on_events, event_files),
        partial(gates_on_records, records, limits),
    )
    return gates, found


def side_by_side(*gates: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """Return the GATES rows of several sets of gates, in their order; one is measured while another is judged."""
    with ThreadPoolExecutor(2) as pool:
        return pl.concat(pool.map(lambda judged: judged(), gates))


def gates_on_impact(
    deliveries: pl.DataFrame | Path, cells: pl.DataFrame, records: pl.DataFrame, settings: Settings, limits: GateLimits
) -> pl.DataFrame:
    """Return GATES rows on DELIVERIES (a frame or its Parquet file) and the finished grid, CELLS."""
    return side_by_side(
        partial(gates_on_deliveries, deliveries, settings, limits), partial(gates_on_cells, cells, records, settings)
    )


def gates_on_rungs(
    ladder: pl.DataFrame, ordinary: pl.DataFrame, cells: pl.DataFrame, settings: Settings
) -> pl.DataFrame:
    """Return GATES rows on what is counted beside the grid: LADDER and ORDINARY, held against CELLS."""
    return pl.concat([gates_on_ladder(ladder, cells), gates_on_ordinary(ordinary, cells, settings)])
