"""Data flows one way through the house: no room imports from one that comes after it."""

import ast

import pytest

from tests.imports import PROJECT, ROOMS, imported_modules

EVERYBODYS = "expectations.tables"  # what the tables are: the one declaration that all rooms go by


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_imports_from_a_later_one(room: str) -> None:
    found = list(imported_modules(room))
    assert found
    assert [file for name, file in found if name.startswith(".")] == []  # imports are written in full
    later = ROOMS[ROOMS.index(room) + 1 :]
    assert [(name, file) for name, file in found if name.split(".")[0] in later and name != EVERYBODYS] == []


@pytest.mark.parametrize("room", ["sources", "transforms", "expectations", "reports"])
def test_airflow_is_known_to_the_spine_and_the_dags_alone(room: str) -> None:
    assert [file for name, file in imported_modules(room) if name.split(".")[0] == "airflow"] == []


def test_transforms_read_no_clock_and_no_environment() -> None:
    for file in sorted((PROJECT / "transforms").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        reads = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        unwanted = {"datetime.now", "date.today", "datetime.utcnow", "time.time", "os.getenv", "os.environ"}
        assert not (calls | reads) & unwanted, file
