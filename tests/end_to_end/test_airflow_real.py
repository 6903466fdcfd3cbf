"""A real Airflow: scheduler, DAG processor and API server on SQLite. A person triggers the two ingesting DAGs, one of
them in the browser as the README says; assets trigger the rest, and the report is there.

On an idle machine it takes about a minute.
"""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from playwright.sync_api import sync_playwright

from tools.local_airflow import USER, LocalAirflow

BUDGET_SECONDS = 300
INGEST = ("ingest_mail_logs", "ingest_customer_records")
CHAIN = (*INGEST, "measure_impact", "publish_reports")

pytestmark = pytest.mark.timeout(BUDGET_SECONDS)


@pytest.fixture(scope="module")
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory, runs_folder: Path) -> Iterator[LocalAirflow]:
    home = tmp_path_factory.mktemp("airflow")
    server = LocalAirflow(home, components=("api-server", "scheduler", "dag-processor"))
    server.environment["MAILTOLL_OUT"] = str(runs_folder)
    with server:
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


def trigger_in_browser(server: LocalAirflow, dag_id: str) -> None:
    """Log in, open the DAG, press Trigger, and press it again below the form as it stands."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
        )
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.goto(server.url)
        page.fill("input[name=username]", USER)
        page.fill("input[name=password]", server.password)
        page.click("button[type=submit]")
        page.get_by_role("link", name="Dags").first.wait_for()
        page.goto(f"{server.url}/dags/{dag_id}")
        page.get_by_role("button", name="Trigger").first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Trigger").click()
        dialog.wait_for(state="hidden")
        browser.close()


def test_assets_trigger_the_chain_up_to_the_report(airflow: LocalAirflow, runs_folder: Path) -> None:
    deadline = time.monotonic() + BUDGET_SECONDS - 20
    while not {dag["dag_id"] for dag in airflow.ask("/dags")["dags"]} >= set(CHAIN):
        assert time.monotonic() < deadline, "the DAG processor did not find the DAGs"
        time.sleep(0.5)
    trigger_in_browser(airflow, "ingest_mail_logs")
    airflow.trigger("ingest_customer_records")
    out = runs_folder / "officemail-lab"

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


def test_a_named_person_lets_a_count_out_and_a_no_changes_nothing(
    airflow: LocalAirflow, runs_folder: Path, demo_incident: Path
) -> None:
    deadline = time.monotonic() + BUDGET_SECONDS - 20
    folder = runs_folder / "asked"
    shutil.copytree(demo_incident.parent, folder)
    site, incident, out = folder / "site", folder / "incident.yaml", runs_folder / "officemail-lab"
    for number, (names, choice) in enumerate([("nobody", ""), (USER, "Reject"), (USER, "Approve")]):
        asks = f"{demo_incident.read_text(encoding='utf-8')}site: site\napproval: {{by: [{names}]}}\n"
        incident.write_text(asks, encoding="utf-8")
        run = airflow.trigger("publish_reports", incident=str(incident), out=str(out))
        here = f"/dags/publish_reports/dagRuns/{run}"
        while (state := task_states(airflow, here).get("approve")) != "awaiting_input":
            assert time.monotonic() < deadline, f"run {number}: approve is {state}"
            time.sleep(0.5)
        if not choice:
            with pytest.raises(HTTPError, match="403"):
                answer(airflow, here, "Approve")  # USER is not among those who are asked
            airflow.ask(here, {"state": "failed"}, "PATCH")
            continue
        while not has_left(airflow, "approve", run):  # Airflow fails a task that is answered before
            assert time.monotonic() < deadline, f"run {number}: the worker of approve does not leave"
            time.sleep(0.5)
        answer(airflow, here, choice)
        while airflow.ask(here)["state"] not in ("success", "failed"):
            assert time.monotonic() < deadline, task_states(airflow, here)
            time.sleep(0.5)
        is_out = choice == "Approve"
        assert task_states(airflow, here)["put_on_site"] == ("success" if is_out else "skipped")
        assert (site / "officemail-lab" / "latest" / "index.html").exists() == is_out


def task_states(server: LocalAirflow, run: str) -> dict[str, str]:
    return {task["task_id"]: task["state"] for task in server.ask(f"{run}/taskInstances")["task_instances"]}


def has_left(server: LocalAirflow, task: str, run: str) -> bool:
    """Return whether the scheduler has seen the worker of a waiting task leave."""
    seen = f"state success for task instance TaskInstanceKey(dag_id='publish_reports', task_id='{task}', run_id='{run}'"
    return seen in (server.home / "scheduler.log").read_text(encoding="utf-8")


def answer(server: LocalAirflow, run: str, choice: str) -> None:
    said = {"chosen_options": [choice], "params_input": {}}
    server.ask(f"{run}/taskInstances/approve/-1/hitlDetails", said, "PATCH")
