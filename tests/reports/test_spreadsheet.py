"""No cell of an exported CSV runs as a formula, and every letter survives the way through a file."""

import csv
from pathlib import Path

import polars as pl
import pytest

from reports import spreadsheet
from reports.spreadsheet import csv_bytes, write_csv

RUNS = ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1+1", "\r=1+1", '=HYPERLINK("http://x.example","y")']
STANDS = ["ann@example.com", "Łódź", "a=b", "1-2", "", " plain"]


@pytest.mark.parametrize("text", RUNS)
def test_what_begins_like_a_formula_is_text(text: str, tmp_path: Path) -> None:
    assert read_back([text], tmp_path) == [f"'{text}"]


def test_all_other_text_stands_as_it_is(tmp_path: Path) -> None:
    assert read_back(STANDS, tmp_path) == STANDS


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_csv(pl.LazyFrame({"number": [-1, 2]}), path)
    assert path.read_bytes().decode("utf-8-sig").split() == ["number", "-1", "2"]


@pytest.mark.parametrize("rows", [0, 1, 2, 5])
def test_a_file_is_one_table_however_few_rows_are_held(
    rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = csv_bytes(pl.DataFrame({"number": range(rows)}))
    monkeypatch.setattr(spreadsheet, "_ROWS_AT_ONCE", 2)
    write_csv(pl.LazyFrame({"number": range(rows)}), tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes() == whole
    assert whole.decode("utf-8-sig").split("\r\n") == ["number", *map(str, range(rows)), ""]


def read_back(texts: list[str], folder: Path) -> list[str]:
    path = folder / "table.csv"
    write_csv(pl.LazyFrame({"text": texts, "last": ["x"] * len(texts)}), path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # a spreadsheet takes it for UTF-8 by this mark
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]
