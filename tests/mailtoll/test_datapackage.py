"""`datapackage.json` against the files beside it: all there, to the byte, and their columns as it says."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

FOLDERS = ("exports", "restricted", "restricted/annex")
TYPES: dict[str, pl.DataType | type[pl.DataType]] = {
    "string": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "datetime": pl.Datetime("us", "UTC"),
}


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest, gone_out: Path) -> Path:
    """One folder of tables."""
    return gone_out / "run" / str(request.param)


def resources(folder: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    for resource in json.loads((folder / "datapackage.json").read_text())["resources"]:
        yield resource, folder / resource["path"]


def test_every_table_is_there_to_the_byte_and_none_is_left_out(folder: Path) -> None:
    described = {path for _, path in resources(folder)}
    assert described == {path for path in folder.iterdir() if path.suffix in (".csv", ".parquet")}
    for resource, path in resources(folder):
        content = path.read_bytes()
        assert (resource["bytes"], resource["hash"]) == (len(content), f"sha256:{sha256(content).hexdigest()}"), path


def test_names_are_those_that_the_format_allows(folder: Path) -> None:
    names = [resource["name"] for resource, _ in resources(folder)]
    assert len(set(names)) == len(names) > 1
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-._") for name in names)


def test_fields_are_the_columns_and_types_of_the_parquet(folder: Path) -> None:
    for resource, path in resources(folder):
        fields = {field["name"]: TYPES[field["type"]] for field in resource["schema"]["fields"]}
        if path.suffix == ".parquet":
            assert dict(pl.read_parquet_schema(path)) == fields, path
        else:
            assert pl.read_csv(path, infer_schema=False).columns == list(fields), path


def test_csv_read_back_by_its_fields_equals_the_parquet(folder: Path) -> None:
    compared = 0
    for resource, path in resources(folder):
        if path.suffix == ".csv":
            wanted = pl.read_parquet(path.with_suffix(".parquet"))
            assert_frame_equal(read_csv(path, resource), wanted, rel_tol=1e-12, abs_tol=0)
            compared += wanted.height
    assert compared > 100


def test_constraints_hold_and_the_key_is_one(folder: Path) -> None:
    for resource, path in resources(folder):
        if path.suffix != ".parquet":
            continue
        frame, schema = pl.read_parquet(path), resource["schema"]
        if key := schema.get("primaryKey"):
            assert not frame.select(key).is_duplicated().any(), path
        for field in schema["fields"]:
            column, limits = frame[field["name"]], field.get("constraints", {})
            assert not (limits.get("required") and column.null_count()), (path, field)
            assert set(column.drop_nulls()) <= set(limits["enum"]) if "enum" in limits else True, (path, field)
            if "minimum" in limits and column.drop_nulls().len():
                assert column.min() >= limits["minimum"], (path, field)


def read_csv(path: Path, resource: dict[str, Any]) -> pl.DataFrame:
    """Read it as its descriptor says, and take the apostrophe away that stands before what a spreadsheet would run."""
    text = pl.read_csv(path, infer_schema=False)
    return text.select(
        _typed(pl.col(field["name"]), str(field["type"])).alias(field["name"]) for field in resource["schema"]["fields"]
    )


def _typed(column: pl.Expr, kind: str) -> pl.Expr:
    match kind:
        case "datetime":
            return column.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC")
        case "date":
            return column.str.to_date("%Y-%m-%d")
        case "boolean":
            return column == "true"
        case "string":
            return column.str.replace(r"^'([=+\-@\t\r\n＝＋－＠])", "${1}")
        case _:
            return column.cast(TYPES[kind])
