"""Stamps and the instants that they name: missing years, missing zones, hours that come twice or not at all."""

from collections.abc import Sequence

import polars as pl
import pytest

from transforms.clock import Clock, read_zoned
from transforms.spans import Spans

BERLIN, AUCKLAND = "Europe/Berlin", "Pacific/Auckland"


def instants(clock: Clock, stamps: Sequence[str], chunk: int = 100) -> list[str | None]:
    """Read stamps in chunks of so many lines; give UTC instants to the second."""
    read: list[str | None] = []
    for first in range(0, len(stamps), chunk):
        part = pl.Series(stamps[first : first + chunk], dtype=pl.String)
        read += clock.read_yearless(Spans.of(part)).dt.strftime("%F %T").to_list()
    return read


YEARLESS: dict[str, tuple[int, str, list[tuple[str, str | None]]]] = {
    "a day of one digit": (2030, "UTC", [("Mar  4 08:00:00", "2030-03-04 08:00:00")]),
    "the file's year is its first line's": (2029, "UTC", [("Nov 25 02:22:48", "2029-11-25 02:22:48")]),
    "over New Year the year goes up": (
        2030,
        "UTC",
        [("Dec 31 23:59:59", "2030-12-31 23:59:59"), ("Jan  1 00:00:00", "2031-01-01 00:00:00")],
    ),
    "a straggler goes back to the old year": (
        2030,
        "UTC",
        [
            ("Dec 31 23:59:59", "2030-12-31 23:59:59"),
            ("Jan  1 00:00:00", "2031-01-01 00:00:00"),
            ("Dec 31 23:59:58", "2030-12-31 23:59:58"),
            ("Jan  1 00:00:01", "2031-01-01 00:00:01"),
        ],
    ),
    "from April to February nothing turns": (
        2030,
        "UTC",
        [("Apr  1 00:00:00", "2030-04-01 00:00:00"), ("Feb  1 00:00:00", "2030-02-01 00:00:00")],
    ),
    "six months ahead is a straggler of the year before": (
        2030,
        "UTC",
        [("Jan  1 00:00:00", "2030-01-01 00:00:00"), ("Jul  1 00:00:00", "2029-07-01 00:00:00")],
    ),
    "29 February in a leap year": (2032, "UTC", [("Feb 29 12:00:00", "2032-02-29 12:00:00")]),
    "and in none is no day": (2030, "UTC", [("Feb 29 12:00:00", None)]),
    "no stamp": (2030, "UTC", [("Foo  1 00:00:00", None), ("Mar  4 24:00:00", None), ("Mar  4", None), ("", None)]),
    "no stamp turns no year": (
        2030,
        "UTC",
        [("Dec 31 00:00:00", "2030-12-31 00:00:00"), ("x", None), ("Dec 31 00:00:01", "2030-12-31 00:00:01")],
    ),
    "winter and summer": (
        2030,
        BERLIN,
        [("Jan 15 12:00:00", "2030-01-15 11:00:00"), ("Jun 15 12:00:00", "2030-06-15 10:00:00")],
    ),
    "east of Greenwich it is still last year": (
        2031,
        AUCKLAND,
        [("Jan  1 00:00:00", "2030-12-31 11:00:00"), ("Jan  1 13:00:00", "2031-01-01 00:00:00")],
    ),
    "the repeated hour: its first pass, then, as the clock falls back, its second": (
        2030,
        BERLIN,
        [
            ("Oct 27 01:59:59", "2030-10-26 23:59:59"),
            ("Oct 27 02:00:00", "2030-10-27 00:00:00"),
            ("Oct 27 02:59:59", "2030-10-27 00:59:59"),
            ("Oct 27 02:00:00", "2030-10-27 01:00:00"),
            ("Oct 27 02:59:59", "2030-10-27 01:59:59"),
            ("Oct 27 03:00:00", "2030-10-27 02:00:00"),
        ],
    ),
    "a little disorder in it is no second pass": (
        2030,
        BERLIN,
        [("Oct 27 02:30:00", "2030-10-27 00:30:00"), ("Oct 27 02:29:58", "2030-10-27 00:29:58")],
    ),
    "a line that comes late, when that hour is over": (
        2030,
        BERLIN,
        [
            ("Oct 27 02:59:58", "2030-10-27 00:59:58"),
            ("Oct 27 02:00:01", "2030-10-27 01:00:01"),
            ("Oct 27 03:00:01", "2030-10-27 02:00:01"),
            ("Oct 27 02:59:59", "2030-10-27 01:59:59"),
            ("Oct 27 03:00:02", "2030-10-27 02:00:02"),
        ],
    ),
    "what is no stamp leaves its second pass as it is": (
        2030,
        BERLIN,
        [
            ("Oct 27 02:59:59", "2030-10-27 00:59:59"),
            ("Oct 27 02:10:00", "2030-10-27 01:10:00"),
            ("Foo 27 02:10:00", None),
            ("Oct 27 02:20:00", "2030-10-27 01:20:00"),
        ],
    ),
    "nearly all of its first pass without a line": (
        2030,
        BERLIN,
        [
            ("Oct 27 02:00:01", "2030-10-27 00:00:01"),
            ("Oct 27 02:59:59", "2030-10-27 00:59:59"),
            ("Oct 27 02:00:05", "2030-10-27 01:00:05"),
        ],
    ),
    "an hour that is skipped was written by a clock that had not moved yet": (
        2030,
        BERLIN,
        [("Mar 31 01:59:59", "2030-03-31 00:59:59"), ("Mar 31 02:00:01", "2030-03-31 01:00:01")],
    ),
}


