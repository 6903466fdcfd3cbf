"""The manifest: what every step read, wrote and set aside, how long it took, and nobody's address."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from mailtoll.steps import pull_logs, run_incident
from tests.mailtoll import tiny

STEPS = [
    "pull_logs",
    "parse_log",
    "pull_customer_records",
    "check_inputs",
    "stitch",
    "count",
    "recount",
    "check_impact",
    "publish",
    "export",
    "put_on_site",
]


def manifest(out: Path) -> dict[str, Any]:
    return dict(json.loads((out / "manifest.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny run, whose log lines lie beside it as `said.json`."""
    folder = tmp_path_factory.mktemp("tiny")
    said: list[str] = []
    handler = logging.Handler(logging.INFO)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("mailtoll")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        run_incident(tiny.write(folder / "in"), folder / "out", lambda step: None)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    (folder / "said.json").write_text(json.dumps(said))
    return folder / "out"


def test_every_step_is_there_with_rows_time_and_memory(out: Path) -> None:
    steps = manifest(out)["steps"]
    assert [step["step"] for step in steps] == STEPS
    for step in steps:
        assert step["seconds"] >= 0
        assert 10e6 < step["peak_memory_bytes"] < 8e9
    rows = {step["step"]: step["rows"] for step in steps}
    impact = json.loads((out / "impact.json").read_text(encoding="utf-8"))
    assert rows["pull_logs"] == {"in": 2, "out": 2, "set_aside": 0}
    assert rows["parse_log"]["in"] == impact["lines"]["read"]
    assert rows["stitch"]["in"] == rows["recount"]["in"] > rows["parse_log"]["out"]  # the queue listing's are with them
    assert rows["count"]["in"] == rows["stitch"]["out"] > 0
    assert rows["count"]["out"] == rows["publish"]["out"] == len(impact["cells"])
    assert manifest(out)["seconds"] == pytest.approx(sum(step["seconds"] for step in steps), abs=0.01)


def test_inputs_are_named_with_what_they_hold(out: Path) -> None:
    inputs = manifest(out)["inputs"]
    assert [entry["kind"] for entry in inputs] == ["log", "queue_snapshot", "customer_records"]
    published = json.loads((out / "impact.json").read_text(encoding="utf-8"))["inputs"]
    assert {entry["sha256"] for entry in inputs} == {entry["sha256"] for entry in published}


def test_each_step_says_one_structured_line_and_no_address_is_in_it(out: Path) -> None:
    said = [json.loads(line) for line in json.loads((out.parent / "said.json").read_text())]
    assert sorted(line["step"] for line in said) == sorted(STEPS), "both counts end in either order"
    assert {line["event"] for line in said} == {"step_done"}
    assert "@" not in json.dumps(said) + (out / "manifest.json").read_text()


def test_a_new_run_forgets_the_steps_of_the_last(tmp_path: Path) -> None:
    incident = tiny.write(tmp_path / "in")
    run_incident(incident, tmp_path / "out", lambda step: None)
    pull_logs(str(incident), str(tmp_path / "out"))
    assert [step["step"] for step in manifest(tmp_path / "out")["steps"]] == ["pull_logs", "pull_customer_records"]


def test_arguments_by_name_may_come_in_any_order(tmp_path: Path) -> None:
    incident = tiny.write(tmp_path / "in")
    assert len(pull_logs(out=str(tmp_path / "out"), incident=str(incident))) == 1
    assert (tmp_path / "out" / "manifest.json").exists()
