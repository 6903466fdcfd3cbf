"""Short words for the small tables of the cases: one call is one log line, one call is one record.

Times are seconds after the window's start, 2030-05-01 12:00 UTC. Lines get their numbers in the order written.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from expectations.tables import CUSTOMER_RECORDS, EVENTS
from transforms.settings import Definition, Interval, Settings

START = datetime(2030, 5, 1, 12, tzinfo=UTC)
Row = dict[str, Any]

SETTINGS: dict[str, Any] = {
    "timezone": "Pacific/Auckland",
    "window": (0, 3600),
    "as_of": 7200,
    "thresholds": (60, 3600),
    "local_domains": ("example.com",),
    "bulk_senders": ("*@mailhouse.example",),
}


def line(kind: str, queue_id: str, at: float, **values: Any) -> Row:
    """One event of `kind`; `host` is mx1 and the file is `f1` unless said otherwise."""
    return {"kind": kind, "queue_id": queue_id, "at": at, "host": "mx1", "source_id": "f1", **values}


def arrived(queue_id: str, at: float, former: str | None = None, **values: Any) -> Row:
    """A queue file begins; `former` is the id of the queue file that it continues."""
    return line("arrived", queue_id, at, related_queue_id=former, **values)


def queued(queue_id: str, at: float, sender: str = "sender@example.net", recipients: int = 1, **values: Any) -> Row:
    """Its envelope sender and number of recipients."""
    return line("queued", queue_id, at, sender=sender, recipient_count=recipients, **values)


def attempt(status: str, queue_id: str, at: float, to: str, written: str | None = None, **values: Any) -> Row:
    """An attempt for `to`; `written` is the original recipient, `next` the id that the next leg got."""
    extra = {"related_queue_id": values.pop("next", None), "delay_seconds": values.pop("delay", None)}
    return line("attempted", queue_id, at, status=status, recipient=to, original_recipient=written, **extra, **values)


def sent(queue_id: str, at: float, to: str, written: str | None = None, **values: Any) -> Row:
    """Delivered, or handed to the next leg (`next`)."""
    return attempt("sent", queue_id, at, to, written, **values)


def deferred(queue_id: str, at: float, to: str, written: str | None = None, **values: Any) -> Row:
    """Put off."""
    return attempt("deferred", queue_id, at, to, written, **values)


def bounced(queue_id: str, at: float, to: str, written: str | None = None, **values: Any) -> Row:
    """Refused for good."""
    return attempt("bounced", queue_id, at, to, written, **values)


def removed(queue_id: str, at: float, **values: Any) -> Row:
    """The queue file ends."""
    return line("removed", queue_id, at, **values)


def listed(queue_id: str, at: float, arrival: float, to: str, **values: Any) -> Row:
    """Still in the queue when it was listed at `at`."""
    return line(
        "snapshot", queue_id, at, recipient=to, delay_seconds=at - arrival, **{"host": "", "source_id": "q", **values}
    )


def whole(
    queue_id: str, at: float, end: float, to: str, sender: str = "sender@example.net", **values: Any
) -> list[Row]:
    """All lines of a queue file that arrives, is delivered to one recipient, and ends."""
    return [
        arrived(queue_id, at, **values),
        queued(queue_id, at, sender, **values),
        sent(queue_id, end, to, **values),
        removed(queue_id, end, **values),
    ]


def record(
    address: str,
    mailbox: str | None = None,
    account: str = "A1",
    segment: str = "residential",
    customer: str | None = None,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> Row:
    """One row of the customer records; by default an address is its own mailbox and an account its own customer."""
    return {
        "account_id": account,
        "customer_id": customer or f"C{account}",
        "segment": segment,
        "mailbox": mailbox or address,
        "address": address,
        "valid_from": valid_from,
        "valid_to": valid_to,
    }


def event_frame(rows: list[Row]) -> pl.DataFrame:
    """The rows as a table of events."""
    numbered = [
        {"line_number": number, **row, "logged_at": START + timedelta(seconds=row["at"])}
        for number, row in enumerate(rows, start=1)
    ]
    columns = {name: [row.get(name) for row in numbered] for name in EVENTS.schema}
    return pl.DataFrame(columns, schema=dict(EVENTS.schema))


def record_frame(rows: list[Row]) -> pl.DataFrame:
    """The rows as customer records."""
    return pl.DataFrame(rows, schema=dict(CUSTOMER_RECORDS.schema)) if rows else CUSTOMER_RECORDS.empty()


def settings(**changes: Any) -> Settings:
    """The settings of a case: SETTINGS with `changes`, times in seconds after START."""
    chosen = {**SETTINGS, **changes}
    start, end = (START + timedelta(seconds=s) for s in chosen["window"])
    return Settings(
        timezone=chosen["timezone"],
        window=Interval(start, end),
        as_of=START + timedelta(seconds=chosen["as_of"]),
        placebo_windows=(),
        local_domains=chosen["local_domains"],
        bulk_senders=chosen["bulk_senders"],
        thresholds_seconds=chosen["thresholds"],
        headline=Definition("account", chosen["thresholds"][0], "all", "late"),
    )


ANN, BOB, SALES = "ann@example.com", "bob@example.com", "sales@example.com"
TWO = (record(ANN), record(BOB, account="B1", segment="business"))


@dataclass(frozen=True)
class Case:
    """One named case: log lines, records, settings that differ, and what must come of them.

    `deliveries` lists every delivery that arrived in the window as "outcome delay-in-seconds"; `cells` names cells of
    the grid as "unit count threshold", then `excluding_bulk` and the segment where they aren't `all`.
    """

    name: str
    events: list[Row]
    deliveries: tuple[str, ...]
    cells: dict[str, int] = field(default_factory=dict)
    records: tuple[Row, ...] = TWO
    settings: dict[str, Any] = field(default_factory=dict)
