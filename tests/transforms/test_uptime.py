"""User-uptime, the worst stretches, and regulators' scales, on spans that anybody can add up."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from expectations.tables import DOWNTIME
from tests.spec.tables import START, settings
from transforms.scales import measure_scales
from transforms.uptime import measure_uptime, steps_of

HOUR = 3600


def spans(*rows: tuple[str, float, float], unit: str = "account", segment: str = "residential") -> pl.DataFrame:
    """Spans of DOWNTIME: who, from and to in seconds after the window's start."""
    table = [
        {
            "unit": unit,
            "entity_id": who,
            "segment": segment,
            "start_at": START + timedelta(seconds=start),
            "end_at": START + timedelta(seconds=end),
        }
        for who, start, end in rows
    ]
    return DOWNTIME.conform(pl.DataFrame(table)) if table else DOWNTIME.empty()


def shares(found: pl.DataFrame, segment: str = "all") -> dict[int, float | None]:
    return dict(found.filter(segment=segment).select("window_seconds", "uptime_share").iter_rows())


def test_user_uptime_is_time_up_over_all_time_and_the_worst_stretch_is_found() -> None:
    # Ten accounts for an hour; one is down for 6 minutes, another for the last 3 of them.
    found = measure_uptime(spans(("A1", 600, 960), ("B1", 780, 960)), {"all": 10}, settings())
    assert shares(found) == pytest.approx(
        {
            60: 1 - 2 / 10,
            300: 1 - (5 + 3) / 50,
            900: 1 - 9 / 150,
            1800: 1 - 9 / 300,
            3600: 1 - 9 / 600,
        }
    )
    worst = found.filter(window_seconds=300).row(0, named=True)
    assert (worst["worst_start_at"], worst["down_seconds"]) == (START + timedelta(seconds=660), 480)


def test_one_long_outage_and_many_short_ones_differ_only_in_the_short_stretches() -> None:
    long = measure_uptime(spans(("A1", 0, 600)), {"all": 1}, settings())
    short = measure_uptime(spans(*(("A1", n * 360, n * 360 + 60) for n in range(10))), {"all": 1}, settings())
    assert shares(long)[3600] == pytest.approx(shares(short)[3600])
    assert (shares(long)[300], shares(short)[300]) == pytest.approx((0, 0.8))


def test_time_down_outside_the_window_or_after_as_of_is_no_part_of_its_uptime() -> None:
    found = measure_uptime(spans(("A1", -600, 600), ("B1", 1700, 9000)), {"all": 4}, settings(as_of=1800))
    assert shares(found)[1800] == pytest.approx(1 - 700 / (4 * 1800))


def test_segments_are_apart_and_an_account_in_both_is_one_in_all() -> None:
    both = pl.concat([spans(("A1", 0, 360)), spans(("A1", 180, 540), segment="business")])
    found = measure_uptime(both, {"all": 2, "business": 1, "residential": 2, "empty": 0}, settings())
    whole = {segment: shares(found, segment)[3600] for segment in ("all", "business", "residential", "empty")}
    assert whole == {"all": 1 - 540 / 7200, "business": 0.9, "residential": 0.95, "empty": None}


@hypothesis_settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 3000), st.integers(1, 900)), max_size=8))
def test_the_worst_stretch_equals_a_search_over_every_second(waits: list[tuple[str, int, int]]) -> None:
    found = measure_uptime(spans(*((who, at, at + length) for who, at, length in waits)), {"all": 3}, settings())
    down = np.zeros((3, 3600), bool)
    for who, at, length in waits:
        down["ABC".index(who), at : at + length] = True
    lost = np.concatenate([[0], np.cumsum(down.sum(axis=0))])
    for length, share in shares(found).items():
        worst = (lost[length:] - lost[:-length]).max()
        assert share == pytest.approx(1 - worst / (3 * length))


def test_the_longest_time_with_enough_people_down_at_once() -> None:
    steps = steps_of(spans(("A1", 0, 100), ("B1", 50, 200), ("C1", 200, 290)))
    assert [steps.longest(n) for n in (0, 1, 2, 3)] == [290, 290, 50, 0]


def scale(found: pl.DataFrame, starts: str, criterion: str) -> tuple[float | None, bool | None]:
    row = found.filter(pl.col("scale").str.starts_with(starts), pl.col("criterion").str.contains(criterion)).row(
        0, named=True
    )
    return row["observed"], row["is_met"]


def many(unit: str, people: int, hours: float) -> pl.DataFrame:
    one = spans(("X", 0, hours * HOUR), unit=unit)
    return pl.concat([one] * people).with_columns(pl.format("X{}", pl.int_range(pl.len())).alias("entity_id"))


@pytest.mark.parametrize(("minutes", "is_long", "is_much"), [(29, False, False), (30, True, True)])
def test_fcc_asks_for_thirty_minutes_and_900_000_user_minutes(minutes: int, is_long: bool, is_much: bool) -> None:
    found = measure_scales(many("mailbox", 30_000, minutes / 60), {"account": 1, "mailbox": 60_000})
    assert scale(found, "FCC", "30 minutes") == (minutes * 60, is_long)
    assert scale(found, "FCC", "added up") == (minutes * 30_000, is_much)
    assert scale(found, "FCC", "as the rule has it") == (minutes * 30_000, is_much)


@pytest.mark.parametrize(
    ("customers", "provisioned", "hours", "is_met"),
    [
        (10_000, 1_000_000, 8, True),
        (9_999, 1_000_000, 8, False),
        (10_000, 1_000_000, 7.9, False),
        (25, 100, 8, True),
        (24, 100, 8, False),
    ],
)
def test_ofcom_asks_for_10_000_customers_or_a_quarter_for_8_hours(
    customers: int, provisioned: int, hours: float, is_met: bool
) -> None:
    found = measure_scales(many("account", customers, hours), {"account": provisioned, "mailbox": 1})
    assert scale(found, "Ofcom", "8 hours")[1] is is_met


def test_the_code_names_no_figure_so_only_the_observation_is_shown() -> None:
    found = measure_scales(many("mailbox", 30, 2), {"account": 1, "mailbox": 120})
    assert scale(found, "EECC", "number of users") == (30, None)
    assert scale(found, "EECC", "duration") == (2 * HOUR, None)
    assert scale(found, "EECC", "extent") == (0.25, None)
    assert scale(found, "EECC", "geographical") == (None, None)


def test_every_scale_says_its_source_and_why_it_may_not_apply() -> None:
    found = measure_scales(spans(), {"account": 0, "mailbox": 0})
    assert found["scale"].n_unique() == 3
    assert found.filter(pl.col("source").str.len_chars() < 20).is_empty()
    assert found.filter(pl.col("caveat").str.len_chars() < 40).is_empty()
    assert not found["is_met"].any()
