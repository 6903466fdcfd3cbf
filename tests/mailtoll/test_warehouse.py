"""The run's folder: where things lie, who may read them, and that no half file is ever seen."""

from pathlib import Path

import polars as pl
import pytest

from expectations.tables import TABLES
from mailtoll.warehouse import Warehouse, sweep, write_parquet, write_text, written_aside

FRAME = pl.DataFrame({"a": [1, 2]})


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_every_path_is_in_the_folder_and_none_stands_for_two_things(tmp_path: Path) -> None:
    house = Warehouse(tmp_path)
    paths = [house.impact, house.report, house.summary, house.refusal, house.published_deliveries]
    paths += [house.published_accounts, house.published_quarantine, house.raw]
    paths += [house.table(t.name) for t in TABLES] + [house.part("events", "0123456789abcdef")]
    assert len(set(paths)) == len(paths)
    assert all(p.is_relative_to(tmp_path) for p in paths)
    assert house.table("cells") == tmp_path / "warehouse/cells.parquet"
    assert house.part("events", "ab") == tmp_path / "warehouse/events/ab.parquet"
    assert list(tmp_path.iterdir()) == [], "naming creates nothing"


def test_parts_are_listed_sorted(tmp_path: Path) -> None:
    house = Warehouse(tmp_path)
    assert house.parts("events") == ()
    for source_id in ("b", "a"):
        write_parquet(FRAME, house.part("events", source_id))
    assert [p.stem for p in house.parts("events")] == ["a", "b"]


def test_what_holds_addresses_is_for_the_owner_only(tmp_path: Path) -> None:
    house = Warehouse(tmp_path / "out")
    assert mode(write_parquet(FRAME, house.published_deliveries)) == 0o600
    assert mode(write_text("{}", house.impact)) == 0o644
    assert mode(write_parquet(FRAME, house.table("deliveries"))) == 0o600
    assert mode(house.folder) == 0o700
    assert mode(write_parquet(FRAME, house.part("events", "ab"))) == 0o600
    assert mode(house.root) == 0o755, "what is published there can be served"


def test_writing_replaces_and_lazy_frames_are_streamed(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_parquet(FRAME, path)
    write_parquet(FRAME.lazy().with_columns(b=pl.col("a") * 2), path)
    assert pl.read_parquet(path).to_dict(as_series=False) == {"a": [1, 2], "b": [2, 4]}
    write_text("first", tmp_path / "t")
    write_text("sécond\n", tmp_path / "t")
    assert (tmp_path / "t").read_bytes() == "sécond\n".encode()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.parquet", "t"]


def test_a_frame_may_be_written_over_the_file_it_is_read_from(tmp_path: Path) -> None:
    path = write_parquet(FRAME, tmp_path / "a.parquet")
    write_parquet(pl.scan_parquet(path).filter(pl.col("a") == 2), path)
    assert pl.read_parquet(path)["a"].to_list() == [2]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = write_parquet(FRAME, tmp_path / "a.parquet")
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        write_parquet(FRAME.lazy().select("none"), path)
    with pytest.raises(UnicodeEncodeError):
        write_text("\ud800", path)
    assert pl.read_parquet(path).equals(FRAME)
    assert [p.name for p in tmp_path.iterdir()] == ["a.parquet"]


def test_the_same_frame_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_parquet(FRAME, tmp_path / name).read_bytes() for name in ("a", "b"))
    assert first == second


def test_what_a_killed_writer_left_is_swept_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    left = tmp_path / "warehouse" / ".cells.parquet.x8d_k2ab"
    left.parent.mkdir()
    left.write_bytes(b"half")
    (tmp_path / ".hidden").touch()
    with written_aside(tmp_path / "warehouse" / "gates.parquet", is_restricted=True) as aside:
        aside.write_bytes(b"whole")
        sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == [".hidden", "gates.parquet", "warehouse"]
