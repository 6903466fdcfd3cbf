"""What the README tells a reader to type works: every command in its code blocks."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
README = (PROJECT / "README.md").read_text()
COMMANDS = list(dict.fromkeys(line for block in BLOCK.findall(README) for line in block.splitlines() if line))
MAKE = [shlex.split(command)[1] for command in COMMANDS if command.startswith("make ")]
MAILTOLL = [command for command in COMMANDS if command.startswith(".venv/bin/mailtoll ")]


@pytest.fixture(scope="module")
def listed() -> dict[str, str]:
    """What plain `make` lists: targets and what they do."""
    done = subprocess.run(["make", "--no-print-directory"], cwd=PROJECT, capture_output=True, text=True, check=True)
    rows = re.findall(r"^ +make (\w+) +(.+)$", done.stdout, re.MULTILINE)
    return dict(rows)


def test_every_command_is_of_a_kind_that_is_tested_here() -> None:
    assert len(COMMANDS) >= 6
    assert sorted(COMMANDS) == sorted([f"make {target}" for target in MAKE] + MAILTOLL)


def test_make_lists_every_target_that_the_readme_names(listed: dict[str, str]) -> None:
    assert set(MAKE) <= set(listed)
    assert {"setup", "demo", "test", "check", "airflow", "bench"} <= set(listed)


@pytest.mark.parametrize("target", ["setup", "demo", "test", "check", "airflow", "bench"])
def test_make_knows_how_to_build_the_target(target: str) -> None:
    done = subprocess.run(["make", "--dry-run", target], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for script in re.findall(r"(?:^|[ @])((?:setup|tools|benchmarks)/[\w.-]+)", done.stdout):
        assert (PROJECT / script).exists(), script
    for module in re.findall(r"-m ((?:tools|benchmarks)\.\w+)", done.stdout):
        assert (PROJECT / f"{module.replace('.', '/')}.py").exists(), module


@pytest.mark.parametrize("command", MAILTOLL)
def test_the_command_line_does_what_it_says(command: str, tmp_path: Path) -> None:
    words = shlex.split(command)[1:]
    words[words.index("--out") + 1] = str(tmp_path / "out")
    done = subprocess.run(
        [sys.executable, "-m", "mailtoll", *words], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for path in re.findall(r"^ +\w+ +(/\S+)$", done.stdout, re.MULTILINE):
        assert Path(path).exists()


def test_every_page_that_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(links) >= 4
    assert [link for link in links if not (PROJECT / link).exists()] == []


def test_no_figure_was_left_to_be_measured() -> None:
    assert "MEASURE" not in README
