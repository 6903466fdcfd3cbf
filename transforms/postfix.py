"""The Postfix grammar: what each kind of line states about a queue file or one of its recipients.

Rules (Postfix's own sources; traps 1-7, 11 of the log guide)
- A fact line is `QUEUE_ID: <fact>`; the first letters of the fact choose its pattern in `FACTS`. A line that begins
  like a fact and does not match its pattern is quarantined; any other line of Postfix carries no delivery fact.
- `to=<…>` lines are cut with find and slice, as they are the bulk of a log; those whose addresses hold a quote (a
  quoted local part may imitate the rest of a line) go through one strict regular expression.
- `status=sent (forwarded as ID)` is a hand-over; `discard` says `sent` too, and is not a delivery.
- `status=deliverable|undeliverable` are address probes: no mail.
- `removed` by postsuper is an operator's delete; by qmgr the regular end; by an unnamed daemon (RFC 5424 app-name
  without its `/qmgr`) it is `ended`.
"""

from typing import NamedTuple

import polars as pl

from transforms.dialect import Reading

DAEMONS = (
    "anvil bounce cleanup defer discard dnsblog error flush lmtp local master nqmgr oqmgr pickup pipe postdrop postlog postlogd"
    " postqueue postscreen postsuper proxymap qmgr qmqpd relay retry scache sendmail showq smtp smtpd submission smtps"
    " submissions tlsmgr tlsproxy trace trivial-rewrite uid virtual verify"
).split()
_QUEUE_ID = r"^[0-9A-Za-z]{5,24}$"
_ADDRESS = r'(?:"(?:[^"\\]|\\.)*"|[^">])*'
_QUOTED_ATTEMPT = (
    rf"^to=<(?<recipient>{_ADDRESS})>, (?:orig_to=<(?<original_recipient>{_ADDRESS})>, )?relay=(?<relay>.*?)(?:, conn_use=[0-9]+)?, "
    r"delay=(?<delay>[0-9.]+), (?:delays=(?<parts>[0-9./]+), )?(?:dsn=(?<dsn>[0-9.]+), )?status=(?<rest>.*)$"
)


class Fact(NamedTuple):
    """One kind of line: the letters its fact begins with, its pattern, and the event that it gives."""

    begins: str
    kind: str
    pattern: str


# Patterns name the columns of the event that they fill. The order matters where two begin alike.
FACTS = (
    Fact("client=", "arrived", r"^client=(?<client>[^ ,]+)(?:, .*?\borig_queue_id=(?<related_queue_id>[0-9A-Za-z]+))?"),
    Fact("uid=", "arrived", r"^uid=[0-9]+ from=<?(?<sender>.*?)>?(?: orig_id=(?<related_queue_id>[0-9A-Za-z]+))?$"),
    Fact("message-id=", "named", r"^message-id=<?(?<message_id>.*?)>?$"),
    Fact("resent-message-id=", "named", r"^resent-message-id=<?(?<message_id>.*?)>?$"),
    Fact("from=<", "queued", r"^from=<(?<sender>.*)>, size=[0-9]+, nrcpt=(?<recipient_count>[0-9]+) \(queue "),
    Fact("from=<", "expired", r"^from=<(?<sender>.*)>, status=(?:force-)?expired, "),
    Fact("removed", "removed", r"^removed$"),
    Fact("requeued", "requeued", r"^requeued$"),
    Fact("placed on hold", "held", r"^placed on hold$"),
    Fact("hold: ", "held", r"^hold: "),
    Fact("released from hold", "released", r"^released from hold$"),
    Fact("discard: ", "deleted", r"^discard: "),
    Fact("sender non-delivery notification", "notified", r"^sender non-delivery notification: (?<related_queue_id>[0-9A-Za-z]+)$"),
    Fact("sender delivery status notification", "notified", r"^sender delivery status notification: (?<related_queue_id>[0-9A-Za-z]+)$"),
    Fact("sender delay notification", "notified", r"^sender delay notification: (?<related_queue_id>[0-9A-Za-z]+)$"),
    Fact("postmaster ", "notified", r"^postmaster [a-z -]+ notification: (?<related_queue_id>[0-9A-Za-z]+)$"),
)
# Our own temporary refusal at SMTP time (trap 11). 5xx refusals were never accepted: no event.
REFUSED = (
    r"^(?:NOQUEUE: )?(?:milter-)?reject: [A-Z-]+ from (?<client>[^ ]+?)(?::[0-9]+)?: (?<reply>4[0-9][0-9] .*?);"
    r"(?: from=<(?<sender>.*?)>,?)?(?: to=<(?<recipient>.*?)>,?)?(?: proto=.*)?$"
)
STATUS = {"sent": "sent", "deferred": "deferred", "bounced": "bounced", "expired": "expired", "SOFTBOUNCE": "deferred", "softbounce": "deferred"}
_PROBES = ("deliverable", "undeliverable")
# Where the next hop's reply names its queue file: Postfix, local(8), Exim. Cut-off replies name none.
_NEXT_LEG = (
    r"(?:queued as |forwarded as | id=)([0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}|[0-9A-Za-z]{5,24})[ )]"
)
# Long enough for every rule that reads a reply; a hostile server may send kilobytes.
_REPLY_CHARACTERS = 160
_TEXT = pl.col("text")


