"""All cases in one log: every rule of the definitions at work at once, each case among hosts and people of its own."""

from typing import Any

from tests.spec.cases import CASES
from tests.spec.tables import Row

_IDS = ("queue_id", "related_queue_id")
_ADDRESSES = ("recipient", "original_recipient")


def one_log(with_listing: bool) -> tuple[list[Row], list[Row]]:
    """Return log lines and records of the cases that have a queue listing, or of those that have none.

    A listing speaks of everything that waits, so the two kinds can't share a log. Settings of single cases are left
    out: what must hold here is that two counts agree, not a case's own figures.
    """
    rows: list[Row] = []
    records: list[Row] = []
    for number, case in enumerate(CASES):
        if any(row["kind"] == "snapshot" for row in case.events) == with_listing:
            rows += [_own_line(row, number, place) for place, row in enumerate(case.events, start=1)]
            records += [_own_record(row, number) for row in case.records]
    return rows, records


def _own_line(row: Row, number: int, place: int) -> Row:
    own: dict[str, Any] = dict(row)
    own["line_number"] = place
    own["source_id"] = f"{number}-{row['source_id']}"
    own["host"] = f"{number}-{row['host']}" if row["host"] else ""
    for column in _IDS:
        own[column] = f"{row[column]}{number:02X}" if row.get(column) else None
    for column in _ADDRESSES:
        own[column] = f"{number}-{row[column]}" if row.get(column) else None
    if row.get("message_id"):
        own["message_id"] = f"{number}-{row['message_id']}"
    return own


def _own_record(row: Row, number: int) -> Row:
    return row | {column: f"{number}-{row[column]}" for column in ("account_id", "customer_id", "mailbox", "address")}
