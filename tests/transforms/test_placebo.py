"""The ordinary windows that an incident is compared with, rule by rule."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from transforms.placebo import is_short, placebo_windows
from transforms.settings import Interval


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def span(start: str, end: str) -> Interval:
    return Interval(at(start), at(end))


def test_without_a_baseline_there_is_nothing_to_compare_with() -> None:
    assert placebo_windows(span("2030-05-01", "2030-05-02"), None, "UTC") == ()


def test_whole_weeks_win_over_days() -> None:
    found = placebo_windows(span("2030-05-22T08:00", "2030-05-22T18:00"), span("2030-05-01", "2030-05-22"), "UTC")
    assert found == (
        span("2030-05-01T08:00", "2030-05-01T18:00"),
        span("2030-05-08T08:00", "2030-05-08T18:00"),
        span("2030-05-15T08:00", "2030-05-15T18:00"),
    )


def test_two_days_against_the_three_days_before_are_two_windows_that_overlap() -> None:
    found = placebo_windows(span("2012-10-31", "2012-11-02"), span("2012-10-28", "2012-10-31"), "Pacific/Auckland")
    assert found == (span("2012-10-28", "2012-10-30"), span("2012-10-29", "2012-10-31"))


def test_minutes_are_laid_back_to_back_from_the_end_of_the_baseline() -> None:
    found = placebo_windows(
        span("2030-05-01T12:00", "2030-05-01T12:10"), span("2030-05-01T11:30", "2030-05-01T11:55"), "UTC"
    )
    assert found == (
        span("2030-05-01T11:35", "2030-05-01T11:45"),
        span("2030-05-01T11:45", "2030-05-01T11:55"),
    )


def test_a_baseline_of_exactly_the_windows_length_is_one_full_window() -> None:
    window, baseline = span("2030-05-01T12:00", "2030-05-01T12:10"), span("2030-05-01T11:50", "2030-05-01T12:00")
    assert placebo_windows(window, baseline, "UTC") == (baseline,)
    assert not is_short(window, baseline)


def test_a_baseline_one_second_too_short_is_taken_whole_and_said_to_be_short() -> None:
    window, baseline = span("2030-05-01T12:00", "2030-05-01T12:10"), span("2030-05-01T11:50:01", "2030-05-01T12:00")
    assert placebo_windows(window, baseline, "UTC") == (baseline,)
    assert is_short(window, baseline)


def test_a_week_over_the_end_of_daylight_saving_keeps_the_wall_clock_and_the_length() -> None:
    # Berlin leaves summer time on 27 October 2030: 08:00 is 07:00 UTC after it and 06:00 UTC before it.
    found = placebo_windows(
        span("2030-10-30T07:00", "2030-10-30T11:00"), span("2030-10-22", "2030-10-29"), "Europe/Berlin"
    )
    assert found == (span("2030-10-23T06:00", "2030-10-23T10:00"),)


def test_no_placebo_window_is_part_of_the_incident() -> None:
    window = span("2030-05-10", "2030-05-12")
    found = placebo_windows(window, span("2030-05-08", "2030-05-14"), "UTC")
    assert found == (span("2030-05-08", "2030-05-10"), span("2030-05-12", "2030-05-14"))


@given(
    length=st.integers(1, 20_000),
    baseline_length=st.integers(1, 60_000),
    gap=st.integers(0, 10_000),
    zone=st.sampled_from(["UTC", "Pacific/Auckland", "Europe/Berlin", "Asia/Kathmandu"]),
)
def test_every_window_has_the_length_lies_inside_and_comes_in_order(
    length: int, baseline_length: int, gap: int, zone: str
) -> None:
    start = at("2030-10-28T09:30")
    window = Interval(start, start + timedelta(minutes=length))
    baseline = Interval(start - timedelta(minutes=gap + baseline_length), start - timedelta(minutes=gap))
    found = placebo_windows(window, baseline, zone)
    assert found
    assert list(found) == sorted(set(found), key=lambda placebo: placebo.start)
    for placebo in found:
        assert baseline.start <= placebo.start < placebo.end <= baseline.end
        assert is_short(window, baseline) or placebo.end - placebo.start == window.end - window.start
