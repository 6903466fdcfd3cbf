"""Every library that the code imports is pinned with a reason, and nothing else is."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions

import pytest

from tests.imports import PROJECT, ROOMS, imported_modules

WORKSHOPS = ("tests", "tools", "benchmarks", "lab")
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[\w+\])?==([^\s#]+)(?:\s+# (.+))?$")
# Used without an import statement of ours: Great Expectations is loaded by name while other work goes on, frames
# become pandas for it, zones are looked up by name, PostgreSQL drivers by SQLAlchemy, the lineage provider by Airflow;
# the rest are commands and what mypy reads.
UNSEEN = {
    "requirements.txt": {"great-expectations", "pandas", "psycopg", "tzdata"},
    "requirements-dev.txt": {
        "apache-airflow-providers-openlineage",
        "asyncpg",
        "mypy",
        "psycopg2-binary",
        "ruff",
        "pytest-timeout",
        "pandas-stubs",
        "types-paramiko",
        "types-pyyaml",
        "types-requests",
    },
}


def pins(name: str) -> dict[str, str]:
    """Return the pinned packages of a requirements file with their reasons."""
    lines = [line for line in (PROJECT / name).read_text().splitlines() if line and not line.startswith("#")]
    matches = [PIN.match(line) for line in lines]
    assert all(matches), [line for line, match in zip(lines, matches, strict=True) if not match]
    return {match[1].lower(): match[3] or "" for match in matches if match}


def imported(folders: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield each distribution that a module below the folders imports, with the module's path."""
    own = {*ROOMS, *WORKSHOPS}
    distributions = packages_distributions()
    for module, file in (found for folder in folders for found in imported_modules(folder)):
        top = module.partition(".")[0]
        if top and top not in own | sys.stdlib_module_names:
            of = {name.lower() for name in distributions.get(top, [top])}
            yield ("apache-airflow" if "apache-airflow-task-sdk" in of else min(of)), str(file.relative_to(PROJECT))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_each_pin_has_its_reason(name: str) -> None:
    pinned = pins(name)
    assert len(pinned) > 5
    assert [package for package, reason in pinned.items() if len(reason) < 10] == []


def test_what_a_run_imports_is_pinned_for_a_run() -> None:
    used = dict(imported(ROOMS))
    assert {package: file for package, file in used.items() if package not in pins("requirements.txt")} == {}


def test_what_tests_and_tools_import_is_pinned() -> None:
    used = dict(imported(WORKSHOPS))
    pinned = {**pins("requirements.txt"), **pins("requirements-dev.txt")}
    assert {package: file for package, file in used.items() if package not in pinned} == {}


def test_nothing_is_pinned_that_nothing_uses() -> None:
    for name, folders in (("requirements.txt", ROOMS), ("requirements-dev.txt", WORKSHOPS)):
        used = {package for package, _ in imported(folders)}
        assert sorted(set(pins(name)) - used - UNSEEN[name]) == []


def test_every_direct_pin_is_among_the_constraints() -> None:
    constrained = set(re.findall(r"^([\w.-]+==\S+)", (PROJECT / "constraints.txt").read_text().lower(), re.MULTILINE))
    direct = {
        f"{match[1].lower()}=={match[2]}"
        for name in ("requirements.txt", "requirements-dev.txt")
        for line in (PROJECT / name).read_text().splitlines()
        if (match := PIN.match(line))
    }
    assert direct - constrained == set()
