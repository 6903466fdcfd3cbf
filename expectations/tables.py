"""One declaration per table: grain, key, columns, types, units, limits.

Everything that must agree about a table reads it from here: the frames that `transforms` build, the
expectations that guard them, and the data dictionary in `docs/data-dictionary.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import polars as pl

INSTANT = pl.Datetime("us", "UTC")
Visibility = Literal["public", "restricted"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    `unit` is empty where a value has none; `allowed` closes the set of values; `minimum` is inclusive.
    """

    name: str
    dtype: Any
    description: str
    unit: str = ""
    is_nullable: bool = False
    allowed: tuple[str, ...] = ()
    minimum: float | None = None


@dataclass(frozen=True)
class Table:
    """One table: what a row is, what identifies it, and its columns in order."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    visibility: Visibility = "restricted"
    note: str = ""
    schema: Mapping[str, Any] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "schema", {c.name: c.dtype for c in self.columns})

    def empty(self) -> pl.DataFrame:
        """Return a frame with this table's columns and no row."""
        return pl.DataFrame(schema=dict(self.schema))

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` in the declared columns, order and types; a declared column it lacks is all null."""
        types = frame.schema
        missing = [pl.lit(None, c.dtype).alias(c.name) for c in self.columns if c.name not in types]
        cast = [pl.col(c.name).cast(c.dtype) for c in self.columns if c.name in types and types[c.name] != c.dtype]
        return frame.with_columns(*cast, *missing).select(self.schema.keys())


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
STATUSES = ("sent", "forwarded", "deferred", "bounced", "expired", "discarded")
OUTCOMES = ("delivered", "lost", "rejected_recipient", "pending", "unresolved")
UNITS = ("delivery", "message", "address", "mailbox", "account", "customer")
UNITS_OF_THE_RECORDS = ("mailbox", "account", "customer")
MESSAGES = ("all", "excluding_bulk")
COUNTS = ("late", "late_or_lost")

_SOURCE_ID = Column("source_id", pl.String, "first 16 hex digits of the SHA-256 of the file's decompressed bytes")
_PIECE_ID = replace(
    _SOURCE_ID, description=f"{_SOURCE_ID.description}; behind it `+1`, `+2` … where that file is several pieces joined"
)
_LINE_NUMBER = Column("line_number", pl.Int64, "line in that file, from 1", minimum=1)

INPUTS = Table(
    name="inputs",
    grain="one row per file pulled for the incident, in the order of the incident file",
    key=("uri",),
    columns=(
        Column("uri", pl.String, "where the file came from, as resolved from the incident file"),
        Column("kind", pl.String, "what it is", allowed=("log", "queue_snapshot", "customer_records", "corrections")),
        _SOURCE_ID,
        Column("path", pl.String, "the copy kept in the run's folder, relative to it; bytes as received"),
        Column("sha256", pl.String, "SHA-256 of the bytes as received"),
        Column("bytes", pl.Int64, "size as received", unit="bytes", minimum=0),
        Column("lines", pl.Int64, "lines after decompression", unit="lines", minimum=0),
        Column("is_duplicate", pl.Boolean, "same content as an earlier file of this incident: read once, counted once"),
        Column("format", pl.String, "the dialect that was declared or detected", is_nullable=True),
        Column("dialect_lines", pl.String, "how many of its lines each mail server wrote", is_nullable=True),
        Column("timezone", pl.String, "zone of stamps that carry none", is_nullable=True),
        Column("year", pl.Int64, "year of this file's first line, where stamps carry none", is_nullable=True),
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
        _PIECE_ID,
        _LINE_NUMBER,
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
        _SOURCE_ID,
        Column("uri", pl.String, "the file it came from"),
        _LINE_NUMBER,
        Column("reason", pl.String, "the rule that set it aside"),
        Column("text", pl.String, "the line; bytes that are not UTF-8 are shown as U+FFFD"),
    ),
)

LINE_COUNTS = Table(
    name="line_counts",
    grain="one row per log file, host, service and fate of its lines",
    key=("source_id", "host", "service", "fate"),
    columns=(
        _SOURCE_ID,
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
        _SOURCE_ID,
        Column("host", pl.String, "mail server"),
        Column("minute_at", INSTANT, "start of the minute"),
        Column("lines", pl.Int64, "lines written in it", unit="lines", minimum=1),
    ),
    visibility="public",
)

FINDINGS = Table(
    name="findings",
    grain="one row per thing in the logs that a reader of the figures must know",
    key=("code", "host", "start_at", "detail"),
    columns=(
        Column(
            "code",
            pl.String,
            "what was found",
            allowed=(
                "log_hole",
                "loss_mark",
                "truncated_file",
                "clock_step",
                "clock_set_back",
                "joined_pieces",
                "wrong_zone",
                "wrong_year",
                "edited_stamp",
                "mixed_file",
                "empty_file",
            ),
        ),
        Column("host", pl.String, "host concerned", is_nullable=True),
        Column("source_id", pl.String, "file concerned", is_nullable=True),
        Column("start_at", INSTANT, "from", is_nullable=True),
        Column("end_at", INSTANT, "until", is_nullable=True),
        Column("lines", pl.Int64, "lines known to be missing, where the log says", unit="lines", is_nullable=True),
        Column("detail", pl.String, "one sentence; no address"),
    ),
    visibility="public",
)

CUSTOMER_RECORDS = Table(
    name="customer_records",
    grain="one row per address, mailbox and span of validity",
    key=("address", "mailbox", "valid_from"),
    columns=(
        Column("account_id", pl.String, "what is billed"),
        Column("customer_id", pl.String, "person or firm behind the account"),
        Column("segment", pl.String, "`business`, `residential` or what the records say"),
        Column("mailbox", pl.String, "where mail is stored, lower case"),
        Column("address", pl.String, "address that leads there, lower case; the mailbox's own name is one"),
        Column("valid_from", pl.Date, "first day, in the incident's time zone", is_nullable=True),
        Column("valid_to", pl.Date, "last day, inclusive; empty: still valid", is_nullable=True),
    ),
)

CORRECTIONS = Table(
    name="corrections",
    grain="one row per correction that was made to the customer records before anything was counted",
    key=("correction",),
    columns=(
        Column("correction", pl.Int64, "number of the entry in the file of corrections", minimum=1),
        Column("selected_by", pl.String, "columns whose values say which records are meant"),
        Column("action", pl.String, "what was done with them", allowed=("set", "remove")),
        Column("columns", pl.String, "columns that were given new values", is_nullable=True),
        Column("records", pl.Int64, "records that it met, as many as it expected", unit="records", minimum=0),
        Column("reason", pl.String, "why, as written"),
        Column("who", pl.String, "who answers for it, as written"),
    ),
)

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

CELLS = Table(
    name="cells",
    grain="one row per definition and segment: the full grid of the contract",
    key=("unit", "threshold_seconds", "messages", "count", "segment"),
    columns=(
        Column("unit", pl.String, "what is counted", allowed=UNITS),
        Column("threshold_seconds", pl.Int64, "late is a delay of at least this", unit="s", minimum=0),
        Column("messages", pl.String, "which messages", allowed=MESSAGES),
        Column("count", pl.String, "which outcomes", allowed=COUNTS),
        Column("segment", pl.String, "`all`, a segment of the records, or `unmatched`"),
        Column("measured", pl.Int64, "what the logs show", minimum=0),
        Column("lower", pl.Int64, "what the logs prove", minimum=0),
        Column("upper", pl.Int64, "lower plus all that might be", minimum=0),
        Column("baseline", pl.Float64, "mean over ordinary windows of the same length", is_nullable=True, minimum=0),
    ),
    visibility="public",
)

BOUND_CAUSES = (
    "pending",
    "unresolved",
    "arrival",
    "unmatched",
    "nameless",
    "unread_lines",
    "gaps",
    "loss_marks",
    "unseen",
)

BOUNDS = Table(
    name="bounds",
    grain="one row per cell and cause: what the cause adds to the upper bound, after the causes before it",
    key=("unit", "threshold_seconds", "messages", "count", "segment", "place"),
    columns=(
        Column("unit", pl.String, "what is counted", allowed=UNITS),
        Column("threshold_seconds", pl.Int64, "late is a delay of at least this", unit="s", minimum=0),
        Column("messages", pl.String, "which messages", allowed=MESSAGES),
        Column("count", pl.String, "which outcomes", allowed=COUNTS),
        Column("segment", pl.String, "`all`, a segment of the records, or `unmatched`"),
        Column("place", pl.Int64, "the cause's turn", minimum=1),
        Column("cause", pl.String, "what is not known", allowed=BOUND_CAUSES),
        Column("width", pl.Int64, "units that it may add", minimum=0),
    ),
    visibility="public",
    note="The widths of a cell add up to its `upper` minus its `measured`.",
)

NARROWER = Table(
    name="narrower",
    grain="one row per cell and assumption: the bounds for whoever makes it",
    key=("unit", "threshold_seconds", "messages", "count", "segment", "place"),
    columns=(
        Column("unit", pl.String, "what is counted", allowed=UNITS),
        Column("threshold_seconds", pl.Int64, "late is a delay of at least this", unit="s", minimum=0),
        Column("messages", pl.String, "which messages", allowed=MESSAGES),
        Column("count", pl.String, "which outcomes", allowed=COUNTS),
        Column("segment", pl.String, "`all`, a segment of the records, or `unmatched`"),
        Column("place", pl.Int64, "the assumption's turn", minimum=1),
        Column("assumption", pl.String, "its name; `all_of_these` makes every one"),
        Column("sentence", pl.String, "what is assumed"),
        Column("lower", pl.Int64, "at least so many", minimum=0),
        Column("upper", pl.Int64, "at most so many", minimum=0),
    ),
    visibility="public",
    note="Each range lies within the cell's bounds and holds its `measured`. No log can tell whether one holds.",
)

LOSSES = Table(
    name="losses",
    grain="one row per host and hour of arrival: lines that queue files must have left, and those that are missing",
    key=("host", "hour_at"),
    columns=(
        Column("host", pl.String, "mail server"),
        Column("hour_at", INSTANT, "start of the hour"),
        Column("lines_per_recipient", pl.Float64, "lines about mail, per recipient of a queue file", minimum=0),
        Column("files", pl.Int64, "queue files", minimum=0),
        Column("lines_expected", pl.Int64, "lines that they must have left", unit="lines", minimum=0),
        Column("lines_missing", pl.Int64, "of them missing", unit="lines", minimum=0),
        Column("pairs_expected", pl.Int64, "pairs of lines written together", minimum=0),
        Column("pairs_missing", pl.Int64, "of them missing, both", minimum=0),
        Column("files_to_end", pl.Int64, "queue files that must have ended", minimum=0),
        Column("finals", pl.Int64, "recipients whose end is logged", minimum=0),
        Column("deletions", pl.Int64, "queue files that an operator deleted", minimum=0),
        Column("recipients_counted", pl.Int64, "recipients of queue files that count them", minimum=0),
        Column("recipients_unnamed", pl.Int64, "of them named by no end", minimum=0),
        Column("recipients_uncounted", pl.Int64, "recipients named in queue files whose count is missing", minimum=0),
        Column("files_counted", pl.Int64, "queue files that count their recipients", minimum=0),
        Column("first_half_only", pl.Int64, "queue files with a beginning and no end", minimum=0),
        Column("second_half_only", pl.Int64, "queue files with an end and no beginning", minimum=0),
        Column("both_halves", pl.Int64, "queue files with both", minimum=0),
    ),
    visibility="public",
)

SILENCES = Table(
    name="silences",
    grain="one row per time of ten minutes or more without a fact from a host, in which queue files must have written",
    key=("host", "start_at"),
    columns=(
        Column("host", pl.String, "mail server"),
        Column("start_at", INSTANT, "from"),
        Column("end_at", INSTANT, "until"),
        Column(
            "files", pl.Int64, "queue files that began in it, by later lines, or were not heard of after it", minimum=1
        ),
    ),
    visibility="public",
)

UNREAD = Table(
    name="unread",
    grain="one row per quarantined line: when it must have been written",
    key=("source_id", "line_number"),
    columns=(
        _SOURCE_ID,
        _LINE_NUMBER,
        Column("from_at", INSTANT, "stamp of a line before it; null: none", is_nullable=True),
        Column("until_at", INSTANT, "stamp of a line after it; null: none", is_nullable=True),
    ),
    visibility="public",
)

ACCOUNTS = Table(
    name="accounts",
    grain="one row per account with at least one delivery in the window",
    key=("account_id", "segment"),
    columns=(
        Column("account_id", pl.String, "account"),
        Column("customer_id", pl.String, "customer"),
        Column("segment", pl.String, "segment"),
        Column("mailboxes", pl.Int64, "its mailboxes that had mail in the window", minimum=1),
        Column("deliveries", pl.Int64, "deliveries in the window", minimum=1),
        Column("late_deliveries", pl.Int64, "late by the headline's threshold and choice of messages", minimum=0),
        Column("lost_deliveries", pl.Int64, "lost", minimum=0),
        Column("pending_deliveries", pl.Int64, "still queued at as of", minimum=0),
        Column("longest_delay_seconds", pl.Float64, "longest delay", unit="s", minimum=0),
        Column("is_affected", pl.Boolean, "counts in the headline"),
    ),
)

CARE_LIST = Table(
    name="care_list",
    grain="one row per account with a late, lost or waiting message, those that were harmed most first",
    key=("account_id",),
    columns=(
        Column("place", pl.Int64, "its turn to be written to", minimum=1),
        Column("account_id", pl.String, "account"),
        Column("customer_id", pl.String, "customer"),
        Column("segment", pl.String, "segment, or both where it changed in the window"),
        Column("late_deliveries", pl.Int64, "late by the headline's threshold and choice of messages", minimum=0),
        Column("lost_deliveries", pl.Int64, "lost", minimum=0),
        Column("pending_deliveries", pl.Int64, "still queued at as of", minimum=0),
        Column("longest_delay_seconds", pl.Float64, "longest delay", unit="s", minimum=0),
        Column("down_seconds", pl.Float64, "time in which a message was overdue", unit="s", minimum=0),
        Column("what_happened", pl.String, "the same in words"),
        Column("letter", pl.String, "what a letter to it may say"),
    ),
    note="Sorted by lost messages, then time down, then the longest delay, then late messages.",
)

MEASURES = ("late", "lost", "hours", "days", "longest")
"""What redress may go by; `transforms/redress.py` says how each is taken."""

REDRESS = Table(
    name="redress",
    grain="one row per what-if scheme, segment and cut: the accounts that it would pay there, and what they would cost",
    key=("scheme", "segment", "cut"),
    columns=(
        Column("scheme", pl.String, "name of the scheme in the policy"),
        Column(
            "segment", pl.String, "`all` or a segment; an account that was in two counts in each, and once in `all`"
        ),
        Column("measure", pl.String, "what the cut is on", allowed=MEASURES),
        Column("cut", pl.Float64, "measure from which this is paid; accounts are counted at the highest they reach"),
        Column("pay", pl.Float64, "paid to each, or for each unit of the measure begun", minimum=0),
        Column("is_each", pl.Boolean, "`pay` is for each unit of the measure begun"),
        Column("accounts", pl.Int64, "accounts paid at this cut", minimum=0),
        Column("cost", pl.Float64, "what they would be paid", minimum=0),
        Column("just_under", pl.Int64, "accounts that lack less than a tenth of the cut, or one", minimum=0),
    ),
)

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
        Column("segment", pl.String, "`all`, a segment or `unmatched`"),
        Column("messages", pl.String, "which messages", allowed=MESSAGES),
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

REFUSALS = Table(
    name="refusals",
    grain="one row per segment and messages: what waited in senders' queues because we turned it away in the window",
    key=("segment", "messages"),
    columns=(
        Column(
            "segment", pl.String, "`all`, a segment, `unmatched`, or `unnamed`: refused before a recipient was named"
        ),
        Column("messages", pl.String, "which messages", allowed=MESSAGES),
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

FAULT_CLASSES = ("our_queue", "our_store", "our_policy", "recipient", "remote")
_KEPT_BY = {
    "our_queue": "our queue, and all that comes before the store",
    "our_store": "our store: its refusals, and connection and transmission",
    "our_policy": "a rule or an operator of ours",
    "recipient": "the recipient: mailbox full or unknown",
    "remote": "a server that is not ours",
}

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

FAULT_SHARES = Table(
    name="fault_shares",
    grain="one row per segment, direction and fault: late and lost mail of the window by the headline's definition",
    key=("segment", "direction", "fault"),
    columns=(
        Column("segment", pl.String, "`all`, a segment or `unmatched`"),
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

GATES = Table(
    name="gates",
    grain="one row per check that ran",
    key=("gate", "subject"),
    columns=(
        Column("gate", pl.String, "name of the check"),
        Column("subject", pl.String, "table or file it looked at"),
        Column("severity", pl.String, "what a breach means", allowed=("fail", "warn")),
        Column("is_passed", pl.Boolean, "whether it held"),
        Column("observed", pl.String, "what was seen"),
        Column("limit", pl.String, "what is allowed, and whether that is the default"),
        Column("remedy", pl.String, "what to do about it"),
        Column(
            "expectation", pl.String, "Great Expectations' class and its arguments; null: not asked", is_nullable=True
        ),
        Column(
            "compared", pl.Int64, "values that it compared; null: it does not count them", minimum=0, is_nullable=True
        ),
        Column("breaching", pl.Int64, "of them in breach", minimum=0, is_nullable=True),
    ),
    visibility="public",
)

HOURS = Table(
    name="hours",
    grain="one row per unit, threshold, messages, count and segment: how long people were down",
    key=("unit", "threshold_seconds", "messages", "count", "segment"),
    columns=(
        Column("unit", pl.String, "whose time", allowed=("account", "mailbox")),
        Column(
            "threshold_seconds",
            pl.Int64,
            "down while a message is older than this and undelivered",
            unit="s",
            minimum=0,
        ),
        Column("messages", pl.String, "which messages", allowed=MESSAGES),
        Column("count", pl.String, "which outcomes; lost mail counts until it was lost", allowed=COUNTS),
        Column("segment", pl.String, "`all` or a segment of the records"),
        Column("people", pl.Int64, "accounts or mailboxes with mail at least this late", minimum=0),
        Column(
            "measured_seconds", pl.Float64, "time down, added up over them; overlaps count once", unit="s", minimum=0
        ),
        Column("lower_seconds", pl.Float64, "of it, what the log itself proves", unit="s", minimum=0),
        Column("upper_seconds", pl.Float64, "with unresolved mail and unmatched recipients", unit="s", minimum=0),
    ),
    visibility="public",
    note="Mail that arrived in the window, followed to its end or as of. A delay of exactly D has no time down.",
)

DOWNTIME = Table(
    name="downtime",
    grain="one row per unit, person, segment and span in which it was down, by the headline's definition",
    key=("unit", "entity_id", "segment", "start_at"),
    columns=(
        Column("unit", pl.String, "what the person is", allowed=("account", "mailbox")),
        Column("entity_id", pl.String, "the account's id or the mailbox"),
        Column("segment", pl.String, "segment of the mail that waited"),
        Column("start_at", INSTANT, "its oldest undelivered message reached the threshold"),
        Column("end_at", INSTANT, "nothing that old waited any more; as of, where something still does"),
    ),
)

UPTIME = Table(
    name="uptime",
    grain="one row per segment and length of time: user-uptime in the worst such time of the incident's window",
    key=("segment", "window_seconds"),
    columns=(
        Column("segment", pl.String, "`all` or a segment of the records"),
        Column(
            "window_seconds",
            pl.Int64,
            "length of the time looked at; the longest is the whole window",
            unit="s",
            minimum=1,
        ),
        Column("accounts", pl.Int64, "accounts that had mail in the window", minimum=0),
        Column("worst_start_at", INSTANT, "start of the worst such time", is_nullable=True),
        Column("down_seconds", pl.Float64, "time down in it, over all accounts", unit="s", minimum=0),
        Column(
            "uptime_share",
            pl.Float64,
            "share of the accounts' time in which they were up; null: no account",
            is_nullable=True,
            minimum=0,
        ),
    ),
    visibility="public",
    note="Hauer et al., Meaningful Availability, NSDI 2020; at the headline's threshold.",
)

SCALES = Table(
    name="scales",
    grain="one row per illustrative regulator's scale and criterion",
    key=("scale", "criterion"),
    columns=(
        Column("scale", pl.String, "whose scale"),
        Column("criterion", pl.String, "what it asks, in words"),
        Column("observed", pl.Float64, "what was measured; null: mail logs can't tell", is_nullable=True, minimum=0),
        Column(
            "threshold",
            pl.Float64,
            "from where the criterion is met; null: it names no figure",
            is_nullable=True,
            minimum=0,
        ),
        Column("unit", pl.String, "unit of both"),
        Column(
            "is_met", pl.Boolean, "whether it would be met, were e-mail in scope; null: no figure", is_nullable=True
        ),
        Column("source", pl.String, "where the scale is written"),
        Column("caveat", pl.String, "why it may not apply"),
    ),
    visibility="public",
)

SURVIVAL = Table(
    name="survival",
    grain="one row per segment, messages and delay: what became of mail of the window by then, pending mail censored",
    key=("segment", "messages", "delay_seconds"),
    columns=(
        Column("segment", pl.String, "`all`, a segment or `unmatched`"),
        Column("messages", pl.String, "which messages", allowed=MESSAGES),
        Column("delay_seconds", pl.Float64, "time since first arrival", unit="s", minimum=0),
        Column("at_risk", pl.Int64, "deliveries known to have waited at least this long", minimum=0),
        Column("waiting_share", pl.Float64, "share that waits at least this long (Kaplan-Meier)", minimum=0),
        Column("delivered_share", pl.Float64, "share delivered sooner (Aalen-Johansen)", minimum=0),
        Column("lost_share", pl.Float64, "share lost sooner (Aalen-Johansen)", minimum=0),
        Column(
            "naive_waiting_share", pl.Float64, "the same of delivered mail alone: misleads", is_nullable=True, minimum=0
        ),
    ),
    visibility="public",
    note="Waiting, delivered and lost add up to one.",
)

WINDOWS = Table(
    name="windows",
    grain="one row per window that was declared or that some penalty detects",
    key=("source", "penalty"),
    columns=(
        Column("source", pl.String, "where it comes from", allowed=("declared", "detected")),
        Column(
            "penalty",
            pl.Float64,
            "price of a change point, in noise variances times log n; null: declared",
            is_nullable=True,
            minimum=0,
        ),
        Column("is_used", pl.Boolean, "the window of this run's figures"),
        Column("is_default", pl.Boolean, "found with the penalty that was fixed beforehand"),
        Column("change_points", pl.Int64, "changes of level found in all; null: declared", is_nullable=True, minimum=0),
        Column("start_at", INSTANT, "start; null: nothing stands out", is_nullable=True),
        Column("end_at", INSTANT, "end, exclusive", is_nullable=True),
    ),
    visibility="public",
)

WINDOW_FIGURES = Table(
    name="window_figures",
    grain="one row per window of `windows` and segment: the headline under it",
    key=("source", "penalty", "segment"),
    columns=(
        Column("source", pl.String, "where the window comes from", allowed=("declared", "detected")),
        Column("penalty", pl.Float64, "as in `windows`", is_nullable=True, minimum=0),
        Column("segment", pl.String, "`all`, a segment or `unmatched`"),
        Column("measured", pl.Int64, "the headline's definition, counted in it", minimum=0),
    ),
    visibility="public",
)

RUNGS = ("provisioned", "active", "exposed", "late", "late_in_working_hours", "lost")

LADDER = Table(
    name="ladder",
    grain="one row per unit, messages, segment and rung: from everybody on the records down to who lost mail",
    key=("unit", "messages", "segment", "step"),
    columns=(
        Column("unit", pl.String, "what is counted", allowed=UNITS_OF_THE_RECORDS),
        Column("messages", pl.String, "which messages", allowed=MESSAGES),
        Column("segment", pl.String, "`all` or a segment of the records"),
        Column("step", pl.Int64, "place on the ladder, from 1 down", minimum=1),
        Column("rung", pl.String, "what they have in common", allowed=RUNGS),
        Column(
            "threshold_seconds",
            pl.Int64,
            "late is a delay of at least this; null: the rung knows no delay",
            unit="s",
            is_nullable=True,
            minimum=0,
        ),
        Column("measured", pl.Int64, "how many stand on it", minimum=0),
    ),
    visibility="public",
    note="Provisioned and active people are those on the records on a day of the window.",
)

ORDINARY = Table(
    name="ordinary",
    grain="one row per ordinary window and segment: the headline's definition, counted in it",
    key=("start_at", "segment"),
    columns=(
        Column("start_at", INSTANT, "start of the ordinary window"),
        Column("end_at", INSTANT, "its end, exclusive"),
        Column("segment", pl.String, "`all`, a segment of the records, or `unmatched`"),
        Column("measured", pl.Int64, "what the logs show", minimum=0),
    ),
    visibility="public",
    note="Their mean is the headline's `baseline` in `cells`; windows may overlap where only days can be moved.",
)

LATE_SHARE = Table(
    name="late_share",
    grain="one row per step of about equally many deliveries: how many were late, and the level found there",
    key=("start_at",),
    columns=(
        Column("start_at", INSTANT, "first arrival of the step"),
        Column("end_at", INSTANT, "start of the next step"),
        Column("deliveries", pl.Int64, "deliveries that arrived in it and can be judged", minimum=1),
        Column("late", pl.Int64, "of them late by the headline's threshold, or lost", minimum=0),
        Column("level_share", pl.Float64, "late share between the change points around it", minimum=0),
        Column("is_disturbed", pl.Boolean, "that level stands out from ordinary time"),
    ),
    visibility="public",
)

TABLES = (
    INPUTS,
    EVENTS,
    QUARANTINE,
    LINE_COUNTS,
    ACTIVITY,
    FINDINGS,
    CUSTOMER_RECORDS,
    CORRECTIONS,
    DELIVERIES,
    CELLS,
    BOUNDS,
    NARROWER,
    LOSSES,
    SILENCES,
    UNREAD,
    ACCOUNTS,
    CARE_LIST,
    REDRESS,
    MINUTES,
    SENDER_WAITS,
    REFUSALS,
    FAULTS,
    FAULT_SHARES,
    DELAYS,
    GATES,
    HOURS,
    DOWNTIME,
    UPTIME,
    SCALES,
    SURVIVAL,
    WINDOWS,
    WINDOW_FIGURES,
    LATE_SHARE,
    LADDER,
    ORDINARY,
)
