"""Which message a temporary refusal belongs to, case by case; times are seconds after the case's start."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from expectations.tables import SENDER_WAITS
from tests.spec.tables import ANN, BOB, Row, event_frame, line, record, record_frame, settings, whole
from transforms import impact

DAY = 86_400
CLIENT = "relay.example.net[192.0.2.1]"


def refused(at: float, to: str | None = ANN, sender: str | None = "sender@example.net", client: str = CLIENT) -> Row:
    return line("refused", "", at, recipient=to, sender=sender, client=client, reply="450 4.3.2 Try again later")


def taken(
    queue_id: str, at: float, to: str = ANN, sender: str = "sender@example.net", client: str = CLIENT
) -> list[Row]:
    """A message of that client that is accepted, and delivered a second later."""
    first, *rest = whole(queue_id, at, at + 1, to, sender)
    return [first | {"client": client}, *rest]


CASES: dict[str, tuple[list[Row], list[tuple[Any, ...]]]] = {
    "the next message": ([refused(0), *taken("A", 600), *taken("B", 700)], [(1, 600.0)]),
    "refused three times": ([refused(0), refused(60), refused(300), *taken("A", 600)], [(3, 600.0)]),
    "two messages, each refused": (
        [refused(0), *taken("A", 60), refused(100), *taken("B", 400)],
        [(1, 60.0), (1, 300.0)],
    ),
    "never accepted": ([refused(0), refused(60)], [(2, None)]),
    "accepted before": ([*taken("A", 0), refused(60)], [(1, None)]),
    "another sender": ([refused(0), *taken("A", 60, sender="other@example.net")], [(1, None)]),
    "another recipient": ([refused(0), *taken("A", 60, to=BOB)], [(1, None)]),
    "another client": ([refused(0), *taken("A", 60, client="relay.example.net[192.0.2.9]")], [(1, None)]),
    "the same client by another name": ([refused(0), *taken("A", 60, client="unknown[192.0.2.1]")], [(1, 60.0)]),
    "the null sender": ([refused(0, sender=""), *taken("A", 60, sender="")], [(1, 60.0)]),
    "no sender named": ([refused(0, sender=None), *taken("A", 60)], [(1, 60.0)]),
    "no recipient named": ([refused(0, to=None), *taken("A", 60)], [(1, None)]),
    "at five days": ([refused(0), *taken("A", 5 * DAY)], [(1, 5.0 * DAY)]),
    "after five days": ([refused(0), *taken("A", 5 * DAY + 1)], [(1, None)]),
    "nothing refused": (taken("A", 60), []),
}


@pytest.mark.parametrize(("rows", "waits"), CASES.values(), ids=CASES.keys())
def test_case(rows: list[Row], waits: list[tuple[Any, ...]], tmp_path: Path) -> None:
    got = sender_waits(rows, tmp_path)
    assert sorted(got.select("refusals", "wait_seconds").rows(), key=str) == sorted(waits, key=str)
    assert set(got["reply_code"]) <= {"450 4.3.2"}


def test_the_same_line_in_two_files_is_one_refusal(tmp_path: Path) -> None:
    twice = [refused(0), refused(0) | {"source_id": "other"}, *taken("A", 60)]
    assert sender_waits(twice, tmp_path)["refusals"].to_list() == [1]


def test_who_was_turned_away_is_told_by_the_records(tmp_path: Path) -> None:
    rows = [refused(0), refused(0, to="stranger@example.com"), refused(0, to=None)]
    got = sender_waits(rows, tmp_path).select("recipient", "segment").rows()
    assert set(got) == {(ANN, "residential"), ("stranger@example.com", "unmatched"), (None, None)}


def sender_waits(rows: list[Row], folder: Path) -> pl.DataFrame:
    path = folder / "events.parquet"
    event_frame(rows).write_parquet(path)
    with impact.workspace() as db:
        impact.stitch(db, [path], record_frame([record(ANN), record(BOB)]), settings(as_of=10 * DAY))
        return impact.table(db, "sender_waits", SENDER_WAITS)
