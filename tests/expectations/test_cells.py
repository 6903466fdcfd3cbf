from typing import Any

import polars as pl
import pytest

from expectations.cells import expected_grid, gates_on_cells
from expectations.tables import CELLS
from tests.expectations.tables import cells, failed, gate, records, settings

ANN = ("A1", "business", "ann@example.com", "ann@example.com", None, None)
BOB = ("A2", "residential", "bob@example.com", "bob@example.com", None, None)
RECORDS = records(ANN, BOB)
GRID = expected_grid(RECORDS, settings())


FIGURES = ("measured", "lower", "upper")
IS_ALL = pl.col("segment") == "all"
OF_RECORDS = pl.col("unit").is_in(["mailbox", "account", "customer"])
# Two in every segment; mail has three of them (`unmatched`), people have two.
WHOLE = CELLS.conform(
    cells(GRID, 2).with_columns(
        pl.when(IS_ALL & OF_RECORDS).then(4).when(IS_ALL).then(6).otherwise(pl.col(c)).alias(c) for c in FIGURES
    )
)


def change(figure: int | None, columns: tuple[str, ...] = FIGURES, **where: object) -> pl.DataFrame:
    """The whole grid, but with another figure in some cells."""
    is_meant = pl.all_horizontal(pl.col(name) == value for name, value in where.items())
    return CELLS.conform(
        WHOLE.with_columns(pl.when(is_meant).then(figure).otherwise(pl.col(c)).alias(c) for c in columns)
    )


ONE: dict[str, Any] = {
    "unit": "account",
    "threshold_seconds": 900,
    "messages": "all",
    "count": "late",
    "segment": "business",
}
IN_ALL = ONE | {"segment": "all"}


def test_the_grid_has_every_definition_and_segment_once() -> None:
    assert GRID.height == 3 * 2 * 2 * 2 * 4 + 3 * 2 * 2 * 2 * 3
    assert GRID.n_unique() == GRID.height
    unmatched = GRID.filter(pl.col("segment") == "unmatched")["unit"].unique().sort().to_list()
    assert unmatched == ["address", "delivery", "message"]


def test_a_whole_grid_passes() -> None:
    for whole in (WHOLE, cells(GRID, 0)):
        assert failed(gates_on_cells(whole, RECORDS, settings())) == set()


def test_a_missing_cell_is_named() -> None:
    gates = gates_on_cells(WHOLE.tail(-1), RECORDS, settings())
    assert failed(gates) == {"grid_is_complete"}
    assert gate(gates, "grid_is_complete")["observed"] == (
        "167 cells of 168 declared; 1 missing, 0 that no definition asks for: delivery ≥ 900 s, all, late, all"
    )


@pytest.mark.parametrize(
    "foreign", [{"segment": "martian"}, {"threshold_seconds": 901}, {"unit": "account", "segment": "unmatched"}]
)
def test_a_cell_that_no_definition_asks_for_is_named(foreign: dict[str, object]) -> None:
    extra = GRID.head(1).with_columns(pl.lit(value).alias(name) for name, value in foreign.items())
    gates = gates_on_cells(cells(pl.concat([GRID, extra.cast(pl.Schema(GRID.schema))])), RECORDS, settings())
    assert "grid_is_complete" in failed(gates)


def test_a_cell_twice_is_refused() -> None:
    assert "declared_key" in failed(gates_on_cells(pl.concat([WHOLE, WHOLE.head(1)]), RECORDS, settings()))


@pytest.mark.parametrize(
    ("column", "figure", "names"),
    [
        ("lower", 5, {"lower_within_measured"}),
        ("upper", 3, {"measured_within_upper"}),
        ("measured", None, {"declared_not_null", "lower_within_measured"}),
        ("lower", -1, {"declared_minimum"}),
    ],
)
def test_measured_lies_within_its_bounds(column: str, figure: int | None, names: set[str]) -> None:
    broken = change(figure, (column,), **IN_ALL)
    gates = gates_on_cells(broken, RECORDS, settings())
    assert names <= failed(gates)
    for name in names - {"declared_not_null", "declared_minimum"}:
        assert gate(gates, name)["observed"].endswith(": account ≥ 900 s, all, late, all")


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        (change(1, **ONE), "longer_thresholds_give_no_more"),
        (change(1, **ONE), "excluding_bulk_gives_no_more"),
        (change(3, **ONE), "lost_adds"),
        (change(5, ("measured", "upper"), **ONE), "segments_within_all"),
        (change(5, ("measured", "upper"), **IN_ALL), "segments_cover_all"),
        (change(5, unit="delivery", segment="all"), "segments_cover_all"),
        (change(1, unit="delivery", segment="business"), "units_nest"),
        (change(1, unit="mailbox", segment="business"), "units_nest"),
        (change(1, unit="account", segment="business"), "units_nest"),
    ],
)
def test_each_contradiction_between_cells_is_found(broken: pl.DataFrame, name: str) -> None:
    assert name in failed(gates_on_cells(broken, RECORDS, settings()))


def test_a_mailbox_that_changed_hands_may_stand_for_two_accounts() -> None:
    handed_over = records(
        ("A1", "business", "ann@example.com", "ann@example.com", 1, 9),
        ("A2", "business", "ann@example.com", "ann@example.com", 10, None),
        BOB,
    )
    is_people = pl.col("unit").is_in(["account", "customer"])
    two_accounts = CELLS.conform(
        WHOLE.with_columns((pl.col(c) + pl.when(is_people).then(1).otherwise(0)).alias(c) for c in FIGURES)
    )
    assert failed(gates_on_cells(two_accounts, RECORDS, settings())) == {"units_nest"}
    assert failed(gates_on_cells(two_accounts, handed_over, settings())) == set()


def test_no_cell_fails_everything() -> None:
    gates = gates_on_cells(CELLS.empty(), RECORDS, settings())
    assert not gates["is_passed"].any()


def test_records_without_a_segment_still_have_a_grid() -> None:
    nobody = RECORDS.with_columns(pl.lit(None, pl.String).alias("segment"))
    grid = expected_grid(nobody, settings())
    assert set(grid["segment"]) == {"all", "unmatched"}
    assert failed(gates_on_cells(cells(grid, 0), nobody, settings())) == set()
