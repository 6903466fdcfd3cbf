"""Write docs/data-dictionary.md from the table declarations, or say that it is out of date.

    python -m tools.data_dictionary [--check]

`--check` writes nothing and exits 1 when the file differs from what the declarations say.
"""

import argparse
import sys
from pathlib import Path

import polars as pl

from expectations.tables import INSTANT, TABLES, Column, Table

PROJECT = Path(__file__).resolve().parents[1]

DICTIONARY = PROJECT / "docs" / "data-dictionary.md"
HEAD = """# Data dictionary

Every table of a run, in flow order: what a row is, what identifies it, and its columns. Generated from
`expectations/tables.py` by `make dictionary`; edit the declarations, not this page. *Restricted* tables hold addresses
or accounts and stay inside; *public* ones do not.
"""


def main(arguments: list[str] | None = None) -> int:
    """Write the dictionary or check it; return the exit status."""
    parser = argparse.ArgumentParser(description="Write docs/data-dictionary.md from the table declarations.")
    parser.add_argument("--check", action="store_true", help="only say whether it is current")
    options = parser.parse_args(arguments)
    text = dictionary(TABLES)
    if not options.check:
        DICTIONARY.write_text(text)
        return 0
    if DICTIONARY.exists() and DICTIONARY.read_text() == text:
        return 0
    print(
        f"{DICTIONARY.relative_to(PROJECT)} is not what expectations/tables.py says; run `make dictionary`.",
        file=sys.stderr,
    )
    return 1


def dictionary(tables: tuple[Table, ...]) -> str:
    """Return the page."""
    index = "\n".join(f"- [{table.name}](#{table.name}): {table.grain}" for table in tables)
    return "\n".join((HEAD, index, "", *(_section(table) for table in tables)))


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


if __name__ == "__main__":
    sys.exit(main())
