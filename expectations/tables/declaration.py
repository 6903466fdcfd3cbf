"""What a declaration of a table is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

INSTANT = pl.Datetime("us", "UTC")

Visibility = Literal["public", "restricted"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    `unit` is empty where a value has none; `allowed` closes the set of values; `minimum` is inclusive.
    """

    name: str
    dtype: Any
    description: str
    unit: str = ""
    is_nullable: bool = False
    allowed: tuple[str, ...] = ()
    minimum: float | None = None


@dataclass(frozen=True)
class Table:
    """One table: what a row is, what identifies it, and its columns in order."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    visibility: Visibility = "restricted"
    note: str = ""
    schema: Mapping[str, Any] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "schema", {c.name: c.dtype for c in self.columns})

    def empty(self) -> pl.DataFrame:
        """Return a frame with this table's columns and no row."""
        return pl.DataFrame(schema=dict(self.schema))

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` in the declared columns, order and types; a declared column it lacks is all null."""
        types = frame.schema
        missing = [pl.lit(None, c.dtype).alias(c.name) for c in self.columns if c.name not in types]
        cast = [pl.col(c.name).cast(c.dtype) for c in self.columns if c.name in types and types[c.name] != c.dtype]
        return frame.with_columns(*cast, *missing).select(self.schema.keys())
