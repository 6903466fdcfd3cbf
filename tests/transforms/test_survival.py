"""Delay with pending mail: by hand, against scipy, against a known curve, and what dropping pending mail does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

from expectations.tables import DELIVERIES
from tests.spec.tables import START, settings
from transforms.settings import Interval
from transforms.survival import Curves, curves, measure_survival

SEGMENTS = ("business", "residential")
TRUTH = Path(__file__).parents[1] / "data" / "officemail-lab" / "truth.csv.gz"
ENDS = ("delivered", "lost", "censored")


def grouped(times: list[float], ends: list[str]) -> Curves:
    """The curves of waits given one by one."""
    at, where = np.unique(np.array(times, float), return_inverse=True)
    counts = [np.bincount(where, weights=np.array(ends) == end, minlength=len(at)).astype(int) for end in ENDS]
    return curves(at, *counts)


def test_a_curve_worked_out_by_hand() -> None:
    # Six waits: delivered at 1, lost at 2, pending at 2, delivered at 3 twice, pending at 4.
    found = grouped([1, 2, 2, 3, 3, 4], ["delivered", "lost", "censored", "delivered", "delivered", "censored"])
    assert found.at_risk.tolist() == [6, 5, 3, 1]
    assert found.waiting == pytest.approx([5 / 6, 5 / 6 * 4 / 5, 2 / 3 * 1 / 3, 2 / 9])
    assert found.lost == pytest.approx([0, 5 / 6 * 1 / 5, 1 / 6, 1 / 6])
    assert found.delivered == pytest.approx([1 / 6, 1 / 6, 1 / 6 + 2 / 3 * 2 / 3, 11 / 18])


WAITS = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(ENDS)), min_size=1, max_size=60)


@hypothesis_settings(deadline=None)
@given(WAITS)
def test_waiting_delivered_and_lost_are_everything(waits: list[tuple[int, str]]) -> None:
    found = grouped([t for t, _ in waits], [e for _, e in waits])
    assert found.waiting + found.delivered + found.lost == pytest.approx(np.ones(len(found.times)))


@hypothesis_settings(deadline=None)
@given(WAITS.filter(lambda waits: any(end != "censored" for _, end in waits)))
def test_waiting_is_scipys_survival_function(waits: list[tuple[int, str]]) -> None:
    found = grouped([t for t, _ in waits], [e for _, e in waits])
    is_censored = np.array([end == "censored" for _, end in waits])
    theirs = ecdf(CensoredData.right_censored(np.array([t for t, _ in waits], float), is_censored)).sf
    assert np.abs(found.waiting[np.searchsorted(found.times, theirs.quantiles)] - theirs.probabilities).max() < 1e-9


def test_a_hundred_thousand_waits_agree_with_scipy_and_with_the_curve_they_were_drawn_from() -> None:
    rng = np.random.default_rng(5)
    # Exponential waits, mean 1000 s; the log ends after a uniform time, which leaves about a third pending.
    drawn, seen = rng.exponential(1000, 100_000), rng.uniform(0, 4000, 100_000)
    is_censored = drawn > seen
    times = np.floor(np.minimum(drawn, seen) * 10) / 10
    found = grouped(times.tolist(), np.where(is_censored, "censored", "delivered").tolist())
    theirs = ecdf(CensoredData.right_censored(times, is_censored)).sf
    ours = found.waiting[np.searchsorted(found.times, theirs.quantiles)]
    assert np.abs(ours - theirs.probabilities).max() < 1e-9
    interval = theirs.confidence_interval(0.95, method="log-log")
    low, high = found.band(1.959963984540054)
    where = np.searchsorted(found.times, interval.low.quantiles)
    inner = (interval.low.probabilities > 0.05) & (interval.low.probabilities < 0.95)
    assert low[where][inner] == pytest.approx(interval.low.probabilities[inner], abs=1e-9)
    assert high[where][inner] == pytest.approx(interval.high.probabilities[inner], abs=1e-9)
    # Four standard errors, once, at a hundred delays: a right curve leaves that band in one draw of several hundred.
    at = np.searchsorted(found.times, np.arange(30, 3030, 30.0), side="right") - 1
    truth = np.exp(-(found.times[at] + 0.1) / 1000)  # every drawn wait was rounded down by up to 0.1 s
    low, high = found.band(4)
    assert ((low[at] <= truth) & (truth <= high[at])).all()
    # The naive curve, of what was delivered, is far off the same band.
    naive = (times[~is_censored][:, None] > found.times[at]).mean(axis=0)
    assert (naive < low[at]).all()


def table(*rows: tuple[float, str, str]) -> pl.LazyFrame:
    """DELIVERIES that arrived at the window's start: delay, outcome, segment."""
    made: list[dict[str, Any]] = [
        {
            "arrived_at": START + timedelta(seconds=1),
            "delay_seconds": float(delay),
            "proven_delay_seconds": 7.0 if outcome == "unresolved" else float(delay),
            "outcome": outcome,
            "segment": segment,
            "is_bulk": segment == "business",
        }
        for delay, outcome, segment in rows
    ]
    return DELIVERIES.conform(pl.DataFrame(made)).lazy()


