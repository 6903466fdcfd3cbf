"""The last step: finished tables become impact.json, the pages and the tables that are handed out.

A publication replaces the one before it file by file, impact.json last; a refusal takes every figure away.
"""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from expectations.gates import reasons
from expectations.tables import ACTIVITY, CELLS, GATES, QUARANTINE
from mailtoll.detection import windows_beside
from mailtoll.exports import withdraw
from mailtoll.redress_policy import read_redress_policy
from mailtoll.retention import logs_gone
from mailtoll.run import Run
from mailtoll.vintages import former_vintages, keep, take_vintage
from mailtoll.warehouse import copy_file, write_bytes, write_parquet
from reports.analyst import analyst_report
from reports.executive import executive_files
from reports.impact_json import impact_json
from reports.public import public_files
from reports.publication import FATES, OUTCOMES, Publication
from reports.quality import quality_page
from reports.vintages import change_line, kept_sentence
from transforms.claims import Claim, read_claims
from transforms.harm import harmed_accounts
from transforms.impact import CHOICES, COUNT, SQL_FOLDER, STITCH
from transforms.redress import redress

_PROJECT = Path(__file__).parents[1]
_OF_TIME = ("minutes", "delays", "hours", "uptime", "survival", "late_share", "refusals", "fault_shares")
_FIGURES = ("cells", "bounds", "narrower", "accounts", "ladder", "ordinary", "scales", *_OF_TIME)


def publish(run: Run) -> dict[str, Any]:
    """Write the publication, or the refusal; return what it says and where it is.

    `count` is the name of its vintage's folder, empty for a refusal; `change` is the change since the last.
    """
    warehouse = run.warehouse
    publication = _publication(run, write_gates(run))
    if publication.is_refused:
        for path in (warehouse.published_deliveries, warehouse.published_accounts):
            path.unlink(missing_ok=True)
        withdraw(warehouse)
        publication = replace(publication, vintages=former_vintages(run))
    else:
        history = take_vintage(run, publication)
        if history.new:
            withdraw(warehouse)  # what is handed out is of the former count until `export` has written it anew
        publication = replace(publication, vintages=history.vintages)
        copy_file(warehouse.table("deliveries"), warehouse.published_deliveries)
        copy_file(warehouse.table("accounts"), warehouse.published_accounts)
    with ThreadPoolExecutor(1) as beside:
        summary = beside.submit(executive_files, publication)  # Typst sets its sheet without the interpreter
        pages = {
            "report.html": analyst_report(publication).encode(),
            "quality.html": quality_page(publication).encode(),
            **summary.result(),
            **public_files(publication),
            "impact.json": impact_json(publication).encode(),
        }
    if not publication.is_refused:
        keep(run, history, pages)
    for name, content in pages.items():
        write_bytes(content, warehouse.root / name)
    for picture in warehouse.summary_pictures():
        if picture.name not in pages:
            picture.unlink()
    paths = {
        "report": warehouse.report,
        "quality": warehouse.quality,
        "summary": warehouse.summary,
        "text": warehouse.summary_text,
        "pdf": warehouse.summary_pdf,
        **{picture.stem: picture for picture in warehouse.summary_pictures()},
        "figures": warehouse.impact,
    }
    headline = None
    if publication.cells is not None and not publication.is_refused:
        chosen = publication.headline
        headline = publication.cells.filter(
            unit=chosen.unit,
            threshold_seconds=chosen.threshold_seconds,
            messages=chosen.messages,
            count=chosen.count,
            segment="all",
        ).row(0, named=True)
    return {
        "status": publication.status,
        "headline": headline,
        "reasons": list(publication.reasons),
        "report": str(warehouse.report),
        "paths": {name: str(path) for name, path in paths.items()},
        "digest": run.definition_sha256,
        "count": "" if publication.is_refused else Path(publication.vintages[-1].folder).name,
        "change": _change(publication),
    }


def _change(publication: Publication) -> str:
    """Say how the figure differs from the count before, or, of a refused run, which count stays; empty: no other is."""
    zone, vintages = publication.settings.timezone, publication.vintages
    if publication.is_refused:
        return kept_sentence(vintages[-1], zone) if vintages else ""
    return change_line(vintages, zone)


def write_gates(run: Run) -> pl.DataFrame:
    """Put all gates of this run into one table; return it."""
    tables = map(run.warehouse.table, ("gates_on_inputs", "gates_on_impact"))
    gates = GATES.conform(pl.concat([pl.read_parquet(path) for path in tables if _is_of_this_run(run, path)]))
    write_parquet(gates, run.warehouse.table("gates"))
    return gates


