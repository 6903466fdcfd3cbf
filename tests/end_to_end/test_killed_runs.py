"""A run that is killed, wherever it is, and started again publishes what an undisturbed run publishes.

The same folder is killed at every point in flow order, so that each later run meets what the killed one left.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

# What appears in the run's folder as the steps go; the run is killed the moment it sees the light of day.
KILL_AT = (
    "warehouse/raw/*/*",
    "warehouse/pulled.parquet",
    "warehouse/events/*.parquet",
    "warehouse/customer_records.parquet",
    "warehouse/gates_on_inputs.parquet",
    "warehouse/deliveries.parquet",
    "warehouse/cells.parquet",
    "warehouse/recounted.parquet",
    "warehouse/gates_on_impact.parquet",
    "report.html",
)


def start(incident: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mailtoll", "run", str(incident), "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def run(incident: Path, out: Path) -> None:
    process = start(incident, out)
    _, words = process.communicate()
    assert process.returncode == 0, words.decode()


def kill_when(out: Path, pattern: str, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Kill a run as soon as a file of its own (newer than its start) matches the pattern."""
    began, deadline = time.time(), time.monotonic() + seconds
    while not any(path.stat().st_mtime > began - 0.1 for path in out.glob(pattern)):
        assert process.poll() is None, f"the run ended before {pattern} appeared"
        assert time.monotonic() < deadline, f"{pattern} did not appear"
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def undisturbed(demo_incident: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed")
    run(demo_incident, out)
    return out


def names(folder: Path) -> set[str]:
    """Return the files of an answer: not receipts (hidden), nor what tells of the running (manifest and records)."""
    files = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    is_aside = {path for path in files if path.name == "manifest.json" or path.parent.name == "steps"}
    return {str(path) for path in files - is_aside if not any(part.startswith(".") for part in path.parts)}


def test_a_killed_run_started_again_publishes_the_same(demo_incident: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for pattern in KILL_AT:
        kill_when(out, pattern, start(demo_incident, out))
        if (out / "impact.json").exists():
            json.loads((out / "impact.json").read_text())  # whole, or not there

    run(demo_incident, out)

    assert (out / "impact.json").read_bytes() == (undisturbed / "impact.json").read_bytes()
    for name in ("deliveries.parquet", "accounts.parquet", "quarantine.parquet"):
        assert_frame_equal(pl.read_parquet(out / name), pl.read_parquet(undisturbed / name))
    assert names(out) == names(undisturbed)
    assert [path.name for path in (out / "warehouse").glob("*/.*.*")] == [], "a killed writer's file was not swept"


def test_a_finished_run_started_again_changes_nothing(demo_incident: Path, undisturbed: Path) -> None:
    before = {name: (undisturbed / name).read_bytes() for name in names(undisturbed)}
    run(demo_incident, undisturbed)
    after = {name: (undisturbed / name).read_bytes() for name in names(undisturbed)}
    assert sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)) == []
