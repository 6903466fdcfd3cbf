"""Tables whose people go by keys that nobody can turn back: HMAC-SHA-256 under the incident's secret.

The same account has the same key in every table of an incident, and another one in every other incident. A plain hash
of an address would not do: whoever has a list of addresses can hash them all.
"""

import hmac
from dataclasses import replace
from hashlib import sha256

import polars as pl

from expectations.tables import Column, Table

KEY_DIGITS = 24
"""Hex digits of a key: two of 10^7 people share one with a chance of about 1 in 10^15."""
_PEOPLE = ("account_id", "customer_id", "mailbox", "mailbox_or_address", "address", "sender")
_LEFT_OUT = ("message_id", "reason")  # both may quote an address


def pseudonymous(table: Table) -> Table:
    """Return the declaration of `table` with keys for people: `account_id` becomes `account_key`."""
    columns = [_as_key(column) if column.name in _PEOPLE else column for column in table.columns]
    return replace(
        table,
        name=f"{table.name}_annex",
        key=tuple(_key_name(name) if name in _PEOPLE else name for name in table.key),
        columns=tuple(column for column in columns if column.name not in _LEFT_OUT),
    )


def pseudonymise(frame: pl.DataFrame, table: Table, secret: bytes) -> pl.DataFrame:
    """Return the rows of `table` in the columns of `pseudonymous(table)`, sorted, so that their order tells nothing."""
    annex = pseudonymous(table)
    keyed = frame.with_columns(
        pl.col(name)
        .replace_strict(_keys(frame[name], secret), return_dtype=pl.String, default=None)
        .alias(_key_name(name))
        for name in frame.columns
        if name in _PEOPLE
    )
    return annex.conform(keyed).sort(annex.key)


def key_of(value: str, secret: bytes) -> str:
    """Return the key of one account, customer, mailbox or address."""
    return hmac.new(secret, value.encode("utf-8"), sha256).hexdigest()[:KEY_DIGITS]


def _keys(values: pl.Series, secret: bytes) -> dict[str, str]:
    return {value: key_of(value, secret) for value in values.drop_nulls().unique().to_list()}


def _as_key(column: Column) -> Column:
    said = f"key of its `{column.name}` (HMAC-SHA-256 under the incident's secret)"
    return replace(column, name=_key_name(column.name), description=said)


def _key_name(name: str) -> str:
    return f"{name.removesuffix('_id')}_key"
