"""Exim's delivery lines: who was tried, how it went, and after how long.

Rules (`string_log_address`, `delivery_log`, `deferral_log`, `failure_log` in Exim's `deliver.c`)
- What stands behind the mark is `final (parents) <original>`. Local deliveries may show the bare local part (router
  option `log_as_local`): the domain is then taken to be the original's, as `qualify_preserve_domain` has it. A file or
  a pipe is nobody: the recipient is the original. `>address` is an automatic reply: a new message, no delivery of this
  one.
- `QT=` is the time on the queue; it and `DT=` end the line, behind the confirmation `C="…"` of the next hop.
- `blackhole (…)` and `discarded (…)` end a whole message by a rule.
"""

import polars as pl

from transforms.dialect import Reading, in_domain_of
from transforms.next_leg import ENHANCED_STATUS, REPLY_CHARACTERS, next_leg

QUOTED = r'"(?:[^"\\]|\\.)*"'
HEAD = ("line_number", "logged_at", "host", "queue_id")
PATTERNS = {
    "target": (
        rf"^(?<final>{QUOTED}@[^ ]*|:blackhole:|[^ ]+?)(?: \([^)]*\))?"
        rf"(?: <(?<original>(?:{QUOTED}|[^\">])*)>)?(?<rest>(?: [A-Z]{{1,4}}=| ?: | routing defer | defer \().*)$"
    ),
    # Pipes and files may hold spaces; the original address in <…> ends them.
    "spaced_target": (r"^(?<final>.+?)(?: \([^)]*\))? <(?<original>[^>]*)>(?<rest>(?: [A-Z]{1,4}=| ?: | defer \().*)$"),
    "relay": r" H=([^\[]*\[[^\]]*\](?::[0-9]+)?)",
    "transport": r" T=([^ :]+)",
    "confirmation": r' C="((?:[^"\\]|\\.)*)"(?: QT=[^ ]+)?(?: DT=[^ ]+)?$',
    "after_confirmation": r"^(?: QT=[^ ]+)?(?: DT=[^ ]+)?$",
    "queue_time": r" QT=([0-9wdhms.]+)(?: DT=[0-9wdhms.]+)?$",
    "is_expired": (
        r"retry timeout exceeded|message timed out|have been failing for a long time|after a long failure period"
    ),
    "is_waiting": r"[Rr]etry time not (?:yet )?reached",
    # A file, a pipe, `:blackhole:` or an automatic reply, not a name; a local part with blanks can't be told from them.
    "is_nobody": r"^[|/>:]|^discarded$|^[^\"@]* ",
    "is_whole_message": r"^(?:blackhole|discarded) [(*]",
}
_SECONDS = {"w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
# How what follows a plain target begins.
_FIELDS = (" R=", " T=", " F=", " P=", " Q=")
_SAID, _REST, _FINAL = pl.col("said"), pl.col("rest"), pl.col("final")


def read_attempts(lines: pl.DataFrame, status: str) -> Reading:
    """Read lines of one kind (`sent`, `deferred`, `bounced`) whose column `said` holds what stands behind the mark."""
    is_whole_message = lines["said"].str.contains(PATTERNS["is_whole_message"])
    discarded = lines.filter(is_whole_message).select(*HEAD, pl.lit("deleted").alias("kind"))
    parts = _targets(lines.filter(~is_whole_message))
    is_read = _FINAL.is_not_null()
    if status == "deferred":
        is_read &= _REST.str.contains(" defer (", literal=True)
    torn = set_aside(parts.filter(~is_read.fill_null(False)), "delivery line is cut off or malformed")
    parts = parts.filter(is_read & (pl.col("original").is_null() | (pl.col("original") != "system-filter")))
    parts = parts.filter(~_FINAL.str.starts_with(">"))
    told = parts.lazy().with_columns(_recipient()).with_columns(_original(), _reply(status).alias("reply")).collect()
    events = _judged(told, status)
    return Reading(pl.concat([events, discarded], how="diagonal"), torn)


def _targets(lines: pl.DataFrame) -> pl.DataFrame:
    """Cut `said` into `final`, `original` and `rest`; all null where it is no target.

    Plain targets, nearly all, are cut at the marks; the others by a regular expression.
    """
    tail, original = pl.col("tail"), pl.col("original")
    cut = (
        lines.lazy()
        .with_columns(before(_SAID, " ").alias("final"))
        .with_columns(_SAID.str.slice(_FINAL.str.len_chars()).alias("tail"))
        .with_columns(pl.when(tail.str.starts_with(" <")).then(before(tail.str.slice(2), "> ")).alias("original"))
        .with_columns(tail.str.slice((original.str.len_chars() + 3).fill_null(0)).alias("rest"))
        .with_columns(
            (
                _REST.str.head(3).is_in(_FIELDS)
                & ~_FINAL.str.contains_any(['"', ":"])
                & ~original.fill_null("").str.contains('"', literal=True)
            )
            .fill_null(False)
            .alias("is_plain")
        )
        .drop("tail")
        .collect()
    )
    is_plain = cut["is_plain"]
    cut = cut.drop("is_plain")
    if is_plain.all():
        return cut
    left = lines.filter(~is_plain)
    found = left.with_columns(_SAID.str.extract_groups(PATTERNS["target"]).alias("g")).unnest("g")
    missed = found["final"].is_null()
    again = left.filter(missed).with_columns(_SAID.str.extract_groups(PATTERNS["spaced_target"]).alias("g")).unnest("g")
    return pl.concat([cut.filter(is_plain), found.filter(~missed).select(cut.columns), again.select(cut.columns)])


def before(text: pl.Expr, mark: str) -> pl.Expr:
    """Return what stands before the first `mark`, all of the text where there is none."""
    return text.str.splitn(mark, 2).struct.field("field_0")


def behind(text: pl.Expr, mark: str) -> pl.Expr:
    """Return what stands behind the first `mark`, null where there is none."""
    return text.str.splitn(mark, 2).struct.field("field_1")


def _recipient() -> pl.Expr:
    written, final = pl.col("original").str.to_lowercase(), _FINAL.str.to_lowercase()
    is_nobody = _FINAL.str.contains(PATTERNS["is_nobody"])
    return (
        pl.when(is_nobody)
        .then(pl.coalesce(written, _FINAL))
        .when(_FINAL.str.contains("@", literal=True))
        .then(final)
        .otherwise(in_domain_of(written, final))
        .alias("recipient")
    )


def _original() -> pl.Expr:
    written = pl.col("original").str.to_lowercase()
    return pl.when(written != pl.col("recipient")).then(written).alias("original_recipient")


def _reply(status: str) -> pl.Expr:
    if status == "sent":
        return _confirmation()
    if status == "deferred":
        return pl.concat_str(pl.lit("defer ("), behind(_REST, " defer ("))
    return pl.coalesce(behind(_REST, ": "), _REST)


def _confirmation() -> pl.Expr:
    """Return what stands in `C="…"` at the end of the line; one without escaped quotes is cut at its quotes."""
    said = behind(_REST, ' C="')
    is_plain = behind(said, '"').str.contains(PATTERNS["after_confirmation"]).fill_null(False)
    is_plain &= ~_REST.str.contains("\\", literal=True)
    odd = pl.when(~is_plain).then(_REST).str.extract(PATTERNS["confirmation"], 1)
    return pl.when(is_plain).then(before(said, '"')).otherwise(odd)


def _judged(parts: pl.DataFrame, status: str) -> pl.DataFrame:
    reply = pl.col("reply")
    if status == "sent":
        word = pl.when(_FINAL.is_in([":blackhole:", "discarded"])).then(pl.lit("discarded")).otherwise(pl.lit("sent"))
    elif status == "bounced":
        word = pl.when(reply.str.contains(PATTERNS["is_expired"])).then(pl.lit("expired")).otherwise(pl.lit("bounced"))
    else:
        word = pl.lit("deferred")
    relay = _REST.str.extract(PATTERNS["relay"], 1)
    relay = pl.coalesce(relay, pl.when(relay.is_null()).then(_REST).str.extract(PATTERNS["transport"], 1))
    if status != "sent":
        is_no_attempt = reply.str.contains(PATTERNS["is_waiting"]) | relay.is_null()
        relay = pl.when(is_no_attempt).then(pl.lit("none")).otherwise(relay)
    said = parts.lazy().select(  # lazily, as what several columns need is then worked out once
        *HEAD,
        pl.lit("attempted").alias("kind"),
        "recipient",
        "original_recipient",
        word.alias("status"),
        reply.str.extract(ENHANCED_STATUS, 1).alias("dsn"),
        _seconds(parts.select(_REST.str.extract(PATTERNS["queue_time"], 1)).to_series()).alias("delay_seconds"),
        relay.alias("relay"),
        (next_leg(reply) if status == "sent" else pl.lit(None, pl.String)).alias("related_queue_id"),
        (reply.str.head(REPLY_CHARACTERS) if status != "sent" else pl.lit(None, pl.String)).alias("reply"),
    )
    return said.collect()


def _seconds(written: pl.Series) -> pl.Series:
    """Read `3m45s`, `0.304s`, `1d2h`, each spelling once; null stays null."""
    spelled = written.unique().to_frame("written")
    parts = [
        pl.col("written").str.extract(rf"([0-9.]+){unit}", 1).cast(pl.Float64, strict=False).fill_null(0.0) * seconds
        for unit, seconds in _SECONDS.items()
    ]
    read = spelled.select("written", seconds=pl.when(pl.col("written").is_not_null()).then(pl.sum_horizontal(parts)))
    found = written.to_frame("written").join(read, on="written", how="left", nulls_equal=True, maintain_order="left")
    return found["seconds"]


def set_aside(lines: pl.DataFrame, reason: str) -> pl.DataFrame:
    """Give `line_number, reason` of lines that begin like a fact and do not end like one."""
    return lines.select("line_number", pl.lit(reason).alias("reason"))
