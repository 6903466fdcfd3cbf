"""What a row of each table is, what identifies it, and what its columns mean, from their declarations."""

import polars as pl

from expectations.tables import INSTANT, Column, Table


def dictionary(tables: tuple[Table, ...], head: str) -> str:
    """Return the page, as Markdown; `head` stands before the list of tables."""
    index = "\n".join(f"- [{table.name}](#{table.name}): {table.grain}" for table in tables)
    return "\n".join((head, index, "", *(_section(table) for table in tables)))


def _section(table: Table) -> str:
    key = ", ".join(f"`{name}`" for name in table.key)
    lines = [
        f"## {table.name}",
        "",
        f"{_sentence(table.grain)} Key: {key}. {table.visibility.capitalize()}.",
        *([_sentence(table.note)] if table.note else []),
        "",
        "| column | type | unit | may be empty | meaning | limits |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_row(column) for column in table.columns),
        "",
    ]
    return "\n".join(lines)


def _row(column: Column) -> str:
    limits = [", ".join(f"`{value}`" for value in column.allowed)] if column.allowed else []
    if column.minimum is not None:
        limits.append(f"≥ {column.minimum:g}")
    cells = (
        f"`{column.name}`",
        _type(column.dtype),
        column.unit,
        "yes" if column.is_nullable else "",
        column.description,
        "; ".join(limits),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(dtype: pl.DataType) -> str:
    return "instant (UTC, µs)" if dtype == INSTANT else str(dtype).lower()


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}."
