"""What every table must hold by its declaration in `tables.py`: types, no null, allowed values, minimum, key.

The table is read once, in slices of bounded memory, and becomes one row per declared column with counts of breaches;
those are what the expectations look at.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

from expectations.gx import Count, Severity, run_counts
from expectations.tables import Column, Table
from expectations.wording import counted, number

_SLICE_ROWS = 1_000_000  # some 100 MB of the widest table at a time
_RULES = (
    ("declared_types", "wrong_types", "column", "missing or of another type"),
    ("declared_not_null", "nulls", "empty value", "where none may be"),
    ("declared_values", "not_allowed", "value", "outside the declared set"),
    ("declared_minimum", "below_minimum", "value", "below the declared minimum"),
)

Source = pl.DataFrame | Path | Sequence[Path]


def check_declared(
    source: Source, table: Table, remedy: str, key_severity: Severity | None = "fail", is_empty_allowed: bool = False
) -> pl.DataFrame:
    """Return GATES rows on how `source` (a frame, or Parquet files) keeps to the declaration of `table`.

    A row whose key has a null in it is not compared with others. `key_severity=None` leaves the key out.
    """
    measures, rows, repeated = measure_declared(source, table, with_key=key_severity is not None)
    nothing = "" if rows or is_empty_allowed else f"{table.name} has no row: nothing to compare"
    seen = f" in {counted(rows, 'row')}"
    gates = [
        Count(
            gate=gate,
            subject=table.name,
            severity="fail",
            value=dict(measures.select("column", measure).iter_rows()),
            maximum=0,
            observed=counted(int(measures[measure].sum()), noun, rest) + seen,
            limit="none (fixed)",
            remedy=remedy,
            nothing=nothing,
        )
        for gate, measure, noun, rest in _RULES
    ]
    if key_severity is not None:
        words = f"{counted(repeated, 'row')} of {number(rows)} repeat another one's key ({', '.join(table.key)})"
        gates.append(
            Count("declared_key", table.name, key_severity, repeated, 0, words, "none (fixed)", remedy, nothing)
        )
    return run_counts(gates)


def has_declared_types(source: Source, table: Table) -> bool:
    """Say whether every declared column is there in its type; what is not so cannot be measured further."""
    schemas = [frame.collect_schema() for frame in _frames(source)]
    return all(schema.get(c.name) == c.dtype for schema in schemas for c in table.columns)


def measure_declared(source: Source, table: Table, with_key: bool = True) -> tuple[pl.DataFrame, int, int]:
    """Return one row per column (column, wrong_types, nulls, not_allowed, below_minimum), the rows, repeated keys."""
    counts = {c.name: dict.fromkeys(("wrong_types", "nulls", "not_allowed", "below_minimum"), 0) for c in table.columns}
    rows, keys = 0, []
    for frame in _frames(source):
        right = {c.name for c in table.columns if frame.collect_schema().get(c.name) == c.dtype}
        for name in counts.keys() - right:
            counts[name]["wrong_types"] += 1
        readable = [c for c in table.columns if c.name in right]
        height = frame.select(pl.len()).collect().item()
        keyed = with_key and right.issuperset(table.key)
        for offset in range(0, height, _SLICE_ROWS):
            part = frame.slice(offset, _SLICE_ROWS)
            wanted = [pl.len().alias("rows"), *(e for c in readable for e in _breaches(c))]
            for name, value in part.select(wanted).collect().row(0, named=True).items():
                if name != "rows":
                    column, _, measure = name.rpartition(" ")
                    counts[column][measure] += value
            if keyed:
                keys.append(_key_hashes(part, table.key))
        rows += height
    repeated = _repeated(keys)
    measures = pl.DataFrame([{"column": name, **found} for name, found in counts.items()])
    return measures, rows, repeated


def _frames(source: Source) -> Iterator[pl.LazyFrame]:
    if isinstance(source, pl.DataFrame):
        yield source.lazy()
        return
    paths: Iterable[Path] = [source] if isinstance(source, Path) else source
    for path in paths:
        yield pl.scan_parquet(path)


def _breaches(column: Column) -> list[pl.Expr]:
    value = pl.col(column.name)
    found = []
    if not column.is_nullable:
        found.append(value.is_null().sum().alias(f"{column.name} nulls"))
    if column.allowed:
        found.append((~value.is_in(column.allowed)).sum().alias(f"{column.name} not_allowed"))
    if column.minimum is not None:
        # A NaN compares as larger than any number; it is no number at all.
        is_below = (value < column.minimum) | (value.is_nan() if column.dtype.is_float() else pl.lit(False))
        found.append(is_below.sum().alias(f"{column.name} below_minimum"))
    return found


def _key_hashes(part: pl.LazyFrame, key: tuple[str, ...]) -> pl.Series:
    """Return 64-bit hashes of the keys without a null: two different keys meet once in 10^5 tables of 10^7 rows."""
    whole = part.select(key).drop_nulls()
    return whole.select(pl.struct(key).hash(seed=17).alias("key")).collect().to_series()


def _repeated(hashes: list[pl.Series]) -> int:
    if not hashes:
        return 0
    in_order = pl.concat(hashes).sort()
    return int((in_order == in_order.shift(1)).sum() or 0)
