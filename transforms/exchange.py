"""The Exchange grammar: what each message tracking event states about a message or its recipients.

| event | becomes |
| --- | --- |
| RECEIVE | arrived, and each recipient accepted; a message that passes on to another server is received again |
| EXPAND, RESOLVE, REDIRECT | accepted: `recipient` stands in for `original_recipient` from here on |
| DELIVER, DUPLICATEDELIVER, SENDEXTERNAL | attempted, sent |
| SEND | attempted, forwarded: to the next server; the end only where no later event of the recipient is known |
| DEFER | attempted, deferred |
| FAIL | attempted, bounced; expired for `QUEUE.Expired`; discarded where an operator did it |
| POISONMESSAGE, DROP | attempted, discarded |
| DSN | notified: `related_queue_id` is the notice; the notice itself arrived, for its recipients |

Every other event (HA… shadow copies, SUBMIT, TRANSFER, NOTIFYMAPI, AGENTINFO, …) carries no delivery fact.

A message's id is its Message-ID, which is the same on every server that it passes: `queue_id` is the Message-ID, and
`host` is empty, so that RECEIVE on one server and DELIVER on another meet. The time between the date in front of
`message-info` (origin in this organisation) and DELIVER is `delay_seconds`.
"""

import polars as pl

from transforms.clock import read_zoned
from transforms.dialect import Reading, places
from transforms.exchange_envelope import FIELDS, SEPARATOR, SERVICE
from transforms.next_leg import REPLY_CHARACTERS, next_leg

ATTEMPTS = {
    "DELIVER": "sent",
    "DUPLICATEDELIVER": "sent",
    "SENDEXTERNAL": "sent",
    "SEND": "forwarded",
    "DEFER": "deferred",
    "FAIL": "bounced",
    "POISONMESSAGE": "discarded",
    "DROP": "discarded",
}
EXPANSIONS = ("EXPAND", "RESOLVE", "REDIRECT")
PATTERNS = {
    "is_expired": r"QUEUE\.Expired|4\.4\.7|[Dd]elivery time expired|message expired",
    "dsn": r"(?:^|[^0-9.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[^0-9.]|$)",
    "status_begins": r"^[\s'\[{]*[245][0-9]{2}",
    "origin": r"^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z)",
}
_KNOWN = ("RECEIVE", "DSN", *EXPANSIONS, *ATTEMPTS)


class ExchangeGrammar:
    """Reads the rows of Exchange message tracking."""

    def owns(self, services: pl.Series) -> pl.Series:
        """Say which services are Exchange's."""
        return services == SERVICE

    def read(self, lines: pl.DataFrame) -> Reading:
        """Read opened rows (columns of OPENED, body as `exchange_envelope` joins it)."""
        event = pl.col("text").str.head(pl.col("text").str.find(SEPARATOR, literal=True))
        known = lines.filter(event.is_in(_KNOWN))
        parts = pl.col("text").str.splitn(SEPARATOR, len(FIELDS)).struct.rename_fields(list(FIELDS)).alias("row")
        rows = known.select("line_number", "logged_at", pl.lit("").alias("host"), parts).unnest("row")
        rows = rows.with_columns(_bare_id("message-id").alias("queue_id"))
        nameless = rows.filter(pl.col("queue_id") == "")
        rows = rows.filter(pl.col("queue_id") != "")
        events = [
            _arrivals(rows.filter(pl.col("event-id").is_in(["RECEIVE", "DSN"]))),
            _expansions(rows.filter(pl.col("event-id").is_in(EXPANSIONS))),
            _attempts(rows.filter(pl.col("event-id").is_in(list(ATTEMPTS)))),
            _notices(rows.filter(pl.col("event-id") == "DSN")),
        ]
        aside = nameless.select("line_number", pl.lit("event without a message-id").alias("reason"))
        return Reading(pl.concat(events, how="diagonal"), aside)


