"""Sources that would be missing if an incident began now: silent hosts, and hours with too few lines."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from expectations.freshness import source_warnings
from expectations.tables import ACTIVITY

AT = datetime(2030, 5, 8, 12, tzinfo=UTC)
LIMIT = timedelta(hours=3)


def activity(*rows: tuple[str, timedelta, int]) -> pl.DataFrame:
    """ACTIVITY of hosts: how long before AT, and how many lines."""
    return ACTIVITY.conform(
        pl.DataFrame(
            [{"source_id": "a", "host": host, "minute_at": AT - ago, "lines": lines} for host, ago, lines in rows],
            schema={"source_id": pl.String, "host": pl.String, "minute_at": ACTIVITY.schema["minute_at"], "lines": int},
        )
    )


def habit(days: int, now: int) -> pl.DataFrame:
    """A host that writes 100 lines in this hour of each of some days, and `now` lines today."""
    rows = [("mx1", timedelta(days=day, minutes=30), 100) for day in range(1, days + 1)]
    return activity(*rows, ("mx1", timedelta(minutes=30), now))


@pytest.mark.parametrize(("minutes", "is_missed"), [(179, False), (180, False), (181, True)])
def test_a_host_is_missed_beyond_the_limit(minutes: int, is_missed: bool) -> None:
    said = source_warnings(activity(("mx1", timedelta(minutes=minutes), 5)), AT, LIMIT, 0.1)
    assert bool(said) is is_missed
    assert all("mx1: its last line is of 2030-05-08 08:59 UTC, 3.0 h ago (3.0 h are allowed)" in s for s in said)


def test_each_host_is_judged_by_itself_and_later_lines_are_not_known_yet() -> None:
    rows = activity(("mx1", timedelta(0), 5), ("mx2", timedelta(hours=9), 5), ("mx2", -timedelta(hours=1), 5))
    assert [s.split(":")[0] for s in source_warnings(rows, AT, LIMIT, 0.1)] == ["mx2"]


@pytest.mark.parametrize(("lines", "is_low"), [(9, True), (10, False), (100, False)])
def test_an_hour_with_too_few_lines(lines: int, is_low: bool) -> None:
    said = source_warnings(habit(4, lines), AT, LIMIT, 0.1)
    assert bool(said) is is_low
    assert all("9 lines in the hour before 2030-05-08 12:00 UTC, where 100 are usual" in s for s in said)


def test_two_days_are_no_habit() -> None:
    assert source_warnings(habit(2, 1), AT, LIMIT, 0.1) == []


def test_no_line_at_all_is_a_warning_of_its_own() -> None:
    assert "no source has written a line" in source_warnings(ACTIVITY.empty(), AT, LIMIT, 0.1)[0]
