"""What one count did to each account."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from expectations.tables import ACCOUNTS, DOWNTIME
from transforms.harm import harmed_accounts

NOON = datetime(2030, 3, 4, 12, tzinfo=UTC)


def account(
    name: str, segment: str = "business", late: int = 1, lost: int = 0, pending: int = 0, longest: float = 9.0
) -> dict[str, object]:
    return {
        "account_id": name,
        "customer_id": f"C{name}",
        "segment": segment,
        "mailboxes": 1,
        "deliveries": 5,
        "late_deliveries": late,
        "lost_deliveries": lost,
        "pending_deliveries": pending,
        "longest_delay_seconds": longest,
        "is_affected": late > 0,
    }


def harmed(
    accounts: list[dict[str, object]], spans: Sequence[tuple[str, int, int]] = (), unit: str = "account"
) -> list[dict[str, object]]:
    """Spans are account, from and until in minutes after noon; each lies in a segment of its own."""
    downtime = [
        {
            "unit": unit,
            "entity_id": name,
            "segment": str(number),
            "start_at": NOON + timedelta(minutes=start),
            "end_at": NOON + timedelta(minutes=end),
        }
        for number, (name, start, end) in enumerate(spans)
    ]
    frame = pl.DataFrame(downtime, schema=dict(DOWNTIME.schema))
    return harmed_accounts(ACCOUNTS.conform(pl.DataFrame(accounts)), frame).sort("account_id").to_dicts()


@pytest.mark.parametrize(
    ("late", "lost", "pending", "is_harmed"),
    [(0, 0, 0, False), (1, 0, 0, True), (0, 1, 0, True), (0, 0, 1, True)],
)
def test_an_account_is_harmed_by_one_late_lost_or_waiting_message(
    late: int, lost: int, pending: int, is_harmed: bool
) -> None:
    assert bool(harmed([account("A", late=late, lost=lost, pending=pending)])) is is_harmed


def test_an_account_that_changed_its_segment_is_one_row() -> None:
    [row] = harmed([account("A", "residential", late=2, longest=7.0), account("A", "business", lost=1, longest=8.0)])
    assert row["segments"] == ["business", "residential"]
    assert (row["late_deliveries"], row["lost_deliveries"], row["longest_delay_seconds"]) == (3, 1, 8.0)


@pytest.mark.parametrize(
    ("spans", "minutes"),
    [
        ([], 0),
        ([("A", 0, 10)], 10),
        ([("A", 0, 10), ("A", 20, 25)], 15),
        ([("A", 0, 10), ("A", 5, 12)], 12),
        ([("A", 0, 10), ("A", 2, 3), ("A", 4, 6)], 10),
        ([("A", 0, 10), ("A", 10, 11)], 11),
        ([("A", 5, 12), ("A", 0, 10)], 12),
        ([("B", 0, 10)], 0),
    ],
    ids=["never", "once", "twice", "overlapping", "one within the other", "touching", "in another order", "another's"],
)
def test_spans_count_once_where_they_overlap(spans: list[tuple[str, int, int]], minutes: int) -> None:
    [row] = harmed([account("A")], spans)
    assert row["down_seconds"] == minutes * 60.0


def test_time_of_a_mailbox_is_no_time_of_its_account() -> None:
    [row] = harmed([account("A")], [("A", 0, 10)], unit="mailbox")
    assert row["down_seconds"] == 0.0
