from typing import Any

import polars as pl

from expectations.refusal import is_refused, reasons
from expectations.tables import GATES


def row(**changes: Any) -> dict[str, Any]:
    usual = {
        "gate": "g",
        "subject": "s",
        "severity": "fail",
        "is_passed": False,
        "observed": "half of it is missing",
        "limit": "none (default)",
        "remedy": "Add it.",
    }
    return usual | changes


def gates(*rows: dict[str, Any]) -> pl.DataFrame:
    return GATES.conform(pl.DataFrame(list(rows), schema=dict(GATES.schema)))


def test_each_failed_gate_is_a_reason_with_limit_and_remedy() -> None:
    table = gates(
        row(), row(gate="h", is_passed=True), row(gate="i", severity="warn"), row(gate="j", observed="mx1 fell silent")
    )
    assert reasons(table) == [
        "Half of it is missing. Allowed: none (default). Add it.",
        "mx1 fell silent. Allowed: none (default). Add it.",
    ]  # fmt: skip
    assert is_refused(table)


def test_nothing_is_refused_where_all_held_or_only_warned() -> None:
    for table in (gates(row(is_passed=True), row(gate="w", severity="warn")), GATES.empty()):
        assert reasons(table) == []
        assert not is_refused(table)
