"""Ordinary windows: too few are a warning, and the grid's baseline must be their mean."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from expectations.ordinary import gates_on_ordinary
from expectations.refusal import reasons
from expectations.tables import CELLS, ORDINARY
from tests.spec.tables import ANN, BOB, START, TWO, event_frame, record_frame, settings, whole
from transforms.impact import Impact, measure
from transforms.ordinary import ordinary_figures
from transforms.settings import Interval, Settings

HOUR = 3600
MAIL = [
    *whole("A1", 0, 60, ANN),
    *whole("A2", 10, 70, BOB),
    *whole("B1", -HOUR, -HOUR + 60, ANN),
    *whole("B2", -HOUR + 5, -HOUR + 64, BOB),  # one second short
    *whole("C1", -2 * HOUR, -2 * HOUR + 90, ANN),
    *whole("C2", -2 * HOUR, -2 * HOUR + 90, BOB),
]


def chosen(windows: int) -> Settings:
    """Settings with that many ordinary windows, each the hour before the next."""
    spans = [Interval(START - timedelta(hours=n), START - timedelta(hours=n - 1)) for n in range(windows, 0, -1)]
    return replace(settings(), placebo_windows=tuple(spans))


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[Impact, pl.DataFrame]]:
    """The grid and the ordinary windows of the mail above, for none to three ordinary windows."""
    path = tmp_path_factory.mktemp("mail") / "events.parquet"
    event_frame(MAIL).write_parquet(path)
    records = record_frame(list(TWO))
    found = {}
    for windows in range(4):
        impact = measure([path], records, chosen(windows))
        segments = records["segment"].unique().to_list()
        found[windows] = impact, ordinary_figures(impact.deliveries.lazy(), segments, chosen(windows))
    return found


def test_each_ordinary_window_has_its_own_figure(counted: dict[int, tuple[Impact, pl.DataFrame]]) -> None:
    impact, ordinary = counted[3]
    of_all = ordinary.filter(segment="all").sort("start_at")
    assert of_all["measured"].to_list() == [0, 2, 1]
    assert ordinary.filter(segment="business").sort("start_at")["measured"].to_list() == [0, 1, 0]
    assert (of_all["end_at"] - of_all["start_at"]).unique().to_list() == [timedelta(hours=1)]
    headline = impact.cells.filter(unit="account", threshold_seconds=60, messages="all", count="late", segment="all")
    assert headline["baseline"].to_list() == [1.0]
    assert ordinary.schema == ORDINARY.empty().schema


@pytest.mark.parametrize("windows", [0, 1, 2, 3])
def test_fewer_than_three_windows_warn_and_never_refuse(
    windows: int, counted: dict[int, tuple[Impact, pl.DataFrame]]
) -> None:
    impact, ordinary = counted[windows]
    gates = gates_on_ordinary(ordinary, impact.cells, chosen(windows))
    few = gates.filter(gate="ordinary_windows").row(0, named=True)
    assert (few["severity"], few["is_passed"]) == ("warn", windows == 3)
    assert few["observed"] == f"{windows} ordinary window{'' if windows == 1 else 's'}"
    assert reasons(gates) == []


def test_a_baseline_that_is_not_the_mean_refuses_publication(
    counted: dict[int, tuple[Impact, pl.DataFrame]],
) -> None:
    impact, ordinary = counted[3]
    wrong = impact.cells.with_columns(baseline=pl.col("baseline") + 0.01)
    assert "3 differ: all, business, residential" in reasons(gates_on_ordinary(ordinary, wrong, chosen(3)))[0]
    absent = impact.cells.with_columns(baseline=pl.lit(None, pl.Float64))
    assert reasons(gates_on_ordinary(ordinary, absent, chosen(3)))
    assert reasons(gates_on_ordinary(ORDINARY.empty(), CELLS.empty(), chosen(3)))
