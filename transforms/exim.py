"""The Exim grammar: arrivals, deliveries, deferrals and failures by the mark behind the message id.

| mark | event |
| --- | --- |
| `<=` | arrived; each address after `for` is accepted; `<>` with `R=ID`: a notice about message ID |
| `=>` `->` `>>` | attempted, sent; `:blackhole:` and `discarded` are no deliveries |
| `==` | attempted, deferred; `retry time not reached`: no attempt was made (`relay` is `none`) |
| `**` | attempted, bounced; `retry timeout exceeded` and the like: expired |
| `*>` | none: delivery was suppressed by `-N` |
| `Completed` | removed |

Rules (Exim's `deliver.c` and `receive.c`)
- A target is `final (parents) <original>`. Local deliveries may show the bare local part, a file or a pipe: the
  recipient is then the original. `>address` is an automatic reply, a new message, and no delivery of this one.
- `>>` (cut-through) stands before its `<=`.
- `cancelled by` is followed by a `**` for each recipient, which says it; `removed by` is not.
- Values in quotes (`C="…"`, `DN="…"`, `T="…"`) are other people's text: nothing is read from inside them but `C=`.
"""

from typing import NamedTuple

import polars as pl

from transforms.dialect import Reading
from transforms.exim_envelope import MESSAGE_ID
from transforms.next_leg import ENHANCED_STATUS, NEXT_LEG, REPLY_CHARACTERS

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ADDRESS = rf'(?:{_QUOTED}|[^\s"<>,])+'
# Syslog may hold Exim's own stamp, its pid, and the first part of a message that was too long for one line.
_PREFIX = (
    r"^(?:\[[0-9]+[/\\][0-9]+\] )?(?:[^ ]+ exim[^ ]*\[[0-9]+\]: )?"
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?: [+-][0-9]{4})? )?(?:\[[0-9]+\] )?"
)
_BEGINS_WITH_ID = rf"^{MESSAGE_ID}(?: |$)"
PATTERNS = {
    "sender": rf"^(<>|{_QUOTED}[^\s]*|[^\s]+)",
    "client": r" H=([^\[]*\[[^\]]*\])",
    "message_id": r" id=([^ ]+)",
    "notice_of": rf"^ R=({MESSAGE_ID})(?: |$)",
    "recipients": rf" for ({_ADDRESS}(?: {_ADDRESS})*)$",
    "target": (
        rf"^(?<final>{_QUOTED}@[^ ]*|:blackhole:|[^ ]+?)(?: \((?<parents>[^)]*)\))?(?: <(?<original>(?:{_QUOTED}|[^\">])*)>)?"
        r"(?<rest>(?: [A-Z]{1,4}=| ?: | routing defer | defer \().*)$"
    ),
    # Pipes and files may hold spaces; the original address in <…> ends them.
    "spaced_target": r"^(?<final>.+?)(?: \((?<parents>[^)]*)\))? <(?<original>[^>]*)>(?<rest>(?: [A-Z]{1,4}=| ?: | defer \().*)$",
    "relay": r" H=([^\[]*\[[^\]]*\](?::[0-9]+)?)",
    "transport": r" T=([^ :]+)",
    "confirmation": r' C="((?:[^"\\]|\\.)*)"(?: QT=[^ ]+)?(?: DT=[^ ]+)?$',
    "queue_time": r" QT=([0-9wdhms.]+)(?: DT=[0-9wdhms.]+)?$",
    "is_expired": r"retry timeout exceeded|message timed out|have been failing for a long time|after a long failure period",
    "is_waiting": r"retry time not (?:yet )?reached|Retry time not yet reached",
    "refused_sender": r" F=<([^>]*)>",
    "refused_recipient": r"temporarily rejected RCPT <?([^ >:]+)",
    "refused_reply": r"(?:temporarily rejected|refused)[^:]*(?:<[^>]*>)?: (.*)$",
}
_SECONDS = {"w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_DELIVERY_MARKS = ("=>", "->", ">>")
_WHOLE_DISCARDED = r"^(?:blackhole|discarded) [(*]"
_TEXT, _REST, _FINAL = pl.col("text"), pl.col("rest"), pl.col("final")
_HEAD = ("line_number", "logged_at", "host", "queue_id")


class Statement(NamedTuple):
    """A line about a whole message: how its text begins, and the event that it gives."""

    begins: str
    kind: str


STATEMENTS = (
    Statement("Completed", "removed"),
    Statement("Frozen", "held"),
    Statement("frozen by ", "held"),
    Statement("*** Frozen", "held"),
    Statement("Unfrozen by ", "released"),
    Statement("unfrozen by ", "released"),
    Statement("removed by ", "deleted"),
    Statement("Message removed because older than ", "deleted"),
)


class EximGrammar:
    """Reads the lines of `exim`, from its main log or through syslog."""

    def owns(self, services: pl.Series) -> pl.Series:
        """Say which services are Exim: `exim`, `exim4` and the like."""
        return services.str.contains(r"^exim")

    def read(self, lines: pl.DataFrame) -> Reading:
        """Read opened lines (columns of OPENED) of Exim."""
        lines = lines.select("line_number", "logged_at", "host", "text")
        has_id = lines["text"].str.contains(_BEGINS_WITH_ID)
        other = lines.filter(~has_id).with_columns(_TEXT.str.replace(_PREFIX, ""))
        unwrapped = other["text"].str.contains(_BEGINS_WITH_ID)
        lines = pl.concat([lines.filter(has_id), other.filter(unwrapped)])
        space = _TEXT.str.find(" ", literal=True)
        lines = lines.with_columns(_TEXT.str.head(space).alias("queue_id"), _TEXT.str.slice(space + 1).alias("text"))
        lines = lines.with_columns(_TEXT.str.head(2).alias("mark"), _TEXT.str.slice(3).alias("said"))
        is_empty = pl.col("queue_id").is_null() | _TEXT.is_null()
        by_mark = {str(mark): part for (mark,), part in lines.filter(~is_empty).group_by("mark")}
        none = lines.clear()
        readings = [
            _arrivals(by_mark.get("<=", none)),
            _attempts(pl.concat([by_mark.get(mark, none) for mark in _DELIVERY_MARKS]), "sent"),
            _attempts(by_mark.get("==", none), "deferred"),
            _attempts(by_mark.get("**", none).filter(~_TEXT.str.starts_with("***")), "bounced"),
            _statements(pl.concat([by_mark[m] for m in {s.begins[:2] for s in STATEMENTS} if m in by_mark] or [none])),
            _refusals(pl.concat([other.filter(~unwrapped), lines.select(other.columns)])),
        ]
        torn = lines.filter(is_empty | _TEXT.is_in(["C", "Co", "Com", "Comp", "Compl", "Comple", "Complet", "Complete"]))
        readings.append(_aside(torn, "line ends after its message id"))
        return Reading(
            pl.concat([r.events for r in readings], how="diagonal"), pl.concat([r.aside for r in readings])
        )


def _arrivals(lines: pl.DataFrame) -> Reading:
    said = lines.with_columns(pl.col("said").str.extract(PATTERNS["sender"], 1).alias("sender"))
    said = said.with_columns(
        pl.col("said").str.slice(pl.col("sender").str.len_chars()).alias("rest"),
        pl.col("sender").replace({"<>": ""}).str.to_lowercase(),
    )
    unquoted = _REST.str.replace_all(rf"={_QUOTED}", "=")
    said = said.with_columns(pl.when(_REST.str.contains('="', literal=True)).then(unquoted).otherwise(_REST).alias("rest"))
    is_whole = (_REST.str.contains(" P=", literal=True) | _REST.str.contains(" S=", literal=True)).fill_null(False)  # noqa: FBT003
    whole = said.filter(is_whole).with_columns(
        *(_REST.str.extract(PATTERNS[name], 1).alias(name) for name in ("client", "message_id", "notice_of")),
        _REST.str.extract(PATTERNS["recipients"], 1).str.extract_all(_ADDRESS).alias("recipients"),
    )
    arrived = whole.select(
        *_HEAD,
        pl.lit("arrived").alias("kind"),
        "sender",
        "client",
        "message_id",
        pl.col("recipients").list.len().cast(pl.Int64).alias("recipient_count"),
    )
    accepted = (
        whole.drop_nulls("recipients")
        .explode("recipients")
        .select(*_HEAD, pl.lit("accepted").alias("kind"), pl.col("recipients").str.to_lowercase().alias("recipient"))
        .unique(["line_number", "recipient"], maintain_order=True)
    )
    notified = whole.filter((pl.col("sender") == "") & pl.col("notice_of").is_not_null()).select(
        "line_number",
        "logged_at",
        "host",
        pl.col("notice_of").alias("queue_id"),
        pl.lit("notified").alias("kind"),
        pl.col("queue_id").alias("related_queue_id"),
    )
    torn = _aside(said.filter(~is_whole), "arrival is cut off or malformed")
    return Reading(pl.concat([arrived, accepted, notified], how="diagonal"), torn.aside)


def _attempts(lines: pl.DataFrame, status: str) -> Reading:
    is_whole_message = lines["said"].str.contains(_WHOLE_DISCARDED) if status == "sent" else pl.repeat(False, lines.height, eager=True)
    discarded = lines.filter(is_whole_message).select(*_HEAD, pl.lit("deleted").alias("kind"))
    parts = _targets(lines.filter(~is_whole_message))
    is_read = _FINAL.is_not_null()
    if status == "deferred":
        is_read &= _REST.str.contains(" defer (", literal=True)
    torn = _aside(parts.filter(~is_read.fill_null(False)), "delivery line is cut off or malformed")  # noqa: FBT003
    parts = parts.filter(is_read & (pl.col("original").is_null() | (pl.col("original") != "system-filter")))
    parts = parts.filter(~_FINAL.str.starts_with(">"))
    events = _judged(parts.with_columns(_recipient(), _original(), _reply(status).alias("reply")), status)
    return Reading(pl.concat([events, discarded], how="diagonal"), torn.aside)


def _targets(lines: pl.DataFrame) -> pl.DataFrame:
    """Cut `said` into `final`, `parents`, `original`, `rest`; all null where it is no target."""
    cut = lines.with_columns(pl.col("said").str.extract_groups(PATTERNS["target"]).alias("g")).unnest("g")
    missed = cut["final"].is_null()
    if not missed.any():
        return cut
    again = lines.filter(missed).with_columns(pl.col("said").str.extract_groups(PATTERNS["spaced_target"]).alias("g")).unnest("g")
    return pl.concat([cut.filter(~missed), again])


def _is_address() -> pl.Expr:
    return _FINAL.str.contains("@", literal=True) & ~_FINAL.str.contains(r"^[|/>:]")


def _recipient() -> pl.Expr:
    written = pl.col("original").str.to_lowercase()
    return pl.when(_is_address()).then(_FINAL.str.to_lowercase()).otherwise(pl.coalesce(written, _FINAL)).alias("recipient")


def _original() -> pl.Expr:
    written = pl.col("original").str.to_lowercase()
    return pl.when(_is_address() & (written != _FINAL.str.to_lowercase())).then(written).alias("original_recipient")


def _reply(status: str) -> pl.Expr:
    if status == "sent":
        return _REST.str.extract(PATTERNS["confirmation"], 1)
    mark = " defer (" if status == "deferred" else ": "
    at = _REST.str.find(mark, literal=True)
    return pl.when(at.is_null()).then(_REST).otherwise(_REST.str.slice(at + len(mark) - (status == "deferred") * 7))


def _judged(parts: pl.DataFrame, status: str) -> pl.DataFrame:
    reply = pl.col("reply")
    if status == "sent":
        word = pl.when(_FINAL.is_in([":blackhole:", "discarded"])).then(pl.lit("discarded")).otherwise(pl.lit("sent"))
    elif status == "bounced":
        word = pl.when(reply.str.contains(PATTERNS["is_expired"])).then(pl.lit("expired")).otherwise(pl.lit("bounced"))
    else:
        word = pl.lit("deferred")
    relay = pl.coalesce(_REST.str.extract(PATTERNS["relay"], 1), _REST.str.extract(PATTERNS["transport"], 1))
    if status != "sent":
        relay = pl.when(reply.str.contains(PATTERNS["is_waiting"])).then(pl.lit("none")).otherwise(relay)
    next_leg = reply.str.extract_groups(NEXT_LEG).struct
    return parts.select(
        *_HEAD,
        pl.lit("attempted").alias("kind"),
        "recipient",
        "original_recipient",
        word.alias("status"),
        reply.str.extract(ENHANCED_STATUS, 1).alias("dsn"),
        _seconds(_REST.str.extract(PATTERNS["queue_time"], 1)).alias("delay_seconds"),
        relay.alias("relay"),
        (pl.coalesce(next_leg.field("named"), next_leg.field("first")) if status == "sent" else pl.lit(None, pl.String)).alias("related_queue_id"),
        (reply.str.head(REPLY_CHARACTERS) if status != "sent" else pl.lit(None, pl.String)).alias("reply"),
    )


def _seconds(written: pl.Expr) -> pl.Expr:
    """Read `3m45s`, `0.304s`, `1d2h`; null stays null."""
    parts = [
        written.str.extract(rf"([0-9.]+){unit}", 1).cast(pl.Float64, strict=False).fill_null(0.0) * seconds
        for unit, seconds in _SECONDS.items()
    ]
    return pl.when(written.is_not_null()).then(pl.sum_horizontal(parts))


def _statements(lines: pl.DataFrame) -> Reading:
    kind = pl.coalesce(pl.when(_TEXT.str.starts_with(s.begins)).then(pl.lit(s.kind)) for s in STATEMENTS)
    return Reading(lines.select(*_HEAD, kind.alias("kind")).drop_nulls("kind"))


def _refusals(lines: pl.DataFrame) -> Reading:
    """Temporary refusals at SMTP time: never our message, so that they carry no message id."""
    is_refused = _TEXT.str.contains("temporarily rejected", literal=True) | _TEXT.str.contains("refused: too many", literal=True)
    refused = lines.filter(is_refused & ~_TEXT.str.contains(r"^(?:<=|=>|->|>>|==|\*\*|\*>) "))
    address = {name: _TEXT.str.extract(PATTERNS[f"refused_{name}"], 1).str.to_lowercase() for name in ("sender", "recipient")}
    return Reading(
        refused.select(
            "line_number",
            "logged_at",
            "host",
            pl.lit("refused").alias("kind"),
            address["sender"].alias("sender"),
            address["recipient"].alias("recipient"),
            _TEXT.str.extract(r"(?:\bH=|[Cc]onnection from )([^\[]*\[[^\]]*\])", 1).alias("client"),
            _TEXT.str.extract(PATTERNS["refused_reply"], 1).str.head(REPLY_CHARACTERS).alias("reply"),
        )
    )


def _aside(lines: pl.DataFrame, reason: str) -> Reading:
    return Reading(pl.DataFrame(schema={"line_number": pl.Int64}), lines.select("line_number", pl.lit(reason).alias("reason")))
