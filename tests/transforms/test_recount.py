"""The second count: free of how lines lie in files, sharing nothing with the first, showing every difference.

What it must count is in tests/spec.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import polars as pl
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from expectations.tables import COUNTS, EVENTS, MESSAGES, UNITS
from tests.imports import imported_modules
from tests.spec.mess import CHANGING, RECORDS, logs
from tests.spec.tables import START, Row, event_frame, record_frame, settings, whole
from transforms.impact import measure
from transforms.recount import CELL, differences, recount
from transforms.settings import Interval

FEW = hypothesis_settings(max_examples=25, deadline=None)
MANY = hypothesis_settings(max_examples=60, deadline=None)


def count(*files: pl.DataFrame) -> pl.DataFrame:
    """Recount events that lie in these files."""
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.parquet" for number in range(len(files))]
        for frame, path in zip(files, paths, strict=True):
            frame.write_parquet(path)
        return recount(paths, record_frame(RECORDS), settings())


@contextmanager
def small_parts(size: int) -> Iterator[None]:
    """Work on so many events, and one message, at a time."""
    with (
        patch("transforms.recount_parts._EVENTS_IN_PART", size),
        patch("transforms.recount_store._MESSAGES_IN_SHARE", 1),
    ):
        yield


@FEW
@given(rows=logs(), seed=st.integers(0, 1000), parts=st.integers(1, 3))
def test_the_order_of_rows_and_files_does_not_matter(rows: list[Row], seed: int, parts: int) -> None:
    events = event_frame(rows)
    shuffled = events.sample(fraction=1, shuffle=True, seed=seed)
    dealt = [shuffled[part::parts] for part in range(parts)]
    random.Random(seed).shuffle(dealt)
    assert_frame_equal(count(*dealt), count(events))


@FEW
@given(rows=logs(), start=st.integers(0, 20), length=st.integers(0, 60))
def test_lines_that_two_files_hold_are_counted_once(rows: list[Row], start: int, length: int) -> None:
    events = event_frame(rows)
    copy = events[start : start + length].with_columns(source_id=pl.lit("f2"))
    assert_frame_equal(count(events, copy), count(events))


def test_a_copy_of_lines_from_within_a_second_leaves_their_order() -> None:
    """The copy lies before the log itself in time, and its lines in the arrival's own second."""
    events = event_frame(whole("A1", 0, 100, "ann@example.com", sender="promo@mailhouse.example"))
    copy = events[1:2].with_columns(source_id=pl.lit("a copy"))  # who sent it, without the arrival
    assert_frame_equal(count(events, copy), count(events))


@FEW
@given(rows=logs(), cut=st.integers(0, 60))
def test_a_log_cut_in_two_by_rotation_gives_the_same_figures(rows: list[Row], cut: int) -> None:
    events = event_frame(rows)
    second = events[cut:].with_columns(pl.col("line_number") - cut, source_id=pl.lit("a later file"))
    assert_frame_equal(count(events[:cut], second), count(events))


@FEW
@given(rows=logs(), size=st.integers(1, 12))
def test_working_part_by_part_gives_the_same_figures(rows: list[Row], size: int) -> None:
    events = event_frame(rows)
    at_once = count(events)
    with small_parts(size):
        assert_frame_equal(count(events), at_once)


@FEW
@given(rows=logs(), size=st.integers(4, 12), start=st.integers(0, 20), length=st.integers(0, 60))
def test_a_queue_file_that_seemed_whole_is_counted_once(rows: list[Row], size: int, start: int, length: int) -> None:
    """Its lines, or some of them, come again in a later piece."""
    events = event_frame(rows)
    copy = events[start : start + length].with_columns(source_id=pl.lit("f2"))
    at_once = count(events)
    with small_parts(size):
        assert_frame_equal(count(events, copy), at_once)


@MANY
@given(rows=logs(), held=st.sampled_from([RECORDS, CHANGING]))
def test_both_counts_agree_on_drawn_logs(rows: list[Row], held: list[Row]) -> None:
    events, records = event_frame(rows), record_frame(held)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        events.write_parquet(path)
        first = measure([path], records, settings())
        found = differences(first.cells, recount([path], records, settings()))
    assert found.is_empty(), f"{found.to_dicts()}"


def test_the_grid_is_whole_even_when_nothing_happened() -> None:
    grid = recount([], record_frame(RECORDS), settings())
    heads, mail = 3, 3  # units of the records have no `unmatched`
    assert grid.height == (heads * 3 + mail * 4) * len(MESSAGES) * len(COUNTS) * 2
    assert set(grid["unit"]) == set(UNITS)
    assert grid["measured"].sum() == 0
    assert grid.select(CELL).is_unique().all()


def test_differences_name_the_cells_and_both_figures() -> None:
    grid = count(event_frame(whole("A1", 0, 60, "ann@example.com")))
    assert differences(grid, grid).is_empty()
    is_one = (pl.col("unit") == "account") & (pl.col("segment") == "all") & (pl.col("measured") == 1)
    wrong = grid.with_columns(measured=pl.when(is_one).then(2).otherwise("measured"))
    found = differences(wrong, grid)
    assert found.height == grid.filter(is_one).height > 0
    assert set(found["measured"]) == {2}
    assert set(found["recounted"]) == {1}


def test_the_baseline_is_the_mean_of_what_each_ordinary_window_measures() -> None:
    """Late are two in the first ordinary window, two in the second, one of them the same, and none in the third."""
    windows = [(-7200, -3600), (-5400, -1800), (-1800, 0)]
    spans = tuple(Interval(START + timedelta(seconds=a), START + timedelta(seconds=b)) for a, b in windows)
    late = [("A1", -7200), ("A2", -1801), ("A3", -5400)]
    rows = [row for queue_id, at in late for row in whole(queue_id, at, at + 60, "ann@example.com")]
    records, chosen = record_frame(RECORDS), replace(settings(), placebo_windows=spans)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        event_frame(rows).write_parquet(path)
        again, first = recount([path], records, chosen), measure([path], records, chosen)
    late_by_a_minute = {"unit": "delivery", "threshold_seconds": 60, "messages": "all", "segment": "all"}
    assert again.filter(pl.col("count") == "late", **late_by_a_minute)["baseline"].to_list() == [(2 + 2 + 0) / 3]
    assert again["measured"].sum() == 0
    assert differences(first.cells, again).is_empty()
    other = again.with_columns(pl.col("baseline") + pl.when(pl.col("unit") == "message").then(1).otherwise(0))
    assert set(differences(first.cells, other)["unit"]) == {"message"}
    assert differences(first.cells, again.with_columns(baseline=None)).height == again.height


def test_a_cell_that_one_count_lacks_is_a_difference() -> None:
    grid = count(EVENTS.empty())
    assert differences(grid[1:], grid)["measured"].to_list() == [None]
    assert differences(grid, grid[1:])["recounted"].to_list() == [None]


def test_it_imports_no_other_transform() -> None:
    found = [(name, file.name) for name, file in imported_modules("transforms") if file.name.startswith("recount")]
    assert found
    inside = [pair for pair in found if pair[0].startswith(("transforms", "sources", "mailtoll", "reports"))]
    strangers = [p for p in inside if p[0] not in ("transforms.settings", "sources.errors") and "recount" not in p[0]]
    assert strangers == []
