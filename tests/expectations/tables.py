"""Small literal tables for the tests of the gates: obviously fake, whole unless a test breaks them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from expectations.tables import ACTIVITY, CELLS, CUSTOMER_RECORDS, DELIVERIES, EVENTS, INPUTS, LINE_COUNTS
from transforms.settings import Definition, Interval, Settings

START = datetime(2030, 11, 4, tzinfo=UTC)  # a Monday


def minute(number: float) -> datetime:
    """The instant that many minutes after START."""
    return START + timedelta(minutes=number)


def settings(start: float = 0, end: float = 1440, as_of: float | None = None, zone: str = "UTC") -> Settings:
    """Settings with a window in minutes after START."""
    return Settings(
        timezone=zone,
        window=Interval(minute(start), minute(end)),
        as_of=minute(end if as_of is None else as_of),
        placebo_windows=(),
        local_domains=("example.com",),
        bulk_senders=(),
        thresholds_seconds=(900, 3600),
        headline=Definition("account", 3600, "all", "late"),
    )


def inputs(**lines: int) -> pl.DataFrame:
    """One log file per name, with so many lines; the name is also its source id."""
    return INPUTS.conform(
        pl.DataFrame(
            {
                "uri": [f"logs/{name}.log" for name in lines],
                "kind": "log",
                "source_id": list(lines),
                "lines": list(lines.values()),
                "is_duplicate": False,
            },
            schema_overrides={"source_id": pl.String, "lines": pl.Int64},
        )
    )


def line_counts(**fates: tuple[int, int, int]) -> pl.DataFrame:
    """Lines of each file by fate: parsed, ignored, quarantined."""
    rows = [
        {"source_id": name, "host": "mx1", "service": "postfix/smtp", "fate": fate, "lines": lines}
        for name, by_fate in fates.items()
        for fate, lines in zip(("parsed", "ignored", "quarantined"), by_fate, strict=True)
    ]
    return LINE_COUNTS.conform(pl.DataFrame(rows)) if rows else LINE_COUNTS.empty()


def records(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """Customer records of (account, segment, mailbox, address, from, to); dates are days of November 2030 or None."""
    return CUSTOMER_RECORDS.conform(
        pl.DataFrame(
            [
                {
                    "account_id": account,
                    "customer_id": f"C-{account}",
                    "segment": segment,
                    "mailbox": mailbox,
                    "address": address,
                    "valid_from": None if start is None else date(2030, 11, start),
                    "valid_to": None if end is None else date(2030, 11, end),
                }
                for account, segment, mailbox, address, start, end in rows
            ],
            schema=dict(CUSTOMER_RECORDS.schema),
        )
    )


def activity(host: str, minutes: Sequence[int], lines: int = 20) -> pl.DataFrame:
    """One host that wrote so many lines in each of these minutes after START."""
    return ACTIVITY.conform(
        pl.DataFrame({"source_id": "f", "host": host, "minute_at": [minute(m) for m in minutes], "lines": lines})
    )


def events(rows: int = 1, **values: Any) -> pl.DataFrame:
    """So many attempts that went well, with `values` instead of the usual ones."""
    usual = {
        "source_id": "f",
        "host": "mx1",
        "queue_id": "AAA",
        "kind": "attempted",
        "logged_at": START,
        "recipient": "ann@example.com",
        "status": "sent",
    }
    frame = pl.DataFrame({"line_number": range(1, rows + 1)}, schema={"line_number": pl.Int64})
    return EVENTS.conform(frame.with_columns(pl.lit(value).alias(name) for name, value in (usual | values).items()))


def deliveries(rows: int = 1, **values: Any) -> pl.DataFrame:
    """So many deliveries that took a minute, each its own message, with `values` instead of the usual ones."""
    usual = {
        "host": "mx1",
        "queue_id": "AAA",
        "is_bulk": False,
        "address": "ann@example.com",
        "mailbox_or_address": "ann@example.com",
        "mailbox": "ann@example.com",
        "account_id": "A1",
        "customer_id": "C1",
        "segment": "residential",
        "arrived_at": START,
        "arrived_date": START.date(),
        "ended_at": minute(1),
        "outcome": "delivered",
        "delay_seconds": 60.0,
        "proven_delay_seconds": 60.0,
        "legs": 1,
        "attempts": 1,
        "reason": "sent",
    }
    frame = pl.DataFrame({"message_key": [f"m{n}" for n in range(rows)]}, schema={"message_key": pl.String})
    return DELIVERIES.conform(frame.with_columns(pl.lit(value).alias(name) for name, value in (usual | values).items()))


def cells(grid: pl.DataFrame, figure: int = 5) -> pl.DataFrame:
    """The same figure in every cell of a grid."""
    return CELLS.conform(grid.with_columns(measured=figure, lower=figure, upper=figure))


def gate(gates: pl.DataFrame, name: str, subject: str | None = None) -> dict[str, Any]:
    """The one row of GATES with this name."""
    of_subject = pl.lit(True) if subject is None else pl.col("subject") == subject
    return gates.row(by_predicate=(pl.col("gate") == name) & of_subject, named=True)


def failed(gates: pl.DataFrame, severity: str = "fail") -> set[str]:
    """The names of the gates that did not hold."""
    return set(gates.filter(~pl.col("is_passed") & (pl.col("severity") == severity))["gate"])
