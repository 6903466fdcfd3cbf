"""Sendmail's `to=` lines: who was tried, how it went, and after how long.

Rules (`logdelivery` in Sendmail's `deliver.c`)
- One line may list several recipients; a list that is too long ends with `[more]`, and goes on in the next line.
- `delay=` is [days+]hh:mm:ss since the message was received.
- `stat=Sent (ID2 Message accepted for delivery)` names the next server's queue file: the submission program
  (`sendmail`, `sm-msp-queue`) hands over to `sm-mta` on the same host in this way.
- `ctladdr=` is the alias that led to the recipient; for the submission program's `mailer=relay` it is the sender.
  Behind an alias a local user stands as a bare local part, perhaps with a backslash (`\\ann`: no further alias); a
  pipe, a file or a list (`:include:`) is nobody: the recipient is then the alias.
- `stat=queued` names a recipient that waits, untried.
"""

import polars as pl

from transforms.dialect import Reading, in_domain_of, places
from transforms.next_leg import ENHANCED_STATUS, REPLY_CHARACTERS, next_leg

HEAD = ("line_number", "logged_at", "host", "queue_id")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
ADDRESS = rf"(?:<(?:{_QUOTED}|[^\">])*>|(?:{_QUOTED}|[^\s,\"])+)"
PATTERNS = {
    "recipients": rf"^{ADDRESS}(?:,\s?{ADDRESS})*$",
    "quoted": rf"^to=(?<whom>{ADDRESS}(?:,\s?{ADDRESS})*(?: \[more\])?(?:, ctladdr=.*?)?), delay=(?<said>.*)$",
    "control": r"^(.*?)(?: \([0-9]+/[0-9]+\))?$",
    "is_nobody": r'^"?[|/:]',
    "delay": r"^(?:[0-9]+\+)?[0-9]{2}:[0-9]{2}:[0-9]{2}$",
}
# Why a queue file was given up after its longest time in the queue.
EXPIRED = r"[Cc]annot send message (?:for|within) |[Mm]essage (?:timed out|could not be delivered for)|timeout waiting"
_WHOM, _SAID, _STAT, _DELAY = pl.col("whom"), pl.col("said"), pl.col("stat"), pl.col("delay")


def read_attempts(lines: pl.DataFrame) -> Reading:
    """Read lines whose column `text` begins with `to=`."""
    parts = _judged(_fields(_halves(lines)))
    is_whole = pl.col("is_whole").fill_null(False)
    torn = set_aside(parts.filter(~is_whole), "`to=` line is cut off or malformed")
    listed = parts.filter(is_whole).with_columns(places(pl.col("recipients")))
    each = listed.explode("recipients", "recipient_place").with_columns(_recipient())
    each = each.unique(["line_number", "recipient"], keep="first", maintain_order=True)
    is_waiting = _STAT.str.starts_with("queued")
    attempted = each.filter(~is_waiting).select(
        *HEAD,
        pl.lit("attempted").alias("kind"),
        "recipient",
        pl.when(pl.col("original_recipient") != pl.col("recipient")).then("original_recipient"),
        "recipient_place",
        "status",
        "dsn",
        "delay_seconds",
        "relay",
        "related_queue_id",
        "reply",
    )
    accepted = each.filter(is_waiting).select(*HEAD, pl.lit("accepted").alias("kind"), "recipient", "recipient_place")
    return Reading(pl.concat([attempted, accepted], how="diagonal"), torn)


def _recipient() -> pl.Expr:
    named, alias = plain(pl.col("recipients")), pl.col("original_recipient")
    is_bare = alias.is_not_null() & ~named.str.contains("@", literal=True)
    return (
        pl.when(alias.is_not_null() & named.str.contains(PATTERNS["is_nobody"]))
        .then(alias)
        .when(is_bare)
        .then(in_domain_of(alias, named.str.strip_prefix("\\")))
        .otherwise(named)
        .alias("recipient")
    )


