from pathlib import Path
from typing import Any

import polars as pl
import pytest

from expectations.deliveries import gates_on_deliveries
from expectations.tables import DELIVERIES
from tests.expectations.tables import deliveries, failed, gate, minute, settings
from transforms.gate_limits import GateLimits

LIMITS = GateLimits()
OPEN = {"outcome": "pending", "ended_at": None}


def of(*parts: pl.DataFrame) -> pl.DataFrame:
    """Deliveries with keys of their own."""
    return pl.concat(parts).with_columns(pl.format("m{}", pl.int_range(pl.len())).alias("message_key"))


def test_books_that_balance_pass(tmp_path: Path) -> None:
    table = of(deliveries(3), deliveries(1, host="mx2", outcome="lost"), deliveries(2, **OPEN), deliveries(1, host=""))
    gates = gates_on_deliveries(table, settings(), LIMITS)
    assert failed(gates) == failed(gates, "warn") == set()
    seen = "7 deliveries: 4 delivered, 1 lost, 0 rejected recipient, 2 pending, 0 unresolved"
    assert gate(gates, "deliveries_add_up")["observed"] == seen
    table.write_parquet(tmp_path / "deliveries.parquet")
    assert gates_on_deliveries(tmp_path / "deliveries.parquet", settings(), LIMITS).equals(gates)


def test_an_outcome_that_is_none_does_not_add_up_and_its_host_is_named() -> None:
    gates = gates_on_deliveries(of(deliveries(3), deliveries(1, host="mx2", outcome="vanished")), settings(), LIMITS)
    assert failed(gates) == {"deliveries_add_up", "declared_values"}
    assert gate(gates, "deliveries_add_up")["observed"].endswith("unresolved: mx2, all hosts")


@pytest.mark.parametrize(("late_by", "is_passed"), [(1.9, True), (2, True), (2.1, False)])
def test_nothing_ends_before_it_arrived(late_by: float, is_passed: bool) -> None:
    table = deliveries(arrived_at=minute(1 + late_by / 60), delay_seconds=0.0, proven_delay_seconds=0.0)
    gates = gates_on_deliveries(table, settings(), LIMITS)
    assert gate(gates, "nothing_ends_before_it_arrived")["is_passed"] is is_passed


@pytest.mark.parametrize(("delay", "is_passed"), [(57.9, False), (58, True), (60, True), (62, True), (62.1, False)])
def test_delay_is_end_minus_arrival_within_two_seconds(delay: float, is_passed: bool) -> None:
    gates = gates_on_deliveries(deliveries(delay_seconds=delay, proven_delay_seconds=0.0), settings(), LIMITS)
    assert gate(gates, "delay_is_end_minus_arrival")["is_passed"] is is_passed
    assert failed(gates) == (set() if is_passed else {"delay_is_end_minus_arrival"})


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"proven_delay_seconds": 60.1}, "proven_delay_within_delay"),
        ({"outcome": "pending"}, "open_deliveries_have_no_end"),
        ({"outcome": "unresolved"}, "open_deliveries_have_no_end"),
        ({"ended_at": None}, "closed_deliveries_have_an_end"),
        ({"legs": 0}, "declared_minimum"),
        ({"arrived_at": None}, "declared_not_null"),
    ],
)
def test_one_broken_delivery_among_many_is_found(change: dict[str, Any], name: str) -> None:
    assert failed(gates_on_deliveries(of(deliveries(9), deliveries(1, **change)), settings(), LIMITS)) == {name}


@pytest.mark.parametrize(
    ("unmatched", "fails", "warns"),
    [(0, False, False), (1, False, False), (2, False, True), (4, False, True), (5, False, True), (6, True, True)],
)
def test_unmatched_recipients_warn_above_one_and_fail_above_five_per_cent(
    unmatched: int, fails: bool, warns: bool
) -> None:
    table = of(deliveries(100 - unmatched), deliveries(unmatched, segment="unmatched", outcome="rejected_recipient"))
    gates = gates_on_deliveries(table, settings(), LIMITS)
    assert failed(gates) == ({"unmatched_share"} if fails else set())
    assert failed(gates, "warn") == ({"unmatched_share_warn"} if warns else set())
    assert gate(gates, "unmatched_share")["observed"].startswith(f"{unmatched} of 100 local deliveries are for")
    assert f"{unmatched} of them were refused as unknown mailboxes" in gate(gates, "unmatched_share")["observed"]


@pytest.mark.parametrize(("arrived", "warns"), [(-0.01, True), (0, False), (9.99, False), (10, True)])
def test_a_window_without_mail_only_warns(arrived: float, warns: bool) -> None:
    table = deliveries(arrived_at=minute(arrived), ended_at=minute(arrived + 1))
    gates = gates_on_deliveries(table, settings(end=10), LIMITS)
    assert failed(gates) == set()
    assert failed(gates, "warn") == ({"mail_in_the_window"} if warns else set())


def test_two_rows_of_one_delivery_are_refused_but_recipients_without_a_name_may_repeat() -> None:
    assert failed(gates_on_deliveries(pl.concat([deliveries(), deliveries()]), settings(), LIMITS)) == {"declared_key"}
    nameless = deliveries(mailbox_or_address=None, mailbox=None, segment=None)
    assert failed(gates_on_deliveries(pl.concat([nameless, nameless]), settings(), LIMITS)) == set()


def test_mail_for_other_domains_only_is_one_reason() -> None:
    gates = gates_on_deliveries(DELIVERIES.empty(), settings(), LIMITS)
    assert gates.select("gate", "is_passed", "observed").rows() == [
        ("mail_for_a_local_domain", False, "no mail in the logs is for one of `local_domains:`")
    ]


def test_a_table_of_nulls_is_refused() -> None:
    nulls = DELIVERIES.conform(pl.DataFrame({"message_key": [None, None]}))
    names = failed(gates_on_deliveries(nulls, settings(), LIMITS))
    assert {"declared_not_null", "deliveries_add_up"} <= names


def test_no_address_stands_in_what_gates_say() -> None:
    table = of(deliveries(1), deliveries(1, outcome="vanished", address="eve@example.com", proven_delay_seconds=99.0))
    assert "@" not in "".join(gates_on_deliveries(table, settings(), LIMITS)["observed"])
