"""The Sendmail grammar: `from=` begins a queue file, each `to=` line is one attempt for the recipients it lists.

| line `ID: …` | event |
| --- | --- |
| `from=<…>, size=…, nrcpts=N, msgid=…, relay=…` | arrived; `nrcpts=0`: nothing was accepted, no event |
| `to=a,b, ctladdr=…, delay=…, relay=…, dsn=…, stat=…` | attempted, once per recipient; `stat=queued`: accepted |
| `ID2: DSN: …`, `ID2: return to sender: …` … | notified; with `Cannot send message for 5 days` also expired |
| `ID2: clone: owner=…` | arrived: ID2 takes over some recipients of ID |
| `ruleset=…, reject=4xx …` | refused |

Rules (Sendmail's `deliver.c`, `envelope.c`, `savemail.c`)
- `done;`, `ntries=` and the like carry no delivery fact.
- A queue file that expires is given up for all recipients still waiting, without a `to=` line.
"""

import polars as pl

from transforms.dialect import Reading
from transforms.next_leg import REPLY_CHARACTERS
from transforms.sendmail_attempts import ADDRESS, EXPIRED, HEAD, plain, read_attempts, set_aside

_QUEUE_ID = r"[0-9A-Za-z]{7,24}"
SERVICES = r"^(?:sendmail|sm-[a-z-]+|sm_[a-z_]+|smmsp|sendmail-[a-z]+)$"
PATTERNS = {
    "from": (
        rf"^from=(?<sender>{ADDRESS}|), size=[0-9]+, (?:class=-?[0-9]+, )?(?:pri=-?[0-9]+, )?"
        r"nrcpts=(?<recipient_count>[0-9]+)"
        r"(?:, msgid=<?(?<message_id>.*?)>?)?(?:, (?<more>(?:bodytype|proto|daemon|tls_verify|auth|relay)=.*))?$"
    ),
    "notice": (
        rf"^(?<related_queue_id>{_QUEUE_ID}): (?<what>DSN|postmaster notify|return to sender|sender notify"
        r"|return receipt): (?<why>.*)$"
    ),
    "is_notice": rf"^{_QUEUE_ID}: (?:DSN|postmaster notify|return |sender notify|clone)",
    "clone": rf"^(?<queue_id>{_QUEUE_ID}): clone: owner=",
    "refused": (
        r"^ruleset=(?<ruleset>[A-Za-z_]+), arg1=(?<argument>.*?)(?:, arg2=.*?)?, relay=(?<client>.*?),"
        r" (?:reject|tempfail)=(?<reply>4[0-9]{2}\b.*)$"
    ),
    "client": r"(?:^|.*, )relay=(.*)$",
}
# Beginnings of facts, torn off.
_TORN = [word[:letters] for word in ("from=", "to=") for letters in range(1, len(word))]
_TEXT = pl.col("text")


class SendmailGrammar:
    """Reads the lines of `sendmail`, `sm-mta` and their kin."""

    def owns(self, services: pl.Series) -> pl.Series:
        """Say which services are Sendmail."""
        return services.str.contains(SERVICES)

    def read(self, lines: pl.DataFrame) -> Reading:
        """Read opened lines (columns of OPENED) of Sendmail services."""
        lines = lines.select("line_number", "logged_at", "host", "text")
        halves = _TEXT.str.splitn(": ", 2).struct.rename_fields(["queue_id", "text"]).alias("halves")
        bodies = lines.with_columns(halves).drop("text").unnest("halves").select(*HEAD, "text")
        bodies = bodies.filter(_TEXT.is_not_null() & pl.col("queue_id").str.contains(rf"^{_QUEUE_ID}$"))
        begins = bodies["text"].str.head(4)
        is_attempt, is_arrival = begins.str.starts_with("to="), begins == "from"
        other = bodies.filter(~is_attempt & ~is_arrival)
        readings = [
            _arrivals(bodies.filter(is_arrival & bodies["text"].str.starts_with("from="))),
            read_attempts(bodies.filter(is_attempt)),
            _notices(other.filter(_TEXT.str.contains(PATTERNS["is_notice"]))),
            _refusals(lines.filter(_TEXT.str.contains("ruleset=", literal=True))),
        ]
        torn = set_aside(bodies.filter(_TEXT.is_in(_TORN)), "line ends after its queue id")
        return Reading(
            pl.concat([r.events for r in readings], how="diagonal"), pl.concat([torn, *(r.aside for r in readings)])
        )


def _groups(lines: pl.DataFrame, pattern: str) -> pl.DataFrame:
    return lines.with_columns(_TEXT.str.extract_groups(PATTERNS[pattern]).alias("g")).unnest("g")


def _arrivals(lines: pl.DataFrame) -> Reading:
    parts = _groups(lines, "from").with_columns(pl.col("recipient_count").cast(pl.Int64, strict=False))
    whole = parts.filter(pl.col("recipient_count") > 0).with_columns(plain(pl.col("sender")))
    message_id = pl.when(pl.col("message_id") != "").then("message_id").alias("message_id")
    client = pl.col("more").str.extract(PATTERNS["client"], 1).alias("client")
    # On `arrived`, not on `queued`: nrcpts= is announced before aliases are merged, so it is no exact count.
    arrived = whole.select(*HEAD, pl.lit("arrived").alias("kind"), "sender", message_id, client, "recipient_count")
    torn = set_aside(parts.filter(pl.col("recipient_count").is_null()), "`from=` line is cut off or malformed")
    return Reading(arrived, torn)


def _notices(lines: pl.DataFrame) -> Reading:
    notices = _groups(lines, "notice").drop_nulls("related_queue_id")
    notified = notices.select(*HEAD, pl.lit("notified").alias("kind"), "related_queue_id")
    expired = notices.filter(pl.col("why").str.contains(EXPIRED)).select(
        *HEAD, pl.lit("expired").alias("kind"), pl.col("why").str.head(REPLY_CHARACTERS).alias("reply")
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
    return Reading(pl.concat([notified, expired, arrived], how="diagonal"), set_aside(lines.clear(), ""))


def _refusals(lines: pl.DataFrame) -> Reading:
    bodies = lines.with_columns(_TEXT.str.replace(rf"^{_QUEUE_ID}: ", ""))
    refused = _groups(bodies, "refused").drop_nulls("reply")
    argument = plain(pl.col("argument"))
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
        set_aside(lines.clear(), ""),
    )
