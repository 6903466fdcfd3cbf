"""Which digits are a time, and which time they are."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from transforms.spans import Spans
from transforms.stamps import begins_run, days_since_1970, read_yearless, read_zoned

YEARLESS: list[tuple[str, tuple[int, int, str] | None]] = [
    ("Nov 25 02:22:48", (11, 25, "02:22:48")),
    ("Nov  5 02:22:48", (11, 5, "02:22:48")),
    ("Jan 05 00:00:00", (1, 5, "00:00:00")),
    ("Nov 25 02:22:48.5", (11, 25, "02:22:48.500000")),
    ("Nov 25 02:22:48,123", (11, 25, "02:22:48.123000")),
    ("Dec 31 23:59:60", (12, 31, "24:00:00")),
    ("Feb 31 00:00:00", (2, 31, "00:00:00")),  # whether there is such a day depends on the year
    ("nov 25 02:22:48", None),
    ("Nox 25 02:22:48", None),
    ("Nov 25 24:00:00", None),
    ("Nov 25 02:60:00", None),
    ("Nov 25 02:22:61", None),
    ("Nov 25 2:22:48", None),
    ("Nov 25 02:22:48.", None),
    ("Nov 25 02:22:48.x", None),
    ("Nov 25 02-22-48", None),
    ("Nov 25 02:22", None),
    ("", None),
]
ZONED: list[tuple[str, datetime | None]] = [
    ("2030-11-25T02:22:48Z", datetime(2030, 11, 25, 2, 22, 48, tzinfo=UTC)),
    ("2030-11-25T02:22:48z", datetime(2030, 11, 25, 2, 22, 48, tzinfo=UTC)),
    ("2030-11-25T02:22:48+13:00", datetime(2030, 11, 24, 13, 22, 48, tzinfo=UTC)),
    ("2030-11-25T02:22:48+1300", datetime(2030, 11, 24, 13, 22, 48, tzinfo=UTC)),
    ("2030-11-25T02:22:48-09:30", datetime(2030, 11, 25, 11, 52, 48, tzinfo=UTC)),
    ("2030-11-25T02:22:48.25Z", datetime(2030, 11, 25, 2, 22, 48, 250_000, tzinfo=UTC)),
    ("2030-11-25T02:22:48,25Z", datetime(2030, 11, 25, 2, 22, 48, 250_000, tzinfo=UTC)),
    ("2030-11-25T02:22:48.123456789Z", datetime(2030, 11, 25, 2, 22, 48, 123_456, tzinfo=UTC)),
    ("2030-12-31T23:59:60Z", datetime(2031, 1, 1, tzinfo=UTC)),
    ("2028-02-29T00:00:00Z", datetime(2028, 2, 29, tzinfo=UTC)),
    ("1969-12-31T23:59:59Z", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ("2030-02-29T00:00:00Z", None),
    ("2030-13-01T00:00:00Z", None),
    ("2030-00-01T00:00:00Z", None),
    ("2030-11-00T00:00:00Z", None),
    ("2030-11-25T24:00:00Z", None),
    ("2030-11-25T02:22:48", None),
    ("2030-11-25T02:22:48+1:00", None),
    ("2030-11-25T02:22:48.Z", None),
    ("2030-11-25T02:22:48.1234567890Z", None),
    ("2030-11-25 02:22:48Z", None),
    ("2030-11-25T02:22Z", None),
    ("", None),
]


@pytest.mark.parametrize(("stamp", "expected"), YEARLESS, ids=[repr(case[0]) for case in YEARLESS])
def test_a_stamp_without_a_year_is_month_day_and_time(stamp: str, expected: tuple[int, int, str] | None) -> None:
    read = read_yearless(Spans.of(pl.Series([stamp])))
    assert bool(read.is_stamp[0]) is (expected is not None)
    if expected:
        seconds, micros = divmod(int(read.time[0]), 1_000_000)
        time = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" + (f".{micros:06}" if micros else "")
        assert (read.month[0], read.day[0], time) == expected


@pytest.mark.parametrize(("stamp", "expected"), ZONED, ids=[repr(case[0]) for case in ZONED])
def test_a_stamp_with_its_zone_is_an_instant(stamp: str, expected: datetime | None) -> None:
    micros, is_stamp = read_zoned(Spans.of(pl.Series([stamp])))
    assert bool(is_stamp[0]) is (expected is not None)
    if expected:
        assert pl.Series(micros).cast(pl.Datetime("us", "UTC"))[0] == expected


def test_stamps_of_one_minute_are_read_together_and_each_for_itself() -> None:
    stamps = [stamp for stamp, _ in ZONED for _ in range(2)]
    micros, is_stamp = read_zoned(Spans.of(pl.Series(stamps)))
    read = pl.Series(np.where(is_stamp, micros, 0)).cast(pl.Datetime("us", "UTC"))
    assert read.set(pl.Series(~is_stamp), None).to_list() == [expected for _, expected in ZONED for _ in range(2)]


def test_a_run_goes_on_while_the_first_sixteen_bytes_are_the_same() -> None:
    texts = ["Nov 25 02:22:48 a", "Nov 25 02:22:48 b", "Nov 25 02:22:49 b", "short", "short", "Nov 25 02:22:49 b"]
    assert begins_run(Spans.of(pl.Series(texts))).tolist() == [True, False, True, True, True, True]


@pytest.mark.parametrize(
    ("date", "days"), [((1970, 1, 1), 0), ((1969, 12, 31), -1), ((2000, 2, 29), 11016), ((1900, 2, 29), None)]
)
def test_days_are_counted_from_1970(date: tuple[int, int, int], days: int | None) -> None:
    number, is_day = days_since_1970(*(np.array([part]) for part in date))
    assert (int(number[0]) if is_day[0] else None) == days
