"""Queue files that are read off come to what the long way comes to, in shares of any size, with ids used again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import polars as pl
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from expectations.tables import DELIVERIES, LOSSES
from tests.spec.mess import RECORDS, logs
from tests.spec.tables import Row, arrived, event_frame, queued, record_frame, removed, sent, settings
from transforms import impact
from transforms.queue_files import QueueFiles, read_queue_files

FEW = hypothesis_settings(max_examples=15, deadline=None)


@contextmanager
def stitched(files: list[pl.DataFrame], **variables: bool) -> Iterator[dict[str, pl.DataFrame]]:
    """What becomes of events that lie in these files, one for each log file."""
    with TemporaryDirectory() as folder, impact.workspace() as db:
        paths = [Path(folder) / f"{number}.parquet" for number in range(len(files))]
        for frame, path in zip(files, paths, strict=True):
            frame.write_parquet(path)
        for name, value in variables.items():
            db.execute(f"SET VARIABLE {name} = ?", [value])
        impact.stitch(db, paths, record_frame(RECORDS), settings())
        ((plain,),) = db.sql("SELECT count(*) FROM plain_files").fetchall()
        yield {
            "deliveries": impact.table(db, "deliveries", DELIVERIES),
            "losses": impact.table(db, "losses", LOSSES),
            "plain": pl.DataFrame({"files": [plain]}),
        }


def by_source(rows: list[Row], pieces: int = 1) -> list[pl.DataFrame]:
    """The events of each log file, with the numbers of their queue files, read in so many pieces."""
    found = []
    for frame in event_frame(rows).drop("queue_file").partition_by("source_id"):
        files, size = QueueFiles(), -(-frame.height // pieces)
        found.append(
            pl.concat(files.number(read_queue_files([frame[n : n + size]]))[0] for n in range(0, frame.height, size))
        )
    return [frame.select(event_frame([]).columns) for frame in found]


@FEW
@given(rows=logs(), size=st.integers(1, 40), pieces=st.integers(1, 3))
def test_what_is_read_off_is_what_the_long_way_comes_to(rows: list[Row], size: int, pieces: int) -> None:
    files = by_source(rows, pieces)
    with stitched(files, is_told_in_full=True) as told:
        assert told["plain"].item() == 0
    with patch.object(impact, "_EVENTS_IN_SHARE", size), stitched(files) as found:
        for name in ("deliveries", "losses"):
            assert_frame_equal(found[name], told[name])


def used_again(*arrivals: float, length: float = 5, source: str = "f1") -> list[Row]:
    """A short id that stands for a queue file at each of these times, all about one mailbox."""
    rows = []
    for number, at in enumerate(arrivals):
        name: Row = {"source_id": source}
        rows += [
            arrived("A1B2C3", at, client="mx.example.net[192.0.2.1]", **name),
            {**arrived("A1B2C3", at, **name), "kind": "named", "message_id": f"{number}@example.net"},
            queued("A1B2C3", at, **name),
            sent("A1B2C3", at + length, "ann@example.com", **name),
            removed("A1B2C3", at + length, **name),
        ]
    return rows


def test_an_id_used_again_is_read_off_as_often() -> None:
    with stitched(by_source(used_again(0, 10, 20))) as found:
        assert found["plain"].item() == 3
        assert found["deliveries"].height == 3
        assert found["deliveries"]["delay_seconds"].to_list() == [5, 5, 5]


def test_times_that_overlap_are_told_apart_the_long_way() -> None:
    with stitched(by_source(used_again(0, 3, source="f1"))) as found:
        assert found["plain"].item() == 0


def test_copies_of_a_log_file_count_once() -> None:
    copies = used_again(0, 10, source="f1") + used_again(0, 10, source="f2")
    with stitched(by_source(copies)) as found:
        assert found["plain"].item() == 0
        assert found["deliveries"].height == 2
