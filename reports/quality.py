"""`quality.html`: every quality check of a run, what it looked at, what it allowed, and what Great Expectations found.

Great Expectations' own Data Docs show the measures that it was handed; this page shows what they mean, needs no script,
and names offending files, hosts, columns and cells, never a person (`expectations/gx.py`).
"""

from dataclasses import dataclass

from reports import evidence, page_table, words
from reports.harmless import without_ids
from reports.page import render
from reports.page_table import PageTable
from reports.publication import Publication

_GROUPS = (
    ("inputs", "What came in", ("log files", "all log lines", "activity", "events", "customer records")),
    ("deliveries", "What was joined", ("deliveries",)),
    ("figures", "What was counted", ()),
)
"""Anchor, heading, and the subjects that belong there; the last takes all that is left."""


@dataclass(frozen=True)
class Checked:
    """One check in words; `asked` is the expectation, empty where there was nothing to compare."""

    name: str
    subject: str
    verdict: str
    severity: str
    observed: str
    limit: str
    remedy: str
    asked: str
    compared: int | None
    breaching: int | None


def quality_page(p: Publication) -> str:
    """Return the page; of a refused run too, whose breaches it shows first."""
    checks = _checks(p)
    return render(
        "quality.html.j2",
        p=p,
        status_sentence=evidence.gates_sentence(p),
        missed=[check for check in checks if check.verdict != "held"],
        groups=_groups(checks),
        everything=_table(checks),
    )


def _checks(p: Publication) -> list[Checked]:
    hide = evidence.ids(p)
    return [
        Checked(
            name=words.sentence(row["gate"].replace("_", " ")),
            subject=row["subject"].replace("_", " "),
            verdict=evidence.verdict(row),
            severity={"fail": "stops publication", "warn": "warns"}[row["severity"]],
            observed=without_ids(row["observed"] or "", hide),
            limit=without_ids(row["limit"] or "", hide),
            remedy=without_ids(row["remedy"] or "", hide),
            asked=row["expectation"] or "",
            compared=row["compared"],
            breaching=row["breaching"],
        )
        for row in ([] if p.gates is None else p.gates.iter_rows(named=True))
    ]


def _groups(checks: list[Checked]) -> list[tuple[str, str, list[Checked]]]:
    named = {subject for _, _, subjects in _GROUPS for subject in subjects}
    groups = [
        (anchor, title, [c for c in checks if (c.subject in subjects if subjects else c.subject not in named)])
        for anchor, title, subjects in _GROUPS
    ]
    return [group for group in groups if group[2]]


def _table(checks: list[Checked]) -> PageTable | None:
    heads = (
        "check",
        "of",
        "verdict",
        "a breach",
        "observed",
        "allowed",
        "remedy",
        "expectation",
        "compared",
        "in breach",
    )
    rows = tuple(
        (
            *map(page_table.text, (c.name, c.subject, c.verdict, c.severity, c.observed, c.limit, c.remedy, c.asked)),
            *map(page_table.count, (c.compared, c.breaching)),
        )
        for c in checks
    )
    return PageTable("checks-table", "Every check", heads, rows) if rows else None
