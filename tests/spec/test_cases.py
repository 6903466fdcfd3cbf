"""Every counter gives the figures of every case."""

import importlib.util
from collections import Counter
from pathlib import Path
from typing import Protocol

import polars as pl
import pytest

from expectations.tables import EVENTS
from tests.spec.cases import CASES
from tests.spec.tables import START, Case, event_frame, record_frame, settings
from transforms.recount import recount, recount_deliveries
from transforms.settings import Settings


class Count(Protocol):
    """Counts a case: the deliveries of the window as "outcome delay", and the cells."""

    def __call__(
        self, files: list[Path], records: pl.DataFrame, chosen: Settings
    ) -> tuple[list[str], pl.DataFrame]: ...


def second_count(files: list[Path], records: pl.DataFrame, chosen: Settings) -> tuple[list[str], pl.DataFrame]:
    found = recount_deliveries(files, records, chosen).filter(pl.col("address").is_not_null())
    return [f"{o} {d / 1e6:g}" for o, d in found.select("outcome", "delay").rows()], recount(files, records, chosen)


def first_count(files: list[Path], records: pl.DataFrame, chosen: Settings) -> tuple[list[str], pl.DataFrame]:
    from transforms.impact import measure

    impact = measure(files, records, chosen)
    inside = impact.deliveries.filter(
        pl.col("arrived_at") >= chosen.window.start,
        pl.col("arrived_at") < chosen.window.end,
        pl.col("address").is_not_null(),  # recipients that the log only counts, never names: in no cell
    )
    return [f"{o} {d:g}" for o, d in inside.select("outcome", "delay_seconds").rows()], impact.cells


IS_FIRST_THERE = importlib.util.find_spec("transforms.impact") is not None
COUNTERS = [
    pytest.param(
        first_count,
        id="sql",
        marks=pytest.mark.skipif(not IS_FIRST_THERE, reason="transforms/impact.py is not there"),
    ),
    pytest.param(second_count, id="polars"),
]


@pytest.mark.parametrize("count", COUNTERS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, count: Count, tmp_path: Path) -> None:
    deliveries, cells = count(*prepared(case, tmp_path))
    assert Counter(deliveries) == Counter(case.deliveries)
    measured = {name: cell(cells, name) for name in case.cells}
    assert measured == case.cells


def prepared(case: Case, folder: Path) -> tuple[list[Path], pl.DataFrame, Settings]:
    """Write the case's events, one Parquet file per log file, and return what a counter takes."""
    events = event_frame(case.events) if case.events else EVENTS.empty()
    parts = events.partition_by("source_id") if case.events else [events]
    files = []
    for number, part in enumerate(parts):
        files.append(folder / f"{number}.parquet")
        part.write_parquet(files[-1])
    return files, record_frame(list(case.records)), settings(**case.settings)


def cell(cells: pl.DataFrame, name: str) -> int:
    """Return the measured figure of a cell named "unit count threshold [excluding_bulk] [segment]"."""
    unit, count, threshold, *rest = name.split()
    messages = "excluding_bulk" if "excluding_bulk" in rest else "all"
    segment = next((word for word in rest if word != "excluding_bulk"), "all")
    found = cells.filter(unit=unit, count=count, threshold_seconds=int(threshold), messages=messages, segment=segment)
    assert found.height == 1, f"{name}: {found.height} such cells"
    return int(found["measured"][0])


def test_names_of_cases_are_unique_and_every_case_begins_at_the_same_instant() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert START.isoformat() == "2030-05-01T12:00:00+00:00"
