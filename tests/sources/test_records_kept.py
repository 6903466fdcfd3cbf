"""Customer records as they are used: days of validity from snapshots, and corrections from a file."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources import customer_records
from sources.customer_records import PulledRecords, pull_customer_records
from sources.errors import BadInput
from sources.log_spec import RecordsSpec
from sources.records_snapshots import STATE, with_validity

HEAD = ",".join(STATE)
ANN = "A1,C1,business,ann@example.com,ann@example.com"
BOB = "A2,C2,business,bob@example.com,bob@example.com"
ANN_AT_HOME = ANN.replace("business", "residential")


def write(path: Path, *rows: str) -> None:
    path.write_text("\n".join([HEAD, *rows]) + "\n", encoding="utf-8")


def on(day: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *rows: str) -> PulledRecords:
    """Pull the records as they are on a day of May 2030."""
    write(tmp_path / "crm.csv", *rows)
    monkeypatch.setattr(customer_records, "today", lambda _: date(2030, 5, day))
    return pull_customer_records(RecordsSpec("crm.csv", base=tmp_path, snapshots="kept"), tmp_path / "out")


def spans(records: pl.DataFrame) -> list[tuple[str, str, int | None, int | None]]:
    dated = records.with_columns(pl.col("valid_from", "valid_to").dt.day()).sort("account_id", "valid_from")
    return dated.select("account_id", "segment", "valid_from", "valid_to").rows()


def test_days_of_validity_come_from_snapshots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert spans(on(1, tmp_path, monkeypatch, ANN).records) == [("A1", "business", None, None)]
    assert spans(on(3, tmp_path, monkeypatch, BOB, ANN.replace("ann@", " Ann@")).records) == [
        ("A1", "business", None, None),
        ("A2", "business", 3, None),
    ]
    pulled = on(8, tmp_path, monkeypatch, ANN_AT_HOME, BOB)
    assert spans(pulled.records) == [
        ("A1", "business", None, 7),
        ("A1", "residential", 8, None),
        ("A2", "business", 3, None),
    ]
    assert pulled.inputs["uri"].to_list() == [f"kept/2030-05-0{day}.csv" for day in (1, 3, 8)]
    assert all((tmp_path / "out" / path).exists() for path in pulled.inputs["path"])
    assert on(8, tmp_path, monkeypatch, ANN_AT_HOME, BOB).inputs.equals(pulled.inputs), "a day has one snapshot"


def test_an_empty_export_ends_nobodys_validity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on(1, tmp_path, monkeypatch, ANN)
    with pytest.raises(BadInput, match="of 2030-05-02 have no row; no snapshot is kept"):
        on(2, tmp_path, monkeypatch)
    assert spans(on(3, tmp_path, monkeypatch, ANN).records) == [("A1", "business", None, None)]


@given(st.lists(st.sets(st.sampled_from("abc")), min_size=1, max_size=8))
def test_on_each_day_the_records_are_those_of_the_last_snapshot(days: list[set[str]]) -> None:
    snapshots = {
        date(2030, 5, 2 * number + 1): pl.DataFrame(
            [(name, None, "s", name, name) for name in sorted(present)],
            schema=dict.fromkeys(STATE, pl.String),
            orient="row",
        )
        for number, present in enumerate(days)
    }
    records = with_validity(snapshots)
    for number, present in enumerate(days):
        for day in (date(2030, 5, 2 * number + 1), date(2030, 5, 2 * number + 2)):
            valid = records.filter(
                pl.col("valid_from").fill_null(date(1, 1, 1)) <= day,
                pl.col("valid_to").fill_null(date(9999, 1, 1)) >= day,
            )
            assert sorted(valid["account_id"]) == sorted(present)


DATED = "account_id,customer_id,segment,mailbox,address,valid_from,valid_to\n" + f"{ANN},,\n{BOB},2030-01-01,\n"
SET = "- {select: {account_id: A1}, set: {segment: residential}, expect: 1, reason: moved, who: J. Doe}\n"


def corrected(tmp_path: Path, text: str) -> PulledRecords:
    (tmp_path / "crm.csv").write_text(DATED, encoding="utf-8")
    (tmp_path / "corrections.yaml").write_text(text, encoding="utf-8")
    return pull_customer_records(
        RecordsSpec("crm.csv", base=tmp_path, corrections="corrections.yaml"), tmp_path / "out"
    )


def test_corrections_are_made_and_told(tmp_path: Path) -> None:
    remove = "- select: {mailbox: ' BOB@Example.com', valid_from: 2030-01-01, valid_to: }\n  remove: true\n"
    pulled = corrected(tmp_path, SET + remove + "  expect: 1\n  reason: gone\n  who: J. Doe\n")
    assert pulled.records.select("account_id", "segment").rows() == [("A1", "residential")]
    assert pulled.corrections.select("action", "records", "reason").rows() == [
        ("set", 1, "moved"),
        ("remove", 1, "gone"),
    ]
    assert pulled.inputs["kind"].to_list() == ["customer_records", "corrections"]
    with pytest.raises(BadInput, match="correction 1 meets 1 records and expects 2"):
        corrected(tmp_path, SET.replace("expect: 1", "expect: 2"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not YAML"),
        ("select: {}", "a list of corrections is wanted"),
        ("- nothing", "correction 1: keys and values are wanted"),
        (SET.replace("reason", "why"), "key 'why' is not known"),
        (SET.replace("who: J. Doe", "who: ''"), "lacks key 'who'"),
        (SET.replace("expect: 1", "expect: many"), "expect is 'many'"),
        (SET.replace("set: {segment: residential}, ", ""), "either give `set` with new values, or `remove: true`"),
        (SET.replace("set:", "remove: true, set:"), "either give `set` with new values, or `remove: true`"),
        (SET.replace("account_id", "account"), "select: column 'account' is not known"),
        (SET.replace("{account_id: A1}", "everything"), "columns and values are wanted"),
        (SET.replace("segment: residential", "valid_to: soon"), "valid_to 'soon' is not a date"),
    ],
)
def test_a_file_of_corrections_that_will_not_do(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        corrected(tmp_path, text)


def test_a_segment_that_is_not_declared_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "crm.csv", ANN, BOB.replace("business", "busines"))
    spec = RecordsSpec("crm.csv", base=tmp_path, snapshots="kept", segments=("business", "residential"))
    with pytest.raises(
        BadInput, match=r"segment 'busines', in 1 records, first in data row 2, is none of customers\.seg"
    ):
        pull_customer_records(spec, tmp_path / "out")
