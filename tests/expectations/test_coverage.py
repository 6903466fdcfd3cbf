from datetime import timedelta

import polars as pl
import pytest

from expectations.coverage import gates_on_coverage
from expectations.tables import ACTIVITY, FINDINGS
from tests.expectations.tables import activity, failed, gate, minute, settings
from transforms.gate_limits import GateLimits

LIMITS = GateLimits()
BUSY = activity("mx1", range(1440))
NONE = FINDINGS.empty()


def test_whole_logs_pass_and_say_so() -> None:
    gates, findings = gates_on_coverage(BUSY, NONE, settings(), LIMITS)
    assert failed(gates) == failed(gates, "warn") == set()
    assert findings.equals(NONE)
    assert gate(gates, "log_hole")["observed"] == "1 host, no hole in the window from 4 Nov 2030 00:00 UTC on"


def test_a_hole_is_told_per_host_in_the_zone_of_the_incident() -> None:
    is_lost = pl.col("minute_at").is_between(minute(120), minute(180), closed="left")
    is_lost |= pl.col("minute_at").is_between(minute(300), minute(330), closed="left")
    table = pl.concat([BUSY.filter(~is_lost), BUSY.with_columns(host=pl.lit("mx2"))])
    gates, findings = gates_on_coverage(table, NONE, settings(zone="Pacific/Auckland"), LIMITS)
    assert failed(gates) == {"log_hole"}
    observed = gate(gates, "log_hole", "activity of mx1")["observed"]
    assert observed.startswith(
        "mx1 has 2 holes in the window: from 4 Nov 2030 15:00 NZDT to 4 Nov 2030 16:00 NZDT (60 minutes),"
        " from 4 Nov 2030 18:00 NZDT to 4 Nov 2030 18:30 NZDT (30 minutes), although it wrote in "
    )
    assert findings["code"].to_list() == ["log_hole", "log_hole"]
    assert gate(gates, "log_hole")["limit"].endswith("(default)")


@pytest.mark.parametrize(
    ("start", "end", "is_passed"),
    [(1439, 2000, True), (1439.5, 2000, True), (1440, 2000, False), (-100, 0, True), (-100, -1, False)],
)
def test_logs_beside_the_window_are_refused(start: float, end: float, is_passed: bool) -> None:
    gates, _ = gates_on_coverage(BUSY, NONE, settings(start, end), LIMITS)
    assert gate(gates, "logs_reach_the_window")["is_passed"] is is_passed


def test_logs_without_any_stamp_are_refused() -> None:
    gates, _ = gates_on_coverage(ACTIVITY.empty(), NONE, settings(), LIMITS)
    assert failed(gates) == {"logs_reach_the_window", "log_hole"}


def test_other_findings_only_warn_and_are_kept() -> None:
    marks = FINDINGS.conform(
        pl.DataFrame(
            {
                "code": ["loss_mark", "loss_mark", "truncated_file"],
                "host": "mx1",
                "start_at": minute(5),
                "end_at": minute(5),
                "detail": "rsyslog dropped lines",
            }
        )
    )
    gates, findings = gates_on_coverage(BUSY, marks, settings(), LIMITS)
    assert failed(gates) == set()
    assert failed(gates, "warn") == {"loss_mark", "truncated_file"}
    assert gate(gates, "loss_mark")["observed"].startswith("2 findings: the logging says that it dropped")
    assert findings.equals(marks)


@pytest.mark.parametrize(
    ("seconds", "ends_at", "limit", "is_refused"),
    [(60, 30, 60, False), (61, 30, 60, True), (61, 30, 61, False), (61, -1, 60, False), (3600, 5000, 60, True)],
)
def test_a_clock_set_back_from_the_window_on_is_refused_above_its_limit(
    seconds: int, ends_at: int, limit: int, is_refused: bool
) -> None:
    end = minute(ends_at)
    row = {
        "code": "clock_set_back",
        "host": "mx1",
        "start_at": end - timedelta(seconds=seconds),
        "end_at": end,
        "detail": "x",
    }
    gates, findings = gates_on_coverage(
        BUSY, FINDINGS.conform(pl.DataFrame([row])), settings(), GateLimits(clock_step_seconds=limit)
    )
    assert (failed(gates), failed(gates, "warn")) == (
        ({"clock_set_back"}, set()) if is_refused else (set(), {"clock_set_back"})
    )
    assert findings.height == 1
