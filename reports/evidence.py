"""What each figure rests on: the checks and why they forbid one, what was found in the logs, what was corrected."""

from typing import Any

import polars as pl

from expectations.tables import GATES
from reports import page_table, words
from reports.harmless import ids_of, without_ids
from reports.page_table import PageTable
from reports.publication import Publication


def gates_table(p: Publication) -> PageTable | None:
    """Return every check that ran, breaches first, each breach with its remedy; None where none ran."""
    if p.gates is None or p.gates.is_empty():
        return None
    hide = ids(p)
    rank = pl.when(pl.col("is_passed")).then(2).when(pl.col("severity") == "warn").then(1).otherwise(0)
    rows = tuple(
        (
            page_table.text(verdict(row)),
            page_table.text(row["gate"].replace("_", " ")),
            page_table.text(row["subject"].replace("_", " ")),
            page_table.text(without_ids(row["observed"], hide)),
            page_table.text(without_ids(row["limit"], hide)),
            page_table.text(None if row["is_passed"] else without_ids(row["remedy"], hide)),
        )
        for row in p.gates.sort(rank, maintain_order=True).iter_rows(named=True)
    )
    heads = ("verdict", "check", "of", "observed", "allowed", "remedy")
    return PageTable("gates-table", gates_sentence(p), heads, rows)


def gates_sentence(p: Publication) -> str:
    """Return how the checks went: `All 50 checks held.`, `1 of 50 checks breached, 2 warn.`"""
    gates = p.gates if p.gates is not None else GATES.empty()
    is_missed = ~pl.col("is_passed")
    breached = len(gates.filter(is_missed & (pl.col("severity") == "fail")))
    warnings = len(gates.filter(is_missed & (pl.col("severity") == "warn")))
    if not breached and not warnings:
        return f"All {words.number(len(gates))} checks held."
    warn = f"{words.number(warnings)} warn{'s' if warnings == 1 else ''}"
    said = f"{words.number(breached)} of {words.number(len(gates))} checks breached"
    return f"{said}, {warn}." if breached and warnings else f"{said}." if breached else f"{warn}, none breached."


def recount_sentence(p: Publication) -> str | None:
    """Return what the second count found, or None where there was none."""
    counted = None if p.gates is None else p.gates.filter(gate="counted_twice")
    if counted is None or counted.is_empty():
        return None
    return f"Counted twice, by two programs that share nothing: {counted['observed'][0]}."


def findings_table(p: Publication) -> PageTable | None:
    """Return what a reader must know of the logs; None where nothing was found."""
    if p.findings is None or p.findings.is_empty():
        return None
    hide, zone = ids(p), p.settings.timezone
    rows = tuple(
        (
            page_table.text(row["code"].replace("_", " ")),
            page_table.text(row["host"]),
            page_table.when(row["start_at"], zone),
            page_table.when(row["end_at"], zone),
            page_table.count(row["lines"]),
            page_table.text(without_ids(row["detail"] or "", hide)),
        )
        for row in p.findings.sort("start_at", "code", nulls_last=True).iter_rows(named=True)
    )
    return PageTable(
        "findings-table", "Found in the logs", ("what", "host", "from", "until", "lines missing", "detail"), rows
    )


def corrections_table(p: Publication) -> PageTable | None:
    """Return which records were corrected before they were used, and who answers for it; None where none was."""
    if p.corrections is None or p.corrections.is_empty():
        return None
    hide = ids(p)
    rows = tuple(
        (
            page_table.text(row["selected_by"].replace("_", " ")),
            page_table.text("removed" if row["action"] == "remove" else f"new {row['columns']}".replace("_", " ")),
            page_table.count(row["records"]),
            page_table.text(without_ids(row["reason"], hide)),
            page_table.text(without_ids(row["who"], hide)),
        )
        for row in p.corrections.iter_rows(named=True)
    )
    return PageTable(
        "corrections-table", "Corrected customer records", ("chosen by", "what", "records", "why", "says who"), rows
    )


def remedies(p: Publication) -> list[dict[str, str]]:
    """Return each breach that forbids publication: what was seen, what is allowed, what to do."""
    if p.gates is None:
        return []
    breaches = p.gates.filter(~pl.col("is_passed") & (pl.col("severity") == "fail"))
    hide = ids(p)
    names = ("gate", "subject", "observed", "limit", "remedy")
    return [{name: without_ids(row[name] or "", hide) for name in names} for row in breaches.iter_rows(named=True)]


def reasons(p: Publication) -> list[str]:
    """Return why the run was refused, without any id."""
    hide = ids(p)
    return [without_ids(reason, hide) for reason in p.reasons]


def ids(p: Publication) -> frozenset[str]:
    """Return the ids that no page may show."""
    return ids_of([p.accounts])


def verdict(row: dict[str, Any]) -> str:
    """Return how a check went, in a word."""
    return "held" if row["is_passed"] else {"warn": "warning", "fail": "breached"}[row["severity"]]
