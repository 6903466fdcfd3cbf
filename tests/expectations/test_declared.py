from pathlib import Path

import polars as pl
import pytest

from expectations import declared
from expectations.declared import check_declared, has_declared_types, measure_declared
from expectations.tables import Column, Table
from tests.expectations.tables import failed, gate

TABLE = Table(
    name="things",
    grain="one row per thing",
    key=("name", "size"),
    columns=(
        Column("name", pl.String, "name"),
        Column("size", pl.Float64, "size", is_nullable=True, minimum=0),
        Column("kind", pl.String, "kind", is_nullable=True, allowed=("big", "small")),
    ),
)
WHOLE = pl.DataFrame({"name": ["a", "a", "b"], "size": [0.0, 1.0, None], "kind": ["big", None, "small"]})


def test_what_keeps_to_the_declaration_passes() -> None:
    assert failed(check_declared(WHOLE, TABLE, "Look.")) == set()


@pytest.mark.parametrize(
    ("broken", "name", "observed"),
    [
        ({"name": ["a", None, "b"]}, "declared_not_null", "1 empty value where none may be in 3 rows: name"),
        ({"kind": ["big", "huge", "tiny"]}, "declared_values", "2 values outside the declared set in 3 rows: kind"),
        ({"size": [0.0, -0.1, 1.0]}, "declared_minimum", "1 value below the declared minimum in 3 rows: size"),
        ({"size": [0.0, float("nan"), 1.0]}, "declared_minimum", "1 value below the declared minimum in 3 rows: size"),
        ({"size": [1, 2, 3]}, "declared_types", "1 column missing or of another type in 3 rows: size"),
        ({"name": ["b", "b", "b"], "size": [1.0, 1.0, 1.0]}, "declared_key", None),
    ],
)
def test_each_breach_is_named_with_its_column(broken: dict[str, list[object]], name: str, observed: str | None) -> None:
    gates = check_declared(WHOLE.with_columns(**{k: pl.Series(v) for k, v in broken.items()}), TABLE, "Look.")
    assert failed(gates) == {name}
    assert gate(gates, name)["observed"] == (observed or "2 rows of 3 repeat another one's key (name, size)")


def test_a_missing_column_is_of_the_wrong_type() -> None:
    assert failed(check_declared(WHOLE.drop("kind"), TABLE, "Look.")) == {"declared_types"}
    assert not has_declared_types(WHOLE.drop("kind"), TABLE)


def test_keys_with_a_null_are_not_compared() -> None:
    twice = pl.concat([WHOLE.tail(1), WHOLE.tail(1)])
    assert failed(check_declared(twice, TABLE, "Look.")) == set()


def test_an_empty_table_has_nothing_to_compare_unless_it_may_be_empty() -> None:
    gates = check_declared(WHOLE.clear(), TABLE, "Look.")
    assert failed(gates) == set(gates["gate"])
    assert set(gates["observed"]) == {"things has no row: nothing to compare"}
    assert failed(check_declared(WHOLE.clear(), TABLE, "Look.", is_empty_allowed=True)) == set()


def test_a_table_of_nulls_breaches_what_may_not_be_null() -> None:
    nulls = pl.DataFrame({"name": [None], "size": [None], "kind": [None]}, schema=dict(TABLE.schema))
    assert failed(check_declared(nulls, TABLE, "Look.")) == {"declared_not_null"}


def test_files_are_read_in_slices_and_keys_are_compared_across_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declared, "_SLICE_ROWS", 2)
    paths = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    for path in paths:
        WHOLE.with_columns(name=pl.lit(None, pl.String).fill_null(pl.col("name"))).write_parquet(path)
    measures, rows, repeated = measure_declared(paths, TABLE)
    assert (rows, repeated) == (6, 2)
    assert measures.select(pl.exclude("column").sum()).row(0) == (0, 0, 0, 0)


def test_different_keys_do_not_meet_in_one_hash() -> None:
    count = 200_000
    table = Table(name="t", grain="g", key=("a", "b"), columns=(Column("a", pl.Int64, ""), Column("b", pl.Int64, "")))
    grid = pl.select(a=pl.int_range(count) % 500, b=pl.int_range(count) // 500)
    assert measure_declared(grid, table)[2] == 0
    assert measure_declared(pl.concat([grid, grid.head(3)]), table)[2] == 3
