"""DAG files parse without errors, quickly, and show the flow of the house."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end import parse_dags
from tools.local_airflow import environment

SECONDS_PER_FILE = 2.0


OF_A_RUN = ["ingest_customer_records", "ingest_mail_logs", "measure_impact", "publish_reports"]
AROUND = ["apply_retention", "refresh_incidents", "standby_ingest"]
DAGS = sorted(OF_A_RUN + AROUND)


@pytest.fixture(scope="module", params=["dags", "."], ids=["dags folder", "whole checkout"])
def parsed(project: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What came of parsing, with `dags_folder` at dags/ and at the checkout itself."""
    home = tmp_path_factory.mktemp("airflow")
    described = home / "described.json"
    command = [sys.executable, str(parse_dags.__file__), str(project / request.param), str(described)]
    env = {**os.environ, **environment(home)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(described.read_text()))


def of_a_run(parsed: dict[str, Any]) -> dict[str, Any]:
    """The DAGs that a run passes through."""
    return {dag_id: parsed["dags"][dag_id] for dag_id in OF_A_RUN}


def test_no_import_errors(parsed: dict[str, Any]) -> None:
    assert parsed["errors"] == {}
    assert sorted(parsed["dags"]) == DAGS


def test_only_dag_files_are_parsed_each_within_two_seconds(parsed: dict[str, Any]) -> None:
    assert sorted(Path(file).stem for file in parsed["seconds"]) == DAGS
    slow = {file: seconds for file, seconds in parsed["seconds"].items() if seconds >= SECONDS_PER_FILE}
    assert slow == {}


def test_parsing_imports_nothing_heavy(parsed: dict[str, Any]) -> None:
    assert parsed["heavy"] == []


def test_assets_tie_the_dags_together(parsed: dict[str, Any]) -> None:
    ties = {dag_id: (dag["waits_for"], dag["makes"]) for dag_id, dag in of_a_run(parsed).items()}
    assert ties == {
        "ingest_mail_logs": ([], ["mail_log_events"]),
        "ingest_customer_records": ([], ["customer_records"]),
        "measure_impact": (["customer_records", "mail_log_events"], ["impact"]),
        "publish_reports": (["impact"], ["report"]),
    }


def test_tasks_stand_in_the_order_of_the_steps(parsed: dict[str, Any]) -> None:
    assert {dag_id: dag["tasks"] for dag_id, dag in of_a_run(parsed).items()} == {
        "ingest_mail_logs": ["choose_run", "pull_logs", "parse_log", "logs_ready"],
        "ingest_customer_records": ["choose_run", "pull_customer_records", "records_ready"],
        "measure_impact": [
            "choose_run",
            "check_inputs",
            "may_count",
            "stitch",
            "count",
            "recount",
            "check_impact",
            "impact_ready",
        ],
        "publish_reports": [
            "choose_run",
            "publish",
            "export",
            "ask",
            "is_approval_wanted",
            "approve",
            "put_on_site",
            "report_ready",
            "send",
        ],
    }


def test_the_impact_is_announced_even_when_a_gate_stopped_the_counting(parsed: dict[str, Any]) -> None:
    arrows = parsed["dags"]["measure_impact"]["arrows"]
    assert ["may_count", "stitch"] in arrows
    assert ["check_inputs", "impact_ready"] in arrows


def test_each_log_file_is_a_task_of_its_own(parsed: dict[str, Any]) -> None:
    assert parsed["dags"]["ingest_mail_logs"]["mapped"] == ["parse_log"]


@pytest.mark.parametrize("dag_id", OF_A_RUN)
def test_a_manual_run_asks_for_incident_and_folder(parsed: dict[str, Any], dag_id: str) -> None:
    dag = parsed["dags"][dag_id]
    types = {name: schema["type"] for name, schema in dag["params"].items()}
    assert types == {"incident": "string", "out": ["null", "string"]}
    assert [schema["title"] for schema in dag["params"].values()] == ["Incident file", "Run folder"]
    assert len(dag["doc"]) > 100


@pytest.mark.parametrize("dag_id", DAGS)
def test_every_dag_tells_what_it_is_for(parsed: dict[str, Any], dag_id: str) -> None:
    assert len(parsed["dags"][dag_id]["doc"]) > 100


def test_one_task_per_standby_file_and_one_run_per_incident(parsed: dict[str, Any]) -> None:
    assert parsed["dags"]["standby_ingest"]["mapped"] == ["pull_and_parse"]
    assert sorted(parsed["dags"]["refresh_incidents"]["mapped"]) == [
        "start_ingest_customer_records",
        "start_ingest_mail_logs",
    ]


def test_every_pool_that_a_task_asks_for_is_deployed(project: Path, parsed: dict[str, Any]) -> None:
    pools = json.loads((project / "deploy" / "pools.json").read_text())
    asked = {pool for dag in parsed["dags"].values() for pool in dag["pools"]} - {"default_pool"}
    assert asked == set(pools) == {"mailtoll_sources", "mailtoll_counting"}
