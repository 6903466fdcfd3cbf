"""The clocks in queue ids: pairs from real logs, what carries none, and every instant back again."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulate.queue_ids import long_id
from transforms.id_clocks import read_id_clocks

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("queue_id", "clock"),
    [
        # Two real lines of one server, written in US Pacific daylight time at 04:51:49 and 10:32:54 of 2020-06-19.
        ("1jmFYj-00039V-QX", datetime(2020, 6, 19, 11, 51, 49, tzinfo=UTC)),
        ("1jmKso-0009d4-Uf", datetime(2020, 6, 19, 17, 32, 54, tzinfo=UTC)),
        # A real year-less line of 11 March, 23:27:54, in Central European winter time.
        ("44JCRG5tYPzCqt2", datetime(2019, 3, 11, 22, 27, 54, 828953, tzinfo=UTC)),
        ("A1B2C3D4E5", None),  # short: microseconds and inode
        ("uAPCmHjG012345", None),  # Sendmail
        ("<a@example.com>", None),  # Exchange
        ("1jmFYj-00039V-Q", None),
        ("", None),
        (None, None),
    ],
)
def test_an_id_gives_its_instant_or_none(queue_id: str | None, clock: datetime | None) -> None:
    assert read_id_clocks(pl.Series([queue_id], dtype=pl.String)).to_list() == [clock]


@given(st.integers(946_684_800, 4_102_444_799), st.integers(0, 999_999), st.integers(1, 1 << 40))
def test_a_long_id_gives_back_what_it_was_made_of(second: int, microsecond: int, inode: int) -> None:
    made = EPOCH + timedelta(seconds=second, microseconds=microsecond)
    assert read_id_clocks(pl.Series([long_id(second, microsecond, inode)])).to_list() == [made]


@given(st.lists(st.text(max_size=20) | st.none()))
def test_any_text_is_an_id_with_or_without_a_clock(queue_ids: list[str | None]) -> None:
    assert len(read_id_clocks(pl.Series(queue_ids, dtype=pl.String))) == len(queue_ids)
