"""What the DAGs share: the name of a run, its folder, and the facts of an asset event."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from sources.connections import find_connection
from sources.errors import BadInput, SourceAway
from tests.mailtoll import tiny


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """`dags.runs`, imported with an Airflow home that is not the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        import dags.runs

        yield dags.runs


def a_run(incident: str = "/data/flood.yaml", out: str = "/runs/flood") -> dict[str, str]:
    return {"incident": incident, "out": out}


def test_a_run_has_one_partition_and_other_runs_have_others(runs: ModuleType) -> None:
    names = [
        runs.partition_of(run)
        for run in (a_run(), a_run(incident="/data/other.yaml"), a_run(out="/elsewhere/flood"), a_run())
    ]
    assert names[0] == names[3]
    assert len(set(names)) == 3
    assert all(name.startswith("flood-") for name in names)


def test_a_task_lends_its_step_the_connections_that_the_incident_names(
    runs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that this Airflow has; of others the step itself says what to set."""
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    def kept(name: str) -> Connection:
        if name == "crm":
            return Connection(
                conn_id="crm",
                conn_type="postgres",
                host="crm.example.com",
                password="p/%",
                extra='{"sslmode": "require"}',
            )
        raise AirflowNotFoundException(name)

    monkeypatch.setattr(runs.Connection, "get", kept)
    monkeypatch.setenv("AIRFLOW_CONN_CRM", "")
    monkeypatch.delenv("AIRFLOW_CONN_MX_LOGS", raising=False)
    sources = (
        'logs: [{uri: "sftp://mx/mail.log", connection: mx_logs}]\ncustomers: {connection: crm, table: mailboxes}\n'
    )
    incident = tiny.INCIDENT.replace('logs: [{uri: "*.log", format: postfix}]\n', "")
    (tmp_path / "incident.yaml").write_text(incident.replace("customers: {uri: customers.csv}\n", sources))
    runs.lend_connections(a_run(str(tmp_path / "incident.yaml")))
    found = find_connection("crm", "customers.connection", "incident.yaml")
    assert (found.kind, found.host, found.password, found.extra) == (
        "postgres", "crm.example.com", "p/%", {"sslmode": "require"}
    )  # fmt: skip
    assert "AIRFLOW_CONN_MX_LOGS" not in os.environ


def test_only_a_source_that_is_away_is_tried_again(runs: ModuleType) -> None:
    policy = runs.DEFAULTS["retry_policy"]
    ends = [policy.evaluate(error("says why"), 1, 3).action.value for error in (SourceAway, BadInput, OSError)]
    assert ends == ["default", "fail", "default"]


def test_a_partition_fits_airflows_250_characters(runs: ModuleType) -> None:
    assert len(runs.partition_of(a_run(out="/runs/" + "x" * 255))) <= 250


def test_paths_that_only_together_are_alike_are_two_runs(runs: ModuleType) -> None:
    assert runs.partition_of(a_run("/a", "/b/c")) != runs.partition_of(a_run("/a/b", "/c"))


def test_the_run_folder_is_named_after_the_incident(
    runs: ModuleType, demo_incident: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILTOLL_OUT", str(tmp_path))
    assert runs.folder_for(demo_incident) == tmp_path / "officemail-lab"
    monkeypatch.delenv("MAILTOLL_OUT")
    assert runs.folder_for(demo_incident) == demo_incident.parents[2] / "build" / "officemail-lab"


def test_counts_of_several_files_add_up_in_any_order(runs: ModuleType) -> None:
    parts = [
        {"source_id": "a1", "events": 3, "parsed": 2, "quarantined": 0, "digest": "aa"},
        {"source_id": "b2", "events": 4, "parsed": 4, "quarantined": 1, "digest": "bb"},
    ]
    total = runs.summed(parts)
    assert {key: total[key] for key in total if key != "digest"} == {
        "files": 2,
        "events": 7,
        "parsed": 6,
        "quarantined": 1,
    }
    assert runs.summed(parts[::-1]) == total
    assert runs.summed([parts[0], {**parts[1], "digest": "bc"}])["digest"] != total["digest"]


def test_no_file_adds_up_to_nothing(runs: ModuleType) -> None:
    assert runs.summed([])["files"] == 0
