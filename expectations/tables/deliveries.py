"""What became of each message for each recipient, and whose fault it was."""

import polars as pl

from expectations.tables.declaration import INSTANT, Column, Table

OUTCOMES = ("delivered", "lost", "rejected_recipient", "pending", "unresolved")

FAULT_CLASSES = ("our_queue", "our_store", "our_policy", "recipient", "remote")

_KEPT_BY = {
    "our_queue": "our queue, and all that comes before the store",
    "our_store": "our store: its refusals, and connection and transmission",
    "our_policy": "a rule or an operator of ours",
    "recipient": "the recipient: mailbox full or unknown",
    "remote": "a server that is not ours",
}

DELIVERIES = Table(
    name="deliveries",
    grain="one row per message and recipient mailbox in a local domain, over the whole log",
    key=("message_key", "mailbox_or_address"),
    columns=(
        Column("message_key", pl.String, "host, queue id and arrival of the message's first queue file"),
        Column("message_id", pl.String, "Message-ID header; not unique", is_nullable=True),
        Column("host", pl.String, "host of the first queue file"),
        Column("queue_id", pl.String, "queue id of the first queue file"),
        Column("sender", pl.String, "envelope sender, lower case", is_nullable=True),
        Column("is_bulk", pl.Boolean, "the sender matches one of the incident's `bulk_senders`"),
        Column("address", pl.String, "address as written, lower case; null: the log never named it", is_nullable=True),
        Column("mailbox_or_address", pl.String, "mailbox; for an unmatched recipient its address", is_nullable=True),
        Column("mailbox", pl.String, "mailbox by the records of the day; null: unmatched", is_nullable=True),
        Column("account_id", pl.String, "account by the records of the day", is_nullable=True),
        Column("customer_id", pl.String, "customer by the records of the day", is_nullable=True),
        Column(
            "segment",
            pl.String,
            "segment by the records of the day; `unmatched`; null: recipient unknown",
            is_nullable=True,
        ),
        Column("arrived_at", INSTANT, "first arrival on the platform"),
        Column("arrived_date", pl.Date, "day of arrival in the incident's time zone"),
        Column("ended_at", INSTANT, "final outcome; null while pending or unresolved", is_nullable=True),
        Column("outcome", pl.String, "what became of it", allowed=OUTCOMES),
        Column("delay_seconds", pl.Float64, "outcome minus arrival; a lower limit while open", unit="s", minimum=0),
        Column("proven_delay_seconds", pl.Float64, "delay that the log itself proves", unit="s", minimum=0),
        Column(
            "seen_delay_seconds",
            pl.Float64,
            "while open and in no queue listing: from arrival to its last line",
            unit="s",
            is_nullable=True,
            minimum=0,
        ),
        Column(
            "longest_delay_seconds",
            pl.Float64,
            "while unresolved: until its queue file's end; null: no limit is known",
            unit="s",
            is_nullable=True,
            minimum=0,
        ),
        Column(
            "arrival_doubt",
            pl.String,
            "where no line of its own tells the arrival: `derived` from a delay, `later` queue file perhaps, `undated`,"
            " or lines of two queue files are `mixed`",
            is_nullable=True,
            allowed=("derived", "later", "undated", "mixed"),
        ),
        Column(
            "is_end_doubted",
            pl.Boolean,
            "pending, and silent for twice the time in which the server tries again",
            is_nullable=True,
        ),
        Column("is_loss_inferred", pl.Boolean, "lost by the end of a queue file that it shared", is_nullable=True),
        Column(
            "is_address_doubted",
            pl.Boolean,
            "the message has recipients whose lines are missing: the sender may have written it otherwise",
            is_nullable=True,
        ),
        Column("legs", pl.Int64, "queue files it passed through", minimum=1),
        Column("attempts", pl.Int64, "attempts for it, over all legs", minimum=0),
        Column("dsn", pl.String, "status code of the line that decided", is_nullable=True),
        Column("reason", pl.String, "the rule that decided the outcome"),
        Column("source_id", pl.String, "file, and piece of it, of the line that decided", is_nullable=True),
        Column("line_number", pl.Int64, "line that decided", is_nullable=True),
    ),
    note="`all` deliveries sum to `deliveries.total` in impact.json.",
)

FAULTS = Table(
    name="faults",
    grain="one row per delivery that is late at the lowest threshold, or lost: whose fault it was",
    key=("message_key", "mailbox_or_address"),
    columns=(
        Column("message_key", pl.String, "the message, as in deliveries"),
        Column("mailbox_or_address", pl.String, "the recipient, as in deliveries"),
        Column("direction", pl.String, "by the sender's domain", allowed=("inbound", "internal")),
        Column(
            "fault", pl.String, "who kept it longest; of bounced and deleted mail, who ended it", allowed=FAULT_CLASSES
        ),
        *(
            Column(f"{who}_seconds", pl.Float64, f"kept by {words}", unit="s", minimum=0)
            for who, words in _KEPT_BY.items()
        ),
    ),
)

SENDER_WAITS = Table(
    name="sender_waits",
    grain="one row per client, sender and recipient that we turned away for the time being, and message accepted then",
    key=("client", "sender", "recipient", "message_key", "first_refused_at"),
    columns=(
        Column("client", pl.String, "network address of the client, or its name", is_nullable=True),
        Column("sender", pl.String, "envelope sender, lower case", is_nullable=True),
        Column("recipient", pl.String, "recipient as the client named it, lower case", is_nullable=True),
        Column("refusals", pl.Int64, "temporary refusals", minimum=1),
        Column("first_refused_at", INSTANT, "the first of them"),
        Column("last_refused_at", INSTANT, "the last of them"),
        Column("reply_code", pl.String, "reply code of the first, with its enhanced status code", is_nullable=True),
        Column(
            "segment", pl.String, "segment by the records of the day; `unmatched`; null: no recipient", is_nullable=True
        ),
        Column("is_bulk", pl.Boolean, "the message accepted then came from a bulk sender"),
        Column("message_key", pl.String, "that message; null: none came within five days", is_nullable=True),
        Column("accepted_at", INSTANT, "its arrival", is_nullable=True),
        Column(
            "wait_seconds", pl.Float64, "from the first refusal to the arrival", unit="s", is_nullable=True, minimum=0
        ),
        Column("delay_seconds", pl.Float64, "its own delay, from then on", unit="s", is_nullable=True, minimum=0),
    ),
    note="Waits in senders' queues stand beside delay and are in no cell of the grid.",
)
