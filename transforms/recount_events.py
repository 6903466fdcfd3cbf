"""What of each event does the second count need?

Text is replaced by 64-bit hashes at once: `key` (host and id), `queue` (id alone), `address`, `original`, `named`,
`related`, `relay` (with the host that used it), `sender` (odd: a bulk sender). Stamps and delays are microseconds.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import polars as pl

from expectations.tables import EVENTS
from transforms.settings import Settings

SECOND = 1_000_000
ENDS = ("removed", "ended", "deleted", "requeued")
# A reply that says that the mailbox does not exist, where the status code alone does not (5.1.1 and 5.1.10 do).
_UNKNOWN_MAILBOX = (
    r"user unknown|unknown user|no such (user|mailbox|recipient|address)|mailbox (not found|unavailable|does not exist)"
    r"|unknown (recipient|mailbox|address)|recipient (unknown|not found|rejected: user unknown)"
    r"|(user|address|recipient|account) (does not|doesn.t) exist|unrouteable address|recipnotfound"
    r"|invalid (recipient|mailbox)"
)
_BASE_52 = "[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]"
_NOTHING = r"[^\s\S]"
# Postfix's long ids, Exim's message ids and Message-IDs (Exchange) are never used again.
_NEVER_REUSED = rf"^{_BASE_52}{{10,}}z{_BASE_52}+$|^.{{6}}-.{{6,11}}-.{{2,4}}$|@"


def address_hash(column: str) -> pl.Expr:
    """Return the code of a lower-cased address."""
    return _present(column, lambda text: text.str.to_lowercase().hash(2))


def scan_pieces(event_files: list[Path], rows: int) -> Iterator[pl.LazyFrame]:
    """Yield the files of events piece by piece, of `rows` rows each but the last: files are cut and put together."""
    piece, room = [EVENTS.empty().lazy()], rows
    for file in event_files:
        left, whole = pl.scan_parquet(file), pl.scan_parquet(file).select(pl.len()).collect().item()
        start = 0
        while whole - start > room:
            yield pl.concat([*piece, left.slice(start, room)])
            start, piece, room = start + room, [], rows
        piece, room = [*piece, left.slice(start)], room - (whole - start)
    yield pl.concat(piece)


def places_in_time(event_files: list[Path]) -> pl.DataFrame:
    """Return source_id, file: each log file's place in time, whatever order the files were given in."""
    scanned = pl.scan_parquet(event_files) if event_files else EVENTS.empty().lazy()
    is_log = pl.col("kind") != "snapshot"
    spans = (
        scanned.filter(is_log)
        .group_by("source_id")
        .agg(first=pl.col("logged_at").min(), last=pl.col("logged_at").max())
    )
    files = spans.collect(engine="streaming").sort("first", "last", "source_id")
    return files.select("source_id").with_row_index("file")


