"""Pieces of a log that were joined in one file: each line is told of its own piece."""

from datetime import UTC, datetime

import polars as pl
import pytest

from expectations.tables import EVENTS
from transforms.falls import Fall, file_of, in_pieces, piece_starts

ID = "0123456789abcdef"
CASES: list[tuple[str, list[Fall], list[str]]] = [
    ("time never falls", [], [ID] * 6),
    ("the clock was set back", [Fall("mx1", 3, 0, 1, "clock")], [ID] * 6),
    ("pieces overlap", [Fall("mx1", 3, 0, 1, "overlap", 2)], [ID] * 2 + [f"{ID}+1"] * 4),
    ("it may be either", [Fall("mx1", 6, 0, 1)], [ID] * 5 + [f"{ID}+1"]),
    ("two hosts fall", [Fall("mx1", 2, 0, 1), Fall("mx2", 4, 0, 1)], [ID] + [f"{ID}+1"] * 2 + [f"{ID}+2"] * 3),
    ("two hosts fall in one line", [Fall("mx1", 2, 0, 1), Fall("mx2", 2, 0, 1)], [ID] + [f"{ID}+1"] * 5),
    ("lines are in no order", [Fall("mx1", n, 0, 1) for n in range(501)], [ID] * 6),
]


@pytest.mark.parametrize(("falls", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_line_is_told_of_its_own_piece(falls: list[Fall], expected: list[str]) -> None:
    at = datetime(2030, 3, 4, tzinfo=UTC)
    lines = [
        {"source_id": ID, "line_number": n, "host": "mx1", "kind": "removed", "logged_at": at} for n in range(1, 7)
    ]
    told = in_pieces(EVENTS.conform(pl.DataFrame(lines)), piece_starts(falls))
    assert told["source_id"].to_list() == expected


def test_a_piece_leads_to_its_file() -> None:
    assert [file_of(ID), file_of(f"{ID}+12")] == [ID, ID]
