"""Customer records: what is read from them, what is made one spelling, and what is refused."""

import gzip
import sqlite3
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from expectations.tables import CUSTOMER_RECORDS
from sources.customer_records import PulledRecords, pull_customer_records
from sources.domains import ascii_domain
from sources.errors import BadInput, SourceAway
from sources.log_spec import RecordsSpec

HEAD = "account_id,customer_id,segment,mailbox,address,valid_from,valid_to\n"
ROW = "A1,C1,business,ann@example.com,sales@example.com,2030-01-01,2030-12-31\n"
READ = ("A1", "C1", "business", "ann@example.com", "sales@example.com", date(2030, 1, 1), date(2030, 12, 31))


def pulled(tmp_path: Path, content: str | bytes, name: str = "customers.csv") -> PulledRecords:
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return pull_customer_records(RecordsSpec(name, base=tmp_path), tmp_path / "out")


def test_a_row_per_address(tmp_path: Path) -> None:
    result = pulled(tmp_path, HEAD + ROW)
    assert result.records.rows() == [READ]
    assert result.records.schema == CUSTOMER_RECORDS.schema
    source = result.inputs.row(0, named=True)
    assert (source["uri"], source["kind"], source["format"], source["lines"]) == (
        "customers.csv",
        "customer_records",
        "csv",
        2,
    )
    assert (tmp_path / "out" / source["path"]).read_bytes() == (tmp_path / "customers.csv").read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + HEAD + ROW,
        (HEAD + ROW).replace("\n", "\r\n"),
        HEAD + ROW.rstrip("\n"),
        HEAD + "\n" + ROW + "\n\n",
        HEAD + ROW.replace("business", '"business"'),
        HEAD + ROW + ROW,
        HEAD + ROW.replace("A1,", " A1 ,").replace("ann@example.com", " Ann@EXAMPLE.com\t"),
        "address,account_id,customer_id,segment,mailbox,valid_to,valid_from\n"
        "sales@example.com,A1,C1,business,ann@example.com,2030-12-31,2030-01-01\n",
        gzip.compress((HEAD + ROW).encode()),
    ],
)
def test_ways_to_write_the_same(tmp_path: Path, content: str | bytes) -> None:
    assert pulled(tmp_path, content).records.rows() == [READ]


def test_what_is_missing_stays_missing(tmp_path: Path) -> None:
    records = pulled(tmp_path, HEAD + ", ,,,\t,,\n" + "A1,C1,b,m@example.com,m@example.com,2030-01-01,\n").records
    assert records.rows()[0] == (None,) * 7
    assert records.rows()[1][6] is None


def test_rows_that_contradict_each_other_are_kept(tmp_path: Path) -> None:
    records = pulled(tmp_path, HEAD + ROW + ROW.replace("ann@", "bob@")).records
    assert records["mailbox"].to_list() == ["ann@example.com", "bob@example.com"]


