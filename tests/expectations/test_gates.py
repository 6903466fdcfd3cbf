from pathlib import Path

import polars as pl

from expectations.cells import expected_grid
from expectations.gates import gates_on_impact, gates_on_inputs, reasons
from expectations.tables import (
    ACTIVITY,
    CELLS,
    CUSTOMER_RECORDS,
    DELIVERIES,
    EVENTS,
    FINDINGS,
    GATES,
    INPUTS,
    LINE_COUNTS,
)
from tests.expectations.tables import (
    activity,
    cells,
    deliveries,
    events,
    failed,
    inputs,
    line_counts,
    minute,
    records,
    settings,
)
from transforms.gate_limits import GateLimits

LIMITS = GateLimits()
RECORDS = records(("A1", "residential", "ann@example.com", "ann@example.com", None, None))
BUSY = activity("mx1", range(1440))


def written(folder: Path, frame: pl.DataFrame) -> list[Path]:
    frame.write_parquet(folder / "f.parquet")
    return [folder / "f.parquet"]


def test_whole_inputs_pass_every_gate_and_each_gate_is_named_once(tmp_path: Path) -> None:
    files = written(tmp_path, events(3))
    gates, findings = gates_on_inputs(inputs(f=10), line_counts(f=(3, 7, 0)), BUSY, RECORDS, files, settings(), LIMITS)
    assert failed(gates) == failed(gates, "warn") == set()
    assert gates.select(GATES.key).is_unique().all()
    assert GATES.conform(gates).equals(gates)
    assert findings.equals(FINDINGS.empty())
    assert set(gates["subject"]) == {
        "log files", "all log lines", "activity", "events", "customer_records",
    }  # fmt: skip


def test_findings_of_the_parse_step_are_passed_on_beside_the_holes(tmp_path: Path) -> None:
    mark = FINDINGS.conform(pl.DataFrame({"code": ["loss_mark"], "start_at": minute(5), "detail": "lines dropped"}))
    torn = BUSY.filter(~pl.col("minute_at").is_between(minute(600), minute(660), closed="left"))
    files = written(tmp_path, events(3))
    gates, findings = gates_on_inputs(
        inputs(f=10), line_counts(f=(3, 7, 0)), torn, RECORDS, files, settings(), LIMITS, mark
    )
    assert findings["code"].to_list() == ["loss_mark", "log_hole"]
    assert failed(gates) == {"log_hole"}
    assert failed(gates, "warn") == {"loss_mark"}
    (reason,) = reasons(gates)
    assert reason.startswith(
        "mx1 has 1 hole in the window: from 4 Nov 2030 10:00 UTC to 4 Nov 2030 11:00 UTC (60 minutes)"
    )
    assert "Add the missing log files" in reason


def test_nothing_at_all_fails_every_gate(tmp_path: Path) -> None:
    gates, findings = gates_on_inputs(
        INPUTS.empty(),
        LINE_COUNTS.empty(),
        ACTIVITY.empty(),
        CUSTOMER_RECORDS.empty(),
        written(tmp_path, EVENTS.empty()),
        settings(),
        LIMITS,
    )
    assert not gates.filter(pl.col("severity") == "fail")["is_passed"].any()
    assert findings.is_empty()
    impact = gates_on_impact(DELIVERIES.empty(), CELLS.empty(), CUSTOMER_RECORDS.empty(), settings(), LIMITS)
    assert not impact.filter(pl.col("severity") == "fail")["is_passed"].any()


def test_a_whole_impact_passes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "deliveries.parquet"
    deliveries(3).write_parquet(path)
    grid = cells(expected_grid(RECORDS, settings()), 0)
    gates = gates_on_impact(path, grid, RECORDS, settings(), LIMITS)
    assert failed(gates) == failed(gates, "warn") == set()
    assert gates.select(GATES.key).is_unique().all()
    assert reasons(gates) == []


def test_reasons_hold_no_address(tmp_path: Path) -> None:
    twice = records(
        ("A1", "residential", "ann@example.com", "info@example.com", None, None),
        ("A2", None, "bob@example.com", "bob@example.com", None, None),
        ("A3", "business", "eve@example.com", "info@example.com", None, None),
    )
    gates, _ = gates_on_inputs(
        inputs(f=10), line_counts(f=(3, 0, 7)), BUSY, twice, written(tmp_path, events(3)), settings(), LIMITS
    )
    assert failed(gates) == {
        "quarantined_share", "quarantined_share_of_a_file", "incomplete_records", "ambiguous_addresses",
    }  # fmt: skip
    assert "@" not in "".join(reasons(gates))