def _is_of_this_run(run: Run, path: Path) -> bool:
    """Gates on the impact count only when the gates on the inputs let the run get that far."""
    if path == run.warehouse.table("gates_on_inputs"):
        return True
    return path.exists() and not reasons(pl.read_parquet(run.warehouse.table("gates_on_inputs")))


def _publication(run: Run, gates: pl.DataFrame) -> Publication:
    warehouse, why = run.warehouse, tuple(reasons(gates))
    figures: dict[str, Any] = {}
    outcomes: dict[str, int] = {}
    people: dict[str, dict[str, dict[str, int]]] = {"provisioned": {}, "exposed": {}}
    if not why:
        figures = {name: pl.read_parquet(warehouse.table(name)) for name in _FIGURES}
        figures["windows"] = windows_beside(run)
        figures |= _redress(run, figures["accounts"])
        counted = pl.scan_parquet(warehouse.table("deliveries")).group_by("outcome").len().collect()
        outcomes = {name: 0 for name in OUTCOMES} | dict(counted.iter_rows())
        outcomes["total"] = int(counted["len"].sum())
        people = _people(figures["ladder"], run.settings.headline.messages)
    claims = [Claim(**claim.model_dump()) for claim in run.incident.claims]
    return Publication(
        incident_id=run.incident.id,
        title=run.incident.title,
        settings=run.settings,
        status="refused" if why else run.status,  # type: ignore[arg-type]
        window_source="declared" if run.incident.declared_window() else "detected",
        reasons=why,
        claims=read_claims(claims, figures.get("cells", CELLS.empty()), run.settings),
        outcomes=outcomes,
        lines=_lines(run.line_counts),
        provisioned=people["provisioned"],
        exposed=people["exposed"],
        sql={name: (SQL_FOLDER / name).read_text(encoding="utf-8") for name in (*CHOICES, *STITCH, *COUNT)},
        cause=run.incident.cause,
        next_update=run.incident.next_update,
        code_version=code_version(),
        definition_sha256=run.definition_sha256,
        inputs=pl.read_parquet(warehouse.table("inputs")),
        gates=gates,
        findings=pl.read_parquet(warehouse.table("findings")),
        corrections=pl.read_parquet(warehouse.table("corrections")),
        line_counts=run.line_counts,
        activity=run.parts(ACTIVITY),
        set_aside=_set_aside(run),
        gone=logs_gone(run),
        **figures,
    )


def _redress(run: Run, accounts: pl.DataFrame) -> dict[str, Any]:
    """Try the incident's schemes for redress, if it names any, on the accounts that were harmed."""
    path = run.incident.redress_policy()
    if path is None:
        return {}
    policy = read_redress_policy(path)
    harmed = harmed_accounts(accounts, pl.read_parquet(run.warehouse.table("downtime")))
    table = redress(harmed, [entry.scheme() for entry in policy.schemes])
    write_parquet(table, run.warehouse.table("redress"))
    return {"redress": table, "currency": policy.currency}


def _people(ladder: pl.DataFrame, messages: str) -> dict[str, dict[str, dict[str, int]]]:
    """Return rung → segment → unit → how many; the exposed had mail of the kind that the headline counts."""
    found: dict[str, dict[str, dict[str, int]]] = {"provisioned": {}, "exposed": {}}
    for row in ladder.filter(pl.col("rung").is_in(list(found)), messages=messages).iter_rows(named=True):
        found[row["rung"]].setdefault(row["segment"], {})[row["unit"]] = row["measured"]
    return found


def _set_aside(run: Run) -> pl.DataFrame:
    """Count lines that were not understood per file and reason; the lines themselves may hold addresses."""
    counted = run.parts(QUARANTINE).group_by("uri", "reason")
    return counted.agg(lines=pl.len(), first_line=pl.col("line_number").min()).sort("uri", "reason")


def _lines(line_counts: pl.DataFrame) -> dict[str, int]:
    by_fate = dict(line_counts.group_by("fate").agg(pl.col("lines").sum()).iter_rows())
    return {fate: int(sum(by_fate.values())) if fate == "read" else int(by_fate.get(fate, 0)) for fate in FATES}


@cache
def code_version() -> str:
    """Return the version of this code: `git describe`, else the version of the installed project."""
    try:
        described = subprocess.run(
            ["git", "-C", str(_PROJECT), "describe", "--always", "--dirty", "--tags"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        return described.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("mailtoll")
        except PackageNotFoundError:
            return "unknown"