def at(found: pl.DataFrame, delay: float, **key: Any) -> dict[str, Any]:
    chosen = {"segment": "all", "messages": "all"} | key
    return found.filter(pl.col("delay_seconds").is_close(delay), **chosen).row(0, named=True)


def test_the_share_waiting_at_least_d_is_that_of_late_at_d() -> None:
    rows = [
        (59.9, "delivered", "residential"),
        (60, "delivered", "residential"),
        (3600, "pending", "business"),
        (9, "rejected_recipient", "business"),
    ]
    found = measure_survival(table(*rows), SEGMENTS, settings())
    minute = at(found, 60)
    assert (minute["at_risk"], minute["waiting_share"], minute["delivered_share"]) == pytest.approx((2, 2 / 3, 1 / 3))
    assert minute["naive_waiting_share"] == 0.5
    assert at(found, 3600)["waiting_share"] == pytest.approx(1 / 3)
    assert found["delay_seconds"].max() == 3600
    assert at(found, 60, messages="excluding_bulk")["waiting_share"] == 0.5
    assert at(found, 60, segment="business")["naive_waiting_share"] is None


def test_unresolved_mail_is_known_to_wait_only_as_long_as_the_log_proves() -> None:
    rows = [(600, "unresolved", "residential"), (5, "delivered", "residential"), (60, "delivered", "residential")]
    found = measure_survival(table(*rows), SEGMENTS, settings())
    assert at(found, 60)["at_risk"] == 1
    assert at(found, 60)["waiting_share"] == pytest.approx(2 / 3)


def test_no_mail_gives_no_curve() -> None:
    assert measure_survival(table((5, "rejected_recipient", "business")), SEGMENTS, settings()).is_empty()


def test_dropping_pending_mail_misleads_on_the_demo() -> None:
    """Three minutes into the lab's flood: of mail that arrived so far, how much will have been a minute late?

    The capture's own truth knows how it went on (what was never stored came later than any minute). Delivered mail
    alone says 22 %; it is 89 %.
    """
    flood = datetime(2026, 11, 25, 2, 25, 48, tzinfo=UTC).timestamp()
    now = flood + 180
    truth = pl.read_csv(TRUTH).filter(pl.col("accepted_at").is_between(flood, now), pl.col("kind") != "outbound")
    end = pl.col("delivered_at").fill_null(float("inf"))
    is_open = end > now
    rows = truth.select(
        arrived_at=pl.from_epoch(pl.col("accepted_at") * 1e6, time_unit="us").dt.replace_time_zone("UTC"),
        outcome=pl.when(is_open).then(pl.lit("pending")).otherwise(pl.lit("delivered")),
        delay_seconds=pl.when(is_open).then(now).otherwise(end) - pl.col("accepted_at"),
        segment=pl.lit("residential"),
        is_bulk=pl.col("kind") == "bulk",
    )
    first, last = datetime.fromtimestamp(flood, UTC), datetime.fromtimestamp(now, UTC)
    chosen = replace(settings(), window=Interval(first, last), as_of=last)
    minute = at(measure_survival(DELIVERIES.conform(rows).lazy(), SEGMENTS, chosen), 60)
    came_late = truth.select((end - pl.col("accepted_at") >= 60).mean()).item()
    assert came_late == pytest.approx(0.886, abs=0.005)
    assert minute["waiting_share"] == pytest.approx(came_late, abs=0.03)
    assert minute["naive_waiting_share"] == pytest.approx(0.22, abs=0.005)
