"""The Sendmail grammar: `from=` begins a queue file, each `to=` line is one attempt for the recipients it lists.

| line `ID: …` | event |
| --- | --- |
| `from=<…>, size=…, nrcpts=N, msgid=…, relay=…` | arrived; `nrcpts=0`: nothing was accepted, no event |
| `to=a,b, ctladdr=…, delay=…, relay=…, dsn=…, stat=…` | attempted, once per recipient; `stat=queued`: accepted |
| `ID2: DSN: …`, `ID2: return to sender: …` … | notified; with `Cannot send message for 5 days` also expired |
| `ID2: clone: owner=…` | arrived: ID2 takes over some recipients of ID |
| `ruleset=…, reject=4xx …` | refused |

Rules (Sendmail's `deliver.c`, `envelope.c`, `savemail.c`)
- `delay=` is [days+]hh:mm:ss since the message was received; `ntries=`, `done;` and the like carry no delivery fact.
- `stat=Sent (ID2 Message accepted for delivery)` names the next server's queue file: the submission program
  (`sendmail`, `sm-msp-queue`) hands over to `sm-mta` on the same host in this way.
- `ctladdr=` is the alias that led to the recipient; for the submission program's `mailer=relay` it is the sender.
- A queue file that expires is given up for all recipients still waiting, without a `to=` line.
"""

import polars as pl

from transforms.dialect import Reading
from transforms.next_leg import ENHANCED_STATUS, NEXT_LEG, REPLY_CHARACTERS

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ADDRESS = rf"(?:<(?:{_QUOTED}|[^\">])*>|(?:{_QUOTED}|[^\s,\"])+)"
_QUEUE_ID = r"[0-9A-Za-z]{7,24}"
SERVICES = r"^(?:sendmail|sm-[a-z-]+|sm_[a-z_]+|smmsp|sendmail-[a-z]+)$"
PATTERNS = {
    "from": (
        rf"^from=(?<sender>{_ADDRESS}|), size=[0-9]+, (?:class=-?[0-9]+, )?(?:pri=-?[0-9]+, )?"
        r"nrcpts=(?<recipient_count>[0-9]+)"
        r"(?:, msgid=<?(?<message_id>.*?)>?)?(?:, (?<more>(?:bodytype|proto|daemon|tls_verify|auth|relay)=.*))?$"
    ),
    "to": (
        rf"^to=(?<recipients>{_ADDRESS}(?:,\s?{_ADDRESS})*)(?: \[more\])?"
        r"(?:, ctladdr=(?<control>.*?)(?: \([0-9]+/[0-9]+\))?)?"
        r", delay=(?:(?<days>[0-9]+)\+)?(?<hours>[0-9]{2}):(?<minutes>[0-9]{2}):(?<seconds>[0-9]{2})"
        r"(?:, xdelay=[0-9+:]+)?(?:, mailer=(?<mailer>[^ ,]+))?(?:, pri=-?[0-9]+)?(?:, relay=(?<relay>.*?))?"
        r"(?:, dsn=(?<dsn>[0-9.]+))?(?:, reply=(?<answer>.*?))?, stat=(?<stat>.*)$"
    ),
    "notice": (
        rf"^(?<related_queue_id>{_QUEUE_ID}): (?<what>DSN|postmaster notify|return to sender|sender notify"
        r"|return receipt): (?<why>.*)$"
    ),
    "clone": rf"^(?<queue_id>{_QUEUE_ID}): clone: owner=",
    "refused": (
        r"^ruleset=(?<ruleset>[A-Za-z_]+), arg1=(?<argument>.*?)(?:, arg2=.*?)?, relay=(?<client>.*?),"
        r" (?:reject|tempfail)=(?<reply>4[0-9]{2}\b.*)$"
    ),
    "client": r"(?:^|.*, )relay=(.*)$",
}
# Why a queue file was given up after its longest time in the queue.
EXPIRED = r"[Cc]annot send message (?:for|within) |[Mm]essage (?:timed out|could not be delivered for)|timeout waiting"
_TEMPORARY_CODE = r"^4"
_TEXT = pl.col("text")
_HEAD = ("line_number", "logged_at", "host", "queue_id")


class SendmailGrammar:
    """Reads the lines of `sendmail`, `sm-mta` and their kin."""

    def owns(self, services: pl.Series) -> pl.Series:
        """Say which services are Sendmail."""
        return services.str.contains(SERVICES)

    def read(self, lines: pl.DataFrame) -> Reading:
        """Read opened lines (columns of OPENED) of Sendmail services."""
        lines = lines.select("line_number", "logged_at", "host", "text")
        at = _TEXT.str.find(": ", literal=True)
        bodies = lines.with_columns(_TEXT.str.head(at).alias("queue_id"), _TEXT.str.slice(at + 2).alias("body"))
        bodies = bodies.filter(at.is_not_null() & pl.col("queue_id").str.contains(rf"^{_QUEUE_ID}$")).drop("text")
        bodies = bodies.rename({"body": "text"}).select(*_HEAD, "text")
        begins = bodies["text"].str.head(4)
        is_from = _TEXT.str.starts_with("from=")
        readings = [
            _arrivals(bodies.filter((begins == "from") & is_from)),
            _attempts(bodies.filter(begins.str.starts_with("to="))),
            _notices(
                bodies.filter(
                    _TEXT.str.contains(rf"^{_QUEUE_ID}: (?:DSN|postmaster notify|return |sender notify|clone)")
                )
            ),
            _refusals(lines.filter(_TEXT.str.contains("ruleset=", literal=True))),
        ]
        return Reading(pl.concat([r.events for r in readings], how="diagonal"), pl.concat([r.aside for r in readings]))


