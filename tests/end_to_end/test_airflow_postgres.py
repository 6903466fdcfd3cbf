"""Airflow as docs/scheduled.md deploys it: on PostgreSQL with LocalExecutor, and an SMTP server for the owner.

A scheduled run publishes what lies behind SFTP and in PostgreSQL; its raw logs age out. A worker and the scheduler are
killed in the middle of a run; a month is fetched day by day in random order and by backfill; a run fails and is late.
One session serves all, as it takes half a minute to come up.
"""

import json
import os
import random
import re
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from mailtoll.steps import run_incident
from tests.end_to_end.deployed import Deployed, deployed
from tests.end_to_end.month import DAYS, HOSTS, write_month
from tests.end_to_end.test_airflow_real import processes_of, wait_for
from tests.end_to_end.typed_pages import PROJECT
from tests.mailtoll import tiny
from tools.local_airflow import LocalAirflow, free_port

SECRET = "planted-7f3a9c"
OWNER = "owner@operations.example"
LATE = ("mx3", "2020-03-12")
BACKFILLED = 3
OPERATIONS = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
pytestmark = [pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")]


class Mailbox:
    """What the owner was sent; lets in only who knows the secret."""

    def __init__(self) -> None:
        self.mails: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        assert envelope.rcpt_tos == [OWNER]
        self.mails.append((envelope.original_content or b"").decode())
        return "250 kept"


def let_in(_server: Any, _session: Any, _envelope: Any, mechanism: str, data: Any) -> AuthResult:
    """Let in who knows the secret."""
    return AuthResult(success=isinstance(data, LoginPassword) and data.password == SECRET.encode())


@pytest.fixture(scope="module")
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    controller = Controller(
        box, "127.0.0.1", port=free_port(), authenticator=let_in, auth_require_tls=False, auth_required=True
    )
    controller.start()
    yield box, controller.port
    controller.stop()


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The month's folder, without the file that comes late, which lies in `late`."""
    folder = tmp_path_factory.mktemp("month")
    write_month(folder)
    late(folder).rename(folder / "late")
    return folder


def late(folder: Path) -> Path:
    """Where the late file belongs."""
    return folder / "logs" / LATE[0] / f"mail.log-{LATE[1]}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, month: Path, mailbox: tuple[Mailbox, int]) -> Iterator[Deployed]:
    settings = {
        # A dead scheduler is noticed after ten seconds, and its tasks are taken over after five more.
        "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "2",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
        "AIRFLOW_CONN_SMTP_DEFAULT": (
            f"smtp://mailtoll:{SECRET}@127.0.0.1:{mailbox[1]}/?disable_ssl=true&disable_tls=true"
        ),
        "MAILTOLL_OWNER": OWNER,
        "MAILTOLL_DEADLINE_MEASURE_IMPACT": "10",  # a run that is hit twice takes longer
        "MAILTOLL_RETRY_SECONDS": "1",
        "MAILTOLL_STANDBY": str(month / "standby"),
        "MAILTOLL_STANDBY_SCHEDULE": "@daily",
    }
    folder = tmp_path_factory.mktemp("site")
    with deployed(folder, SECRET, settings) as running:
        while len(running.airflow.ask("/dags")["dags"]) < 7:
            time.sleep(0.5)
        yield running
    assert processes_of(running.airflow.home) == [], "Airflow left processes behind"


@pytest.fixture(scope="module")
def airflow(site: Deployed) -> LocalAirflow:
    return site.airflow


@pytest.fixture(scope="module")
def scheduled(site: Deployed) -> dict[str, Any]:
    """The run that the scheduler started by itself for the page's incident, when it is published; no other follows."""
    deadline = in_time(400)
    (run,) = wait_for(site.airflow, "refresh_incidents", 1, deadline)[:1]
    site.airflow.ask("/dags/refresh_incidents", {"is_paused": True}, "PATCH")
    wait_for(site.airflow, "publish_reports", 1, deadline)
    return run


def test_a_clone_becomes_a_scheduled_run_on_ones_own_sftp_and_postgresql(
    site: Deployed, scheduled: dict[str, Any], tmp_path: Path
) -> None:
    run_incident(tiny.write(tmp_path / "in"), tmp_path / "plain", lambda step: None)
    assert (scheduled["run_type"], scheduled["state"]) == ("scheduled", "success")
    impact = json.loads((site.data / "runs/tiny/impact.json").read_text())
    plain = json.loads((tmp_path / "plain/impact.json").read_text())
    for part in ("status", "headline", "cells", "deliveries", "lines"):
        assert impact[part] == plain[part], part
    assert {urlsplit(file["uri"]).scheme for file in impact["inputs"]} >= {"sftp"}
    said = site.shell(site.look)
    assert "success" in said
    assert "publish_reports" in said


def test_raw_logs_age_out_by_the_policy_of_the_page(site: Deployed, scheduled: dict[str, Any]) -> None:
    run = site.data / "runs/tiny"
    for days, is_there in ((89, True), (91, False)):
        published = time.time() - days * 86_400
        os.utime(run / "impact.json", (published, published))
        site.airflow.trigger("apply_retention")
        ended = wait_for(site.airflow, "apply_retention", 1 if is_there else 2, in_time(120), "&run_type=manual")
        assert ended[-1]["state"] == "success"
        assert (run / "warehouse/raw").exists() == is_there
    assert "raw logs" in (run / "retention.json").read_text()
    assert (run / "report.html").exists()


def in_time(seconds: float) -> float:
    """Return the moment until which to wait."""
    return time.monotonic() + seconds


def running_task(server: LocalAirflow, dag_id: str, deadline: float) -> dict[str, Any]:
    """Wait until a task of the newest run of a DAG is at work; return it."""
    while time.monotonic() < deadline:
        tasks = server.ask(f"/dags/{dag_id}/dagRuns/~/taskInstances?state=running")["task_instances"]
        if tasks and tasks[0]["pid"]:
            return dict(tasks[0])
        time.sleep(0.1)
    raise AssertionError(f"no task of {dag_id} was at work")


def test_a_killed_worker_and_a_restarted_scheduler_end_in_one_publication(
    site: Deployed, scheduled: dict[str, Any], demo_incident: Path, tmp_path: Path
) -> None:
    airflow, deadline, out = site.airflow, in_time(400), site.data / "runs" / "officemail-lab"
    since = f"&run_after_gte={datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    for dag_id in ("ingest_mail_logs", "ingest_customer_records"):
        airflow.trigger(dag_id, incident=str(demo_incident))

    hit = running_task(airflow, "measure_impact", deadline)
    os.kill(hit["pid"], signal.SIGKILL)
    while running_task(airflow, "measure_impact", deadline)["task_id"] == hit["task_id"]:
        time.sleep(0.1)
    airflow.kill_component("scheduler")
    airflow.start_component("scheduler")

    (published,) = wait_for(airflow, "publish_reports", 1, deadline, since)
    assert published["state"] == "success"
    events = [e for e in airflow.ask("/assets/events")["asset_events"] if e["name"] == "report"]
    assert len([event for event in events if event["extra"]["out"] == str(out)]) == 1
    assert len(json.loads((out / "vintages.json").read_text())["vintages"]) == 1
    tries = airflow.ask(f"/dags/measure_impact/dagRuns/~/taskInstances?limit=100{since}")["task_instances"]
    assert sum(task["try_number"] > 1 for task in tries) >= 1, "nothing was tried again: nothing was hit"
    assert airflow.ask(f"/dags/publish_reports/dagRuns?limit=100{since}")["total_entries"] == 1
    run_incident(demo_incident, tmp_path, lambda step: None)
    assert (out / "impact.json").read_bytes() == (tmp_path / "impact.json").read_bytes()


def test_a_month_fetched_in_random_order_and_a_late_file_give_the_figures_of_one_run(
    site: Deployed, month: Path
) -> None:
    """Most days are started one by one, the last ones by the backfill command of docs/operations.md."""
    airflow, deadline = site.airflow, in_time(600)
    command = re.findall(r"^    (airflow backfill create .+)$", OPERATIONS, re.MULTILINE)
    assert len(command) == 1
    first = datetime.fromisoformat("2020-03-01T12:00:00Z")
    days = [first + timedelta(days=n) for n in range(DAYS - BACKFILLED)]
    random.Random(1).shuffle(days)
    for number, day in enumerate(days):
        ended(airflow, number - 5, deadline)
        fetch(airflow, day)
        if number == DAYS // 2:
            site.shell(command[0].replace("airflow", ".venv/bin/airflow", 1))
    assert {run["state"] for run in ended(airflow, DAYS, deadline)} == {"success"}
    by_backfill = airflow.ask("/dags/standby_ingest/dagRuns?run_type=backfill")
    assert by_backfill["total_entries"] == BACKFILLED
    before = parsed(month)
    assert len(before) == DAYS * HOSTS - 1

    (month / "late").rename(late(month))
    fetch(airflow, datetime.fromisoformat(f"{LATE[1]}T13:00:00Z"))
    assert {run["state"] for run in ended(airflow, DAYS + 1, deadline)} == {"success"}
    after = parsed(month)
    assert len(after) == DAYS * HOSTS
    assert before.items() <= after.items(), "more than the late file was parsed"

    by_itself, from_store = month / "by-itself", month / "from-store"
    run_incident(month / "incident.yaml", by_itself, lambda step: None)
    run_incident(month / "from-store.yaml", from_store, lambda step: None)
    one, other = (json.loads((out / "impact.json").read_text()) for out in (by_itself, from_store))
    for part in ("status", "window", "headline", "cells", "deliveries", "lines"):
        assert other[part] == one[part], part
    assert one["headline"]["measured"] > 0


def ended(server: LocalAirflow, count: int, deadline: float) -> list[dict[str, Any]]:
    """Wait until so many runs for days of the month have ended; the scheduler may start one for today by itself."""
    return wait_for(server, "standby_ingest", count, deadline, "&logical_date_lte=2020-12-31T00:00:00Z")


def fetch(server: LocalAirflow, at: datetime) -> None:
    """Start the standby run of one instant."""
    server.ask("/dags/standby_ingest/dagRuns", {"logical_date": at.isoformat()})


def parsed(month: Path) -> dict[str, int]:
    """When each file was parsed."""
    return {path.stem: path.stat().st_mtime_ns for path in (month / "store/warehouse/parsed").glob("*.json")}


def test_the_owner_hears_of_a_failure_and_of_a_late_run_and_of_nobody_else(
    airflow: LocalAirflow, mailbox: tuple[Mailbox, int], tmp_path: Path
) -> None:
    deadline = in_time(150)
    airflow.trigger("ingest_mail_logs", incident=str(tmp_path / "absent.yaml"))
    subjects: set[str] = set()
    wanted = {"mailtoll: ingest_mail_logs, choose_run failed", "mailtoll: measure_impact is late"}
    while not wanted <= subjects:
        assert time.monotonic() < deadline, subjects
        subjects = {line[9:] for mail in mailbox[0].mails for line in mail.splitlines() if line.startswith("Subject: ")}
        time.sleep(0.5)
    failed = next(mail for mail in mailbox[0].mails if "choose_run failed" in mail)
    assert "absent.yaml" not in failed, "what went wrong may quote an address"


def test_no_secret_is_in_logs_database_or_run_folders(site: Deployed, month: Path) -> None:
    """The passwords of SMTP, Airflow's database and the records were used above; they are in airflow.env alone."""
    airflow = site.airflow
    kept = [path for root in (airflow.home, site.data, month) for path in root.rglob("*") if path.is_file()]
    assert any(path.is_relative_to(airflow.home / "pg") for path in kept)
    assert [path for path in kept if SECRET.encode() in path.read_bytes()] == []
    logs = "".join(path.read_text(errors="replace") for path in (airflow.home / "logs").rglob("*.log"))
    assert "step_done" in logs
    assert "@officemail" not in logs
