"""A real Airflow: scheduler, DAG processor and API server on SQLite. Assets trigger the chain, and the report is there.

One server for all tests here; in all they may take three minutes.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.local_airflow import LocalAirflow

BUDGET_SECONDS = 180
INGEST = ("ingest_mail_logs", "ingest_customer_records")
CHAIN = (*INGEST, "measure_impact", "publish_reports")

pytestmark = pytest.mark.timeout(BUDGET_SECONDS)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAirflow]:
    home = tmp_path_factory.mktemp("airflow")
    with LocalAirflow(home, components=("api-server", "scheduler", "dag-processor")) as server:
        yield server
    assert processes_of(home) == [], "Airflow left processes behind"


def processes_of(home: Path) -> list[str]:
    """Return the command lines of the live processes whose AIRFLOW_HOME is `home`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"AIRFLOW_HOME={home}\0".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it ended while we looked, or is not ours
            continue
    return found


def wait_for(server: LocalAirflow, dag_id: str, count: int, deadline: float) -> list[dict[str, Any]]:
    """Wait until `count` runs of a DAG have ended; return them, oldest first."""
    while True:
        runs = server.ask(f"/dags/{dag_id}/dagRuns?order_by=run_after")["dag_runs"]
        ended = [run for run in runs if run["state"] in ("success", "failed")]
        if len(ended) >= count:
            return ended
        assert time.monotonic() < deadline, f"{dag_id}: {[run['state'] for run in runs]} after {BUDGET_SECONDS} s"
        time.sleep(1)


def test_assets_trigger_the_chain_up_to_the_report(airflow: LocalAirflow, demo_incident: Path, tmp_path: Path) -> None:
    deadline = time.monotonic() + BUDGET_SECONDS - 20
    while {dag["dag_id"] for dag in airflow.ask("/dags")["dags"]} != set(CHAIN):
        assert time.monotonic() < deadline, "the DAG processor did not find the DAGs"
        time.sleep(0.5)
    out = tmp_path / "out"
    for dag_id in INGEST:
        airflow.trigger(dag_id, incident=str(demo_incident), out=str(out))

    runs = {dag_id: wait_for(airflow, dag_id, 1, deadline) for dag_id in CHAIN}

    assert {dag_id: [run["state"] for run in ended] for dag_id, ended in runs.items()} == {
        dag_id: ["success"] for dag_id in CHAIN
    }
    assert [runs[dag_id][0]["run_type"] for dag_id in CHAIN] == [
        "manual",
        "manual",
        "asset_triggered",
        "asset_triggered",
    ]
    assert (out / "report.html").exists()
    impact = json.loads((out / "impact.json").read_text())
    assert impact["headline"]["measured"] > 0

    events = {event["name"]: event["extra"] for event in airflow.ask("/assets/events")["asset_events"]}
    assert {extra["out"] for extra in events.values()} == {str(out)}
    assert events["mail_log_events"]["files"] == 2
    assert (
        sum(events["mail_log_events"][fate] for fate in ("parsed", "ignored", "quarantined")) == impact["lines"]["read"]
    )
    assert events["impact"]["rows"] == len(impact["cells"])
    assert events["report"]["headline"]["measured"] == impact["headline"]["measured"]
    assert all(len(events[name]["digest"]) == 64 for name in events)
