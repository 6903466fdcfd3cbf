"""What went into the count: every file, the fate of every line, and the outcome of every delivery."""

import re
from collections.abc import Iterable
from typing import Any

import polars as pl

from reports import page_table, words
from reports.page_table import Entry, PageTable
from reports.publication import FATES, OUTCOMES, Publication


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


def gone_table(p: Publication) -> PageTable | None:
    """Return the logs that retention has removed and that were not read again; None where there are none."""
    if p.gone is None or p.gone.is_empty():
        return None
    zone = p.settings.timezone
    rows = tuple(
        (
            page_table.text(row["uri"]),
            *(page_table.when(row[name], zone) for name in ("first_at", "last_at", "gone_at")),
        )
        for row in p.gone.iter_rows(named=True)
    )
    return PageTable("gone-table", "Logs that are gone", ("file", "first stamp", "last stamp", "removed"), rows)


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
