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


@pytest.mark.parametrize(
    ("frames", "found"),
    [
        ([events(kind="arrived", status=None)], "1 other fact"),
        ([EVENTS.empty()], "0 other facts"),
        ([], "0 other facts"),
    ],
    ids=["no attempt", "no event", "no file"],
)
def test_logs_without_any_attempt_hold_no_mail_and_one_gate_says_so(
    frames: list[pl.DataFrame], found: str, tmp_path: Path
) -> None:
    gates = gates_on_events(written(tmp_path, *frames))
    assert gates["gate"].to_list() == ["logs_hold_mail"]
    assert failed(gates) == {"logs_hold_mail"}
    seen = f"no line of the logs tells of an attempt to deliver mail; {found} found"
    assert gate(gates, "logs_hold_mail")["observed"] == seen


def test_a_file_of_another_shape_is_refused_not_misread(tmp_path: Path) -> None:
    gates = gates_on_events(written(tmp_path, events(), events().drop("status")))
    assert failed(gates) == {"declared_types"}
    assert gate(gates, "declared_types")["observed"].endswith(": status")
