"""What was pulled, and what reading it gave, line by line."""

from dataclasses import replace

import polars as pl

from expectations.tables.declaration import INSTANT, Column, Table

STATUSES = ("sent", "forwarded", "deferred", "bounced", "expired", "discarded")

EVENT_KINDS = (
    "arrived",  # a queue file begins: smtpd `client=`, pickup `uid=`, Exim `<=`, sendmail `from=`, Exchange RECEIVE
    "named",  # its Message-ID became known
    "queued",  # its envelope sender and number of recipients became known (Postfix qmgr `from=`)
    "accepted",  # one recipient was named at arrival (Exim `for`, Exchange RECEIVE, `postqueue -j`)
    "attempted",  # one attempt for one recipient; `status` says how it went
    "requeued",  # `postsuper -r`: the queue file ends, `related_queue_id` is not yet known
    "expired",  # given up after the maximal queue lifetime, for every recipient still waiting
    "held",
    "released",
    "deleted",  # `postsuper -d`, `exim -Mrm`, header_checks DISCARD: ended by an operator or a rule
    "removed",  # the queue file ends, all recipients dealt with
    "ended",  # the queue file ends, and the line does not say whether an operator ended it
    "notified",  # a non-delivery notice was sent: `related_queue_id` is the notice, not the message
    "snapshot",  # still queued when the queue was listed
    "refused",  # our own temporary refusal at SMTP time: the wait is in the sender's queue
)

SOURCE_ID = Column("source_id", pl.String, "first 16 hex digits of the SHA-256 of the file's decompressed bytes")

PIECE_ID = replace(
    SOURCE_ID, description=f"{SOURCE_ID.description}; behind it `+1`, `+2` … where that file is several pieces joined"
)

LINE_NUMBER = Column("line_number", pl.Int64, "line in that file, from 1", minimum=1)

INPUTS = Table(
    name="inputs",
    grain="one row per file pulled for the incident, in the order of the incident file",
    key=("uri",),
    columns=(
        Column("uri", pl.String, "where the file came from, as resolved from the incident file"),
        Column("kind", pl.String, "what it is", allowed=("log", "queue_snapshot", "customer_records", "corrections")),
        SOURCE_ID,
        Column("path", pl.String, "the copy kept in the run's folder, relative to it; bytes as received"),
        Column("sha256", pl.String, "SHA-256 of the bytes as received"),
        Column("bytes", pl.Int64, "size as received", unit="bytes", minimum=0),
        Column("lines", pl.Int64, "lines after decompression", unit="lines", minimum=0),
        Column("is_duplicate", pl.Boolean, "same content as an earlier file of this incident: read once, counted once"),
        Column("format", pl.String, "the dialect that was declared or detected", is_nullable=True),
        Column("dialect_lines", pl.String, "how many of its lines each mail server wrote", is_nullable=True),
        Column("timezone", pl.String, "zone of stamps that carry none", is_nullable=True),
        Column("year", pl.Int64, "year of this file's first line, where stamps carry none", is_nullable=True),
        Column(
            "is_second_pass",
            pl.Boolean,
            "its first line lies in the second pass of the hour that daylight saving repeats",
            is_nullable=True,
        ),
        Column("first_at", INSTANT, "earliest stamp in the file", is_nullable=True),
        Column("last_at", INSTANT, "latest stamp in the file", is_nullable=True),
        Column("query", pl.String, "SQL that gave customer records from a database", is_nullable=True),
    ),
)

