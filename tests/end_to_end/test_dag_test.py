"""The DAGs, run with `dag.test()`, publish what the command line publishes; running them again changes nothing."""

import json
import lzma
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def run_dags(project: Path, incident: Path, out: Path, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.run_dags", str(incident), "--out", str(out), "--home", str(home)]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def by_command_line(demo_incident: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """impact.json as the command line publishes it."""
    out = tmp_path_factory.mktemp("command_line")
    command = [sys.executable, "-m", "mailtoll", "run", str(demo_incident), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return (out / "impact.json").read_bytes()


def test_dags_publish_the_same_figures_twice(
    project: Path, demo_incident: Path, tmp_path: Path, by_command_line: bytes
) -> None:
    out, home = tmp_path / "out", tmp_path / "home"
    for _ in range(2):
        done = run_dags(project, demo_incident, out, home)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("success") == 4
        assert str(out / "report.html") in done.stdout
        assert (out / "impact.json").read_bytes() == by_command_line
    assert (out / "report.html").stat().st_size > 10_000


def test_a_refused_run_ends_red_with_its_refusal_written(project: Path, demo_incident: Path, tmp_path: Path) -> None:
    flood = demo_incident.parent
    with lzma.open(flood / "mail.log.xz", "rt") as log:
        lines = log.readlines()
    torn = "m>, relay=none, delay=3.1, status=deferr\n"
    (tmp_path / "mail.log").write_text("".join(lines) + torn * (len(lines) // 10))
    for name in ("mail.log.1.gz", "queue.json", "customers.csv", "incident.yaml"):
        shutil.copy(flood / name, tmp_path)

    done = run_dags(project, tmp_path / "incident.yaml", tmp_path / "out", tmp_path / "home")

    assert done.returncode == 3, done.stdout + done.stderr
    ends = dict(line.split()[:2] for line in done.stdout.splitlines()[:4])
    assert ends == {
        "ingest_mail_logs": "success",
        "ingest_customer_records": "success",
        "measure_impact": "success",
        "publish_reports": "failed",
    }
    assert not (tmp_path / "out" / "warehouse" / "deliveries.parquet").exists(), "a gate refused, and it was counted"
    impact = json.loads((tmp_path / "out" / "impact.json").read_text())
    assert impact["status"] == "refused"
    assert not impact.get("headline")
    assert not impact.get("cells")
    assert str(tmp_path / "out" / "report.html") in done.stdout
    assert "Refused: " in (tmp_path / "home" / "run.log").read_text()


def test_bad_input_fails_the_first_task_and_publishes_nothing(project: Path, tmp_path: Path) -> None:
    done = run_dags(project, tmp_path / "absent.yaml", tmp_path / "out", tmp_path / "home")
    assert done.returncode == 2
    assert "ingest_mail_logs failed" in done.stderr
    assert f"{tmp_path / 'absent.yaml'}" in done.stderr
    assert not (tmp_path / "out" / "impact.json").exists()