def _halves(lines: pl.DataFrame) -> pl.DataFrame:
    """Cut at `, delay=` into `whom` and `said`; a quoted address may imitate it, and takes the slow way."""
    text = pl.col("text")
    halves = text.str.slice(len("to=")).str.splitn(", delay=", 2).struct.rename_fields(["whom", "said"]).alias("halves")
    cut = lines.with_columns(halves).unnest("halves")
    cut = cut.with_columns(pl.when(_SAID.is_not_null()).then("whom").alias("whom"))
    is_quoted = lines["text"].str.contains('"', literal=True)
    if not is_quoted.any():
        return cut.drop("text")
    quoted = lines.filter(is_quoted).with_columns(text.str.extract_groups(PATTERNS["quoted"]).alias("g")).unnest("g")
    return pl.concat([cut.filter(~is_quoted), quoted.select(cut.columns)]).drop("text")


def _fields(halves: pl.DataFrame) -> pl.DataFrame:
    """Cut `whom` and `said` into `recipients`, `control`, `delay`, `mailer`, `relay`, `dsn` and `stat`."""
    frame = halves.lazy()
    for name, behind, mark in (
        ("said", "stat", ", stat="),
        ("said", "dsn", ", dsn="),
        ("said", "relay", ", relay="),
        ("said", "mailer", ", mailer="),
        ("said", "rest", ", "),
        ("whom", "control", ", ctladdr="),
    ):
        cut = pl.col(name).str.splitn(mark, 2).struct
        frame = frame.with_columns(cut.field("field_0").alias(name), cut.field("field_1").alias(behind))
    return frame.with_columns(
        _SAID.alias("delay"),
        pl.col("mailer").str.strip_chars().str.replace(r",.*$", ""),
        pl.col("dsn").str.replace(r",.*$", ""),
        _WHOM.str.strip_suffix(" [more]"),
    ).collect()


def _judged(parts: pl.DataFrame) -> pl.DataFrame:
    days = _DELAY.str.head(_DELAY.str.find("+", literal=True)).cast(pl.Float64, strict=False).fill_null(0.0)
    clock = [_DELAY.str.slice(start, 2).cast(pl.Float64, strict=False) for start in (-8, -5, -2)]
    is_sent = _STAT.str.starts_with("Sent")
    is_alias = pl.col("mailer").ne_missing("relay") & pl.col("control").str.contains("@", literal=True)
    control = plain(pl.col("control").str.extract(PATTERNS["control"], 1))
    return (
        parts.lazy()
        .with_columns(
            (
                _STAT.is_not_null()
                & _DELAY.str.contains(PATTERNS["delay"])
                & _WHOM.str.contains(PATTERNS["recipients"])
            ).alias("is_whole"),
            _WHOM.str.extract_all(ADDRESS).alias("recipients"),
            pl.when(is_alias).then(control).alias("original_recipient"),
            pl.coalesce("dsn", _STAT.str.extract(ENHANCED_STATUS, 1)).alias("dsn"),
            (days * 86_400 + clock[0] * 3_600 + clock[1] * 60 + clock[2]).alias("delay_seconds"),
            pl.when(is_sent).then(next_leg(_STAT)).alias("related_queue_id"),
            pl.when(~is_sent).then(_STAT.str.head(REPLY_CHARACTERS)).alias("reply"),
            _status(is_sent).alias("status"),
        )
        .collect()
    )


def _status(is_sent: pl.Expr) -> pl.Expr:
    return (
        pl.when(is_sent)
        .then(pl.lit("sent"))
        .when(_STAT.str.contains(EXPIRED))
        .then(pl.lit("expired"))
        .when(_STAT.str.starts_with("Deferred") | pl.col("dsn").fill_null("").str.starts_with("4"))
        .then(pl.lit("deferred"))
        .otherwise(pl.lit("bounced"))
    )


def plain(address: pl.Expr) -> pl.Expr:
    """Take the angle brackets off an address, lower case."""
    return address.str.strip_prefix("<").str.strip_suffix(">").str.to_lowercase()


def set_aside(lines: pl.DataFrame, reason: str) -> pl.DataFrame:
    """Give `line_number, reason` of lines that begin like a fact and do not end like one."""
    return lines.select("line_number", pl.lit(reason).alias("reason"))
