import polars as pl
import pytest

from expectations.lines import count_lines, gates_on_lines
from expectations.tables import INPUTS, LINE_COUNTS
from tests.expectations.tables import failed, gate, inputs, line_counts
from transforms.gate_limits import GateLimits

LIMITS = GateLimits()


@pytest.mark.parametrize(("quarantined", "is_passed"), [(4, True), (5, True), (6, False)])
def test_half_a_per_cent_of_all_lines_may_be_set_aside(quarantined: int, is_passed: bool) -> None:
    counts = line_counts(a=(900 - quarantined, 0, quarantined), b=(100, 0, 0))
    found = gate(gates_on_lines(inputs(a=900, b=100), counts, LIMITS), "quarantined_share")
    assert found["is_passed"] is is_passed
    assert found["observed"] == f"{quarantined} of 1,000 lines were not understood ({quarantined / 10:g} %)"
    assert found["limit"] == "at most 0.5 % of all lines (default)"


@pytest.mark.parametrize(("quarantined", "is_passed"), [(4, True), (5, True), (6, False)])
def test_five_per_cent_of_any_file_may_be_set_aside(quarantined: int, is_passed: bool) -> None:
    counts = line_counts(a=(100_000, 0, 0), b=(100 - quarantined, 0, quarantined))
    found = gate(gates_on_lines(inputs(a=100_000, b=100), counts, LIMITS), "quarantined_share_of_a_file")
    assert found["is_passed"] is is_passed
    assert ("b.log" in found["observed"].rpartition(":")[2]) is not is_passed


def test_one_bad_line_in_a_small_file_is_over_the_limit_too() -> None:
    counts = line_counts(a=(100_000, 0, 0), b=(9, 0, 1))
    assert failed(gates_on_lines(inputs(a=100_000, b=10), counts, LIMITS)) == {"quarantined_share_of_a_file"}


def test_limits_come_from_the_incident_file() -> None:
    limits = GateLimits(quarantined_share=0.5, quarantined_share_of_a_file=0.5)
    gates = gates_on_lines(inputs(a=10), line_counts(a=(5, 0, 5)), limits)
    assert failed(gates) == set()
    assert gate(gates, "quarantined_share")["limit"] == "at most 50 % of all lines (changed by the incident file)"


@pytest.mark.parametrize("read", [999, 1001])
def test_every_line_has_one_fate(read: int) -> None:
    found = gate(gates_on_lines(inputs(a=read, b=7), line_counts(a=(600, 400, 0), b=(7, 0, 0)), LIMITS), "lines_add_up")
    assert not found["is_passed"]
    assert found["observed"].endswith(": a.log, all log files")


def test_lines_missing_in_one_file_and_too_many_in_another_do_not_cancel_out() -> None:
    counts = line_counts(a=(11, 0, 0), b=(9, 0, 0))
    assert gate(gates_on_lines(inputs(a=10, b=10), counts, LIMITS), "lines_add_up")["observed"].endswith(
        ": a.log, b.log"
    )


def test_a_file_that_was_never_parsed_does_not_add_up() -> None:
    assert failed(gates_on_lines(inputs(a=10), LINE_COUNTS.empty(), LIMITS)) == {"lines_add_up"}


def test_an_empty_file_beside_another_is_fine() -> None:
    assert failed(gates_on_lines(inputs(a=10, b=0), line_counts(a=(10, 0, 0)), LIMITS)) == set()


def test_no_line_at_all_fails_every_gate() -> None:
    every = {"lines_add_up", "quarantined_share", "quarantined_share_of_a_file"}
    for table in (inputs(a=0), INPUTS.empty()):
        gates = gates_on_lines(table, LINE_COUNTS.empty(), LIMITS)
        assert failed(gates) == every
        assert set(gates["observed"]) == {"no line was read from any log file: nothing to compare"}


def test_copies_and_other_inputs_are_not_counted() -> None:
    logs = inputs(a=10)
    copy = logs.with_columns(pl.lit("logs/copy.log").alias("uri"), pl.lit(True).alias("is_duplicate"))
    other = logs.with_columns(pl.lit("queue_snapshot").alias("kind"), pl.lit("q").alias("source_id"))
    files = count_lines(pl.concat([logs, copy, other]), line_counts(a=(10, 0, 0), q=(3, 0, 0)))
    assert files.select("file", "read", "accounted").rows() == [("a.log", 10, 10)]
