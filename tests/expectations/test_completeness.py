"""Holes in simulated logs: none where traffic is merely thin, every one that the host's own habit makes implausible."""

import numpy as np
import polars as pl
import pytest

from expectations.completeness import find_holes, shortest_hole_minutes
from expectations.tables import ACTIVITY, FINDINGS
from tests.expectations.tables import activity, minute
from transforms.gate_limits import GateLimits
from transforms.settings import Interval

LIMITS = GateLimits()
DAY = 1440
SEEDS = range(6)


def holes(table: pl.DataFrame, start: float, end: float, as_of: float | None = None) -> list[tuple[str, float, float]]:
    """Holes as (host, from, to) in minutes after START."""
    as_of = end if as_of is None else as_of
    found = find_holes(table, Interval(minute(start), minute(end)), minute(as_of), LIMITS)
    assert found.schema == pl.Schema(dict(FINDINGS.schema))
    times = [
        [(at - minute(0)).total_seconds() / 60 for at in row] for row in found.select("start_at", "end_at").iter_rows()
    ]
    return [(host, *span) for host, span in zip(found["host"], times, strict=True)]


def traffic(seed: int, days: int, messages: int, depth: float = 0.95, weekend: float = 1.0) -> pl.DataFrame:
    """Two hosts with Poisson arrivals, quiet around midnight, six lines a message, and five hours of flood."""
    draw = np.random.default_rng(seed)
    at = np.arange(days * DAY)
    usual = np.maximum(1 - depth * np.cos(2 * np.pi * at / DAY), 0) * np.where(at // DAY % 7 >= 5, weekend, 1)
    hosts = []
    for host in ("mx1", "mx2"):
        rate = usual / usual.sum() * messages / 2
        rate[DAY // 2 : DAY // 2 + 300] += 8 * rate.mean()
        lines = 6 * draw.poisson(rate)
        hosts.append(activity(host, np.flatnonzero(lines).tolist()))
        hosts[-1] = hosts[-1].with_columns(pl.Series("lines", lines[lines > 0]))
    return pl.concat(hosts)


def without(table: pl.DataFrame, host: str, start: float, end: float) -> pl.DataFrame:
    is_lost = (pl.col("host") == host) & pl.col("minute_at").is_between(minute(start), minute(end), closed="left")
    return table.filter(~is_lost)


def is_caught(table: pl.DataFrame, days: int, start: float, end: float) -> bool:
    return any(h == "mx1" and a < end and b > start for h, a, b in holes(table, 0, days * DAY))


@pytest.mark.parametrize(
    ("days", "messages", "depth", "weekend"),
    [
        (7, 40_000, 0.95, 1.0),
        (7, 4_000, 0.95, 1.0),
        (7, 400, 0.95, 1.0),
        (7, 20_000, 1.6, 1.0),  # no mail at all for seven hours a night
        (14, 20_000, 0.95, 0.05),  # hardly any mail at weekends
        (2, 6_000, 0.95, 1.0),
        (1, 3_000, 0.95, 1.0),
    ],
)
def test_thin_traffic_is_no_hole(days: int, messages: int, depth: float, weekend: float) -> None:
    for seed in SEEDS:
        assert holes(traffic(seed, days, messages, depth, weekend), 0, days * DAY) == [], seed


@pytest.mark.parametrize(
    ("days", "messages", "start", "length"),
    [
        (7, 40_000, 3 * DAY + 720, 60),  # an hour at noon
        (7, 40_000, 3 * DAY + 480, 60),  # an hour in the morning
        (7, 40_000, 3 * DAY + 180, 60),  # an hour at night, with a message every other minute
        (7, 400_000, 3 * DAY + 480, 15),  # a quarter of an hour of a busy host
        (2, 6_000, DAY + 480, 60),
        (1, 3_000, 480, 60),
        (7, 400, 3 * DAY, DAY),  # a whole day, however little mail there is
        (7, 4_000, 0, DAY),  # the first day
        (7, 4_000, 6 * DAY, DAY),  # the last day
        (14, 20_000, 6 * DAY, DAY),  # a Sunday
        (3, 6_000, DAY, DAY),
        (2, 6_000, DAY, DAY),
    ],
)
def test_a_hole_that_the_habit_makes_implausible_is_found(days: int, messages: int, start: int, length: int) -> None:
    for seed in SEEDS:
        table = traffic(seed, days, messages)
        assert is_caught(without(table, "mx1", start, start + length), days, start, start + length), seed


def test_one_hole_does_not_excuse_another() -> None:
    for seed in SEEDS:
        table = traffic(seed, 7, 40_000)
        near = without(without(table, "mx1", 3 * DAY + 600, 3 * DAY + 660), "mx1", 3 * DAY + 720, 3 * DAY + 780)
        assert [h[0] for h in holes(near, 0, 7 * DAY)] == ["mx1", "mx1"]
        days = without(without(table, "mx1", DAY, 2 * DAY), "mx1", 4 * DAY, 5 * DAY)
        assert len(holes(days, 0, 7 * DAY)) == 2
        stray = pl.concat([without(table, "mx1", 3 * DAY, 4 * DAY), activity("mx1", [3 * DAY + 700], lines=1)])
        assert len(holes(stray, 0, 7 * DAY)) == 2


@pytest.mark.parametrize(("silent", "is_hole"), [(14, False), (15, True), (16, True)])
def test_a_silence_counts_from_fifteen_minutes(silent: int, is_hole: bool) -> None:
    busy = activity("mx1", [m for m in range(1000) if not 500 <= m < 500 + silent])
    assert holes(busy, 0, 1000) == ([("mx1", 500, 500 + silent)] if is_hole else [])


def test_the_incident_file_can_allow_longer_silences() -> None:
    busy = activity("mx1", [m for m in range(1000) if not 500 <= m < 560])
    window = Interval(minute(0), minute(1000))
    for limit, found in ((59, 1), (60, 1), (61, 0)):
        assert find_holes(busy, window, minute(1000), GateLimits(silence_minutes=limit)).height == found


def test_only_what_lies_in_the_window_and_before_as_of_counts() -> None:
    busy = activity("mx1", [m for m in range(1000) if not 500 <= m < 600])
    assert holes(busy, 540, 1000) == [("mx1", 540, 600)]
    assert holes(busy, 0, 550) == [("mx1", 500, 550)]
    assert holes(busy, 0, 1000, as_of=550) == [("mx1", 500, 550)]
    assert holes(busy, 590, 1000) == []  # ten minutes of it
    assert holes(busy, 600, 1000) == holes(busy, 0, 500) == holes(busy, 0, 1000, as_of=0) == []


def test_a_log_that_begins_late_or_ends_early_is_silent_there() -> None:
    half = activity("mx1", range(300, 600))
    assert holes(half, 0, 1000) == [("mx1", 0, 300), ("mx1", 600, 1000)]
    assert holes(half, 300, 600) == []
    assert holes(pl.concat([half, activity("mx2", range(1000))]), 0, 1000) == [("mx1", 0, 300), ("mx1", 600, 1000)]


def test_a_name_in_a_handful_of_lines_has_no_habit() -> None:
    busy = activity("mx1", range(3 * DAY))
    for stray in (activity("old", [100], lines=99), activity("old", range(100, 104), lines=99)):
        assert holes(pl.concat([busy, stray]), 0, 3 * DAY) == []


@pytest.mark.parametrize(("missing", "silent", "is_hole"), [(3, 23, False), (4, 29, True)])
def test_a_steady_host_that_breaks_its_rhythm_has_a_hole_however_sparse_it_is(
    missing: int, silent: int, is_hole: bool
) -> None:
    """It writes every sixth minute, so that its silences last five minutes; five times that is 25."""
    steady = [at for at in range(0, DAY, 6) if not 600 < at <= 600 + 6 * missing]
    assert holes(activity("mx1", steady), 540, 720) == ([("mx1", 601, 601 + silent)] if is_hole else [])


def test_bursts_prove_little() -> None:
    """A host that writes only when its hourly batch comes, and one that had two busy hours on one day."""
    hourly = activity("mx1", [m for m in range(3 * DAY) if m % 60 < 5], lines=60)
    assert holes(hourly, 0, 3 * DAY) == []
    assert holes(without(hourly, "mx1", DAY, 2 * DAY), 0, 3 * DAY) == [("mx1", DAY - 55, 2 * DAY)]
    once = pl.concat([activity("mx1", range(5 * DAY)), activity("mx2", range(DAY + 100, DAY + 220))])
    assert holes(once, 0, 5 * DAY) == []


@pytest.mark.parametrize("lost", [(0, 5), (5, 10)])
def test_in_an_incident_of_minutes_a_missing_file_is_found(lost: tuple[int, int]) -> None:
    """As in the recorded flood: ten minutes of log, a window of four and a half, the log rotated in the middle."""
    busy = activity("mx1", range(11), lines=3000)
    window = (3.8, 8.3)
    assert holes(busy, *window, as_of=10.1) == []
    assert len(holes(without(busy, "mx1", *lost), *window, as_of=10.1)) == 1
    thin = activity("mx1", range(11), lines=12)
    assert holes(without(thin, "mx1", *lost), *window, as_of=10.1) == []  # a minute without one message is ordinary


@pytest.mark.parametrize(("length", "least"), [(4.5, 1), (60, 6), (150, 15), (3000, 15)])
def test_the_shortest_hole_is_a_tenth_of_a_short_window(length: float, least: float) -> None:
    window = Interval(minute(0), minute(length))
    assert shortest_hole_minutes(window, LIMITS) == pytest.approx(least)
    assert shortest_hole_minutes(window, GateLimits(silence_minutes=20)) == 20


def test_no_activity_has_no_hole() -> None:
    assert holes(ACTIVITY.empty(), 0, 1000) == []


def test_files_and_copies_of_one_host_are_taken_together() -> None:
    first, second = activity("mx1", range(500)), activity("mx1", range(480, 1000)).with_columns(source_id=pl.lit("g"))
    assert holes(pl.concat([second, first]), 0, 1000) == []


def test_the_sentence_names_no_address_and_says_why() -> None:
    busy = activity("mx1", [m for m in range(1000) if not 500 <= m < 560])
    found = find_holes(busy, Interval(minute(0), minute(1000)), minute(1000), LIMITS)
    assert found["detail"].to_list() == [
        "mx1 wrote no line for 60 minutes of the window, although it wrote in 100% of the minutes around: by its own"
        " habit, such a silence is less likely than one in 400 million"
    ]
