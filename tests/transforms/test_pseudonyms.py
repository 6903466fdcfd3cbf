"""People by keys that nobody can turn back."""

import hashlib
import hmac

import polars as pl
import pytest

from expectations.tables import ACCOUNTS, DELIVERIES
from transforms.pseudonyms import key_of, pseudonymise, pseudonymous

SECRET, OTHER = b"of this incident", b"of another one"
ROWS = pl.DataFrame(
    {
        "account_id": ["A1", "A2", "A3"],
        "customer_id": ["C1", "C1", "C2"],
        "segment": ["business", "residential", "business"],
        "mailboxes": [1, 1, 2],
        "deliveries": [3, 2, 1],
        "late_deliveries": [1, 0, 0],
        "lost_deliveries": [0, 0, 0],
        "pending_deliveries": [0, 0, 0],
        "longest_delay_seconds": [3600.0, 1.0, 2.0],
        "is_affected": [True, False, False],
    }
)


def test_a_key_is_the_beginning_of_the_hmac_under_the_secret() -> None:
    assert key_of("A1", SECRET) == hmac.new(SECRET, b"A1", hashlib.sha256).hexdigest()[:24]


@pytest.mark.parametrize(("value", "secret"), [("A2", SECRET), ("a1", SECRET), ("A1 ", SECRET), ("A1", OTHER)])
def test_another_name_or_another_secret_has_another_key(value: str, secret: bytes) -> None:
    assert key_of(value, secret) != key_of("A1", SECRET)


def test_figures_stay_and_people_become_keys() -> None:
    annex = pseudonymise(ROWS, ACCOUNTS, SECRET)
    assert annex.columns == ["account_key", "customer_key", *ROWS.columns[2:]]
    by_key = {row["account_key"]: row for row in annex.iter_rows(named=True)}
    assert by_key[key_of("A1", SECRET)]["longest_delay_seconds"] == 3600.0
    assert by_key[key_of("A2", SECRET)]["customer_key"] == by_key[key_of("A1", SECRET)]["customer_key"]


def test_the_order_of_rows_tells_nothing() -> None:
    keys = pseudonymise(ROWS, ACCOUNTS, SECRET)["account_key"].to_list()
    assert keys == sorted(keys)
    assert pseudonymise(ROWS.reverse(), ACCOUNTS, SECRET)["account_key"].to_list() == keys


def test_nobody_has_no_key() -> None:
    nobody = ROWS.with_columns(pl.lit(None, pl.String).alias("customer_id"))
    assert pseudonymise(nobody, ACCOUNTS, SECRET)["customer_key"].to_list() == [None] * 3


def test_no_column_of_an_annex_can_hold_a_name_or_quote_one() -> None:
    names = {column.name for column in pseudonymous(DELIVERIES).columns}
    people = {"account", "customer", "mailbox", "mailbox_or_address", "address", "sender"}
    assert names >= {f"{person}_key" for person in people}
    assert not names & {*people, "account_id", "customer_id", "message_id", "reason"}
