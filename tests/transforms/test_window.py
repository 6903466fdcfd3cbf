"""When it began and ended, found without looking at any total: made-up arrivals, simulated floods, edges."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from expectations.tables import COUNTS, DELIVERIES, MESSAGES, UNITS, WINDOWS
from tests.simulate import simulate, truth_cells, truth_deliveries
from tests.simulate.outage import Outage, instant
from tests.spec.tables import settings
from transforms.settings import Definition, Interval
from transforms.window import PENALTIES, Detection, choose, detect_window
from transforms.window_figures import figures_under

START = datetime(2030, 5, 1, tzinfo=UTC)
HOUR = 3600
HEADLINE = Definition("account", HOUR, "all", "late")


def arrivals(shares: list[float], per_hour: int = 200, seed: int = 3) -> pl.DataFrame:
    """DELIVERIES over as many hours as there are shares: so much of each hour's mail is two hours late."""
    rng = np.random.default_rng(seed)
    at = np.sort(rng.integers(0, HOUR * len(shares), per_hour * len(shares)))
    is_late = rng.random(len(at)) < np.array(shares)[at // HOUR]
    return DELIVERIES.conform(
        pl.DataFrame({"at": at, "delay_seconds": np.where(is_late, 2.0 * HOUR, 5.0)}).select(
            (pl.lit(START) + pl.duration(seconds="at")).alias("arrived_at"),
            "delay_seconds",
            outcome=pl.lit("delivered"),
            is_bulk=pl.lit(False),
        )
    )


def found(table: pl.DataFrame, baseline: Interval | None = None, headline: Definition = HEADLINE) -> Detection:
    """What is detected when the logs go on for a day after the last arrival."""
    last: datetime = table["arrived_at"].max()  # type: ignore[assignment]
    return detect_window(table.lazy(), headline, last + timedelta(days=1), baseline)


def hours(window: Interval | None) -> tuple[float, float]:
    assert window is not None
    return tuple((at - START).total_seconds() / HOUR for at in (window.start, window.end))  # type: ignore[return-value]


def test_a_flood_is_found_within_minutes_of_its_edges() -> None:
    shares = [0.01] * 24 + [0.6] * 8 + [0.01] * 24
    assert hours(found(arrivals(shares)).window) == pytest.approx((24, 32), abs=0.15)


def test_levels_of_a_fading_flood_are_one_window() -> None:
    shares = [0.01] * 12 + [0.9] * 4 + [0.5] * 4 + [0.2] * 4 + [0.01] * 12
    assert hours(found(arrivals(shares)).window) == pytest.approx((12, 24), abs=0.3)


def test_the_disturbance_with_most_late_mail_is_the_window_not_the_first_or_the_worst() -> None:
    shares = [0.01] * 10 + [0.9] * 2 + [0.01] * 10 + [0.5] * 10 + [0.01] * 10
    assert hours(found(arrivals(shares)).window) == pytest.approx((22, 32), abs=0.3)


def test_a_pause_shorter_than_the_threshold_does_not_split_it() -> None:
    shares = [0.01] * 10 + [0.8] * 3 + [0.01] + [0.8] * 3 + [0.01] * 10
    four_hours = replace(HEADLINE, threshold_seconds=7200)
    assert hours(found(arrivals(shares), headline=four_hours).window) == pytest.approx((10, 17), abs=0.15)
    # By a threshold of half an hour the pause of an hour divides it, and one half is the window.
    half = replace(HEADLINE, threshold_seconds=1800)
    first, last = hours(found(arrivals(shares), headline=half).window)
    assert last - first == pytest.approx(3, abs=0.15)


def test_nothing_stands_out_in_ordinary_time() -> None:
    for seed in range(20):
        result = found(arrivals([0.02] * 48, seed=seed))
        assert result.window is None
        assert result.windows["start_at"].null_count() == len(PENALTIES)


def test_ordinary_is_the_declared_baseline_or_the_lowest_level() -> None:
    # Ordinary mail is late in 30 % of cases here: 50 % is less than twice as much.
    shares = [0.3] * 24 + [0.5] * 8 + [0.3] * 16
    day = Interval(START, START + timedelta(days=1))
    assert found(arrivals(shares)).window is None
    assert found(arrivals(shares), baseline=day).window is None
    # With a baseline that knows better, what stands out above it is found although no level is lower.
    always = [0.01] * 6 + [0.5] * 42
    early = Interval(START, START + timedelta(hours=6))
    first, last = hours(found(arrivals(always), baseline=early).window)
    assert (first, last) == pytest.approx((6, 48 + 24), abs=0.3)  # it lasts until the logs end, a day later


def test_mail_that_cannot_be_judged_yet_is_not_taken_for_punctual() -> None:
    table = arrivals([0.01] * 24 + [0.9] * 6)
    as_of = START + timedelta(hours=30)
    waits = (pl.lit(as_of) - pl.col("arrived_at")).dt.total_seconds().cast(pl.Float64)
    is_open = pl.col("delay_seconds") > waits
    seen = table.with_columns(
        pl.when(is_open).then(pl.lit("pending")).otherwise("outcome").alias("outcome"),
        pl.when(is_open).then(waits).otherwise("delay_seconds").alias("delay_seconds"),
    )
    window = detect_window(seen.lazy(), HEADLINE, as_of, None).window
    assert hours(window) == pytest.approx((24, 30), abs=0.15)
    assert window is not None
    assert window.end == as_of  # it has not ended


def test_lost_mail_is_part_of_it_whatever_it_waited_and_refused_mail_is_not() -> None:
    table = arrivals([0.0] * 30)
    inside = pl.col("arrived_at").is_between(START + timedelta(hours=10), START + timedelta(hours=14))
    for outcome, is_found in (("lost", True), ("rejected_recipient", False), ("unresolved", False)):
        changed = table.with_columns(pl.when(inside).then(pl.lit(outcome)).otherwise("outcome").alias("outcome"))
        assert (found(changed).window is not None) == is_found


def test_bulk_mail_is_looked_at_only_where_the_headline_counts_it() -> None:
    table = arrivals([0.0] * 10 + [0.7] * 5 + [0.0] * 10).with_columns(is_bulk=pl.col("delay_seconds") > HOUR)
    assert found(table).window is not None
    assert found(table, headline=replace(HEADLINE, messages="excluding_bulk")).window is None


@pytest.mark.parametrize("deliveries", [0, 1, 30])
def test_little_mail_gives_no_window(deliveries: int) -> None:
    result = detect_window(arrivals([0.5]).head(deliveries).lazy(), HEADLINE, START + timedelta(days=1), None)
    assert result.window is None
    assert len(result.windows) == len(PENALTIES)


def test_steps_account_for_every_delivery_that_can_be_judged() -> None:
    table = arrivals([0.1] * 24)
    result = found(table)
    assert result.late_share["deliveries"].sum() == len(table)
    assert result.late_share["late"].sum() == table.filter(pl.col("delay_seconds") >= HOUR).height
    assert (result.late_share["end_at"].head(-1) == result.late_share["start_at"].tail(-1)).all()


def test_the_window_in_use_is_the_declared_one_if_there_is_one() -> None:
    result = found(arrivals([0.01] * 24 + [0.6] * 8 + [0.01] * 24))
    declared = Interval(START, START + timedelta(hours=5))
    beside, alone = choose(result, declared), choose(result, None)
    assert (len(beside), len(alone)) == (len(PENALTIES) + 1, len(PENALTIES))
    assert beside.filter("is_used").select("source", "start_at", "end_at").rows() == [
        ("declared", declared.start, declared.end)
    ]
    used = alone.filter("is_used").row(0, named=True)
    assert result.window == Interval(used["start_at"], used["end_at"])
    assert used["is_default"]


def deliveries_of(outage: Outage) -> pl.DataFrame:
    """What a perfect reader would make of a simulated outage."""
    rows = [
        {
            "message_key": str(d.message),
            "address": d.address,
            "mailbox": d.mailbox,
            "account_id": d.account_id,
            "customer_id": d.customer_id,
            "segment": d.segment,
            "arrived_at": instant(d.arrived_at),
            "outcome": d.outcome,
            "delay_seconds": float(d.delay),
            "is_bulk": d.is_bulk,
        }
        for d in truth_deliveries(outage)
    ]
    return DELIVERIES.conform(pl.DataFrame(rows, infer_schema_length=None))


@pytest.mark.parametrize("unit", UNITS)
def test_the_headline_under_each_window_is_the_truth_of_it(unit: str) -> None:
    outage = simulate(7, messages=1_500, days=4)
    first, last = (instant(at) for at in outage.window)
    middle = first + (last - first) / 3
    windows = pl.concat([_window("declared", None, first, last), _window("detected", 8.0, first, middle)])
    truths = {
        source: truth_cells(outage, window=(outage.window[0], int(end.timestamp())), thresholds=[HOUR])
        for source, end in (("declared", last), ("detected", middle))
    }
    table = deliveries_of(outage).lazy()
    for messages in MESSAGES:
        for count in COUNTS:
            chosen = replace(settings(), headline=Definition(unit, HOUR, messages, count))
            counted = figures_under(table, ["business", "residential"], chosen, windows)
            for source, truth in truths.items():
                cells = {key[4]: n for key, n in truth.items() if key[:4] == (unit, HOUR, messages, count)}
                assert dict(counted.filter(source=source).select("segment", "measured").iter_rows()) == cells
                assert cells["all"] > 0


def _window(source: str, penalty: float | None, start: datetime, end: datetime) -> pl.DataFrame:
    row = {"source": source, "penalty": penalty, "start_at": start, "end_at": end}
    return WINDOWS.conform(pl.DataFrame([row], schema_overrides={"penalty": pl.Float64}))


@pytest.mark.parametrize("seed", range(4))
def test_simulated_floods_are_found_and_the_penalty_hardly_matters(seed: int) -> None:
    """The simulated mailing house sends from eight in the morning for ten hours; the backlog drains in eight more."""
    outage = simulate(seed, messages=12_000, days=6)
    began = instant(outage.window[0]) + timedelta(hours=8)
    started = time.perf_counter()
    result = detect_window(deliveries_of(outage).lazy(), HEADLINE, instant(outage.log_end), None)
    assert time.perf_counter() - started < 2
    window = result.window
    assert window is not None
    assert abs(window.start - began) < timedelta(minutes=10)
    assert timedelta(hours=10) < window.end - began < timedelta(hours=18)
    starts = result.windows["start_at"].drop_nulls()
    assert len(starts) == len(PENALTIES)
    assert (starts.max() - starts.min()) < timedelta(hours=2)  # type: ignore[operator]
    assert result.windows["change_points"].is_sorted(descending=True)


def test_no_flood_no_window() -> None:
    for seed in range(4):
        outage = simulate(seed, messages=6_000, days=6, flood=False)
        assert detect_window(deliveries_of(outage).lazy(), HEADLINE, instant(outage.log_end), None).window is None
