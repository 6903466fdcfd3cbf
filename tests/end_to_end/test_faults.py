"""The twelve faults: where each is injected, and here those that no other test injects.

Each ends in the figures of an undisturbed run once it is over, or in an honest refusal.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailtoll.steps import run_incident
from sources.errors import BadInput
from sources.store import Listed
from sources.store_folder import Folder
from tests.mailtoll import tiny

PROJECT = Path(__file__).resolve().parents[2]
SHOWN_IN = {
    "kill -9 in every step": "end_to_end/test_killed_runs.py::test_a_killed_run_started_again_publishes_the_same",
    "kill -9 in publication and in what goes out": "end_to_end/test_killed_while_publishing.py::test_killed_anywhere",
    "disk full": "end_to_end/test_faults.py::test_a_full_disk",
    "truncated gz": "end_to_end/test_rotated_logs.py::test_an_archive_that_stays_cut_off_is_told_and_refused",
    "binary junk": "end_to_end/test_faults.py::test_binary_junk",
    "file that vanishes while pulled": "end_to_end/test_faults.py::test_a_file_that_vanishes",
    "same file twice under two names": "end_to_end/test_rotated_logs.py::test_the_figures_are_those_of_the_whole_log",
    "overlapping rotation": "end_to_end/test_rotated_logs.py::test_the_figures_are_those_of_the_whole_log",
    "clock step": "end_to_end/test_faults.py::test_a_clock_that_is_set_back",
    "repeated hour of daylight saving": (
        "end_to_end/test_simulated_outages.py::test_every_cell_and_outcome_is_the_truth"
    ),
    "database down and back": (
        "end_to_end/test_own_servers.py::test_every_step_of_the_page_works_and_gives_the_figures"
    ),
    "SFTP cut mid-file": "sources/test_stores.py::test_sftp_cut_in_the_middle_of_a_file_goes_on_from_there",
    "two runs of one incident at once": "end_to_end/test_faults.py::test_two_runs_at_once",
}


def command(incident: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "mailtoll", "run", str(incident), "--out", str(out)]


def run(incident: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(incident, out), cwd=PROJECT, capture_output=True, text=True, check=False)


def figures(out: Path) -> dict[str, Any]:
    """What is counted; not the lines read, which junk adds to."""
    impact = json.loads((out / "impact.json").read_text(encoding="utf-8"))
    return {part: impact[part] for part in ("status", "headline", "cells", "deliveries")}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("undisturbed")
    done = run(tiny.write(folder / "in"), folder / "out")
    assert done.returncode == 0, done.stderr
    return figures(folder / "out")


@pytest.mark.parametrize(("fault", "place"), SHOWN_IN.items(), ids=list(SHOWN_IN))
def test_each_fault_has_its_test(fault: str, place: str) -> None:
    file, _, name = place.partition("::")
    assert re.search(rf"^def {name}\w*\(", (PROJECT / "tests" / file).read_text(), re.MULTILINE), fault


def can_mount() -> bool:
    """Say whether this user may mount a file system of its own."""
    if not shutil.which("unshare"):
        return False
    done = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.skipif(not can_mount(), reason="only root may mount a small disk")
@pytest.mark.parametrize("size", ["200k", "700k"])
def test_a_full_disk_ends_in_one_sentence_and_with_room_in_the_same_figures(
    tmp_path: Path, undisturbed: dict[str, Any], size: str
) -> None:
    """200k are full while tables are written, 700k while the reports are."""
    incident, disk = tiny.write(tmp_path / "in"), tmp_path / "disk"
    disk.mkdir()
    script = """
        mount -t tmpfs -o size=$SIZE tmpfs "$DISK" || exit 99
        "$@" 2>"$KEEP/full.err"; echo $? >"$KEEP/full.rc"
        cp "$DISK/out/impact.json" "$KEEP/full.json" 2>/dev/null
        mount -o remount,size=100m "$DISK"
        "$@" 2>"$KEEP/again.err"; echo $? >"$KEEP/again.rc"
        cp "$DISK/out/impact.json" "$KEEP/"
        find "$DISK/out/warehouse" -name '.*.????????' >"$KEEP/left"
    """
    environment = {**os.environ, "SIZE": size, "DISK": str(disk), "KEEP": str(tmp_path)}
    words = ["unshare", "-m", "sh", "-c", script, "sh", *command(incident, disk / "out")]
    subprocess.run(words, cwd=PROJECT, env=environment, check=True, timeout=200)
    assert (tmp_path / "full.rc").read_text() == "2\n"
    last = (tmp_path / "full.err").read_text().splitlines()[-1]
    assert re.fullmatch(r"mailtoll: .*No space left on device; make the place usable and run again\.", last)
    assert "Traceback" not in (tmp_path / "full.err").read_text()
    assert not (tmp_path / "full.json").exists()
    assert (tmp_path / "again.rc").read_text() == "0\n", (tmp_path / "again.err").read_text()
    assert figures(tmp_path) == undisturbed
    assert (tmp_path / "left").read_text() == ""


def test_binary_junk_is_set_aside_and_changes_no_figure_or_is_refused(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    incident = tiny.write(tmp_path / "in")
    junk = bytes(range(256)) * 4
    with (tmp_path / "in" / "day1.log").open("ab") as log:
        log.write(junk)
    done = run(incident, tmp_path / "out")
    impact = json.loads((tmp_path / "out" / "impact.json").read_text(encoding="utf-8"))
    assert impact["lines"]["quarantined"] > 0
    assert impact["lines"]["read"] == sum(impact["lines"][fate] for fate in ("parsed", "ignored", "quarantined"))
    if done.returncode == 0:
        assert figures(tmp_path / "out") == undisturbed
    else:
        assert (done.returncode, impact["status"]) == (3, "refused")
        assert not impact.get("cells")


def test_a_clock_that_is_set_back_is_refused_and_lines_with_the_right_time_give_the_same_figures(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    incident, out = tiny.write(tmp_path / "in"), tmp_path / "out"
    log = tmp_path / "in" / "day1.log"
    right = sorted(log.read_text(encoding="utf-8").splitlines(keepends=True), key=lambda line: line[:32])
    step = next(n for n, line in enumerate(right) if "FF0001" in line) + 1  # while a message is on its way
    stamped = [
        (datetime.fromisoformat(line[:32]) - timedelta(minutes=15 * (n >= step)), line[32:])
        for n, line in enumerate(right)
    ]
    wrong = [f"{at:%Y-%m-%dT%H:%M:%S.000000+00:00}{rest}" for at, rest in stamped]
    log.write_text("".join(wrong), encoding="utf-8")
    assert run(incident, out).returncode == 3
    impact = json.loads((out / "impact.json").read_text(encoding="utf-8"))
    assert "The clock was set back: mx1 by 15 minutes" in " ".join(impact["reasons"])
    assert not impact.get("cells")

    log.write_text("".join(right), encoding="utf-8")
    assert run(incident, out).returncode == 0
    assert figures(out) == undisturbed


def test_a_file_that_vanishes_while_it_is_pulled_ends_in_one_sentence_and_back_in_the_same_figures(
    tmp_path: Path, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = tiny.write(
        tmp_path / "in", incident=tiny.INCIDENT.replace("format: postfix", "format: postfix, follow: true")
    )
    log, listed = tmp_path / "in" / "day1.log", Folder.files
    content = log.read_bytes()

    def then_gone(self: Folder) -> list[Listed]:
        found = listed(self)
        log.unlink(missing_ok=True)
        return found or [Listed(str(log), "day1.log", len(content))]

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "files", then_gone)
        with pytest.raises(BadInput, match=r"'day1\.log' vanished while it was read; run again"):
            run_incident(incident, tmp_path / "out", lambda _: None)
    assert not (tmp_path / "out" / "impact.json").exists()
    log.write_bytes(content)
    assert run(incident, tmp_path / "out").returncode == 0
    assert figures(tmp_path / "out") == undisturbed


def test_two_runs_at_once_one_is_told_and_the_other_is_right(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    incident, out = tiny.write(tmp_path / "in"), tmp_path / "out"
    both = [
        subprocess.Popen(command(incident, out), cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    words = [process.communicate()[1].decode() for process in both]
    ends = {process.returncode: said for process, said in zip(both, words, strict=True)}
    assert sorted(ends) == [0, 2]
    assert "another run works in this folder; wait until it has ended" in ends[2]
    assert figures(out) == undisturbed
