"""Between which times was a line written that could not be read? Blocks of 1,000 lines around it tell."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from expectations.tables import QUARANTINE
from tests.spec.tables import START, arrived, event_frame, record_frame, settings
from transforms import impact

# Piece of the file, line, and the second at which it was written.
Lines = list[tuple[str, int, int]]
WHOLE: Lines = [("f", 500, 0), ("f", 1500, 50), ("f", 2500, 100)]
SWAPPED: Lines = [("f", 500, 1000), ("f", 1500, 1050), ("f+1", 2500, 0), ("f+1", 3500, 10)]
MEETING: Lines = [("f", 500, 1000), ("f", 1500, 1050), ("f+1", 1600, 0), ("f+1", 2500, 10)]
CASES: dict[str, tuple[Lines, int, tuple[int | None, int | None]]] = {
    "between the blocks before and after": (WHOLE, 1600, (0, 100)),
    "the first block has none before": (WHOLE, 400, (None, 50)),
    "the last block has none after": (WHOLE, 2600, (50, None)),
    "a block without a fact tells nothing": (WHOLE, 3600, (None, None)),
    "in a piece that was joined in front of an older one": (SWAPPED, 1600, (1000, None)),
    "in the older piece behind it": (SWAPPED, 2600, (None, 10)),
    "where two pieces meet it may be of either": (MEETING, 1700, (None, None)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_line_was_written_between_the_blocks_around_it_in_its_piece(case: str, tmp_path: Path) -> None:
    lines, torn, expected = CASES[case]
    rows = [arrived(f"A{n}", at, source_id=piece, line_number=n) for piece, n, at in lines]
    event_frame(rows).write_parquet(tmp_path / "f.parquet")
    aside = pl.DataFrame({"source_id": ["f"], "uri": ["x"], "line_number": [torn], "reason": ["x"], "text": ["x"]})
    with impact.workspace() as db:
        impact.stitch(db, [tmp_path / "f.parquet"], record_frame([]), settings(), QUARANTINE.conform(aside))
        found = db.sql("SELECT from_at, until_at FROM unread").fetchall()
    assert found == [tuple(None if second is None else START + timedelta(seconds=second) for second in expected)]
