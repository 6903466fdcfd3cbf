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
- `>>` (cut-through) stands before its `<=`.
- `cancelled by` is followed by a `**` for each recipient, which says it; `removed by` is not.
- Values in quotes (`C="…"`, `DN="…"`, `T="…"`) are other people's text: nothing is read from inside them but `C=`.
"""

import polars as pl

from transforms.dialect import Reading, places
from transforms.exim_attempts import HEAD, QUOTED, before, behind, read_attempts, set_aside
from transforms.exim_envelope import MESSAGE_ID
from transforms.next_leg import REPLY_CHARACTERS

_ADDRESS = rf'(?:{QUOTED}|[^\s"<>,])+'
# Syslog may hold Exim's own stamp, its pid, and the first part of a message that was too long for one line.
_PREFIX = (
    r"^(?:\[[0-9]+[/\\][0-9]+\] )?(?:[^ ]+ exim[^ ]*\[[0-9]+\]: )?"
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?: [+-][0-9]{4})? )?(?:\[[0-9]+\] )?"
)
_BEGINS_WITH_ID = rf"^{MESSAGE_ID}(?: |$)"
PATTERNS = {
    "quoted_sender": rf"^({QUOTED}[^\s]*|[^\s]+)",
    "client": r" H=([^\[]*\[[^\]]*\])",
    "notice_of": rf"^ R=({MESSAGE_ID})(?: |$)",
    "quoted_value": rf" [A-Za-z]{{1,4}}={QUOTED}",
    # The last ` for ` that only addresses follow: one before it is the sender's text, such as a Message-ID with blanks.
    "recipients": rf"^.* for ({_ADDRESS}(?: {_ADDRESS})*)$",
    # Which lists the expression must cut: those with more than plain addresses, each behind one blank.
    "odd_list": r'["<>,\t]|  |^ | $|^$',
    "refused_client": r"(?:\bH=|[Cc]onnection from )([^\[]*\[[^\]]*\])",
    "refused_sender": r" F=<([^>]*)>",
    "refused_recipient": r"temporarily rejected RCPT <?([^ >:]+)",
    "refused_reply": r"(?:temporarily rejected|refused)[^:]*(?:<[^>]*>)?: (.*)$",
}
# How a line about a whole message begins, and the event that it gives.
STATEMENTS = {
    "Completed": "removed",
    "Frozen": "held",
    "frozen by ": "held",
    "*** Frozen": "held",
    "Unfrozen by ": "released",
    "unfrozen by ": "released",
    "removed by ": "deleted",
    "Message removed because older than ": "deleted",
}
_DELIVERY_MARKS = ("=>", "->", ">>")
_MARKS = ("<=", *_DELIVERY_MARKS, "==", "**", "*>")
_TORN_COMPLETED = ["Completed"[:letters] for letters in range(1, len("Completed"))]
_TEXT, _REST = pl.col("text"), pl.col("rest")


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
        lines = lines.with_columns(_TEXT.str.find(" ", literal=True).alias("space"))
        lines = lines.with_columns(
            _TEXT.str.head("space").alias("queue_id"), _TEXT.str.slice(pl.col("space") + 1).alias("text")
        ).drop("space")
        lines = lines.with_columns(_TEXT.str.head(2).alias("mark"), _TEXT.str.slice(3).alias("said"))
        is_empty = pl.col("queue_id").is_null() | _TEXT.is_null()
        parts = lines.filter(~is_empty).partition_by("mark", as_dict=True)
        by_mark = {str(mark): part for (mark,), part in parts.items()}
        none = lines.clear()
        unmarked = pl.concat([none, *(part for mark, part in by_mark.items() if mark not in _MARKS)])
        failed = by_mark.get("**", none)
        is_failure = ~_TEXT.str.starts_with("***")
        readings = [
            _arrivals(by_mark.get("<=", none)),
            read_attempts(pl.concat([by_mark.get(mark, none) for mark in _DELIVERY_MARKS]), "sent"),
            read_attempts(by_mark.get("==", none), "deferred"),
            read_attempts(failed.filter(is_failure), "bounced"),
            _statements(pl.concat([unmarked, failed.filter(~is_failure)])),
            _refusals(pl.concat([other.filter(~unwrapped), unmarked.select(other.columns)])),
        ]
        torn = lines.filter(is_empty | _TEXT.is_in(_TORN_COMPLETED))
        aside = [r.aside for r in readings] + [set_aside(torn, "line ends after its message id")]
        return Reading(pl.concat([r.events for r in readings], how="diagonal"), pl.concat(aside))


def _arrivals(lines: pl.DataFrame) -> Reading:
    said = lines.with_columns(_sender().alias("sender"))
    said = said.with_columns(
        pl.col("said").str.slice(pl.col("sender").str.len_chars()).alias("rest"),
        pl.col("sender").replace({"<>": ""}).str.to_lowercase(),
    )
    unquoted = _REST.str.replace_all(PATTERNS["quoted_value"], "")
    said = said.with_columns(
        pl.when(_REST.str.contains('="', literal=True)).then(unquoted).otherwise(_REST).alias("rest")
    )
    is_whole = (_REST.str.contains(" P=", literal=True) | _REST.str.contains(" S=", literal=True)).fill_null(False)
    whole = said.filter(is_whole).with_columns(
        *(_REST.str.extract(PATTERNS[name], 1).alias(name) for name in ("client", "notice_of")),
        _up_to_blank(behind(_REST, " id=")).alias("message_id"),
    )
    whole = whole.with_columns(_recipients(whole["rest"]))
    # Without the list of recipients it is known that there is one, no more.
    arrived = whole.select(
        *HEAD,
        pl.lit("arrived").alias("kind"),
        "sender",
        "client",
        "message_id",
        pl.col("recipients").list.len().cast(pl.Int64).fill_null(1).alias("recipient_count"),
    )
    accepted = (
        whole.drop_nulls("recipients")
        .with_columns(places(pl.col("recipients")))
        .explode("recipients", "recipient_place")
        .select(
            *HEAD,
            pl.lit("accepted").alias("kind"),
            pl.col("recipients").str.to_lowercase().alias("recipient"),
            "recipient_place",
        )
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
    torn = set_aside(said.filter(~is_whole), "arrival is cut off or malformed")
    return Reading(pl.concat([arrived, accepted, notified], how="diagonal"), torn)


def _sender() -> pl.Expr:
    """Return the first word, which may be an address with a quoted local part; null where there is none."""
    said = pl.col("said")
    is_quoted = said.str.starts_with('"')
    quoted = pl.when(is_quoted).then(said).str.extract(PATTERNS["quoted_sender"], 1)
    return pl.when(is_quoted).then(quoted).otherwise(_up_to_blank(said))


def _recipients(rest: pl.Series) -> pl.Series:
    """Return the addresses behind the last ` for `; plain ones are split at blanks, others cut by an expression."""
    parts, last = rest.str.split(" for ").alias("parts").to_frame(), pl.col("last")
    behind_last = parts.select(rest, last=pl.when(pl.col("parts").list.len() > 1).then(pl.col("parts").list.get(-1)))
    judged = behind_last.with_columns(is_odd=last.str.contains(PATTERNS["odd_list"]))
    odd = pl.when("is_odd").then(_REST).str.extract(PATTERNS["recipients"], 1)
    addresses = pl.when("is_odd").then(odd.str.extract_all(_ADDRESS)).otherwise(last.str.split(" "))
    return judged.select(recipients=addresses)["recipients"]


def _up_to_blank(text: pl.Expr) -> pl.Expr:
    word = before(text, " ")
    return pl.when(word != "").then(word)


def _statements(lines: pl.DataFrame) -> Reading:
    kind = pl.coalesce(pl.when(_TEXT.str.starts_with(begins)).then(pl.lit(kind)) for begins, kind in STATEMENTS.items())
    return Reading(lines.select(*HEAD, kind.alias("kind")).drop_nulls("kind"))


def _refusals(lines: pl.DataFrame) -> Reading:
    """Temporary refusals at SMTP time: never our message, so that they carry no message id."""
    is_refused = _TEXT.str.contains_any(["temporarily rejected", "refused: too many"])
    part = {
        name: _TEXT.str.extract(PATTERNS[f"refused_{name}"], 1) for name in ("client", "sender", "recipient", "reply")
    }
    return Reading(
        lines.filter(is_refused).select(
            "line_number",
            "logged_at",
            "host",
            pl.lit("refused").alias("kind"),
            part["sender"].str.to_lowercase().alias("sender"),
            part["recipient"].str.to_lowercase().alias("recipient"),
            part["client"].alias("client"),
            part["reply"].str.head(REPLY_CHARACTERS).alias("reply"),
        )
    )
