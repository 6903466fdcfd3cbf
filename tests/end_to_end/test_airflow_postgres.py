"""Airflow as it is deployed: scheduler, LocalExecutor and API server on PostgreSQL, and an SMTP server for the owner.

A worker and the scheduler are killed in the middle of a run; a month is fetched day by day in random order; a run fails
and is late. One session serves all, as it takes half a minute to come up.
"""

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from mailtoll.steps import run_incident
from tests.end_to_end.month import DAYS, HOSTS, write_month
from tests.end_to_end.test_airflow_real import processes_of, wait_for
from tests.sources.servers import Postgres
from tools.local_airflow import LocalAirflow, free_port

SECRET = "planted-7f3a9c"
OWNER = "owner@operations.example"
LATE = ("mx3", "2020-03-12")
pytestmark = [pytest.mark.timeout(450), pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")]


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
def airflow(
    tmp_path_factory: pytest.TempPathFactory, month: Path, mailbox: tuple[Mailbox, int]
) -> Iterator[LocalAirflow]:
    home = tmp_path_factory.mktemp("airflow")
    database = Postgres(home / "pg")
    database.start()
    plain = database.server.get_uri()
    settings = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": plain.replace("postgresql:", "postgresql+psycopg2:"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": plain.replace("postgresql:", "postgresql+asyncpg:"),
        # A dead scheduler is noticed after ten seconds, and its tasks are taken over after five more.
        "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "2",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
        "AIRFLOW_CONN_SMTP_DEFAULT": (
            f"smtp://mailtoll:{SECRET}@127.0.0.1:{mailbox[1]}/?disable_ssl=true&disable_tls=true"
        ),
        "MAILTOLL_OWNER": OWNER,
        "MAILTOLL_DEADLINE_SECONDS": "25",  # a run that is hit twice takes longer, the others do not
        "MAILTOLL_RETRY_SECONDS": "1",
        "MAILTOLL_OUT": str(home / "runs"),
        "MAILTOLL_STANDBY": str(month / "standby"),
        "MAILTOLL_STANDBY_SCHEDULE": "",  # only when the test says so
    }
    server = LocalAirflow(home, components=("api-server", "scheduler", "dag-processor"), settings=settings)
    try:
        with server:
            while len(server.ask("/dags")["dags"]) < 7:
                time.sleep(0.5)
            yield server
        assert processes_of(home) == [], "Airflow left processes behind"
    finally:
        database.stop()


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
    airflow: LocalAirflow, demo_incident: Path, tmp_path: Path
) -> None:
    deadline, out = in_time(240), airflow.home / "runs" / "officemail-lab"
    for dag_id in ("ingest_mail_logs", "ingest_customer_records"):
        airflow.trigger(dag_id, incident=str(demo_incident))

    hit = running_task(airflow, "measure_impact", deadline)
    os.kill(hit["pid"], signal.SIGKILL)
    while running_task(airflow, "measure_impact", deadline)["task_id"] == hit["task_id"]:
        time.sleep(0.1)
    airflow.kill_component("scheduler")
    airflow.start_component("scheduler")

    (published,) = wait_for(airflow, "publish_reports", 1, deadline)
    assert published["state"] == "success"
    events = [e for e in airflow.ask("/assets/events")["asset_events"] if e["name"] == "report"]
    assert len(events) == 1
    assert len(json.loads((out / "vintages.json").read_text())["vintages"]) == 1
    tries = airflow.ask("/dags/measure_impact/dagRuns/~/taskInstances")["task_instances"]
    assert sum(task["try_number"] > 1 for task in tries) >= 1, "nothing was tried again: nothing was hit"
    assert airflow.ask("/dags/publish_reports/dagRuns")["total_entries"] == 1
    run_incident(demo_incident, tmp_path, lambda step: None)
    assert (out / "impact.json").read_bytes() == (tmp_path / "impact.json").read_bytes()


def test_a_month_fetched_in_random_order_and_a_late_file_give_the_figures_of_one_run(
    airflow: LocalAirflow, month: Path
) -> None:
    first, deadline = datetime.fromisoformat("2020-03-01T12:00:00Z"), in_time(390)
    days = [first + timedelta(days=n) for n in range(DAYS)]
    random.Random(1).shuffle(days)
    for number, day in enumerate(days):
        wait_for(airflow, "standby_ingest", number - 5, deadline)
        fetch(airflow, day)
    assert {run["state"] for run in wait_for(airflow, "standby_ingest", DAYS, deadline)} == {"success"}
    before = parsed(month)
    assert len(before) == DAYS * HOSTS - 1

    (month / "late").rename(late(month))
    fetch(airflow, datetime.fromisoformat(f"{LATE[1]}T13:00:00Z"))
    assert wait_for(airflow, "standby_ingest", DAYS + 1, deadline)[-1]["state"] == "success"
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


def test_no_secret_is_in_logs_database_or_run_folders(airflow: LocalAirflow, month: Path) -> None:
    """The password of the SMTP connection was used above; it is nowhere but in the environment."""
    kept = [path for root in (airflow.home, month) for path in root.rglob("*") if path.is_file()]
    assert any(path.is_relative_to(airflow.home / "pg") for path in kept)
    assert [path for path in kept if SECRET.encode() in path.read_bytes()] == []
    logs = "".join(path.read_text(errors="replace") for path in (airflow.home / "logs").rglob("*.log"))
    assert "step_done" in logs
    assert "@officemail" not in logs
