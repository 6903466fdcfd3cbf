"""A count that nobody checked is a claim: every error planted in the SQL must refuse publication.

The log is that of all cases of the definitions at once; the gates are those of a run.
"""

import json
import shutil
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from expectations.gates import gates_on_impact, gates_on_rungs
from expectations.narrower import gates_on_narrower
from expectations.recount import gates_on_recount
from expectations.refusal import reasons
from expectations.tables import CELLS, DELIVERIES, LADDER, NARROWER
from mailtoll.steps import run_incident
from tests.end_to_end.mutations import MUTATIONS, Mutation
from tests.mailtoll import tiny
from tests.spec.one_log import one_log
from tests.spec.tables import START, event_frame, record_frame, settings, whole
from transforms import impact
from transforms.gate_limits import GateLimits
from transforms.ordinary import ordinary_figures
from transforms.recount import differences, recount
from transforms.settings import Interval, Settings

SQL_FOLDER = impact.SQL_FOLDER
# What the cases are full of on purpose is no reason to refuse them.
LIMITS = GateLimits(unmatched_share=1, unmatched_share_warn=1)


@dataclass(frozen=True)
class Log:
    """A log's events, the records, the settings, and what the second count makes of them."""

    events: Path
    records: pl.DataFrame
    settings: Settings
    recounted: pl.DataFrame


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Log]:
    """The cases without a queue listing, and those with one, each with late mail in one of three ordinary windows."""
    ordinary = tuple(Interval(START - timedelta(hours=n), START - timedelta(hours=n - 1)) for n in (4, 3, 2))
    # From one second before midnight in Auckland, so that a mailbox changes hands; each promotion matches two patterns.
    chosen = settings(window=(-1, 3600), bulk_senders=("*@mailhouse.example", "promo@*"))
    chosen = replace(chosen, placebo_windows=ordinary)
    made = {}
    for with_listing in (False, True):
        rows, records = one_log(with_listing)
        rows += whole("FEED", -4 * 3600, -4 * 3600 + 70, "0-ann@example.com", host="ordinary", source_id="ordinary")
        path = tmp_path_factory.mktemp("log") / "events.parquet"
        event_frame(rows).write_parquet(path)
        frame = record_frame(records)
        made[with_listing] = Log(path, frame, chosen, recount([path], frame, chosen))
    return made


@pytest.fixture
def sql_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the SQL that the counting reads."""
    folder = tmp_path / "sql"
    shutil.copytree(SQL_FOLDER, folder)
    monkeypatch.setattr(impact, "SQL_FOLDER", folder)
    return folder


def plant(mutation: Mutation, folder: Path) -> None:
    """Put an error into the copy; fail where its place is not found exactly once."""
    path = folder / mutation.file
    text = path.read_text(encoding="utf-8")
    assert text.count(mutation.old) == 1, f"{mutation.name}: found {text.count(mutation.old)} times in {mutation.file}"
    path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")


def refusals(log: Log) -> list[str]:
    """Count a log, count it again, and return why it must not be published."""
    with impact.workspace() as db:
        impact.stitch(db, [log.events], log.records, log.settings)
        impact.count(db, log.records, log.settings)
        deliveries, cells, ladder, narrower = (
            impact.table(db, t.name, t) for t in (DELIVERIES, CELLS, LADDER, NARROWER)
        )
    segments = log.records["segment"].unique().to_list()
    ordinary = ordinary_figures(deliveries.lazy(), segments, log.settings)
    gates = [
        gates_on_impact(deliveries, cells, log.records, log.settings, LIMITS),
        gates_on_recount(differences(cells, log.recounted), cells.height),
        gates_on_rungs(ladder, ordinary, cells, log.settings),
        gates_on_narrower(narrower, cells),
    ]
    return reasons(pl.concat(gates))


@pytest.mark.parametrize("with_listing", [False, True])
def test_without_an_error_there_is_no_reason_to_refuse(logs: dict[bool, Log], with_listing: bool) -> None:
    assert refusals(logs[with_listing]) == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_every_planted_error_refuses_publication(mutation: Mutation, logs: dict[bool, Log], sql_folder: Path) -> None:
    plant(mutation, sql_folder)
    assert refusals(logs[mutation.with_listing]) != []


def test_a_planted_error_ends_a_run_without_a_figure(tmp_path: Path, sql_folder: Path) -> None:
    incident = tiny.write(tmp_path / "incident")
    assert run_incident(incident, tmp_path / "out", lambda step: None).status == "published"
    plant(
        Mutation("all is late", "50_cells.sql", "delay_seconds >= by_delay.at_least", "delay_seconds >= 0"), sql_folder
    )
    result = run_incident(incident, tmp_path / "out", lambda step: None)
    assert result.status == "refused"
    assert any("differ" in reason for reason in result.reasons)
    published = json.loads((tmp_path / "out" / "impact.json").read_text())
    assert published["status"] == "refused"
    assert not published.get("cells")
    assert not published.get("headline")
    assert not (tmp_path / "out" / "deliveries.parquet").exists()
