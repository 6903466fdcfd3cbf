"""Customer records from a real PostgreSQL."""

import gc
import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sources import records_database
from sources.customer_records import PulledRecords, pull_customer_records
from sources.errors import BadInput, SourceAway
from sources.log_spec import RecordsSpec
from tests.sources.servers import Postgres
from tests.sources.servers import postgres as postgres

COLUMNS = "account_id, customer_id, segment, mailbox, address, valid_from, valid_to"

TABLE = f"""
DROP SCHEMA IF EXISTS crm CASCADE;
DROP ROLE IF EXISTS reader;
CREATE SCHEMA crm;
CREATE ROLE reader LOGIN;
CREATE TABLE crm.mailboxes (account_id int, customer_id text, segment text, mailbox text, address text,
                            valid_from date, valid_to date, password text);
INSERT INTO crm.mailboxes
SELECT n, 'C' || n, 'business', name, name, '2030-01-01', NULL, 'hunter2'
FROM generate_series(1, 3000) AS n, concat('u', n, '@example.com') AS name;
GRANT USAGE ON SCHEMA crm TO reader;
GRANT SELECT ({COLUMNS}) ON crm.mailboxes TO reader;
"""  # noqa: S608  # nobody but us writes these columns
WRITING_VIEW = f"""
CREATE TABLE crm.trace (at timestamptz);
CREATE FUNCTION crm.leave_trace() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN INSERT INTO crm.trace VALUES (now()); RETURN 'business'; END $$;
CREATE VIEW crm.writing AS
SELECT account_id, customer_id, crm.leave_trace() AS segment, mailbox, address, valid_from, valid_to FROM crm.mailboxes;
GRANT SELECT ({COLUMNS}) ON crm.writing TO reader;
"""  # noqa: S608  # as above


@pytest.fixture
def crm(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    """A table of 3,000 records with a column that is none of our business, and a role that may only read the others."""
    postgres.sql(TABLE)
    monkeypatch.setenv("AIRFLOW_CONN_CRM", postgres.connection("reader"))
    return postgres


def pulled(tmp_path: Path, table: str = "crm.mailboxes") -> PulledRecords:
    return pull_customer_records(RecordsSpec(connection="crm", table=table), tmp_path / "out")


def watch_rows(monkeypatch: pytest.MonkeyPatch, at_row: Callable[[int], None]) -> None:
    """Let `at_row` look on while a table is read, row by row."""
    original = records_database._rows

    def watched(*arguments: Any) -> Iterator[Sequence[Any]]:
        for number, row in enumerate(original(*arguments)):
            at_row(number)
            yield row

    monkeypatch.setattr(records_database, "_rows", watched)


def test_only_the_contracts_columns_are_asked_for(tmp_path: Path, crm: Postgres) -> None:
    result = pulled(tmp_path)
    assert result.records.height == 3000
    assert result.records.row(0)[5:] == (date(2030, 1, 1), None)
    source = result.inputs.row(0, named=True)
    names = ", ".join(f"crm.mailboxes.{name}" for name in COLUMNS.split(", "))
    assert source["query"].split() == ["SELECT", *names.split(), "FROM", "crm.mailboxes", "ORDER", "BY", *names.split()]
    assert (source["uri"], source["format"], source["lines"]) == ("crm/crm.mailboxes", "database", 3001)


def test_a_report_repeats_after_the_records_changed(tmp_path: Path, crm: Postgres) -> None:
    source = pulled(tmp_path).inputs.row(0, named=True)
    crm.sql("UPDATE crm.mailboxes SET segment = 'residential'; DELETE FROM crm.mailboxes WHERE account_id = 7")
    assert pulled(tmp_path).records["segment"].unique().to_list() == ["residential"]
    kept = tmp_path / "out" / source["path"]
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == source["sha256"]
    again = pull_customer_records(RecordsSpec(str(kept)), tmp_path / "again").records
    assert again.height == 3000
    assert again["segment"].unique().to_list() == ["business"]


def test_nothing_can_be_written(tmp_path: Path, crm: Postgres) -> None:
    crm.sql(WRITING_VIEW)
    with pytest.raises(BadInput, match=r"cannot be read \(InternalError\)"):
        pulled(tmp_path, "crm.writing")


def test_a_database_that_is_down_and_comes_back(tmp_path: Path, crm: Postgres) -> None:
    before = pulled(tmp_path)
    crm.stop()
    try:
        with pytest.raises(
            SourceAway, match="cannot be reached; check AIRFLOW_CONN_CRM, or run again when the database"
        ):
            pulled(tmp_path)
    finally:
        crm.start()
    after = pulled(tmp_path)
    assert after.records.equals(before.records)
    assert after.inputs.equals(before.inputs)


# The driver's cursor, whose connection is gone, says when it is collected that it was not closed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_connection_that_is_cut_leaves_nothing_half(
    tmp_path: Path, crm: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_database, "_ROWS_AT_ONCE", 100)

    def at_row(number: int) -> None:
        if number == 250:
            crm.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'")

    with monkeypatch.context() as patch:
        watch_rows(patch, at_row)
        with pytest.raises(SourceAway, match="cannot be reached"):
            pulled(tmp_path)
        gc.collect()  # here, where the warning about the cursor that was cut off is expected
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == []
    assert pulled(tmp_path).records.height == 3000


def test_rows_come_by_a_cursor_of_the_server(tmp_path: Path, crm: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_database, "_ROWS_AT_ONCE", 100)
    running: list[str] = []

    def at_row(number: int) -> None:
        if number == 250:
            asked = "SELECT query FROM pg_stat_activity WHERE usename = 'reader'"
            running.extend(query for (query,) in crm.rows(asked))

    watch_rows(monkeypatch, at_row)
    assert pulled(tmp_path).records.height == 3000
    assert [query for query in running if query.startswith("FETCH FORWARD 100 ")], running


def test_a_table_that_will_not_do(tmp_path: Path, crm: Postgres) -> None:
    crm.sql("ALTER TABLE crm.mailboxes DROP COLUMN valid_to")
    with pytest.raises(BadInput, match=r"table 'crm\.mailboxes' of connection 'crm' has no column 'valid_to'"):
        pulled(tmp_path)
    with pytest.raises(BadInput, match="does not exist; name a table or view"):
        pulled(tmp_path, "crm.nowhere")