def _bare_id(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().str.strip_prefix("<").str.strip_suffix(">")


def _address(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().str.strip_prefix("<").str.strip_suffix(">").str.to_lowercase()


_HEAD = ("line_number", "logged_at", "host", "queue_id")


def _arrivals(rows: pl.DataFrame) -> pl.DataFrame:
    envelope_sender = (
        pl.when(pl.col("return-path") != "").then(_address("return-path")).otherwise(_address("sender-address"))
    )
    client = pl.concat_str(pl.col("client-hostname"), pl.lit("["), pl.col("client-ip"), pl.lit("]"))
    arrived = rows.select(
        *_HEAD,
        pl.lit("arrived").alias("kind"),
        pl.when(pl.col("event-id") == "DSN").then(pl.lit("")).otherwise(envelope_sender).alias("sender"),
        pl.col("queue_id").alias("message_id"),
        pl.col("recipient-count").cast(pl.Int64, strict=False).alias("recipient_count"),
        pl.when((pl.col("client-ip") != "") | (pl.col("client-hostname") != "")).then(client).alias("client"),
    )
    accepted = _by_recipient(rows).select(*_HEAD, pl.lit("accepted").alias("kind"), "recipient", "recipient_place")
    return pl.concat([arrived, accepted], how="diagonal")


def _by_recipient(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per recipient, with its own `status` text where the row lists as many of them as recipients."""
    said = pl.col("recipient-status")
    statuses = pl.when(said.str.starts_with("'")).then(said.str.extract_all(r"'[^']*'")).otherwise(said.str.split(";"))
    lists = rows.with_columns(
        pl.col("recipient-address").str.split(";").alias("recipient"), statuses.alias("status_text")
    ).with_columns(places(pl.col("recipient")))
    # A status may hold a semicolon itself: it is one list only if each part begins like a status.
    begins = pl.col("status_text").list.eval(pl.element().str.contains(PATTERNS["status_begins"])).list.all()
    is_paired = (pl.col("recipient").list.len() == pl.col("status_text").list.len()) & begins
    paired = lists.filter(is_paired).explode("recipient", "recipient_place", "status_text")
    whole = lists.filter(~is_paired).with_columns(pl.col("recipient-status").alias("status_text"))
    shared = whole.explode("recipient", "recipient_place")
    each = pl.concat([paired, shared]).with_columns(_address("recipient"), pl.col("status_text").str.strip_chars("' "))
    return each.filter(pl.col("recipient") != "").unique(
        ["line_number", "recipient"], keep="first", maintain_order=True
    )


def _expansions(rows: pl.DataFrame) -> pl.DataFrame:
    original = _address("related-recipient-address")
    return _by_recipient(rows).select(
        *_HEAD,
        pl.lit("accepted").alias("kind"),
        "recipient",
        "recipient_place",
        pl.when((original != "") & (original != pl.col("recipient"))).then(original).alias("original_recipient"),
    )


def _attempts(rows: pl.DataFrame) -> pl.DataFrame:
    each = _by_recipient(rows)
    text = pl.col("status_text")
    said = pl.when(text != "").then(text).otherwise(pl.col("source-context"))
    status = pl.col("event-id").replace_strict(ATTEMPTS, return_dtype=pl.String)
    is_fail = pl.col("event-id") == "FAIL"
    origin = pl.Series("origin", read_zoned(each["message-info"].str.extract(PATTERNS["origin"], 1)))
    return each.with_columns(origin).select(
        *_HEAD,
        pl.lit("attempted").alias("kind"),
        "recipient",
        "recipient_place",
        pl.when(is_fail & said.str.contains(PATTERNS["is_expired"]))
        .then(pl.lit("expired"))
        .when(is_fail & (pl.col("source") == "ADMIN"))
        .then(pl.lit("discarded"))
        .otherwise(status)
        .alias("status"),
        pl.when(status.is_in(["bounced", "deferred"]))
        .then(said)
        .otherwise(text)
        .str.extract(PATTERNS["dsn"], 1)
        .alias("dsn"),
        pl.when(pl.col("origin") <= pl.col("logged_at"))
        .then((pl.col("logged_at") - pl.col("origin")).dt.total_microseconds() / 1e6)
        .alias("delay_seconds"),
        pl.when(pl.col("server-hostname") != "").then(pl.col("server-hostname")).alias("relay"),
        # The next hop's last word is in the context, where the status repeats what it said of the recipient.
        pl.when(pl.col("event-id") == "SEND")
        .then(pl.coalesce(next_leg(text), next_leg(pl.col("source-context"))))
        .alias("related_queue_id"),
        pl.when(~status.is_in(["sent", "forwarded"])).then(said.str.head(REPLY_CHARACTERS)).alias("reply"),
    )


def _notices(rows: pl.DataFrame) -> pl.DataFrame:
    parents = rows.with_columns(pl.col("reference").str.split(";").alias("parent")).explode("parent")
    parents = parents.with_columns(_bare_id("parent")).filter(pl.col("parent").str.contains("@", literal=True))
    return parents.select(
        "line_number",
        "logged_at",
        "host",
        pl.col("parent").alias("queue_id"),
        pl.lit("notified").alias("kind"),
        pl.col("queue_id").alias("related_queue_id"),
    ).unique(["line_number", "queue_id"], keep="first", maintain_order=True)
