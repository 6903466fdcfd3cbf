from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.records import find_overlaps, gates_on_records
from expectations.tables import CUSTOMER_RECORDS
from tests.expectations.tables import failed, gate, records
from transforms.gate_limits import GateLimits

LIMITS = GateLimits()
ANN = ("A1", "business", "ann@example.com", "ann@example.com", None, None)
BOB = ("A2", "residential", "bob@example.com", "bob@example.com", None, None)


def test_whole_records_pass() -> None:
    gates = gates_on_records(records(ANN, BOB), LIMITS)
    assert failed(gates) == failed(gates, "warn") == set()
    assert gate(gates, "incomplete_records")["limit"] == "at most 0 (default)"


@pytest.mark.parametrize("column", ["account_id", "segment", "mailbox", "address"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_no_record_may_lack_what_names_the_affected(column: str, value: str | None) -> None:
    broken = records(ANN, BOB).with_columns(
        pl.when(pl.col("account_id") == "A2").then(pl.lit(value, pl.String)).otherwise(pl.col(column)).alias(column)
    )
    gates = gates_on_records(broken, LIMITS)
    assert failed(gates) == {"incomplete_records"}
    seen = "1 record without an account, segment, mailbox or address in 2 records: data row 2"
    assert gate(gates, "incomplete_records")["observed"] == seen


@pytest.mark.parametrize(("rows", "is_passed"), [(1, True), (2, True), (3, False)])
def test_an_incident_file_may_allow_some_incomplete_records(rows: int, is_passed: bool) -> None:
    nobody = ("A3", "business", None, "x@example.com", None, None)
    gates = gates_on_records(records(ANN, *[nobody] * rows), GateLimits(incomplete_records=2))
    assert gate(gates, "incomplete_records")["is_passed"] is is_passed
    assert gate(gates, "incomplete_records")["limit"] == "at most 2 (changed by the incident file)"


@pytest.mark.parametrize(
    ("first", "second", "is_passed"),
    [
        ((1, 9), (10, 20), True),  # handed over: the day after
        ((1, 10), (10, 20), False),  # both ends are inclusive
        ((1, 11), (10, 20), False),
        ((10, 20), (1, 10), False),  # in any order
        ((1, None), (10, 20), False),  # no end: still valid
        ((None, 9), (10, None), True),
        ((None, 10), (10, None), False),
        ((None, None), (None, None), False),
        ((5, 6), (1, 30), False),  # one within the other
        ((20, 10), (10, 20), True),  # ends before it begins: valid on no day
    ],
)
def test_an_address_leads_to_one_mailbox_on_any_day(
    first: tuple[int | None, int | None], second: tuple[int | None, int | None], is_passed: bool
) -> None:
    table = records(
        ("A1", "business", "ann@example.com", "info@example.com", *first),
        ("A2", "business", "bob@example.com", "info@example.com", *second),
    )
    found = gate(gates_on_records(table, LIMITS), "ambiguous_addresses")
    assert found["is_passed"] is is_passed
    if not is_passed:
        assert found["observed"] == "1 address leading to two mailboxes on one day in 2 records: data rows 1, 2"


def test_one_mailbox_named_twice_is_not_ambiguous() -> None:
    assert failed(gates_on_records(records(ANN, ANN, BOB), LIMITS)) == set()
    assert failed(gates_on_records(records(ANN, ANN, BOB), LIMITS), "warn") == set()  # no beginning, so no whole key
    dated = ("A1", "business", "ann@example.com", "ann@example.com", 1, None)
    assert failed(gates_on_records(records(dated, dated), LIMITS), "warn") == {"declared_key"}


def test_what_only_warns() -> None:
    two_accounts = ("A2", "business", "ann@example.com", "info@example.com", None, None)
    assert failed(gates_on_records(records(ANN, two_accounts), LIMITS), "warn") == {"one_account_per_mailbox"}
    two_segments = ("A1", "residential", "ann@example.com", "info@example.com", None, None)
    assert failed(gates_on_records(records(ANN, two_segments), LIMITS), "warn") == {"one_segment_per_account"}
    shouted = ("A2", "Busi-ness", "bob@example.com", "bob@example.com", None, None)
    found = gate(gates_on_records(records(ANN, shouted), LIMITS), "segments_spelled_one_way")
    assert not found["is_passed"]
    assert found["observed"].endswith("in other letters in 2 records: data rows 1, 2")
    two_customers = records(ANN, ("A1", "business", "bob@example.com", "bob@example.com", None, None)).with_columns(
        customer_id=pl.Series(["C1", "C2"])
    )
    assert failed(gates_on_records(two_customers, LIMITS), "warn") == {"one_customer_per_account"}
    handed_over = records(
        ("A1", "business", "ann@example.com", "ann@example.com", 1, 9),
        ("A1", "business", "ann@example.com", "ann@example.com", 10, None),
    ).with_columns(customer_id=pl.Series(["C1", "C2"]))
    assert failed(gates_on_records(handed_over, LIMITS), "warn") == set()
    backwards = ("A2", "business", "bob@example.com", "bob@example.com", 9, 8)
    assert failed(gates_on_records(records(ANN, backwards), LIMITS), "warn") == {"records_end_after_they_begin"}
    only_alias = ("A2", "business", "bob@example.com", "info@example.com", None, None)
    assert failed(gates_on_records(records(ANN, only_alias), LIMITS), "warn") == {"mailboxes_are_addresses"}
    nobody = records(ANN).with_columns(pl.lit(None, pl.String).alias("customer_id"))
    assert failed(gates_on_records(nobody, LIMITS), "warn") == {"records_name_a_customer"}


def test_no_record_or_only_empty_ones_fail() -> None:
    none = gates_on_records(CUSTOMER_RECORDS.empty(), LIMITS)
    assert {"incomplete_records", "ambiguous_addresses"} <= failed(none)
    assert "the customer records have no row: nothing to compare" in none["observed"].to_list()
    all_null = CUSTOMER_RECORDS.conform(pl.DataFrame({"account_id": [None, None]}))
    assert failed(gates_on_records(all_null, LIMITS)) == {"incomplete_records"}


def test_records_of_the_wrong_shape_are_said_to_be_so() -> None:
    wrong = records(ANN).with_columns(pl.col("valid_from").cast(pl.String))
    found = gate(gates_on_records(wrong, LIMITS), "declared_types")
    assert found["observed"] == "1 column missing or of another type in 1 row: valid_from"


def test_no_address_stands_in_what_gates_say() -> None:
    table = records(
        ("A1", "business", "ann@example.com", "info@example.com", None, None),
        ("A2", "residential", "bob@example.com", "info@example.com", None, None),
        ("A1", "residential", None, "eve@example.com", None, None),
    )
    gates = gates_on_records(table, LIMITS)
    assert failed(gates) == {"incomplete_records", "ambiguous_addresses"}
    assert "@" not in "".join(gates["observed"])


SPANS = st.lists(
    st.tuples(st.sampled_from(["x", "y"]), st.sampled_from(["a", "b", "c"]), st.integers(0, 12), st.integers(-1, 6)),
    max_size=12,
)


@given(SPANS)
def test_overlaps_are_those_that_comparing_every_pair_finds(spans: list[tuple[str, str, int, int]]) -> None:
    rows = [(of, value, start, start + length) for of, value, start, length in spans]
    expected = {
        i
        for i, (of, value, start, end) in enumerate(rows)
        for other_of, other, other_start, other_end in rows
        if of == other_of and value != other and start <= end and other_start <= other_end
        and start <= other_end and other_start <= end
    }  # fmt: skip
    first = date(2030, 11, 1)
    table = pl.DataFrame(
        [(i, of, v, first + timedelta(a), first + timedelta(b)) for i, (of, v, a, b) in enumerate(rows)],
        schema={"row": pl.UInt32, "of": pl.String, "value": pl.String, "valid_from": pl.Date, "valid_to": pl.Date},
        orient="row",
    )
    found = find_overlaps(table, "of", "value").to_list()
    # Two spans of one value that touch are one span: a row of it is named with the rest.
    assert bool(found) == bool(expected)
    assert expected <= set(found)
    assert all(rows[i][2] <= rows[i][3] for i in found)
