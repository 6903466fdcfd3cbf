"""What the charts are drawn from: mail by time of arrival, by delay, by fault."""

import polars as pl

from expectations.tables.declaration import INSTANT, Column, Table
from expectations.tables.deliveries import FAULT_CLASSES
from expectations.tables.grid import ANY_SEGMENT, WHICH_MESSAGES

MINUTES = Table(
    name="minutes",
    grain="one row per step of time over the whole log, ready to draw",
    key=("start_at",),
    columns=(
        Column("start_at", INSTANT, "start of the step"),
        Column("step_seconds", pl.Int64, "length of the step", unit="s", minimum=1),
        Column("arrivals", pl.Int64, "deliveries that arrived in it", minimum=0),
        Column("arrivals_bulk", pl.Int64, "of them from bulk senders", minimum=0),
        Column("ended", pl.Int64, "deliveries that ended in it", minimum=0),
        Column("backlog", pl.Int64, "deliveries waiting at its end", minimum=0),
        Column("backlog_bulk", pl.Int64, "of them from bulk senders", minimum=0),
        Column("delay_median_seconds", pl.Float64, "median delay of its arrivals", unit="s", is_nullable=True),
        Column(
            "delay_p95_seconds", pl.Float64, "95th percentile of the delay of its arrivals", unit="s", is_nullable=True
        ),
    ),
    visibility="public",
)

DELAYS = Table(
    name="delays",
    grain="one row per segment, messages and upper edge of delay: deliveries that arrived in the window",
    key=("segment", "messages", "at_most_seconds"),
    columns=(
        ANY_SEGMENT,
        WHICH_MESSAGES,
        Column(
            "at_most_seconds",
            pl.Float64,
            "upper edge of this class of delay; null: no upper edge",
            unit="s",
            is_nullable=True,
        ),
        Column("delivered", pl.Int64, "delivered with a delay in the class", minimum=0),
        Column("pending", pl.Int64, "still open, and waiting that long already", minimum=0),
        Column("lost", pl.Int64, "lost after that long", minimum=0),
    ),
    visibility="public",
)

REFUSALS = Table(
    name="refusals",
    grain="one row per segment and messages: what waited in senders' queues because we turned it away in the window",
    key=("segment", "messages"),
    columns=(
        Column(
            "segment", pl.String, "`all`, a segment, `unmatched`, or `unnamed`: refused before a recipient was named"
        ),
        WHICH_MESSAGES,
        Column("waits", pl.Int64, "clients, senders and recipients that were turned away", minimum=1),
        Column("refusals", pl.Int64, "temporary refusals", minimum=1),
        Column("accepted", pl.Int64, "accepted within five days", minimum=0),
        Column("never_accepted", pl.Int64, "not accepted by then, or by the end of the log", minimum=0),
        Column("median_wait_seconds", pl.Float64, "median wait of those accepted", unit="s", is_nullable=True),
        Column("longest_wait_seconds", pl.Float64, "longest of them", unit="s", is_nullable=True),
        Column(
            "late_only_with_wait", pl.Int64, "late by the headline's threshold only if this wait counted", minimum=0
        ),
    ),
    visibility="public",
)

FAULT_SHARES = Table(
    name="fault_shares",
    grain="one row per segment, direction and fault: late and lost mail of the window by the headline's definition",
    key=("segment", "direction", "fault"),
    columns=(
        ANY_SEGMENT,
        Column("direction", pl.String, "where it came from", allowed=("any", "inbound", "internal")),
        Column(
            "fault",
            pl.String,
            "whose fault it was; `ours`: without the recipient's and other servers'",
            allowed=("any", "ours", *FAULT_CLASSES),
        ),
        Column("deliveries", pl.Int64, "deliveries", minimum=1),
        Column("mailboxes", pl.Int64, "mailboxes with at least one of them", minimum=0),
        Column("accounts", pl.Int64, "accounts with at least one of them", minimum=0),
    ),
    visibility="public",
)
