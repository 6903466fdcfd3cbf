"""The window in a run: found by the step `stitch`, and where it is to be detected used by all later ones.

The step `count` sets the declared window and those that were found beside one another.
"""

import polars as pl

from expectations.coverage import gates_on_coverage
from expectations.tables import ACTIVITY, FINDINGS, GATES
from mailtoll.run import Run
from mailtoll.warehouse import write_parquet
from sources.errors import BadInput
from transforms.ordinary import ordinary_figures
from transforms.window import choose, detect_window
from transforms.window_figures import figures_under

_HOLE = "log_hole"


def forget_windows(run: Run) -> None:
    """Take away what a former run of this folder detected, so that nothing is judged by it."""
    for name in ("windows", "window_figures", "late_share"):
        run.warehouse.table(name).unlink(missing_ok=True)


def postpone_holes(run: Run, gates: pl.DataFrame, findings: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return GATES and FINDINGS on the inputs, without those on holes where the window is still to be detected."""
    if run.incident.declared_window():
        return gates, findings
    return gates.filter(pl.col("gate") != _HOLE), findings.filter(pl.col("code") != _HOLE)


def judge_holes(run: Run) -> pl.DataFrame:
    """Return the GATES on holes that were postponed, now that the window is known; their FINDINGS join the others."""
    if run.incident.declared_window():
        return GATES.empty()
    path = run.warehouse.table("findings")
    others = pl.read_parquet(path).filter(pl.col("code") != _HOLE)
    gates, findings = gates_on_coverage(run.parts(ACTIVITY), others, run.settings, run.incident.gates)
    write_parquet(FINDINGS.conform(findings), path)
    return GATES.conform(gates.filter(pl.col("gate") == _HOLE))


def find_window(run: Run) -> None:
    """Write WINDOWS and LATE_SHARE from the deliveries; with `window: detect` they decide the window.

    Raises `BadInput` where the window is to be detected and no time stands out.
    """
    incident = run.incident
    declared, baseline = incident.declared_window(), incident.baseline.interval() if incident.baseline else None
    deliveries = pl.scan_parquet(run.warehouse.table("deliveries"))
    found = detect_window(deliveries, run.settings.headline, run.as_of, baseline)
    if declared is None and found.window is None:
        raise BadInput(
            f"{incident.path}: window: detect found no time with clearly more late mail than usual, by the headline's"
            " threshold; declare start and end, or lower the threshold."
        )
    write_parquet(choose(found, declared), run.warehouse.table("windows"))
    write_parquet(found.late_share, run.warehouse.table("late_share"))


def count_in_windows(run: Run) -> None:
    """Write WINDOW_FIGURES and ORDINARY: the headline under every window, and in each ordinary one."""
    windows = pl.read_parquet(run.warehouse.table("windows"))
    deliveries = pl.scan_parquet(run.warehouse.table("deliveries"))
    segments = run.records["segment"].drop_nulls().unique().to_list()
    found = figures_under(deliveries, segments, run.settings, windows)
    write_parquet(found, run.warehouse.table("window_figures"))
    write_parquet(ordinary_figures(deliveries, segments, run.settings), run.warehouse.table("ordinary"))


def windows_beside(run: Run) -> pl.DataFrame:
    """Return WINDOWS, each with the headline's `measured` counted in it, over all segments."""
    figures = pl.read_parquet(run.warehouse.table("window_figures")).filter(segment="all").drop("segment")
    windows = pl.read_parquet(run.warehouse.table("windows"))
    return windows.join(figures, on=["source", "penalty"], how="left", nulls_equal=True, maintain_order="left")