class PostfixGrammar:
    """Reads the lines of every Postfix service, whatever its syslog name."""

    def owns(self, services: pl.Series) -> pl.Series:
        """Say which services are Postfix: named so, or `<any name>/<a Postfix daemon>`."""
        daemon = services.str.extract(r"/([^/]+)$")
        return services.str.contains("postfix", literal=True) | daemon.is_in(DAEMONS).fill_null(False)  # noqa: FBT003

    def read(self, lines: pl.DataFrame) -> Reading:
        """Read opened lines (columns of OPENED) of Postfix services."""
        at = _TEXT.str.find(": ", literal=True)
        bodies = (
            lines.lazy()
            .with_columns(at.alias("at"))
            .with_columns(_TEXT.str.head(pl.col("at")).alias("queue_id"), _TEXT.str.slice(pl.col("at") + 2).alias("text"))
            .with_columns(_TEXT.str.head(4).alias("begins"))
            .filter(pl.col("begins").is_in(_BEGINS) | pl.col("at").is_null())
            .collect()
        )
        torn = bodies.filter(pl.col("at").is_null() & pl.col("queue_id").str.strip_chars_end(":").str.contains(_TORN))
        bodies = bodies.filter(pl.col("at").is_not_null())
        readings = [self._attempts(bodies.filter(pl.col("begins") == "to=<"))]
        facts = bodies.filter(pl.col("begins") != "to=<").filter(pl.col("queue_id").str.contains(_QUEUE_ID))
        readings += [_facts(facts), _refusals(bodies)]
        aside = torn.select("line_number", pl.lit("line ends after its queue id").alias("reason"))
        return Reading(
            pl.concat([r.events for r in readings], how="diagonal"), pl.concat([aside, *[r.aside for r in readings]])
        )

    def _attempts(self, lines: pl.DataFrame) -> Reading:
        cut = _cut_attempts(lines.filter(~_TEXT.str.contains('"', literal=True)))
        quoted = lines.filter(_TEXT.str.contains('"', literal=True))
        if quoted.height:
            groups = quoted.with_columns(_TEXT.str.extract_groups(_QUOTED_ATTEMPT).alias("g")).drop("text").unnest("g")
            cut = pl.concat([cut, groups.select(cut.columns)], how="vertical_relaxed")
        return _judge_attempts(cut)


_BEGINS = sorted({f.begins[:4] for f in FACTS} | {"to=<", "reje", "milt"})
_TORN = r"^[0-9A-F]{8,12}$|^[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}z[0-9A-Za-z]+$"


def _cut_attempts(lines: pl.DataFrame) -> pl.DataFrame:
    """Cut `to=<R>, [orig_to=<O>, ]relay=…, [conn_use=N, ]delay=…, delays=a/b/c/d, dsn=…, status=REST`."""
    frame = lines.lazy()
    for name, mark in (("to", ", relay="), ("relay", ", delay="), ("delay", ", delays="), ("parts", ", dsn="), ("dsn", ", status=")):
        at = _TEXT.str.find(mark, literal=True)
        frame = frame.with_columns(at.alias("at")).with_columns(
            _TEXT.str.head(pl.col("at")).alias(name), _TEXT.str.slice(pl.col("at") + len(mark)).alias("text")
        )
        frame = frame.with_columns(pl.when(pl.col("at").is_null()).then(None).otherwise(name).alias(name))
    to = pl.col("to")
    split = to.str.find(">, orig_to=<", literal=True)
    return (
        frame.with_columns(to.str.ends_with(">").alias("is_closed"), split.alias("split"))
        .with_columns(
            pl.when("is_closed")
            .then(pl.when(pl.col("split").is_null()).then(to.str.slice(4, to.str.len_chars() - 5)).otherwise(to.str.slice(4, pl.col("split") - 4)))
            .alias("recipient"),
            pl.when(pl.col("is_closed") & pl.col("split").is_not_null())
            .then(to.str.slice(pl.col("split") + 12, to.str.len_chars() - pl.col("split") - 13))
            .alias("original_recipient"),
            pl.when(pl.col("relay").str.contains(", conn_use=", literal=True))
            .then(pl.col("relay").str.replace(r", conn_use=[0-9]+$", ""))
            .otherwise("relay")
            .alias("relay"),
        )
        .select(*_HEAD, "recipient", "original_recipient", "relay", "delay", "parts", "dsn", _TEXT.alias("rest"))
        .collect()
    )


_HEAD = ("line_number", "logged_at", "host", "service", "queue_id")


