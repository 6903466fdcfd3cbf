"""Whose fault a late or lost delivery was, case by case; times are seconds after the case's start."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from expectations.tables import FAULT_CLASSES, FAULT_SHARES, FAULTS
from tests.spec.tables import (
    ANN,
    BOB,
    Row,
    arrived,
    bounced,
    deferred,
    event_frame,
    line,
    queued,
    record,
    record_frame,
    removed,
    sent,
    settings,
    whole,
)
from transforms import impact

STORE = {"relay": "store[192.0.2.50]:24"}
FULL = {"dsn": "4.2.2", "reply": "452 4.2.2 Mailbox full", **STORE}
GREY = {"dsn": "4.7.1", "reply": "450 4.7.1 Greylisted", **STORE}
DOWN = {"dsn": "4.4.1", "reply": "connect to store: Connection refused", **STORE}


def begun(at: float = 0) -> list[Row]:
    return [arrived("A", at), queued("A", at)]


def ended(at: float, **values: Any) -> list[Row]:
    return [sent("A", at, ANN, **{**STORE, **values}), removed("A", at)]


CASES: dict[str, tuple[list[Row], str, dict[str, float]]] = {
    "never put off": ([*begun(), *ended(100)], "our_queue", {"our_queue": 100}),
    "slow to take it": (
        [*begun(), *ended(100, connect_seconds=1.0, transmit_seconds=89.0)],
        "our_store",
        {"our_queue": 10, "our_store": 90},
    ),
    "the store was down": (
        [*begun(), deferred("A", 20, ANN, **DOWN), *ended(100)],
        "our_store",
        {"our_queue": 20, "our_store": 80},
    ),
    "its mailbox was full": (
        [*begun(), deferred("A", 20, ANN, **FULL), *ended(100)],
        "recipient",
        {"our_queue": 20, "recipient": 80},
    ),
    "full, by its words": (
        [*begun(), deferred("A", 20, ANN, reply="over quota", **STORE), *ended(100)],
        "recipient",
        {"our_queue": 20, "recipient": 80},
    ),
    "our own greylist": ([*begun(), deferred("A", 20, ANN, **GREY), *ended(100)], "our_policy", {"our_policy": 80}),
    "first full, then down for longer": (
        [*begun(), deferred("A", 5, ANN, **FULL), deferred("A", 30, ANN, **DOWN), *ended(100)],
        "our_store",
        {"our_queue": 5, "recipient": 25, "our_store": 70},
    ),
    "held by an operator": (
        [*begun(), line("held", "A", 10), line("released", "A", 95), *ended(100)],
        "our_policy",
        {"our_queue": 15, "our_policy": 85},
    ),
    "still waiting": ([*begun(), deferred("A", 100, ANN, **FULL)], "recipient", {"our_queue": 100, "recipient": 7100}),
    "deleted by an operator": (
        [*begun(), deferred("A", 10, ANN, **DOWN), line("deleted", "A", 30)],
        "our_policy",
        {"our_queue": 10, "our_store": 20},
    ),
    "bounced by a rule": ([*begun(), bounced("A", 2, ANN, dsn="5.7.1"), removed("A", 2)], "our_policy", {}),
    "bounced by a full mailbox": ([*begun(), bounced("A", 2, ANN, dsn="5.2.2"), removed("A", 2)], "recipient", {}),
    "bounced by the store": ([*begun(), bounced("A", 2, ANN, dsn="5.3.0"), removed("A", 2)], "our_store", {}),
}


@pytest.mark.parametrize(("rows", "fault", "seconds"), CASES.values(), ids=CASES.keys())
def test_case(rows: list[Row], fault: str, seconds: dict[str, float], tmp_path: Path) -> None:
    [got] = tables(rows, tmp_path)[0].iter_rows(named=True)
    assert got["fault"] == fault
    assert {who: got[f"{who}_seconds"] for who in seconds} == seconds


def test_what_was_in_time_has_no_fault(tmp_path: Path) -> None:
    assert tables([*begun(), *ended(59)], tmp_path)[0].is_empty()


def test_each_recipient_has_its_own(tmp_path: Path) -> None:
    rows = [arrived("A", 0), queued("A", 0, recipients=2), sent("A", 1, BOB, **STORE), deferred("A", 1, ANN, **FULL)]
    assert tables([*rows, *ended(100)], tmp_path)[0].select("mailbox_or_address", "fault").rows() == [
        (ANN, "recipient")
    ]


def test_the_time_before_and_after_a_filter_adds_up(tmp_path: Path) -> None:
    first = [arrived("A", 0), queued("A", 0), sent("A", 40, ANN, next="B", relay="127.0.0.1[127.0.0.1]:10024")]
    second = [
        arrived("B", 40, former="A"),
        queued("B", 40),
        deferred("B", 41, ANN, **DOWN),
        sent("B", 100, ANN, **STORE),
    ]
    [got] = tables([*first, removed("A", 40), *second, removed("B", 100)], tmp_path)[0].iter_rows(named=True)
    assert got["fault"] == "our_store"
    assert (got["our_queue_seconds"], got["our_store_seconds"]) == (41, 59)


def test_direction_is_by_the_senders_domain(tmp_path: Path) -> None:
    rows = [*whole("A", 0, 100, ANN, sender=BOB), *whole("B", 0, 100, ANN), *whole("C", 0, 100, ANN, sender="")]
    got = tables(rows, tmp_path)[0].sort("message_key")["direction"].to_list()
    assert got == ["internal", "inbound", "inbound"]


def test_shares_show_what_is_left_without_others_faults(tmp_path: Path) -> None:
    rows = [*begun(), deferred("A", 1, ANN, **FULL), *ended(100), *whole("B", 0, 100, BOB), *whole("C", 0, 100, ANN)]
    shares = tables(rows, tmp_path)[1].filter(segment="all", direction="any")
    got = {row["fault"]: (row["deliveries"], row["accounts"]) for row in shares.iter_rows(named=True)}
    assert got == {"any": (3, 2), "ours": (2, 2), "recipient": (1, 1), "our_queue": (2, 2)}


def tables(rows: list[Row], folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return FAULTS and FAULT_SHARES; every second of a delivery is somebody's."""
    path = folder / "events.parquet"
    event_frame(rows).write_parquet(path)
    records = record_frame([record(ANN), record(BOB, account="A2")])
    with impact.workspace() as db:
        impact.stitch(db, [path], records, settings())
        impact.count(db, records, settings())
        faults = impact.table(db, "faults", FAULTS)
        delays = db.sql("SELECT message_key, mailbox_or_address, delay_seconds FROM deliveries").pl()
        total = faults.join(delays, on=["message_key", "mailbox_or_address"], validate="1:1").select(
            (pl.sum_horizontal(f"{who}_seconds" for who in FAULT_CLASSES) - pl.col("delay_seconds")).abs()
        )
        assert total.filter(pl.first() > 1e-6).is_empty()
        return faults, impact.table(db, "fault_shares", FAULT_SHARES)
