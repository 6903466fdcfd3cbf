"""A real Airflow: scheduler, DAG processor and API server on SQLite. A person triggers the two ingesting DAGs, one of
them in the browser as the README says; assets trigger the rest, the report is there, and OpenLineage is told of it.
Then a named person lets it out: on the site, and to a real mail server that can't take it the first time.

On an idle machine it takes about a minute.
"""

import json
import mailbox
import re
import shutil
import time
from collections.abc import Iterator
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from playwright.sync_api import sync_playwright

from tests.end_to_end.typed_pages import blocks
from tests.mailtoll.relay import unwilling_relay
from tools.local_airflow import USER, LocalAirflow, free_port

BUDGET_SECONDS = 300
INGEST = ("ingest_mail_logs", "ingest_customer_records")
GOES_OUT = """site: site
mail: {connection: away, alternates: [relay], from: Outages <noreply@officemail.test>, to: [ann@example.com]}
"""
CHAIN = (*INGEST, "measure_impact", "publish_reports")

pytestmark = pytest.mark.timeout(BUDGET_SECONDS)


@pytest.fixture(scope="module")
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory, runs_folder: Path) -> Iterator[LocalAirflow]:
    home = tmp_path_factory.mktemp("airflow")
    lineage = blocks("docs/operations.md", "## OpenLineage")[0]
    told = dict(re.findall(r"^(\w+)='?(.*?)'?$", lineage[1].replace("/srv/airflow", str(home)), re.MULTILINE))
    settings = {**told, "MAILTOLL_OUT": str(runs_folder), "MAILTOLL_RETRY_SECONDS": "1"}
    server = LocalAirflow(home, components=("api-server", "scheduler", "dag-processor"), settings=settings)
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


def wait_for(server: LocalAirflow, dag_id: str, count: int, deadline: float, only: str = "") -> list[dict[str, Any]]:
    """Wait until `count` runs of a DAG have ended; return them, oldest first. `only`: a filter of Airflow's API."""
    while True:
        runs = server.ask(f"/dags/{dag_id}/dagRuns?order_by=run_after&limit=100{only}")["dag_runs"]
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


def test_the_stock_provider_tells_the_lineage_of_every_run_and_task(airflow: LocalAirflow) -> None:
    """By the settings of docs/operations.md; the events are those of the chain above."""
    deadline, told = time.monotonic() + 60, set[tuple[str, str]]()
    jobs = {*CHAIN, "ingest_mail_logs.parse_log", "measure_impact.stitch", "publish_reports.publish"}
    while not told >= {(job, event) for job in jobs for event in ("START", "COMPLETE")}:
        assert time.monotonic() < deadline, sorted(told)
        time.sleep(0.5)
        text = (airflow.home / "lineage.jsonl").read_text(encoding="utf-8")
        events = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        told = {(event["job"]["name"], event["eventType"]) for event in events}
    assert {event["job"]["namespace"] for event in events} == {"mailtoll"}
    assert "@officemail" not in text


