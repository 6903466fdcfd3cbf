"""What a dialect is: an envelope that opens a line, and a grammar that reads what is inside.

An *envelope* (`syslog`, `exim` main log, `exchange` CSV) turns raw lines into `OPENED` columns: when, which host,
which service, and the body. A *grammar* (`postfix`, `exim`, `sendmail`, `exchange`) turns bodies into events.
Every line meets one of three fates: it gave an event (parsed), it is known to carry no delivery fact (ignored), or
it was not understood (quarantined, with the rule that set it aside). A grammar must quarantine a line that begins
like a delivery fact and does not end like one; a line of another program is ignored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from expectations.tables import INSTANT

RAW: dict[str, Any] = {"line_number": pl.Int64, "text": pl.String}
OPENED: dict[str, Any] = {
    "line_number": pl.Int64,
    "logged_at": INSTANT,
    "host": pl.String,  # or categories, as a log has few hosts and few services
    "service": pl.String,  # or categories; program without pid, for example `postfix/smtpd`, `postfix-in/qmgr`, `exim`
    "text": pl.String,  # the body, after the head
}


@dataclass(frozen=True)
class LogOptions:
    """What the incident file says of a log's lines.

    `timezone` is that of stamps that carry none (IANA name), `year` that of the file's first line where stamps
    carry none (None: found by `clock.py`), `host` the name to use where lines carry none. `is_second_pass`: the first
    line lies in the second pass of an hour that daylight saving repeats.
    """

    timezone: str = "UTC"
    year: int | None = None
    host: str = ""
    is_second_pass: bool = False


@dataclass
class Opened:
    """One chunk of lines after its envelope: `lines` has the columns of OPENED, `aside` line_number, reason."""

    lines: pl.DataFrame
    aside: pl.DataFrame


@dataclass
class Reading:
    """What a grammar made of one chunk.

    `events` has the columns of `expectations.tables.EVENTS` without `source_id` (absent columns are null);
    `aside` has line_number, reason. A line in neither is ignored. `apart` are further events, in frames that are not
    put together before each has its final form: that would copy them.
    """

    events: pl.DataFrame
    aside: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"line_number": pl.Int64, "reason": pl.String})
    )
    apart: Sequence[pl.DataFrame] = ()


def places(recipients: pl.Expr) -> pl.Expr:
    """Return `recipient_place` for lists of recipients: 1, 2, …, a list of the same length."""
    return pl.int_ranges(1, recipients.list.len() + 1, dtype=pl.Int64).alias("recipient_place")


def in_domain_of(written: pl.Expr, local_part: pl.Expr) -> pl.Expr:
    """Return the address of a bare local part, as local mailers log it: in the domain of the address that led to it."""
    return local_part + written.str.extract(r"(@[^@]*)$", 1).fill_null("")


class Envelope(Protocol):
    """Opens lines. Holds what must be carried from chunk to chunk (year, fold of the repeated hour, CSV header)."""

    def open(self, raw: pl.DataFrame) -> Opened:
        """Open one chunk of lines (columns of RAW, in file order)."""
        ...


class Grammar(Protocol):
    """Reads the bodies of the services that it owns. Stateless."""

    def owns(self, services: pl.Series) -> pl.Series:
        """Say for each service name whether this grammar reads its lines (boolean)."""
        ...

    def read(self, lines: pl.DataFrame) -> Reading:
        """Read opened lines of owned services."""
        ...
