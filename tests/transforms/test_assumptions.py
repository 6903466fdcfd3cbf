"""Bounds for whoever assumes something: each named assumption narrows its own part of the worst case, and no more."""

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from expectations.narrower import gates_on_narrower
from expectations.refusal import reasons
from expectations.tables import CELLS, FINDINGS, NARROWER
from tests.spec.mess import RECORDS, logs
from tests.spec.tables import (
    ANN,
    BOB,
    START,
    TWO,
    Row,
    arrived,
    deferred,
    event_frame,
    queued,
    record_frame,
    removed,
    sent,
    settings,
    whole,
)
from transforms import impact

Ranges = dict[str, tuple[int, int]]


def counted(
    rows: list[Row], records: list[Row], as_of: int = 7200, findings: pl.DataFrame | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return NARROWER and CELLS of some log lines."""
    with TemporaryDirectory() as folder, impact.workspace() as db:
        path = Path(folder) / "events.parquet"
        event_frame(rows).write_parquet(path)
        chosen, frame = settings(as_of=as_of), record_frame(records)
        impact.stitch(db, [path], frame, chosen)
        impact.count(db, frame, chosen, findings)
        return impact.table(db, "narrower", NARROWER), impact.table(db, "cells", CELLS)


def ranges(tables: tuple[pl.DataFrame, pl.DataFrame], unit: str, count: str = "late") -> Ranges:
    """Return lower and upper of a unit late by a minute, by assumption; `worst` is the cell's own."""
    chosen = {"unit": unit, "threshold_seconds": 60, "messages": "all", "count": count, "segment": "all"}
    narrower, cells = (table.filter(**chosen) for table in tables)
    found = {name: (low, high) for name, low, high in narrower.select("assumption", "lower", "upper").iter_rows()}
    return {"worst": cells.select("lower", "upper").row(0), **found}


def waiting(ids: range, at: float) -> list[Row]:
    return [
        row
        for n in ids
        for row in (arrived(f"B{n:02X}", at), queued(f"B{n:02X}", at), deferred(f"B{n:02X}", at + 5, BOB))
    ]


def mail_of(seconds: dict[int, int], at: int = 0) -> list[Row]:
    """Delivered mail that arrived at `at`: how many files by how long they took."""
    taken = [s for s, files in seconds.items() for _ in range(files)]
    return [row for n, s in enumerate(taken) for row in whole(f"A{n:02X}", at, at + s, ANN)]


def test_waiting_mail_is_hit_as_often_as_mail_that_had_waited_as_long() -> None:
    """Of 100 files that took ten seconds or more 4 took a minute; 50 that wait ten seconds let 2 expect, at most 7."""
    rows = mail_of({5: 40, 10: 96, 70: 4}) + waiting(range(50), 3580)
    found = ranges(counted(rows, list(TWO), as_of=3590), "delivery")
    assert found["worst"] == (4, 54)
    assert found["waiting_like_delivered"] == (4, 4 + 7)  # 2 + 3 * sqrt(2), rounded up
    assert found["all_of_these"] == (4, 11)
    others = [name for name in found if name not in ("worst", "waiting_like_delivered", "all_of_these")]
    assert {found[name] for name in others} == {(4, 54)}


def test_odds_never_add_more_people_than_the_worst_case() -> None:
    rows = mail_of({5: 40, 10: 96, 70: 4}) + waiting(range(50), 3580)
    found = ranges(counted(rows, list(TWO), as_of=3590), "account")
    assert found["worst"] == found["waiting_like_delivered"] == (1, 2)


def test_fewer_than_ten_that_had_waited_as_long_are_no_odds() -> None:
    rows = mail_of({5: 40, 10: 9}) + waiting(range(8), 3580)
    assert ranges(counted(rows, list(TWO), as_of=3590), "delivery")["waiting_like_delivered"] == (0, 8)
    more = mail_of({5: 40, 10: 10}) + waiting(range(8), 3580)
    assert ranges(counted(more, list(TWO), as_of=3590), "delivery")["waiting_like_delivered"] == (0, 0)


def test_mail_without_an_end_came_in_time_and_a_stranger_is_nobodys() -> None:
    """Bob's end is missing from a file that was removed late, and nobody knows whose an address is that was late."""
    rows = [
        *(arrived("A1", 0), queued("A1", 0, recipients=2), deferred("A1", 10, BOB), sent("A1", 90, ANN)),
        removed("A1", 90),
        *whole("B1", 0, 90, "nobody@example.com"),
    ]
    found = ranges(counted(rows, list(TWO)), "mailbox")
    assert found["worst"] == (1, 3)
    assert found["unresolved_in_time"] == (1, 2)
    assert found["strangers_no_customers"] == (1, 2)
    assert found["all_of_these"] == (1, 1)


def test_mail_that_no_line_shows_is_hit_as_often_as_the_rest() -> None:
    """The logger dropped 100 lines, each perhaps a delivery; 1 of 50 deliveries that are seen is late."""
    rows = mail_of({5: 49, 70: 1})
    lost = {"code": "loss_mark", "host": "mx1", "lines": 100, "start_at": START, "end_at": START}
    findings = FINDINGS.conform(pl.DataFrame([lost], schema_overrides={"start_at": FINDINGS.schema["start_at"]}))
    found = ranges(counted(rows, list(TWO), findings=findings), "delivery")
    assert found["worst"][1] == 1 + 130
    assert found["hidden_like_seen"] == (found["worst"][0], 1 + 8)  # 130 / 50, and three times its root, rounded up


def test_what_looks_open_is_open_proves_as_much_as_was_counted() -> None:
    """A line of the log is missing, so one that waits may have left; whoever assumes that none did knows better."""
    late = mail_of({70: 30}, at=120)
    rows = [*whole("C1", 0, 5, ANN), *(row for row in late if (row["queue_id"], row["kind"]) != ("A05", "removed"))]
    rows += waiting(range(3), 120)
    found = ranges(counted(rows, list(TWO)), "delivery")
    assert found["worst"][0] < found["open_as_shown"][0] == 33


def test_an_exact_figure_stays_exact_and_without_mail_there_is_nothing_to_assume() -> None:
    assert set(ranges(counted(mail_of({5: 3, 70: 2}), list(TWO)), "delivery").values()) == {(2, 2)}
    assert set(ranges(counted([], []), "delivery").values()) == {(0, 0)}


@hypothesis_settings(max_examples=15, deadline=None)
@given(rows=logs())
def test_on_drawn_logs_every_range_lies_within_the_worst_case_and_holds_the_figure(rows: list[Row]) -> None:
    narrower, cells = counted(rows, RECORDS)
    assert narrower.height == cells.height * narrower["assumption"].n_unique()
    assert reasons(gates_on_narrower(narrower, cells)) == []


def test_a_range_that_leaves_the_worst_case_or_the_figure_refuses_publication() -> None:
    narrower, cells = counted(mail_of({5: 3, 70: 2}), list(TWO))
    first = pl.int_range(pl.len()) == 0
    for column, change in (("upper", 1), ("lower", 1)):
        wrong = narrower.with_columns(pl.when(first).then(pl.col(column) + change).otherwise(column).alias(column))
        assert any("1 broke it" in reason for reason in reasons(gates_on_narrower(wrong, cells)))
    assert reasons(gates_on_narrower(narrower[1:], cells.clear()))
    assert reasons(gates_on_narrower(narrower.clear(), cells))


def test_each_unmatched_recipient_may_be_one_more_person_whatever_the_sender_wrote() -> None:
    group = [arrived("A1", 0), *(sent("A1", 90, f"ghost{n}@example.com", "team@example.com") for n in range(3))]
    alias = [arrived("A2", 0), sent("A2", 90, "ghost0@example.com"), removed("A2", 90)]
    tables = counted([*group, removed("A1", 90), *alias], list(TWO))
    for unit in ("mailbox", "account", "customer"):
        assert ranges(tables, unit)["worst"] == (0, 3)
    assert ranges(tables, "address")["worst"] == (2, 2)