def test_a_named_person_lets_a_count_out_by_a_relay_that_fails_first_and_a_no_changes_nothing(
    airflow: LocalAirflow, runs_folder: Path, demo_incident: Path
) -> None:
    deadline = time.monotonic() + BUDGET_SECONDS - 20
    folder = runs_folder / "asked"
    shutil.copytree(demo_incident.parent, folder)
    site, incident, out = folder / "site", folder / "incident.yaml", runs_folder / "officemail-lab"

    def ask(names: str, headline: str = "threshold: 1m") -> str:
        """Trigger a run that must be approved, and wait until it asks; return where it is in the API."""
        declared = demo_incident.read_text(encoding="utf-8").replace("threshold: 1m", headline)
        incident.write_text(f"{declared}{GOES_OUT}approval: {{by: [{names}]}}\n", encoding="utf-8")
        run = airflow.trigger("publish_reports", incident=str(incident), out=str(out))
        here = f"/dags/publish_reports/dagRuns/{run}"
        while (state := task_states(airflow, here).get("approve")) != "awaiting_input":
            assert time.monotonic() < deadline, f"approve is {state}"
            time.sleep(0.5)
        return here

    def say(here: str, choice: str) -> dict[str, str]:
        """Answer, and wait until the run has ended; return how its tasks did."""
        while not has_left(airflow, "approve", here.rpartition("/")[2]):  # Airflow fails a task that is answered before
            assert time.monotonic() < deadline, "the worker of approve does not leave"
            time.sleep(0.5)
        answer(airflow, here, choice)
        while airflow.ask(here)["state"] not in ("success", "failed"):
            assert time.monotonic() < deadline, task_states(airflow, here)
            time.sleep(0.5)
        return task_states(airflow, here)

    of_others = ask("nobody")
    with pytest.raises(HTTPError, match="403"):
        answer(airflow, of_others, "Approve")  # USER is not among those who are asked
    airflow.ask(of_others, {"state": "failed"}, "PATCH")
    assert not site.exists()

    with unwilling_relay(folder / "maildir", refusals=1) as (relay, port):
        connect(airflow, "away", free_port())
        connect(airflow, "relay", port)
        approved = ask(USER)
        states = say(approved, "Approve")
        assert {states[task] for task in ("put_on_site", "send", "report_ready")} == {"success"}
        sending = airflow.ask(f"{approved}/taskInstances/send")
        assert (sending["try_number"], relay.asked) == (2, 2)
        shown, kept = content(site), content(folder / "maildir")
        (count,) = (out / "vintages").iterdir()
        assert shown["officemail-lab/latest"] == count.name

        states = say(ask(USER, "threshold: 2m"), "Reject")

    assert {states[task] for task in ("put_on_site", "send")} == {"skipped"}
    assert len(list((out / "vintages").iterdir())) == 2, "what was rejected is another count"
    assert content(site) == shown
    assert content(folder / "maildir") == kept
    (mail,) = mailbox.Maildir(folder / "maildir")
    read = BytesParser(policy=policy.default).parsebytes(mail.as_bytes())
    text = read.get_body(("plain",))
    assert text is not None
    headline = json.loads((count / "impact.json").read_text())["headline"]
    assert f"{headline['measured']} ACCOUNTS" in text.get_content()
    assert [str(to) for to in read["To"].addresses] == ["ann@example.com"]
    assert [part.get_content_type() for part in read.iter_attachments()] == ["application/pdf"]
    steps = json.loads((out / "manifest.json").read_text())["steps"]
    assert [step["rows"] for step in steps if step["step"] == "send"] == [{"in": 1, "out": 1, "set_aside": 0}]


def connect(server: LocalAirflow, name: str, port: int) -> None:
    """Give Airflow an SMTP connection to a server on this machine."""
    plain = json.dumps({"disable_ssl": True, "disable_tls": True})
    told = {"connection_id": name, "conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": plain}
    server.ask("/connections", told)


def content(folder: Path) -> dict[str, bytes | str]:
    """Every file below a folder with its bytes, and every link with where it leads."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def task_states(server: LocalAirflow, run: str) -> dict[str, str]:
    return {task["task_id"]: task["state"] for task in server.ask(f"{run}/taskInstances")["task_instances"]}


def has_left(server: LocalAirflow, task: str, run: str) -> bool:
    """Return whether the scheduler has seen the worker of a waiting task leave."""
    seen = f"state success for task instance TaskInstanceKey(dag_id='publish_reports', task_id='{task}', run_id='{run}'"
    return seen in (server.home / "scheduler.log").read_text(encoding="utf-8")


def answer(server: LocalAirflow, run: str, choice: str) -> None:
    said = {"chosen_options": [choice], "params_input": {}}
    server.ask(f"{run}/taskInstances/approve/-1/hitlDetails", said, "PATCH")
