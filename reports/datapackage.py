"""`datapackage.json`: what is in a folder of tables, for programs (Frictionless Data Package, version 1).

Types, units, limits and meanings are those of `expectations.tables`.
"""

import json
from dataclasses import dataclass
from typing import Any

import polars as pl

from expectations.tables import INSTANT, Column, Table

_TYPES = {pl.String: "string", pl.Int64: "integer", pl.Float64: "number", pl.Boolean: "boolean", pl.Date: "date"}
_MEDIA = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_GUARDED = "Text that begins like a formula has an apostrophe before it; the Parquet file has it as it is."


@dataclass(frozen=True)
class TableFile:
    """A file of one table: its name in the folder, its size and its SHA-256."""

    table: Table
    file: str
    size: int
    sha256: str

    @property
    def format(self) -> str:
        """`csv` or `parquet`."""
        return self.file.rpartition(".")[2]


def datapackage(name: str, title: str, version: str, files: list[TableFile]) -> str:
    """Return the descriptor of a folder of `files`, as JSON; `version` says which count they are of."""
    content = {
        "profile": "data-package",
        "name": name.lower(),
        "title": title,
        "version": version,
        "resources": [_resource(file) for file in files],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _resource(file: TableFile) -> dict[str, Any]:
    table, is_csv = file.table, file.format == "csv"
    note = f" {table.note}" if table.note else ""
    described = f"{table.grain[0].upper()}{table.grain[1:]}.{note}{' ' + _GUARDED if is_csv else ''}"
    return {
        "profile": "tabular-data-resource",
        "name": f"{table.name}-{file.format}".replace("_", "-"),
        "path": file.file,
        "title": table.name,
        "description": described,
        "format": file.format,
        "mediatype": _MEDIA[file.format],
        "bytes": file.size,
        "hash": f"sha256:{file.sha256}",
        **({"encoding": "utf-8", "dialect": {"lineTerminator": "\r\n"}} if is_csv else {}),
        "schema": _schema(table),
    }


def _schema(table: Table) -> dict[str, Any]:
    is_nullable = {column.name: column.is_nullable for column in table.columns}
    has_key = not any(is_nullable[name] for name in table.key)  # a primary key has no empty field
    fields = [_field(column) for column in table.columns]
    return {"fields": fields, "missingValues": [""], **({"primaryKey": list(table.key)} if has_key else {})}


def _field(column: Column) -> dict[str, Any]:
    is_instant = column.dtype == INSTANT
    limits: dict[str, Any] = {}
    if not column.is_nullable:
        limits["required"] = True
    if column.allowed:
        limits["enum"] = list(column.allowed)
    if column.minimum is not None:
        limits["minimum"] = int(column.minimum) if column.dtype == pl.Int64 else column.minimum
    return {
        "name": column.name,
        "type": "datetime" if is_instant else _TYPES[column.dtype],
        **({"format": "any"} if is_instant else {}),  # ISO 8601 with a fraction of a second
        "description": column.description,
        **({"unit": column.unit} if column.unit else {}),
        **({"constraints": limits} if limits else {}),
    }
