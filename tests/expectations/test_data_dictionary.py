"""The declarations make sense, and the page generated from them says what they say."""

from pathlib import Path

import polars as pl
import pytest

from expectations.tables import TABLES, Table
from reports.data_dictionary import dictionary
from tools.data_dictionary import HEAD


def test_the_page_is_what_the_declarations_say(project: Path) -> None:
    page = (project / "docs" / "data-dictionary.md").read_text()
    assert page == dictionary(TABLES, HEAD), "run `make dictionary`"


def test_tables_have_names_of_their_own() -> None:
    assert len({table.name for table in TABLES}) == len(TABLES)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_declaration_is_whole(table: Table) -> None:
    names = [column.name for column in table.columns]
    assert len(set(names)) == len(names)
    assert set(table.key) <= set(names)
    assert table.grain.startswith("one row per ")
    assert all(column.description for column in table.columns)
    assert all(name == name.lower() for name in names)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_names_follow_the_grammar_of_columns(table: Table) -> None:
    for column in table.columns:
        is_instant, is_date = isinstance(column.dtype, pl.Datetime), column.dtype == pl.Date
        assert column.name.endswith("_at") == is_instant, column.name
        assert is_date == column.name.endswith(("_date", "valid_from", "valid_to")), column.name
        assert column.name.startswith(("is_", "has_")) == (column.dtype == pl.Boolean), column.name
        if column.name.endswith("_seconds"):
            assert column.unit == "s", column.name
