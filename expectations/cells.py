"""The finished grid must be whole, and no cell may contradict another.

Relations are checked only where they must hold for any mail and any records. A mailbox or an account that changed
hands counts once for each holder, so accounts may exceed mailboxes by the number of such changes in the records.
"""

import polars as pl

from expectations.declared import check_declared, has_declared_types
from expectations.gx import Check, Count, run_checks, run_counts
from expectations.tables import CELLS, COUNTS, MESSAGES, UNITS, UNITS_OF_THE_RECORDS
from expectations.wording import counted, listed, number
from transforms.settings import Settings

_REMEDY = "Do not use these figures; keep the run's folder and report a bug in the counting."
_KEY = list(CELLS.key)
_FIGURES = ("measured", "lower", "upper")
# (smaller unit, larger unit, column of the records that the smaller one may share): whoever is affected in the first
# is affected through at least one of the second.
_UNIT_PAIRS = (
    ("message", "delivery", None),
    ("address", "delivery", None),
    ("mailbox", "delivery", None),
    ("account", "mailbox", ("account_id", "mailbox")),
    ("customer", "account", ("customer_id", "account_id")),
)


def gates_on_cells(cells: pl.DataFrame, records: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Return GATES rows on CELLS, against the definitions of `settings` and the segments of the records."""
    declared = check_declared(cells, CELLS, _REMEDY)
    if not has_declared_types(cells, CELLS):
        return declared
    labelled = cells.with_columns(_label().alias("cell")).with_columns(pl.col(_FIGURES).fill_null(-1))
    nothing = "" if cells.height else "the grid has no cell: nothing to compare"
    checks = [
        Check(
            gate=gate,
            subject="cells",
            severity="fail",
            expectation="ExpectColumnPairValuesAToBeGreaterThanB",
            arguments={"column_A": larger, "column_B": smaller, "or_equal": True},
            observed=f"{words} in {counted(cells.height, 'cell')}",
            limit="in every cell (fixed)",
            remedy=_REMEDY,
            shown_by="cell",
            nothing=nothing,
        )
        for gate, larger, smaller, words in (
            ("lower_within_measured", "measured", "lower", "lower compared with measured"),
            ("measured_within_upper", "upper", "measured", "measured compared with upper"),
        )
    ]
    return pl.concat(
        [
            declared,
            run_counts([_completeness(cells, records, settings)]),
            run_checks(labelled, checks),
            run_counts(_relations(labelled, records, nothing)),
        ]
    )


def expected_grid(records: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Return the key of every cell that the contract asks for."""
    segments = sorted({"all", *records["segment"].drop_nulls().unique()})
    thresholds = sorted(set(settings.thresholds_seconds))
    axes = [
        pl.DataFrame({"unit": UNITS}),
        pl.DataFrame({"threshold_seconds": thresholds}, schema={"threshold_seconds": pl.Int64}),
        pl.DataFrame({"messages": MESSAGES}),
        pl.DataFrame({"count": COUNTS}),
        pl.DataFrame({"segment": [*segments, "unmatched"]}),
    ]
    grid = axes[0]
    for axis in axes[1:]:
        grid = grid.join(axis, how="cross")
    return grid.filter(~((pl.col("segment") == "unmatched") & pl.col("unit").is_in(UNITS_OF_THE_RECORDS)))


def _completeness(cells: pl.DataFrame, records: pl.DataFrame, settings: Settings) -> Count:
    grid = expected_grid(records, settings)
    missing = grid.join(cells, on=_KEY, how="anti")
    foreign = cells.join(grid, on=_KEY, how="anti")
    names = [*missing.select(_label()).to_series(), *foreign.select(_label()).to_series()]
    observed = (
        f"{number(cells.height)} cells of {number(grid.height)} declared;"
        f" {number(missing.height)} missing, {number(foreign.height)} that no definition asks for"
    )
    return Count(
        gate="grid_is_complete",
        subject="cells",
        severity="fail",
        value=len(names),
        maximum=0,
        observed=f"{observed}: {listed(names)}" if names else observed,
        limit="every definition and segment once (fixed)",
        remedy=_REMEDY,
        nothing="" if cells.height and grid.height else "the grid has no cell: nothing to compare",
    )


def _relations(cells: pl.DataFrame, records: pl.DataFrame, nothing: str) -> list[Count]:
    """Return one gate per relation between cells; each names the cells that break it."""

    def relation(gate: str, pairs: pl.DataFrame, words: str) -> Count:
        wrong = pairs.filter(pl.col("less") > pl.col("more"))["cell"].unique().sort().to_list()
        observed = f"{words}: {counted(pairs.height, 'comparison')}, {counted(len(wrong), 'cell')} broke it"
        observed = f"{observed}: {listed(wrong)}" if wrong else observed
        return Count(gate, "cells", "fail", len(wrong), 0, observed, "in every cell (fixed)", _REMEDY, nothing)

    without_bulk = _pair(cells, "messages", "excluding_bulk", "all")
    without_lost = _pair(cells, "count", "late", "late_or_lost")
    return [
        relation("longer_thresholds_give_no_more", _longer(cells), "a longer threshold gives no more"),
        relation("excluding_bulk_gives_no_more", without_bulk, "leaving bulk out gives no more"),
        relation("lost_adds", without_lost, "late is part of late or lost"),
        relation("segments_within_all", _segments(cells), "a segment is part of all"),
        relation("segments_cover_all", _cover(cells), "segments together cover all"),
        relation("units_nest", _units(cells, records), "units nest as far as the records allow"),
    ]


def _long(cells: pl.DataFrame, figures: tuple[str, ...] = _FIGURES) -> pl.DataFrame:
    return cells.unpivot(on=figures, index=[*_KEY, "cell"], variable_name="figure", value_name="value")


def _longer(cells: pl.DataFrame) -> pl.DataFrame:
    rest = ["unit", "messages", "count", "segment", "figure"]
    shorter = pl.col("value").shift(1).over(rest, order_by="threshold_seconds")
    return _long(cells).select("cell", less="value", more=shorter).drop_nulls()


def _pair(cells: pl.DataFrame, column: str, part: str, whole: str) -> pl.DataFrame:
    figures = _long(cells)
    rest = [name for name in (*_KEY, "figure") if name != column]
    less = figures.filter(pl.col(column) == part)
    more = figures.filter(pl.col(column) == whole).select(*rest, more="value")
    return less.join(more, on=rest).select("cell", "more", less="value")


def _segments(cells: pl.DataFrame) -> pl.DataFrame:
    """Not so for `upper`: an address that is known on one day only may be of a segment and a stranger."""
    figures = _long(cells, ("measured", "lower"))
    rest = [name for name in (*_KEY, "figure") if name != "segment"]
    more = figures.filter(pl.col("segment") == "all").select(*rest, more="value")
    return figures.filter(pl.col("segment") != "all").join(more, on=rest).select("cell", "more", less="value")


def _cover(cells: pl.DataFrame) -> pl.DataFrame:
    """Every mailbox, account and customer has a segment; a delivery has at most one."""
    figures = _long(cells, ("measured",))
    rest = [name for name in (*_KEY, "figure") if name != "segment"]
    parts = figures.filter(pl.col("segment") != "all").group_by(rest).agg(pl.col("value").sum().alias("parts"))
    both = figures.filter(pl.col("segment") == "all").join(parts, on=rest)
    people = both.filter(pl.col("unit").is_in(UNITS_OF_THE_RECORDS)).select("cell", less="value", more="parts")
    mail = both.filter(pl.col("unit") == "delivery").select("cell", less="parts", more="value")
    return pl.concat([people, mail])


def _units(cells: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    figures = _long(cells, ("measured",))
    rest = [name for name in (*_KEY, "figure") if name != "unit"]
    pairs = []
    for smaller, larger, shared in _UNIT_PAIRS:
        slack = _changes_of_hands(records, *shared) if shared else 0
        more = figures.filter(pl.col("unit") == larger).select(*rest, more=pl.col("value") + slack)
        less = figures.filter(pl.col("unit") == smaller)
        pairs.append(less.join(more, on=rest).select("cell", "more", less="value"))
    return pl.concat(pairs)


def _changes_of_hands(records: pl.DataFrame, holder: str, held: str) -> int:
    """Return how many more holders than one the records ever give to what is held."""
    holders = records.group_by(held).agg(pl.col(holder).n_unique().alias("holders"))
    return int((holders["holders"] - 1).sum())


def _label() -> pl.Expr:
    return pl.format(
        "{} ≥ {} s, {}, {}, {}", "unit", "threshold_seconds", "messages", pl.col("count"), "segment"
    )  # fmt: skip