EVENTS = Table(
    name="events",
    grain="one row per fact that a log line or a queue listing states about a queue file or one of its recipients",
    key=("source_id", "line_number", "kind", "recipient"),
    columns=(
        PIECE_ID,
        LINE_NUMBER,
        Column("host", pl.String, "mail server that wrote the line, lower case; empty in a queue listing"),
        Column("queue_id", pl.String, "queue file or message id in the server's own spelling", is_nullable=True),
        Column(
            "queue_file",
            pl.Int64,
            "number of the queue file within its log file, as an id may be used again; absent in a queue listing",
            is_nullable=True,
        ),
        Column("kind", pl.String, "what the line states", allowed=EVENT_KINDS),
        Column("logged_at", INSTANT, "stamp of the line"),
        Column("sender", pl.String, "envelope sender, lower case; empty for the null sender", is_nullable=True),
        Column("recipient", pl.String, "final recipient address, lower case, domain in ASCII", is_nullable=True),
        Column("original_recipient", pl.String, "address as the sender wrote it, where it differs", is_nullable=True),
        Column(
            "recipient_place",
            pl.Int64,
            "the recipient's place, from 1, in the list of a line that may name several",
            is_nullable=True,
            minimum=1,
        ),
        Column("recipient_count", pl.Int64, "recipients of the queue file", unit="recipients", is_nullable=True),
        Column("message_id", pl.String, "Message-ID header, without angle brackets", is_nullable=True),
        Column("status", pl.String, "how the attempt went", is_nullable=True, allowed=STATUSES),
        Column("dsn", pl.String, "enhanced status code, RFC 3463", is_nullable=True),
        Column("delay_seconds", pl.Float64, "logged time since this queue file arrived", unit="s", is_nullable=True),
        Column("before_active_seconds", pl.Float64, "part a of `delays=`: waits deferred", unit="s", is_nullable=True),
        Column(
            "active_seconds", pl.Float64, "part b of `delays=`: waits in our active queue", unit="s", is_nullable=True
        ),
        Column("connect_seconds", pl.Float64, "part c of `delays=`: connection set-up", unit="s", is_nullable=True),
        Column("transmit_seconds", pl.Float64, "part d of `delays=`: transmission", unit="s", is_nullable=True),
        Column("relay", pl.String, "next hop as logged; `none` for no attempt", is_nullable=True),
        Column("client", pl.String, "client that handed the message in, as logged", is_nullable=True),
        Column(
            "related_queue_id",
            pl.String,
            "the other queue file: next leg (`queued as`, `forwarded as`), former leg (arrived: `orig_id`,"
            " `orig_queue_id`) or notice (notified)",
            is_nullable=True,
        ),
        Column("reply", pl.String, "what was said, for attempts that were not plainly sent", is_nullable=True),
    ),
)

QUARANTINE = Table(
    name="quarantine",
    grain="one row per log line that was not understood; nothing is thrown away",
    key=("source_id", "line_number"),
    columns=(
        SOURCE_ID,
        Column("uri", pl.String, "the file it came from"),
        LINE_NUMBER,
        Column("reason", pl.String, "the rule that set it aside"),
        Column("text", pl.String, "the line; bytes that are not UTF-8 are shown as U+FFFD"),
    ),
)

LINE_COUNTS = Table(
    name="line_counts",
    grain="one row per log file, host, service and fate of its lines",
    key=("source_id", "host", "service", "fate"),
    columns=(
        SOURCE_ID,
        Column("host", pl.String, "host that wrote them", is_nullable=True),
        Column("service", pl.String, "program name, or the dialect's word for it", is_nullable=True),
        Column("fate", pl.String, "what became of the lines", allowed=("parsed", "ignored", "quarantined")),
        Column("lines", pl.Int64, "lines", unit="lines", minimum=0),
        Column("first_at", INSTANT, "earliest stamp among them", is_nullable=True),
        Column("last_at", INSTANT, "latest stamp among them", is_nullable=True),
    ),
)

ACTIVITY = Table(
    name="activity",
    grain="one row per host and minute in which it wrote at least one line",
    key=("source_id", "host", "minute_at"),
    columns=(
        SOURCE_ID,
        Column("host", pl.String, "mail server"),
        Column("minute_at", INSTANT, "start of the minute"),
        Column("lines", pl.Int64, "lines written in it", unit="lines", minimum=1),
    ),
    visibility="public",
)