@pytest.mark.parametrize("chunk", [1, 2, 100])
@pytest.mark.parametrize("case", YEARLESS)
def test_stamps_without_year_and_zone(case: str, chunk: int) -> None:
    year, zone, lines = YEARLESS[case]
    assert instants(Clock(zone, year), [stamp for stamp, _ in lines], chunk) == [at for _, at in lines]


def test_a_line_that_comes_late_after_the_clock_fell_back_belongs_to_the_first_pass() -> None:
    lines = [
        ("Oct 27 02:59:58", "2030-10-27 00:59:58"),
        ("Oct 27 02:00:01", "2030-10-27 01:00:01"),
        ("Oct 27 02:59:59", "2030-10-27 00:59:59"),
        ("Oct 27 02:59:57", "2030-10-27 00:59:57"),
        ("Oct 27 02:00:02", "2030-10-27 01:00:02"),
        ("Oct 27 02:59:59", "2030-10-27 01:59:59"),
    ]
    assert instants(Clock(BERLIN, 2030), [stamp for stamp, _ in lines]) == [at for _, at in lines]


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_a_file_may_begin_in_the_second_pass(chunk: int) -> None:
    lines = [
        ("Oct 27 02:10:00", "2030-10-27 01:10:00"),
        ("Oct 27 02:59:59", "2030-10-27 01:59:59"),
        ("Oct 27 03:00:00", "2030-10-27 02:00:00"),
    ]
    clock = Clock(BERLIN, 2030, is_second_pass=True)
    assert instants(clock, [stamp for stamp, _ in lines], chunk) == [at for _, at in lines]


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("2030-11-25T02:22:48Z", "2030-11-25 02:22:48.000000"),
        ("2030-11-25T02:22:48.5Z", "2030-11-25 02:22:48.500000"),
        ("2030-11-25T02:22:48.123456+13:00", "2030-11-24 13:22:48.123456"),
        ("2030-11-25T02:22:48-05:30", "2030-11-25 07:52:48.000000"),
        ("2030-11-25T02:22:48+00:00", "2030-11-25 02:22:48.000000"),
        ("2030-02-30T02:22:48Z", None),
        ("2030-11-25T02:22:48", None),
        ("2030-11-25", None),
        ("", None),
    ],
)
def test_stamps_with_their_offset(stamp: str, at: str | None) -> None:
    assert read_zoned(pl.Series([stamp])).dt.strftime("%F %T%.6f").to_list() == [at]
