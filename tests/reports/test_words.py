"""How figures are said."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import words
from reports.cells import Cell
from transforms.settings import Definition


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1,000"),
        (1234567, "1,234,567"),
        (402.5, "402"),
        (12.34, "12.3"),
        (-3, "−3"),
        (None, "–"),
    ],
)
def test_number(value: float | None, said: str) -> None:
    assert words.number(value) == said


@given(st.integers(0, 10**12))
def test_a_whole_number_loses_no_digit(value: int) -> None:
    assert int(words.number(value).replace(",", "")) == value


@pytest.mark.parametrize(
    ("seconds", "said", "short"),
    [
        (0, "0 seconds", "0 s"),
        (0.4, "0.4 seconds", "0.4 s"),
        (1, "1 second", "1 s"),
        (60, "1 minute", "1 min"),
        (900, "15 minutes", "15 min"),
        (3600, "1 hour", "1 h"),
        (5400, "1 hour 30 minutes", "1 h 30 min"),
        (86400, "1 day", "1 d"),
        (187200, "2 days 4 hours", "2 d 4 h"),
        (86401, "1 day", "1 d"),
    ],
)
def test_duration(seconds: float, said: str, short: str) -> None:
    assert (words.duration(seconds), words.short_duration(seconds)) == (said, short)


def test_an_instant_is_said_in_the_incident_zone_with_its_season() -> None:
    summer, winter = datetime(2030, 12, 31, 12, tzinfo=UTC), datetime(2030, 7, 1, 12, 0, 30, tzinfo=UTC)
    assert words.instant(summer, "Pacific/Auckland") == "1 Jan 2031 01:00 NZDT"
    assert words.instant(winter, "Pacific/Auckland") == "2 Jul 2030 00:00:30 NZST"


def test_a_zone_without_a_name_is_said_as_its_offset() -> None:
    assert words.zone_name(datetime(2030, 7, 1, tzinfo=UTC), "Asia/Kathmandu") == "UTC+5:45"


def test_a_span_within_a_day_says_the_day_once() -> None:
    start, end = datetime(2030, 3, 1, 9, tzinfo=UTC), datetime(2030, 3, 1, 17, 30, tzinfo=UTC)
    assert words.span(start, end, "UTC") == "09:00 to 17:30 UTC on 1 Mar 2030"


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 10, "0 %"),
        (10, 10, "100 %"),
        (1, 3, "33 %"),
        (1, 10_000, "under 0.1 %"),
        (9_999, 10_000, "over 99.9 %"),
        (5, 1_000, "0.5 %"),
        (1, 0, "–"),
        (None, 5, "–"),
    ],
)
def test_percent_never_rounds_something_to_nothing_or_everything(part: float | None, whole: float, said: str) -> None:
    assert words.percent(part, whole).replace("\u202f", " ") == said


def test_definitions_in_words() -> None:
    late = Definition("account", 3600, "all", "late")
    assert words.definition(late) == (
        "accounts had at least one message that took 1 hour or more to arrive, or was still waiting after that long"
    )
    lost = Definition("message", 900, "all", "late_or_lost")
    assert words.definition(lost, 1) == (
        "message took 15 minutes or more to arrive, was still waiting after that long, or was lost"
    )


def test_bounds_say_at_least_and_up_to_only_where_they_differ() -> None:
    def cell(lower: int, measured: int, upper: int) -> Cell:
        return Cell("account", 60, "all", "late", "all", measured, lower, upper, None)

    assert words.bounds(cell(5, 5, 5)) == "exactly 5"
    assert words.bounds(cell(1000, 1000, 1200)) == "at least 1,000 and up to 1,200"
