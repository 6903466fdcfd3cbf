"""What each figure rests on: the grid, the checks, the findings, every line's fate, the inputs."""

import re
from collections.abc import Iterable
from typing import Any

import polars as pl

from expectations.tables import GATES
from reports import page_table, words
from reports.harmless import ids_of, without_ids
from reports.page_table import Entry, PageTable
from reports.publication import FATES, OUTCOMES, Publication


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


def lines_table(p: Publication) -> PageTable | None:
    """Return the fate of every line, per file and in all; None where no line was counted."""
    if p.line_counts is None or p.line_counts.is_empty():
        return None
    fates = p.line_counts.group_by("source_id", "fate").agg(pl.col("lines").sum())
    counts = {(row["source_id"], row["fate"]): row["lines"] for row in fates.iter_rows(named=True)}
    files = _file_names(p)
    rows = []
    for source_id in dict.fromkeys([*files, *sorted(p.line_counts["source_id"].unique().to_list())]):
        found = [counts.get((source_id, fate), 0) for fate in FATES[1:]]
        if sum(found):
            name = files.get(source_id, source_id)
            rows.append(
                (
                    page_table.text(name),
                    page_table.count(sum(found)),
                    *map(page_table.count, found),
                    page_table.share(found[-1], sum(found)),
                )
            )
    everything = tuple(Entry(words.number(p.lines.get(f)), str(p.lines.get(f, "")), True, ("lines", f)) for f in FATES)
    rows.append(
        (page_table.text("all files"), *everything, page_table.share(p.lines.get("quarantined"), p.lines.get("read")))
    )
    return PageTable(
        "lines-table",
        "What became of every log line",
        ("file", "read", "parsed", "ignored", "quarantined", "quarantined share"),
        tuple(rows),
    )


def set_aside_table(p: Publication) -> PageTable | None:
    """Return the lines that were not understood, per file and reason, with where to find them; None where none are."""
    if p.set_aside is None or p.set_aside.is_empty():
        return None
    rows = tuple(
        (
            page_table.text(row["uri"]),
            page_table.text(row["reason"]),
            *map(page_table.count, (row["lines"], row["first_line"])),
        )
        for row in p.set_aside.iter_rows(named=True)
    )
    heads = ("file", "why it was set aside", "lines", "first of them, line")
    return PageTable("set-aside-table", "Lines that were set aside", heads, rows)


def outcomes_table(p: Publication) -> PageTable | None:
    """Return deliveries over the whole log by outcome; None where none was counted."""
    if not p.outcomes:
        return None
    rows = tuple(
        (
            page_table.text(name.replace("_", " ")),
            Entry(words.number(p.outcomes.get(name)), str(p.outcomes.get(name, "")), True, ("deliveries", name)),
            page_table.share(p.outcomes.get(name), p.outcomes.get("total")),
        )
        for name in OUTCOMES
    )
    return PageTable("outcomes-table", "Deliveries over the whole log", ("outcome", "deliveries", "share"), rows)


def inputs_table(p: Publication) -> PageTable | None:
    """Return every file that was read, with its digest; None where none was."""
    if p.inputs is None or p.inputs.is_empty():
        return None
    zone = p.settings.timezone
    rows = tuple(
        (
            page_table.text(f"{row['uri']}: {row['query']}" if row["query"] else row["uri"]),
            page_table.text(_kind(row)),
            page_table.text(_thousands(row["dialect_lines"] or row["format"])),
            page_table.count(row["bytes"]),
            page_table.count(row["lines"]),
            page_table.when(row["first_at"], zone),
            page_table.when(row["last_at"], zone),
            page_table.text(row["sha256"]),
        )
        for row in p.inputs.iter_rows(named=True)
    )
    return PageTable(
        "inputs-table",
        "Files that were read",
        (
            "file",
            "what",
            "its lines by mail server, or format",
            "bytes",
            "lines",
            "first stamp",
            "last stamp",
            "SHA-256",
        ),
        rows,
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


def _thousands(text: str | None) -> str | None:
    """Return text with separators in its numbers: `107857 postfix` is `107,857 postfix`."""
    return re.sub(r"\b\d{4,}\b", lambda found: words.number(int(found[0])), text) if text else text


def _kind(row: dict[str, Any]) -> str:
    return row["kind"].replace("_", " ") + (", same content as an earlier file" if row["is_duplicate"] else "")


def _file_names(p: Publication) -> dict[str, str]:
    if p.inputs is None:
        return {}
    logs: Iterable[dict[str, Any]] = p.inputs.filter(pl.col("kind") == "log").iter_rows(named=True)
    return {row["source_id"]: row["uri"] for row in logs if not row["is_duplicate"]}