def test_international_domains_have_one_spelling(tmp_path: Path) -> None:
    rows = ROW.replace("ann@example.com", "Jörg@BÜCHER.example") + ROW.replace(
        "ann@example.com", "jörg@xn--bcher-kva.example"
    )
    assert pulled(tmp_path, HEAD + rows).records["mailbox"].to_list() == ["jörg@xn--bcher-kva.example"]
    assert ascii_domain("BÜCHER.example") == "xn--bcher-kva.example"
    assert ascii_domain("Example.COM") == "example.com"
    assert ascii_domain("☃\u202e.example") == "☃\u202e.example", "what IDNA forbids is left alone"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (HEAD.replace("segment", "segmnt") + ROW, "unknown column 'segmnt'; rename it to 'segment'"),
        (HEAD.replace("\n", ",phone\n") + ROW, "unknown column 'phone'; remove it"),
        (HEAD.replace(",valid_to", "") + ROW, "column 'valid_to' is missing"),
        (HEAD.replace(",", ";") + ROW, "not separated by commas"),
        ("", "is empty"),
        (HEAD + ROW + ROW.replace(",2030-12-31", ""), "line 3: 6 values for 7 columns"),
        (HEAD + ROW + ROW.replace("A1,", "A1,,"), "line 3: 8 values for 7 columns"),
        (HEAD + ROW + ROW.replace("2030-12-31", "2030-02-30"), "line 3: valid_to '2030-02-30' is not a date"),
        (HEAD + ROW + ROW.replace("2030-12-31", "31.12.2030"), "line 3: valid_to '31.12.2030' is not a date"),
        (HEAD + "\n" + ROW.replace("2030-01-01", "20300101"), "line 3: valid_from '20300101' is not a date"),
        (HEAD + ROW.replace("C1", '"C\n1"').replace("2030-12-31", "x"), "line 3: valid_to 'x'"),
        (HEAD.encode() + ROW.encode().replace(b"C1", b"C\xff"), "line 2: not UTF-8"),
        (HEAD + ROW.replace("C1", "C\0"), "line 2: a zero byte"),
        (HEAD + ROW.replace("business", "unmatched"), "segment 'unmatched' is a word of the report"),
        (gzip.compress((HEAD + ROW).encode())[:-4], "cut off or damaged"),
        (b"PAR1 is not all there is to Parquet", "not a readable Parquet file"),
    ],
)
def test_bad_records_are_refused_in_one_sentence(tmp_path: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        pulled(tmp_path, content)
    assert str(caught.value).startswith("customers.csv")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_pattern_that_matches_two(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no file matches 'customers\.csv'"):
        pull_customer_records(RecordsSpec("customers.csv", base=tmp_path), tmp_path / "out")
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(HEAD, encoding="utf-8")
    with pytest.raises(BadInput, match="matches 2 files; name one"):
        pull_customer_records(RecordsSpec("*.csv", base=tmp_path), tmp_path / "out")


def test_parquet_with_types_of_its_own(tmp_path: Path) -> None:
    frame = pl.DataFrame([READ], schema=CUSTOMER_RECORDS.schema, orient="row")
    typed = frame.with_columns(
        pl.lit(71).alias("account_id"), pl.col("segment").cast(pl.Categorical), pl.col("valid_to").cast(pl.Datetime)
    )
    typed.write_parquet(tmp_path / "customers.parquet")
    result = pull_customer_records(RecordsSpec("customers.parquet", base=tmp_path), tmp_path / "out")
    assert result.records.rows() == [("71", *READ[1:])]
    assert result.inputs.select("format", "lines").row(0) == ("parquet", 1)
    typed.with_columns(pl.lit(1.5).alias("account_id")).write_parquet(tmp_path / "customers.parquet")
    with pytest.raises(BadInput, match="'account_id' holds Float64; store it as text"):
        pull_customer_records(RecordsSpec("customers.parquet", base=tmp_path), tmp_path / "out")


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as link:
        link.execute(
            "create table mailboxes (account_id text, customer_id text, segment text, mailbox text, address text,"
            " valid_from date, valid_to date, password text)"
        )
        for name in ("zoe", "Ann"):
            link.execute(
                "insert into mailboxes values ('A1', 'C, \"1\"', 'business', ?, ?, '2030-01-01', null, 'hunter2')",
                (f"{name}@example.com", f"{name}@example.com"),
            )
        link.execute("create table bare (account_id text)")
    link.close()
    monkeypatch.setenv("AIRFLOW_CONN_OUR_CRM", f"sqlite://{str(path).replace('/', '%2F')}")
    return path


def table(tmp_path: Path, connection: str, name: str) -> PulledRecords:
    return pull_customer_records(RecordsSpec(connection=connection, table=name), tmp_path / "out")


def test_a_table_is_kept_as_csv_of_the_contracts_columns(tmp_path: Path, database: Path) -> None:
    result = table(tmp_path, "our_crm", "mailboxes")
    assert result.records["mailbox"].to_list() == ["ann@example.com", "zoe@example.com"]
    assert result.records.row(0)[1] == 'C, "1"'
    assert result.records.row(0)[5:] == (date(2030, 1, 1), None)
    source = result.inputs.row(0, named=True)
    assert (source["uri"], source["format"]) == ("our_crm/mailboxes", "database")
    assert "hunter2" not in (tmp_path / "out" / source["path"]).read_text(encoding="utf-8")
    assert table(tmp_path, "our_crm", "mailboxes").inputs.equals(result.inputs), "the same rows give the same digest"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nowhere", "table 'nowhere' of connection 'our_crm' does not exist"),
        ("bare", "has no column 'customer_id'"),
        ("mailboxes; drop table mailboxes", "does not exist"),
    ],
)
def test_a_table_that_will_not_do(tmp_path: Path, database: Path, name: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        table(tmp_path, "our_crm", name)
    assert table(tmp_path, "our_crm", "mailboxes").records.height == 2


def test_a_database_without_address_or_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="needs the environment variable AIRFLOW_CONN_CRM"):
        table(tmp_path, "crm", "mailboxes")
    monkeypatch.setenv("AIRFLOW_CONN_CRM", "ftp://host/secret")
    with pytest.raises(BadInput, match="is of type 'ftp', which we read no records from"):
        table(tmp_path, "crm", "mailboxes")
    monkeypatch.setenv("AIRFLOW_CONN_CRM", "sqlite://%2Fnowhere%2Fsecret.db")
    with pytest.raises(SourceAway, match="cannot be reached; check AIRFLOW_CONN_CRM") as caught:
        table(tmp_path, "crm", "mailboxes")
    assert "secret" not in str(caught.value)
