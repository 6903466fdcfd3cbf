from pathlib import Path
from typing import Any

import polars as pl
import pytest

from expectations.events import gates_on_events
from expectations.tables import EVENTS
from tests.expectations.tables import events, failed, gate


def written(folder: Path, *frames: pl.DataFrame) -> list[Path]:
    paths = [folder / f"{place}.parquet" for place in range(len(frames))]
    for frame, path in zip(frames, paths, strict=True):
        frame.write_parquet(path)
    return paths


def test_events_of_several_files_pass(tmp_path: Path) -> None:
    refused = events(kind="refused", queue_id=None, status=None)
    gates = gates_on_events(written(tmp_path, events(3), events(2, source_id="g"), refused, EVENTS.empty()))
    assert failed(gates) == set()
    assert gate(gates, "declared_types")["observed"] == "0 columns missing or of another type in 6 rows"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"status": None}, "attempts_say_how_they_went"),
        ({"recipient": None}, "attempts_say_how_they_went"),
        ({"queue_id": None}, "events_name_their_queue_file"),
        ({"kind": "exploded"}, "declared_values"),
        ({"status": "exploded"}, "declared_values"),
        ({"logged_at": None}, "declared_not_null"),
        ({"line_number": 0}, "declared_minimum"),
    ],
)
def test_one_broken_event_among_many_is_found(tmp_path: Path, change: dict[str, Any], name: str) -> None:
    assert failed(gates_on_events(written(tmp_path, events(3), events(1, **change)))) == {name}


def test_one_line_may_name_a_recipient_twice(tmp_path: Path) -> None:
    assert failed(gates_on_events(written(tmp_path, pl.concat([events(), events()])))) == set()


def test_logs_without_any_attempt_hold_no_mail(tmp_path: Path) -> None:
    gates = gates_on_events(written(tmp_path, events(kind="arrived", status=None)))
    assert failed(gates) == {"attempts_say_how_they_went", "events_name_their_queue_file"}
    seen = "the logs hold no attempt to deliver any mail: nothing to compare"
    assert gate(gates, "attempts_say_how_they_went")["observed"] == seen


def test_no_event_and_no_file_fail(tmp_path: Path) -> None:
    for files in (written(tmp_path, EVENTS.empty()), []):
        gates = gates_on_events(files)
        assert failed(gates) == set(gates["gate"])


def test_a_file_of_another_shape_is_refused_not_misread(tmp_path: Path) -> None:
    gates = gates_on_events(written(tmp_path, events(), events().drop("status")))
    assert failed(gates) == {"declared_types"}
    assert gate(gates, "declared_types")["observed"].endswith(": status")