def _judge_attempts(cut: pl.DataFrame) -> Reading:
    rest = pl.col("rest")
    end = rest.str.find(" (", literal=True)
    word = pl.when(end.is_null()).then(rest).otherwise(rest.str.head(end))
    reply = rest.str.slice(end + 2)
    parts = pl.col("parts").str.splitn("/", 4).struct
    names = ("before_active_seconds", "active_seconds", "connect_seconds", "transmit_seconds")
    frame = (
        cut.lazy()
        .with_columns(word.alias("word"), reply.alias("reply"), *[parts.field(f"field_{i}").cast(pl.Float64, strict=False).alias(n) for i, n in enumerate(names)])
        .with_columns(pl.col("word").replace_strict(STATUS, default=None, return_dtype=pl.String).alias("status"))
        .with_columns(pl.col("delay").cast(pl.Float64, strict=False).alias("delay_seconds"))
        .with_columns(
            (
                pl.col("status").is_not_null()
                & pl.col("recipient").is_not_null()
                & pl.col("delay_seconds").is_not_null()
                & pl.col("queue_id").str.contains(_QUEUE_ID)
            ).alias("is_whole")
        )
        .collect()
    )
    torn = frame.filter(~pl.col("is_whole") & ~pl.col("word").is_in(_PROBES).fill_null(False))  # noqa: FBT003
    is_forwarded = pl.col("reply").str.starts_with("forwarded as ")
    is_discarded = pl.col("service").str.ends_with("/discard") | (pl.col("relay").eq("none") & pl.col("status").eq("sent"))
    events = (
        frame.lazy()
        .filter("is_whole")
        .select(
            "line_number",
            "logged_at",
            "host",
            "queue_id",
            pl.lit("attempted").alias("kind"),
            pl.col("recipient").str.to_lowercase(),
            pl.col("original_recipient").str.to_lowercase(),
            pl.when(is_discarded).then(pl.lit("discarded")).when(is_forwarded).then(pl.lit("forwarded")).otherwise("status").alias("status"),
            "dsn",
            "delay_seconds",
            *names,
            "relay",
            pl.when(pl.col("status") == "sent").then(pl.col("reply").str.extract(_NEXT_LEG, 1)).alias("related_queue_id"),
            pl.when(pl.col("status") != "sent").then(pl.col("reply").str.head(_REPLY_CHARACTERS)).alias("reply"),
        )
        .collect()
    )
    return Reading(events, torn.select("line_number", pl.lit("delivery line is cut off or malformed").alias("reason")))


def _facts(lines: pl.DataFrame) -> Reading:
    """Match each line against the patterns whose beginning it shares; the first that matches is its event."""
    events, aside = [], []
    for begins in dict.fromkeys(f.begins for f in FACTS):
        left = lines.filter((pl.col("begins") == begins[:4]) & _TEXT.str.starts_with(begins))
        for fact in (f for f in FACTS if f.begins == begins):
            if left.is_empty():
                break
            is_match = left["text"].str.contains(fact.pattern)
            found = left.filter(is_match)
            if found.height:
                events.append(_event(found, fact))
            left = left.filter(~is_match)
        aside.append(left.select("line_number", pl.lit(f"line begins `{begins}` and is cut off or malformed").alias("reason")))
    return Reading(pl.concat(events, how="diagonal") if events else pl.DataFrame(schema={"line_number": pl.Int64}), pl.concat(aside))


def _event(lines: pl.DataFrame, fact: Fact) -> pl.DataFrame:
    columns = lines.select("line_number", "logged_at", "host", "queue_id", pl.lit(fact.kind).alias("kind"), "service", "text")
    if "(?<" in fact.pattern:
        columns = columns.with_columns(_TEXT.str.extract_groups(fact.pattern).alias("g")).unnest("g")
    if fact.kind == "removed":
        by_operator = pl.col("service").str.ends_with("/postsuper")
        is_named = pl.col("service").str.contains("/", literal=True)
        columns = columns.with_columns(
            pl.when(by_operator).then(pl.lit("deleted")).when(is_named).then(pl.lit("removed")).otherwise(pl.lit("ended")).alias("kind")
        )
    if "sender" in columns.columns:
        columns = columns.with_columns(pl.col("sender").fill_null("").str.to_lowercase())
    if "recipient_count" in columns.columns:
        columns = columns.with_columns(pl.col("recipient_count").cast(pl.Int64, strict=False))
    return columns.drop("service", "text")


def _refusals(bodies: pl.DataFrame) -> Reading:
    refused = bodies.filter(pl.col("begins").is_in(["reje", "milt"]) & _TEXT.str.contains(REFUSED))
    groups = refused.with_columns(_TEXT.str.extract_groups(REFUSED).alias("g")).unnest("g")
    events = groups.select(
        "line_number",
        "logged_at",
        "host",
        pl.lit("refused").alias("kind"),
        pl.col("sender").str.to_lowercase(),
        pl.col("recipient").str.to_lowercase(),
        "client",
        pl.col("reply").str.head(_REPLY_CHARACTERS),
    )
    return Reading(events)