def read_events(scanned: pl.LazyFrame, places: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Return every event about a queue file, one row per event, in coded columns; `queue_id` is still as written.

    `scanned` has the columns of EVENTS, `places` comes from `places_in_time`: `file` is a line's file, `line` the line
    in it. `is_local` and `is_original_local` say whether the two addresses lie in a local domain. `refused` lines
    concern no queue file.
    """
    domains = [f"@{domain.lower()}" for domain in settings.local_domains]
    queue, host = pl.col("queue_id").hash(0), pl.col("host").fill_null("").hash(1)
    is_bounced = (pl.col("status") == "bounced").fill_null(False)
    is_unknown = pl.col("dsn").is_in(["5.1.1", "5.1.10"]).fill_null(False)
    says_unknown = _where(is_bounced, "reply", _says_unknown).fill_null(False)
    coded = {
        "queue_id": pl.col("queue_id"),
        "recipient_count": pl.col("recipient_count").cast(pl.Int32, strict=False),
        "recipient_place": pl.col("recipient_place").cast(pl.UInt32, strict=False),
        "kind": pl.col("kind").cast(pl.Enum(_values("kind"))),
        "status": pl.col("status").cast(pl.Enum(_values("status"))),
        "file": pl.col("source_id").cast(pl.Enum(places["source_id"]), strict=False).to_physical().cast(pl.UInt32),
        "line": pl.col("line_number").cast(pl.UInt32),
        "key": queue ^ host,
        "queue": queue,
        "host": host,
        "has_host": pl.col("host").fill_null("") != "",
        "at": pl.col("logged_at").dt.epoch("us"),
        "delay": (pl.col("delay_seconds") * SECOND).round().cast(pl.Int64),
        "sender": _present("sender", partial(_sender_code, _bulk_pattern(settings))),
        "address": address_hash("recipient"),
        "original": address_hash("original_recipient"),
        "is_local": _in_domains("recipient", domains),
        "is_original_local": _in_domains("original_recipient", domains),
        "named": pl.when(pl.col("message_id") != "").then(pl.col("message_id").hash(3)),
        "related": _present("related_queue_id", lambda text: text.hash(0)),
        "relay": pl.when(pl.col("relay") != "none").then(pl.col("relay").hash(5) ^ host),
        "is_foreign": _present("client", _is_foreign),
        "is_unknown_mailbox": pl.when(is_bounced).then(is_unknown | says_unknown),
    }
    read = sorted({name for code in coded.values() for name in code.meta.root_names()})
    about_files = scanned.filter(pl.col("queue_id").is_not_null(), pl.col("kind") != "refused").select(read)
    return about_files.collect(engine="streaming").lazy().select(**coded).collect()


def _sender_code(bulk: str, sender: pl.Expr) -> pl.Expr:
    """Return an odd code for a bulk sender, an even one for any other."""
    text = sender.str.to_lowercase()
    return text.hash(4) // 2 * 2 + text.str.contains(bulk).cast(pl.UInt64)


def _bulk_pattern(settings: Settings) -> str:
    """Return the expression that the envelope senders fit to whom a shell pattern (`*`, `?`) of `bulk_senders` fits."""
    wild = {"*": ".*", "?": "."}
    texts = ["".join(wild.get(c, re.escape(c)) for c in pattern.lower()) for pattern in settings.bulk_senders]
    return f"^(?s:{'|'.join(texts)})$" if texts else _NOTHING


def _is_foreign(client: pl.Expr) -> pl.Expr:
    return ~(client.str.contains("[127.0.0.1]", literal=True) | client.str.contains("[::1]", literal=True))


def _says_unknown(reply: pl.Expr) -> pl.Expr:
    return reply.str.to_lowercase().str.contains(_UNKNOWN_MAILBOX)


def with_reuse(events: pl.DataFrame) -> pl.DataFrame:
    """Return the events with `is_reusable`, whether their queue id may name another queue file later, for the id."""
    return events.with_columns(is_reusable=~is_never_reused() & (pl.col("kind") != "snapshot")).drop("queue_id")


def is_never_reused() -> pl.Expr:
    """Say of `queue_id` whether it names one queue file for ever."""
    return pl.col("queue_id").str.contains(_NEVER_REUSED)


def _present(column: str, code: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """Return what `code` makes of the texts that are there; absent ones, which are most, cost little."""
    return _where(pl.col(column).is_not_null(), column, code)


def _where(is_read: pl.Expr, column: str, code: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    place = pl.when(is_read).then(is_read.cast(pl.UInt32).cum_sum() - 1)
    return code(pl.col(column).filter(is_read)).gather(place)


def _values(column: str) -> list[str]:
    return list(next(c.allowed for c in EVENTS.columns if c.name == column))


def _in_domains(column: str, domains: list[str]) -> pl.Expr:
    def code(text: pl.Expr) -> pl.Expr:
        return text.str.to_lowercase().str.extract(r"@[^@]*$", 0).is_in(domains)

    return _present(column, code).fill_null(False)
