"""In which pass of a repeated hour does each file of a log begin?"""

from datetime import datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtoll.file_passes import repeated_hour
from transforms.clock import Clock
from transforms.passes import Stretch, begin_in_second_pass, spans_of

CASES = {
    "it begins before the hour and ends in it": ([Stretch(((0, 600),), False, False)], [False]),
    "it begins in the hour, and the clock falls back in it": ([Stretch(((600, 3540), (0, 60)), True, False)], [False]),
    "it begins in the hour and goes on beyond it": ([Stretch(((600, 3540),), True, True)], [True]),
    "its queue ids know better": ([Stretch(((600, 3540),), True, True, is_second=False)], [False]),
    "it lies in the hour and is alone": ([Stretch(((600, 900),), True, False)], [False]),
    "the first pass is another file's": (
        [Stretch(((0, 3540), (0, 600)), False, False), Stretch(((600, 900),), True, False)],
        [False, True],
    ),
    "the second pass is another file's": (
        [Stretch(((600, 900),), True, False), Stretch(((300, 3540),), True, True)],
        [False, True],
    ),
    "only one order has room for all": (
        [
            Stretch(((1200, 2400),), True, False),  # first pass
            Stretch(((0, 600),), False, False),
            Stretch(((900, 2700),), True, False),  # second pass
            Stretch(((600, 1200),), True, False),  # first pass
            Stretch(((2400, 3540), (0, 900)), True, False),
            Stretch(((2700, 3540),), True, True),
        ],
        [False, False, True, False, False, True],
    ),
    "files of no lines in the hour": ([Stretch((), False, False), Stretch((), False, True)], [False, False]),
}


@pytest.mark.parametrize("case", CASES)
def test_in_which_pass_a_file_begins(case: str) -> None:
    files, expected = CASES[case]
    assert begin_in_second_pass(files) == expected


@pytest.mark.parametrize(
    ("times", "spans"),
    [
        ([], ()),
        ([5], ((5, 5),)),
        ([5, 4, 9], ((4, 9),)),
        ([3000, 3590, 10, 20], ((3000, 3590), (10, 20))),
    ],
)
def test_a_stretch_is_cut_where_the_clock_falls_back(times: list[int], spans: tuple[tuple[int, int], ...]) -> None:
    assert spans_of(times) == spans


@pytest.mark.parametrize(
    ("wall", "zone", "hour"),
    [
        ("2030-10-27 02:00", "Europe/Berlin", ("02:00", "03:00")),
        ("2030-10-27 02:59", "Europe/Berlin", ("02:00", "03:00")),
        ("2030-10-27 03:00", "Europe/Berlin", None),
        ("2030-10-27 01:59", "Europe/Berlin", None),
        ("2030-03-31 02:30", "Europe/Berlin", None),
        ("2030-04-07 01:45", "Australia/Lord_Howe", ("01:30", "02:00")),
        ("2030-06-01 02:30", "UTC", None),
    ],
)
def test_the_hour_that_comes_twice(wall: str, zone: str, hour: tuple[str, str] | None) -> None:
    found = repeated_hour(datetime.fromisoformat(wall), zone)
    assert (found and (f"{found.start:%H:%M}", f"{found.end:%H:%M}")) == hour


@given(cuts=st.lists(st.integers(1, 299), max_size=6, unique=True), order=st.randoms(use_true_random=False))
def test_a_log_that_is_cut_anywhere_is_read_as_in_one_piece(cuts: list[int], order: object) -> None:
    """Five hours in Berlin, a line a minute, the second and third of which are the one that comes twice."""
    begin = datetime.fromisoformat("2030-10-26 23:00")  # UTC; 01:00 there
    instants = [begin + timedelta(minutes=n) for n in range(300)]
    walls = pl.Series(instants).dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin")
    walls = walls.dt.replace_time_zone(None)
    pieces = [slice(a, b) for a, b in pairwise([0, *sorted(cuts), 300])]
    order.shuffle(pieces)  # type: ignore[attr-defined]
    files = [_stretch(walls[piece]) for piece in pieces]
    for piece, is_second in zip(pieces, begin_in_second_pass(files), strict=True):
        read = Clock("Europe/Berlin", 2030, is_second_pass=is_second).to_utc(walls[piece])
        assert read.dt.replace_time_zone(None).to_list() == instants[piece]


def _stretch(walls: pl.Series) -> Stretch:
    start, end = (datetime.fromisoformat(f"2030-10-27 {hour}:00") for hour in ("02", "03"))
    times = [int((wall - start).total_seconds()) for wall in walls if start <= wall < end]
    return Stretch(spans_of(times), start <= walls[0] < end, walls[-1] >= end)
