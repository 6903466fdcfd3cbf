"""The one way through the house: one step = one function = one Airflow task.

    pull_logs → parse_log (one per file) → pull_customer_records → check_inputs → stitch
    → count and, beside it, recount → check_impact → publish

What follows, from the tables to take away to the mail, is in `outgoing`.

Arguments and results are plain strings and small JSON, so that they pass through XCom. Every step reads what earlier
steps wrote into the run's folder, replaces its own output at once, and repeats to the same answer.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import polars as pl

from expectations.gates import gates_on_impact, gates_on_inputs, gates_on_rungs, reasons, side_by_side
from expectations.narrower import gates_on_narrower
from expectations.recount import gates_on_recount
from expectations.tables import (
    ACCOUNTS,
    ACTIVITY,
    BOUNDS,
    CELLS,
    CORRECTIONS,
    DELAYS,
    FAULT_SHARES,
    FINDINGS,
    GATES,
    INPUTS,
    LADDER,
    MINUTES,
    NARROWER,
    ORDINARY,
    QUARANTINE,
    REFUSALS,
)
from mailtoll.definition import require_definition, write_definition
from mailtoll.detection import count_in_windows, find_window, forget_windows, judge_holes, postpone_holes
from mailtoll.downtime import measure_time
from mailtoll.explain_replay import keep_context
from mailtoll.file_passes import with_passes
from mailtoll.file_years import with_years
from mailtoll.lock import alone_in_folder
from mailtoll.manifest import forget_records, recorded
from mailtoll.parsing import parse_pulled
from mailtoll.process import give_back
from mailtoll.run import Run
from mailtoll.snapshot import keep_snapshot
from mailtoll.standby import specs_beside_standby, with_standby
from mailtoll.warehouse import sweep, write_parquet
from sources import log_files
from sources.compression import open_decompressed
from sources.customer_records import pull_customer_records as pull_records
from transforms import impact
from transforms.queue_listing import read_queue_listing
from transforms.recount import differences
from transforms.recount import recount as count_again


@dataclass(frozen=True)
class RunResult:
    """How a run ended: its status, the headline cell, why it was refused or what it warns of, and what was written.

    `change` says how the figure differs from the count before, or which count stays after a refusal; `count` is the
    name of the published count, empty for a refusal.
    """

    status: Literal["published", "refused"]
    headline: dict[str, Any] | None = None
    reasons: list[str] = field(default_factory=list)
    paths: dict[str, Path] = field(default_factory=dict)
    change: str = ""
    count: str = ""


@alone_in_folder
def run_incident(incident: Path, out: Path, progress: Callable[[str], None]) -> RunResult:
    """Run every step for one incident, in order."""
    refused = _ingest(incident, out, progress)
    if not refused:
        _measure(incident, out, progress)
    progress("writing the reports")
    published = publish(str(incident), str(out))
    paths, published_count = published["paths"], published["count"]
    if published_count:
        from mailtoll.outgoing import approvers, export, put_on_site  # only where something goes out

        progress("writing the tables to take away")
        paths |= export(str(incident), str(out))
        if not approvers(str(incident), str(out)):
            paths |= put_on_site(str(incident), str(out), published_count)
    return RunResult(
        status="published" if published_count else "refused",
        headline=published["headline"],
        reasons=published["reasons"],
        paths={name: Path(path) for name, path in paths.items()},
        change=published["change"],
        count=published_count,
    )


@alone_in_folder
def check_incident(incident: Path, out: Path, progress: Callable[[str], None]) -> RunResult:
    """Run the quality gates only: on logs and records, then on deliveries and the grid; publish nothing."""
    result = _ingest(incident, out, progress)
    if not result:
        result = _measure(incident, out, progress)
    from mailtoll import publishing  # heavy, for what it draws with: not for the steps that only read and count

    run = Run.of(incident, out)
    publishing.write_gates(run)
    return RunResult("refused" if result else "published", None, result, {"gates": run.warehouse.table("gates")})


def _ingest(incident: Path, out: Path, progress: Callable[[str], None]) -> list[str]:
    """Pull, parse and check what comes in; return why the run is refused."""
    progress("pulling logs")
    ids = pull_logs(str(incident), str(out))
    for number, source_id in enumerate(ids, start=1):
        progress(f"parsing log file {number} of {len(ids)}")
        parse_log(str(incident), str(out), source_id)
    give_back()
    progress("pulling customer records")
    pull_customer_records(str(incident), str(out))
    progress("checking logs and records")
    return list(check_inputs(str(incident), str(out))["reasons"])


def _measure(incident: Path, out: Path, progress: Callable[[str], None]) -> list[str]:
    """Stitch, count, count again beside it, and check; return why the run is refused."""
    with ThreadPoolExecutor(1) as beside:
        beside.submit(_load_pages)
        progress("stitching messages")
        stitch(str(incident), str(out))
        give_back()
        progress("counting twice")
        again = beside.submit(recount, str(incident), str(out))
        count(str(incident), str(out))
        again.result()
    progress("checking the figures")
    return list(check_impact(str(incident), str(out))["reasons"])


def _load_pages() -> None:
    """Load what `publish` draws and writes with: most of a second that nobody need wait for."""
    import_module("mailtoll.publishing")
    import_module("reports.page").preload()


@recorded
def pull_logs(incident: str, out: str) -> list[str]:
    """Write down what is declared, copy logs and queue listings; return one id per log file with content of its own."""
    run = Run.of(incident, out)
    sweep(run.warehouse.root)
    forget_records(run.warehouse)
    write_definition(run.incident, run.warehouse)
    pulled = log_files.pull_logs(specs_beside_standby(run.incident), run.warehouse.root)
    edges = log_files.edge_lines(pulled, run.warehouse.root)
    dated = with_passes(run, with_years(run, pulled, edges), edges)
    write_parquet(with_standby(run, INPUTS.conform(dated)), run.warehouse.table("pulled"))
    return Run.of(incident, out).source_ids("log")


@recorded
def parse_log(incident: str, out: str, source_id: str) -> dict[str, Any]:
    """Parse one pulled log file into events, unless that was done before; return its counts and digest."""
    run = Run.of(incident, out)
    source = run.pulled.filter(pl.col("source_id") == source_id).row(0, named=True)
    receipt = parse_pulled(run.warehouse, source)
    return {key: receipt[key] for key in ("source_id", "events", "parsed", "ignored", "quarantined", "digest")}


@recorded
def pull_customer_records(incident: str, out: str) -> dict[str, Any]:
    """Copy the customer records and put them into their declared columns; return rows and digest."""
    run = Run.of(incident, out)
    pulled = pull_records(run.incident.records_spec(), run.warehouse.root)
    write_parquet(pulled.records, run.warehouse.table("customer_records"))
    write_parquet(pulled.inputs, run.warehouse.table("pulled_records"))
    write_parquet(pulled.corrections, run.warehouse.table(CORRECTIONS.name))
    return {"rows": pulled.records.height, "digest": pulled.inputs["sha256"][0]}


@recorded
def check_inputs(incident: str, out: str) -> dict[str, Any]:
    """Read the queue listings, then judge logs and records; return whether and why the run is refused."""
    run = Run.of(incident, out)
    forget_windows(run)
    for row in run.pulled.filter((pl.col("kind") == "queue_snapshot") & ~pl.col("is_duplicate")).iter_rows(named=True):
        with open_decompressed(run.warehouse.kept(row["path"])) as stream:
            events, aside = read_queue_listing(stream, row["source_id"], row["uri"], run.as_of)
        write_parquet(events, run.warehouse.part("events", row["source_id"]))
        write_parquet(aside, run.warehouse.part("quarantine", row["source_id"]))
    inputs = _inputs(run)
    found = pl.concat([run.parts(FINDINGS), log_files.pull_findings(run.pulled, run.warehouse.root)])
    gates, findings = gates_on_inputs(
        inputs,
        run.line_counts,
        run.parts(ACTIVITY),
        run.records,
        run.event_files(),
        run.settings,
        run.incident.gates,
        found,
    )
    gates, findings = postpone_holes(run, gates, findings)
    keep_snapshot(run)
    write_parquet(inputs, run.warehouse.table("inputs"))
    write_parquet(FINDINGS.conform(findings), run.warehouse.table("findings"))
    write_parquet(GATES.conform(gates), run.warehouse.table("gates_on_inputs"))
    return _verdict(gates) | {"rows": inputs.height}


def _inputs(run: Run) -> pl.DataFrame:
    """Return INPUTS of logs, listings and records, with what parsing found out about the logs."""
    receipts = [
        parse_pulled(run.warehouse, row)
        for row in run.pulled.filter(kind="log", is_duplicate=False).iter_rows(named=True)
    ]
    schema = dict.fromkeys(("source_id", "format", "dialect_lines", "first_at", "last_at"), pl.String)
    found = pl.DataFrame([{key: r[key] for key in schema} for r in receipts], schema=schema).with_columns(
        pl.col("first_at", "last_at").str.to_datetime(time_unit="us", time_zone="UTC")
    )
    logs = run.pulled.drop("format", "dialect_lines", "first_at", "last_at").join(
        found, on="source_id", how="left", maintain_order="left"
    )
    records = pl.read_parquet(run.warehouse.table("pulled_records"))
    return pl.concat([INPUTS.conform(logs), records])


@recorded
def stitch(incident: str, out: str) -> dict[str, Any]:
    """Make deliveries of the events; return their number by outcome."""
    run = Run.of(incident, out)
    with impact.workspace() as db:
        impact.stitch(db, run.event_files(), run.records, run.settings, run.parts(QUARANTINE))
        keep_context(db, run.warehouse)
        write_parquet(impact.deliveries_in_order(db), run.warehouse.table("deliveries"))
        outcomes = dict(db.sql("SELECT outcome, count(*) FROM deliveries GROUP BY outcome").fetchall())
        for beside in impact.BESIDE:
            write_parquet(impact.table(db, beside.name, beside), run.warehouse.table(beside.name))
    find_window(run)
    return {"rows": sum(outcomes.values()), **outcomes}


@recorded
def count(incident: str, out: str) -> dict[str, Any]:
    """Count the grid and what the reports draw, from the deliveries; return the number of cells and their digest."""
    run = Run.of(incident, out)
    require_definition(run.incident, run.warehouse)
    keep_snapshot(run)
    with impact.workspace() as db:
        for name in ("deliveries", *(beside.name for beside in impact.BESIDE)):
            db.read_parquet(str(run.warehouse.table(name))).create_view(name)
        impact.count(db, run.records, run.settings, pl.read_parquet(run.warehouse.table("findings")))
        for declaration in (CELLS, BOUNDS, NARROWER, ACCOUNTS, MINUTES, DELAYS, REFUSALS, FAULT_SHARES, LADDER):
            write_parquet(impact.table(db, declaration.name, declaration), run.warehouse.table(declaration.name))
        write_parquet(db.sql("SELECT * FROM people").pl(), run.warehouse.table("people"))
        cells = impact.table(db, "cells", CELLS)
    count_in_windows(run)
    measure_time(run)
    return {"rows": cells.height, "digest": sha256(cells.write_csv().encode()).hexdigest()}


@recorded
def recount(incident: str, out: str) -> dict[str, Any]:
    """Count every cell again by the other engine, from the events, knowing nothing of `count`; return how many."""
    run = Run.of(incident, out)
    again = count_again(run.event_files(), run.records, run.settings)
    write_parquet(again, run.warehouse.table("recounted"))
    return {"rows": again.height}


@recorded
def check_impact(incident: str, out: str) -> dict[str, Any]:
    """Judge deliveries and grid, and hold both counts together; return whether and why the run is refused."""
    run = Run.of(incident, out)
    cells, ladder, ordinary = (pl.read_parquet(run.warehouse.table(t.name)) for t in (CELLS, LADDER, ORDINARY))
    differing = differences(cells, pl.read_parquet(run.warehouse.table("recounted")))
    write_parquet(differing, run.warehouse.table("differences"))
    deliveries, narrower = (run.warehouse.table(name) for name in ("deliveries", NARROWER.name))
    gates = side_by_side(
        partial(gates_on_impact, deliveries, cells, run.records, run.settings, run.incident.gates),
        partial(gates_on_recount, differing, cells.height),
        partial(judge_holes, run),
        partial(gates_on_rungs, ladder, ordinary, cells, run.settings),
        partial(gates_on_narrower, pl.read_parquet(narrower), cells),
    )
    write_parquet(GATES.conform(gates), run.warehouse.table("gates_on_impact"))
    return _verdict(gates)


@recorded
def publish(incident: str, out: str) -> dict[str, Any]:
    """Write impact.json, the pages and the tables, or the refusal; return status, headline and paths."""
    from mailtoll import publishing  # as above

    run = Run.of(incident, out)
    write_parquet(run.parts(QUARANTINE), run.warehouse.published_quarantine)
    return publishing.publish(run)


def _verdict(gates: pl.DataFrame) -> dict[str, Any]:
    why = reasons(gates)
    return {"is_refused": bool(why), "reasons": why}
