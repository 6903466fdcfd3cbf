import subprocess
import sys
from typing import Any

import polars as pl
import pytest

from expectations.gx import Check, Count, run_checks, run_counts
from expectations.tables import GATES


def check(**changes: Any) -> Check:
    usual = {
        "gate": "few",
        "subject": "files",
        "severity": "fail",
        "expectation": "ExpectColumnValuesToBeBetween",
        "arguments": {"column": "bad", "max_value": 2},
        "observed": "seen",
        "limit": "at most 2",
        "remedy": "Look.",
        "shown_by": "file",
    }
    return Check(**(usual | changes))


FILES = pl.DataFrame({"file": ["a", "b", "c"], "bad": [1, 2, 3], "most": [3, 3, 3]})


def test_the_rows_that_breach_are_named() -> None:
    gates = run_checks(FILES, [check()])
    assert gates.schema == pl.Schema(dict(GATES.schema))
    asked = ("ExpectColumnValuesToBeBetween(column='bad', max_value=2)", 3, 1)
    assert gates.row(0) == ("few", "files", "fail", False, "seen: c", "at most 2", "Look.", *asked)


def test_a_value_equal_to_its_limit_passes_and_rows_keep_the_order_of_the_checks() -> None:
    pair = check(
        gate="pair",
        expectation="ExpectColumnPairValuesAToBeGreaterThanB",
        arguments={"column_A": "most", "column_B": "bad", "or_equal": True},
    )
    gates = run_checks(FILES, [check(arguments={"column": "bad", "max_value": 3}), pair])
    assert gates["gate"].to_list() == ["few", "pair"]
    assert gates["is_passed"].to_list() == [True, True]
    assert gates["observed"].to_list() == ["seen", "seen"]


def test_an_empty_frame_and_a_check_with_nothing_to_compare_fail() -> None:
    unasked = run_checks(FILES.clear(), [check()]).row(0)
    assert unasked[3:5] == (False, "nothing to compare in files")
    assert unasked[-3:] == (None, None, None)
    gates = run_checks(FILES, [check(nothing="no line was read"), check(arguments={"column": "bad", "max_value": 3})])
    assert gates["is_passed"].to_list() == [False, True]
    assert gates["observed"].to_list() == ["no line was read", "seen"]


def test_no_check_gives_no_row() -> None:
    assert run_checks(FILES, []).equals(GATES.empty())


def test_what_cannot_be_computed_is_an_error_and_not_a_verdict() -> None:
    with pytest.raises(RuntimeError, match="gate few on files could not be computed"):
        run_checks(FILES, [check(arguments={"column": "absent", "max_value": 0})])


@pytest.mark.parametrize(("value", "is_passed"), [(0, True), (1, True), (2, False), (0.99, True), (1.01, False)])
def test_a_count_passes_up_to_its_maximum(value: float, is_passed: bool) -> None:
    gates = run_counts([Count("g", "s", "warn", value, 1, "o", "l", "r")])
    asked = "ExpectColumnPairValuesAToBeGreaterThanB(column_A='maximum', column_B='value', or_equal=True)"
    assert gates.row(0) == ("g", "s", "warn", is_passed, "o", "l", "r", asked, 1, int(not is_passed))


def test_nothing_is_imported_before_it_is_needed_and_nothing_goes_to_the_network() -> None:
    """In a process of its own, with every socket forbidden and every warning an error."""
    program = """
import socket, sys, warnings
warnings.simplefilter("error")
def forbidden(*_): raise AssertionError("network")
socket.socket.connect = forbidden
socket.getaddrinfo = forbidden
from expectations.gates import gates_on_inputs
from expectations.gx import Count, run_counts
assert "great_expectations" not in sys.modules, "imported too early"
assert run_counts([Count("g", "s", "fail", 0, 0, "o", "l", "r")])["is_passed"].all()
unused = {"altair.vegalite", "jsonschema.validators", "mistune.core", "scipy.stats._continuous_distns"}
assert not unused & set(sys.modules), "imported though no gate asks for it"
from scipy.stats import norm
assert norm.cdf(0) == 0.5, "no longer there for who asks for it"
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "Calculating Metrics" not in done.stderr


SEVERAL = """
import sys, warnings
warnings.simplefilter("error")
from expectations import judge_aside
from expectations.gx import Check, Count, run_checks, run_counts
import polars as pl
def counted():
    return run_counts([Count("g", "s", "fail", {"a": 0, "b": 2}, 1, "o", "l", "r")]).row(0)
def ask_for_what_is_absent():
    absent = {"column": "absent", "max_value": 0}
    check = Check("g", "s", "fail", "ExpectColumnValuesToBeBetween", absent, "o", "l", "r")
    try:
        run_checks(pl.DataFrame({"a": [1]}), [check])
    except RuntimeError as error:
        return str(error).partition(":")[0]
"""


def in_a_process(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_process_aside_gives_the_same_verdicts_and_this_one_stays_without_the_library() -> None:
    in_a_process(
        SEVERAL
        + """
judge_aside.preload()
judge_aside.preload()
aside, trouble = counted(), ask_for_what_is_absent()
assert "great_expectations" not in sys.modules, "judged here"
judge_aside._helper.kill()
assert counted() == aside, "another verdict"
assert ask_for_what_is_absent() == trouble == "gate g on s could not be computed", trouble
assert "great_expectations" in sys.modules, "judged by a process that is dead"
"""
    )


def test_the_process_aside_ends_with_the_one_that_started_it() -> None:
    program = "from expectations import judge_aside; import os; judge_aside.preload(); {}"
    for ending in ("raise SystemExit(3)", "os._exit(3)"):
        command = [sys.executable, "-c", program.format(ending)]
        # Standard error is open as long as one of the two runs: waiting for its end runs into the limit.
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (3, b"")
