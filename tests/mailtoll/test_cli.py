"""The command line: what it prints and the status it ends with. The steps behind it are stood in for here."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mailtoll.cli import main
from sources.errors import BadInput

CELL = {
    "unit": "account",
    "threshold_seconds": 3600,
    "messages": "excluding_bulk",
    "count": "late",
    "segment": "all",
    "measured": 15110,
    "lower": 15110,
    "upper": 15397,
    "baseline": 402.5,
}
INCIDENT = str(Path(__file__).parents[2] / "incidents/officemail-lab/incident.yaml")


@dataclass
class Result:
    """What a run of the steps answers."""

    status: str = "published"
    headline: dict[str, Any] | None = None
    reasons: list[str] = field(default_factory=list)
    paths: dict[str, Path] = field(default_factory=dict)
    change: str = ""
    count: str = "20301203T000000Z"


class Steps:
    """Stands in for the steps: remembers how they were called, and answers what the test says."""

    def __init__(self) -> None:
        self.result: Result = Result(headline=CELL, paths={"report": Path("out/report.html")})
        self.error: BaseException | None = None
        self.calls: list[tuple[Path, Path]] = []

    def __call__(self, incident_path: Path, out: Path, progress: Callable[[str], None]) -> Result:
        self.calls.append((incident_path, out))
        progress("pull logs [2 files]")
        if self.error:
            raise self.error
        return self.result


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    stand_in = Steps()
    module = ModuleType("mailtoll.steps")
    module.run_incident = module.check_incident = stand_in  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mailtoll.steps", module)
    return stand_in


def test_a_published_run_prints_headline_bounds_and_paths(steps: Steps, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", INCIDENT, "--out", "out"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "15,110 accounts late by 1h or more, bulk mail left out"
        " (at least 15,110, up to 15,397; 402.5 in an ordinary window)",
        "  report  out/report.html",
    ]
    assert said.err == "mailtoll: pull logs [2 files]\n"
    assert steps.calls == [(Path(INCIDENT), Path("out"))]


def test_results_go_to_build_unless_said_otherwise(steps: Steps) -> None:
    assert main(["run", INCIDENT]) == 0
    assert main(["check", INCIDENT]) == 0
    assert [out for _, out in steps.calls] == [Path("build/officemail-lab")] * 2


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_refusal_prints_reasons_and_page(steps: Steps, capsys: pytest.CaptureFixture[str], command: str) -> None:
    steps.result = Result("refused", None, ["mx1 is silent for 3 h"], {"refusal": Path("out/refusal.html")})
    assert main([command, INCIDENT, "--out", "out"]) == 3
    said = capsys.readouterr().out
    assert "  - mx1 is silent for 3 h\n" in said
    assert "out/refusal.html" in said
    assert "15,110" not in said


def test_a_check_that_passes_says_what_it_warns_of(steps: Steps, capsys: pytest.CaptureFixture[str]) -> None:
    steps.result = Result("passed", None, ["unmatched 2 %"])
    assert main(["check", INCIDENT]) == 0
    assert capsys.readouterr().out == "All quality gates passed.\n  warning: unmatched 2 %\n"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (BadInput("incident.yaml, line 3: no."), "mailtoll: incident.yaml, line 3: no.\n"),
        (
            OSError(28, "No space left on device", "out/a"),
            "mailtoll: out/a: No space left on device; make the place usable and run again.\n",
        ),
    ],
)
def test_bad_input_is_one_sentence(
    steps: Steps, capsys: pytest.CaptureFixture[str], error: Exception, says: str
) -> None:
    steps.error = error
    assert main(["run", INCIDENT]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith("\n" + says)


def test_a_defect_of_ours_is_not_called_bad_input(steps: Steps) -> None:
    steps.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        main(["run", INCIDENT])


def test_an_interrupted_run(steps: Steps, capsys: pytest.CaptureFixture[str]) -> None:
    steps.error = KeyboardInterrupt()
    assert main(["run", INCIDENT]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line", ["", "launch", "run", "run a.yaml b.yaml", "run a.yaml --fast", "explain out", "run none.yaml", "run ."]
)
def test_a_command_line_that_makes_no_sense(capsys: pytest.CaptureFixture[str], steps: Steps, line: str) -> None:
    assert main(line.split()) == 2
    said = capsys.readouterr()
    assert said.err.startswith("mailtoll: ")
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert steps.calls == []


def test_out_must_be_a_folder(tmp_path: Path, steps: Steps, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["run", INCIDENT, "--out", str(tmp_path / "file")]) == 2
    assert "is a file; name a folder" in capsys.readouterr().err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(command in said for command in ("run", "check", "explain"))


def test_explain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    module = ModuleType("mailtoll.explain")
    module.explain = lambda folder, subject: f"{subject} in {folder.name}"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mailtoll.explain", module)
    assert main(["explain", str(tmp_path), "A1"]) == 0
    assert capsys.readouterr().out == f"A1 in {tmp_path.name}\n"
    assert main(["explain", str(tmp_path / "none"), "A1"]) == 2
    assert "give the --out folder of a finished run" in capsys.readouterr().err


def test_as_a_program_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mailtoll", "run", str(tmp_path / "none.yaml")]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == f"mailtoll: {tmp_path / 'none.yaml'} does not exist; give the path of an incident file.\n"