def _groups(lines: pl.DataFrame, pattern: str) -> pl.DataFrame:
    return lines.with_columns(_TEXT.str.extract_groups(PATTERNS[pattern]).alias("g")).unnest("g")


def _plain(address: pl.Expr) -> pl.Expr:
    """Take the angle brackets off an address, lower case."""
    return address.str.strip_prefix("<").str.strip_suffix(">").str.to_lowercase()


def _arrivals(lines: pl.DataFrame) -> Reading:
    parts = _groups(lines, "from").with_columns(pl.col("recipient_count").cast(pl.Int64, strict=False))
    whole = parts.filter(pl.col("recipient_count") > 0).with_columns(_plain(pl.col("sender")))
    message_id = pl.when(pl.col("message_id") != "").then("message_id").alias("message_id")
    client = pl.col("more").str.extract(PATTERNS["client"], 1).alias("client")
    # On `arrived`, not on `queued`: nrcpts= is announced before aliases are merged, so it is no exact count.
    arrived = whole.select(*_HEAD, pl.lit("arrived").alias("kind"), "sender", message_id, client, "recipient_count")
    torn = _aside(parts.filter(pl.col("recipient_count").is_null()), "`from=` line is cut off or malformed")
    return Reading(arrived, torn)


def _attempts(lines: pl.DataFrame) -> Reading:
    parts = _groups(lines, "to")
    torn = _aside(parts.filter(pl.col("stat").is_null()), "`to=` line is cut off or malformed")
    clock = [pl.col(name).cast(pl.Float64, strict=False) for name in ("days", "hours", "minutes", "seconds")]
    delay = clock[0].fill_null(0.0) * 86_400 + clock[1] * 3_600 + clock[2] * 60 + clock[3]
    stat = pl.col("stat")
    is_next_leg = stat.str.starts_with("Sent")
    next_leg = stat.str.extract_groups(NEXT_LEG).struct
    control = pl.when(pl.col("mailer").ne_missing("relay") & pl.col("control").str.contains("@", literal=True)).then(
        _plain(pl.col("control"))
    )
    whole = (
        parts.filter(stat.is_not_null())
        .with_columns(
            pl.col("recipients").str.extract_all(_ADDRESS),
            control.alias("original_recipient"),
            _status().alias("status"),
        )
        .explode("recipients")
        .with_columns(_plain(pl.col("recipients")).alias("recipient"))
        .unique(["line_number", "recipient"], keep="first", maintain_order=True)
    )
    is_queued = stat.str.starts_with("queued")
    attempted = whole.filter(~is_queued).select(
        *_HEAD,
        pl.lit("attempted").alias("kind"),
        "recipient",
        pl.when(pl.col("original_recipient") != pl.col("recipient"))
        .then("original_recipient")
        .alias("original_recipient"),
        "status",
        pl.coalesce("dsn", stat.str.extract(ENHANCED_STATUS, 1)).alias("dsn"),
        delay.alias("delay_seconds"),
        "relay",
        pl.when(is_next_leg)
        .then(pl.coalesce(next_leg.field("named"), next_leg.field("first")))
        .alias("related_queue_id"),
        pl.when(~is_next_leg).then(stat.str.head(REPLY_CHARACTERS)).alias("reply"),
    )
    accepted = whole.filter(is_queued).select(*_HEAD, pl.lit("accepted").alias("kind"), "recipient")
    return Reading(pl.concat([attempted, accepted], how="diagonal"), torn)


def _status() -> pl.Expr:
    stat, dsn = pl.col("stat"), pl.col("dsn").fill_null("")
    return (
        pl.when(stat.str.starts_with("Sent"))
        .then(pl.lit("sent"))
        .when(stat.str.contains(EXPIRED))
        .then(pl.lit("expired"))
        .when(stat.str.starts_with("Deferred") | dsn.str.contains(_TEMPORARY_CODE))
        .then(pl.lit("deferred"))
        .otherwise(pl.lit("bounced"))
    )


def _notices(lines: pl.DataFrame) -> Reading:
    notices = _groups(lines, "notice").drop_nulls("related_queue_id")
    notified = notices.select(*_HEAD, pl.lit("notified").alias("kind"), "related_queue_id")
    expired = notices.filter(pl.col("why").str.contains(EXPIRED)).select(
        *_HEAD, pl.lit("expired").alias("kind"), pl.col("why").str.head(REPLY_CHARACTERS).alias("reply")
    )
    expired = expired.unique(["line_number"], maintain_order=True)
    clones = lines.with_columns(_TEXT.str.extract(PATTERNS["clone"], 1).alias("clone")).drop_nulls("clone")
    arrived = clones.select(
        "line_number",
        "logged_at",
        "host",
        pl.col("clone").alias("queue_id"),
        pl.lit("arrived").alias("kind"),
        pl.col("queue_id").alias("related_queue_id"),
    )
    return Reading(pl.concat([notified, expired, arrived], how="diagonal"), _aside(lines.clear(), ""))


def _refusals(lines: pl.DataFrame) -> Reading:
    bodies = lines.with_columns(_TEXT.str.replace(rf"^{_QUEUE_ID}: ", ""))
    refused = _groups(bodies, "refused").drop_nulls("reply")
    argument = _plain(pl.col("argument"))
    return Reading(
        refused.select(
            "line_number",
            "logged_at",
            "host",
            pl.lit("refused").alias("kind"),
            pl.when(pl.col("ruleset") == "check_mail").then(argument).alias("sender"),
            pl.when(pl.col("ruleset") == "check_rcpt").then(argument).alias("recipient"),
            "client",
            pl.col("reply").str.head(REPLY_CHARACTERS),
        ),
        _aside(lines.clear(), ""),
    )


def _aside(lines: pl.DataFrame, reason: str) -> pl.DataFrame:
    return lines.select("line_number", pl.lit(reason).alias("reason"))
