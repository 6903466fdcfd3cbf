"""Stamps against the clocks in queue ids, and time that falls back: tiny logs, each with what is found in it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from expectations.tables import EVENTS
from tests.simulate.queue_ids import long_id
from transforms.clock_findings import find_clock_findings
from transforms.falls import find_falls

NOON = datetime(2030, 3, 4, 12, tzinfo=UTC)
MINUTES = [NOON + timedelta(minutes=n) for n in range(40)]


def found(folder: Path, lines: list[dict[str, Any]], pieces: int = 1) -> list[tuple[Any, ...]]:
    """Write EVENTS in as many row groups and return code, host, first instant and detail of each finding."""
    rows = pl.DataFrame(
        [{"line_number": n, "kind": "arrived", "host": "mx1", **line} for n, line in enumerate(lines, 1)]
    )
    path = folder / "events.parquet"
    EVENTS.conform(rows).write_parquet(path, row_group_size=max(1, rows.height // pieces))
    return (
        find_clock_findings(path, find_falls(path), "0" * 16, "mail.log")
        .select("code", "host", "start_at", "detail")
        .rows()
    )


def arrival(made: datetime, logged: datetime) -> dict[str, Any]:
    """A queue file made at one time, whose first line bears another."""
    return {"queue_id": long_id(int(made.timestamp()), made.microsecond, 4711), "logged_at": logged}


def exim_arrival(logged: datetime) -> dict[str, Any]:
    return {"queue_id": "1jmFYj-00039V-QX", "logged_at": logged}  # made 2020-06-19 11:51:49 UTC


@pytest.mark.parametrize("off", [timedelta(0), timedelta(seconds=-1), timedelta(seconds=299)])
def test_stamps_within_moments_of_their_ids_are_right(off: timedelta, tmp_path: Path) -> None:
    assert found(tmp_path, [arrival(at, at + off) for at in MINUTES]) == []


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (-7, "behind the clocks"),
        (13, "ahead of the clocks"),
        (5.75, "run 5 h 45 min ahead"),
        (-0.25, "run 15 min behind"),
    ],
)
def test_line_after_line_off_by_quarter_hours_is_a_wrong_zone(hours: float, words: str, tmp_path: Path) -> None:
    off = timedelta(hours=hours)
    [(code, host, start, detail)] = found(tmp_path, [arrival(at, at + off) for at in MINUTES])
    assert (code, host, start) == ("wrong_zone", "mx1", NOON + off)
    assert words in detail
    assert "timezone:" in detail


def test_two_zones_in_one_file_are_two_findings(tmp_path: Path) -> None:
    """A log in local time, read as UTC, over the end of daylight saving."""
    lines = [arrival(at, at + timedelta(hours=13 if n < 20 else 12)) for n, at in enumerate(MINUTES)]
    assert [row[0] for row in found(tmp_path, lines) if row[0] != "clock_step"] == ["wrong_zone", "wrong_zone"]


def test_a_year_off_is_a_wrong_year(tmp_path: Path) -> None:
    [(code, _, _, detail)] = found(tmp_path, [arrival(at, at - timedelta(days=365)) for at in MINUTES])
    assert code == "wrong_year"
    assert "365 days before" in detail


def test_single_stamps_that_do_not_fit_were_edited(tmp_path: Path) -> None:
    lines = [arrival(at, at) for at in MINUTES]
    lines[7]["logged_at"] -= timedelta(hours=2)  # by whole hours, but alone
    lines[9]["logged_at"] += timedelta(minutes=6)
    [(code, _, start, detail)] = found(tmp_path, lines)
    assert (code, start) == ("edited_stamp", lines[7]["logged_at"])
    assert "2 queue files" in detail
    assert "line 8" in detail
    assert "2 h" in detail


def test_exim_logs_a_message_when_its_data_are_in(tmp_path: Path) -> None:
    made = datetime(2020, 6, 19, 11, 51, 49, tzinfo=UTC)
    assert found(tmp_path, [exim_arrival(made + timedelta(minutes=59))] * 6) == []
    assert [row[0] for row in found(tmp_path, [exim_arrival(made - timedelta(hours=7))] * 6)] == ["wrong_zone"]


def test_ids_without_a_clock_say_nothing(tmp_path: Path) -> None:
    assert found(tmp_path, [{"queue_id": f"A{n:05X}", "logged_at": at} for n, at in enumerate(MINUTES)]) == []


@pytest.mark.parametrize("pieces", [1, 2, 7, 20])
def test_time_that_falls_back_and_stays_is_a_step(pieces: int, tmp_path: Path) -> None:
    back = timedelta(minutes=10)
    lines = [{"logged_at": at - (back if n >= 20 else timedelta(0))} for n, at in enumerate(MINUTES)]
    [(code, _, start, detail)] = found(tmp_path, lines, pieces)
    assert (code, start) == ("clock_step", MINUTES[20] - back)
    assert "line 21" in detail
    assert "9 min" in detail


def numbered(times: list[datetime], ids: dict[int, str]) -> list[dict[str, Any]]:
    return [{"logged_at": at, "queue_id": ids.get(n, f"A{n:05X}")} for n, at in enumerate(times)]


def test_a_queue_file_whose_lines_go_back_in_time_proves_that_a_clock_was_set_back(tmp_path: Path) -> None:
    times = [at - timedelta(minutes=10 if n >= 20 else 0) for n, at in enumerate(MINUTES)]
    assert [row[0] for row in found(tmp_path, numbered(times, {19: "B1", 21: "B1"}))] == ["clock_set_back"]
    assert [row[0] for row in found(tmp_path, numbered(times, {5: "B1", 21: "B1"}))] == ["clock_step"]


@pytest.mark.parametrize("untidy_seconds", [0, 5])
def test_pieces_joined_out_of_order_prove_nothing(untidy_seconds: int, tmp_path: Path) -> None:
    last = MINUTES[20] + timedelta(seconds=untidy_seconds)  # of the earlier piece: the second at which the later begins
    times = [*MINUTES[20:], *MINUTES[:19], last]
    assert [row[0] for row in found(tmp_path, numbered(times, {1: "B1", 39: "B1", 10: "B2", 30: "B2"}))] == [
        "clock_step"
    ]


OVERLAPPING = {
    "in order": [*range(25), *range(15, 40)],
    "the newest first": [*range(15, 40), *range(25)],
    "the whole twice": [*range(40), *range(40)],
}


@pytest.mark.parametrize("order", OVERLAPPING)
def test_lines_that_stand_twice_prove_that_pieces_were_joined_and_no_clock(order: str, tmp_path: Path) -> None:
    whole = numbered(MINUTES, {n: f"B{n // 8}" for n in range(40)})
    [(code, _, _, detail)] = found(tmp_path, [whole[n] for n in OVERLAPPING[order]])
    assert code == "joined_pieces"
    assert f"{len(OVERLAPPING[order]) - 40} lines stand twice and count once" in detail


@pytest.mark.parametrize("pieces", [1, 5])
def test_a_first_line_that_stands_twice_is_a_piece_by_itself(pieces: int, tmp_path: Path) -> None:
    whole = numbered(MINUTES, {n: f"B{n // 8}" for n in range(40)})
    [(code, _, _, detail)] = found(tmp_path, [whole[39], *whole], pieces)
    assert code == "joined_pieces"
    assert "line 2" in detail


def test_lines_of_the_same_times_that_say_something_else_are_the_clocks(tmp_path: Path) -> None:
    whole = numbered(MINUTES, {n: f"B{n // 8}" for n in range(40)})
    again = [line | {"kind": "removed"} for line in whole[15:]]
    assert [row[0] for row in found(tmp_path, [*whole[:25], *again])] == ["clock_set_back"]


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 0, 1), (0, 2, 1), (1, 3, 0, 2), (1, 3, 2, 0)], ids=str)
def test_pieces_in_any_order_prove_nothing(order: tuple[int, ...], tmp_path: Path) -> None:
    size = len(MINUTES) // len(order)
    whole = numbered(MINUTES, {n: f"B{(n + 1) // size}" for n in range(40) if n % size in (0, size - 1)})
    shuffled = [whole[size * n + i] for n in order for i in range(size)]
    assert {row[0] for row in found(tmp_path, shuffled)} == {"clock_step"}


def test_a_piece_that_touches_both_of_its_neighbours_proves_nothing(tmp_path: Path) -> None:
    """The last piece is the middle one; each of the others has a line of the second at which it meets them."""
    lines = numbered([*MINUTES[25:], *MINUTES[:13], *MINUTES[12:26]], {1: "B1", 41: "B1", 20: "B2", 30: "B2"})
    assert {row[0] for row in found(tmp_path, lines)} == {"clock_step"}


@pytest.mark.parametrize(("falls", "code"), [(3, "clock_set_back"), (4, "clock_step")])
def test_lines_that_fall_back_again_and_again_are_in_no_order(falls: int, code: str, tmp_path: Path) -> None:
    times = [at - timedelta(minutes=11 * (n // 8)) for n, at in enumerate(MINUTES[: 8 * (falls + 1)])]
    ids = {n: f"B{(n + 1) // 8}" for n in range(len(times)) if n % 8 in (0, 7)}
    assert [row[0] for row in found(tmp_path, numbered(times, ids))] == [code] * falls


@pytest.mark.parametrize(
    "late",
    [
        {0: timedelta(hours=1)},
        {12: timedelta(minutes=30)},
        {12: timedelta(seconds=70), 13: timedelta(seconds=65)},
        {39: timedelta(hours=1)},
    ],
)
def test_a_straggler_is_no_step(late: dict[int, timedelta], tmp_path: Path) -> None:
    lines = [{"logged_at": at - late.get(n, timedelta(0))} for n, at in enumerate(MINUTES)]
    assert found(tmp_path, lines) == []


def test_hosts_of_one_file_have_clocks_of_their_own(tmp_path: Path) -> None:
    lines = [
        {"host": host, "logged_at": at - (timedelta(minutes=30) if host == "mx2" else timedelta(0))}
        for at in MINUTES
        for host in ("mx1", "mx2")
    ]
    assert found(tmp_path, lines) == []


def test_no_event_no_finding(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    EVENTS.empty().write_parquet(path)
    assert find_falls(path) == []
    assert find_clock_findings(path, [], "0" * 16, "mail.log").is_empty()
