"""What of each event does the second count need?

Text is replaced by 64-bit hashes at once: `key` (host and id), `queue` (id alone), `address`, `original`, `named`,
`related`, `relay` (with the host that used it), `sender`. Stamps and delays are microseconds.
"""

import re
from collections.abc import Iterator
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
# Postfix's long ids, Exim's message ids and Message-IDs (Exchange) are never used again.
_NEVER_REUSED = rf"^{_BASE_52}{{10,}}z{_BASE_52}+$|^.{{6}}-.{{6,11}}-.{{2,4}}$|@"


def address_hash(column: str) -> pl.Expr:
    """Return the code of a lower-cased address."""
    return _code(pl.col(column).str.to_lowercase(), 2)


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


def read_events(scanned: pl.LazyFrame, places: pl.DataFrame, settings: Settings) -> pl.LazyFrame:
    """Return every event about a queue file, one row per event, in coded columns.

    `scanned` has the columns of EVENTS, `places` comes from `places_in_time`: `file` is a line's file, `line` the line
    in it. `is_local` and `is_original_local` say whether the two addresses lie in a local domain. `refused` lines
    concern no queue file.
    """
    domains = [f"@{domain.lower()}" for domain in settings.local_domains]
    host = _code(pl.col("host").fill_null(""), 1)
    client = pl.col("client")
    is_own = client.str.contains("[127.0.0.1]", literal=True) | client.str.contains("[::1]", literal=True)
    refused = pl.when(pl.col("status") == "bounced").then(pl.col("reply"))  # few, so that few are read
    return scanned.filter(pl.col("queue_id").is_not_null(), pl.col("kind") != "refused").select(
        pl.col("recipient_count").cast(pl.Int32, strict=False),
        pl.col("kind").cast(pl.Enum(_values("kind"))),
        pl.col("status").cast(pl.Enum(_values("status"))),
        file=pl.col("source_id").cast(pl.Enum(places["source_id"]), strict=False).to_physical().cast(pl.UInt32),
        line=pl.col("line_number").cast(pl.UInt32),
        key=_code(pl.col("queue_id"), 0) ^ host,
        queue=_code(pl.col("queue_id"), 0),
        host=host,
        has_host=pl.col("host").fill_null("") != "",
        is_reusable=~pl.col("queue_id").str.contains(_NEVER_REUSED) & (pl.col("kind") != "snapshot"),
        at=pl.col("logged_at").dt.epoch("us"),
        delay=(pl.col("delay_seconds") * SECOND).round().cast(pl.Int64),
        sender=_code(pl.col("sender").str.to_lowercase(), 4),
        address=address_hash("recipient"),
        original=address_hash("original_recipient"),
        is_local=_in_domains("recipient", domains),
        is_original_local=_in_domains("original_recipient", domains),
        named=pl.when(pl.col("message_id") != "").then(_code(pl.col("message_id"), 3)),
        related=_code(pl.col("related_queue_id"), 0),
        relay=pl.when(pl.col("relay") != "none").then(_code(pl.col("relay"), 5) ^ host),
        is_foreign=~is_own,
        is_unknown_mailbox=pl.when(pl.col("status") == "bounced").then(
            pl.col("dsn").is_in(["5.1.1", "5.1.10"]).fill_null(False)
            | refused.str.to_lowercase().str.contains(_UNKNOWN_MAILBOX).fill_null(False)
        ),
    )


def read_bulk_senders(event_files: list[Path], settings: Settings) -> pl.DataFrame:
    """Return `sender`: the codes of the envelope senders that a shell pattern (`*`, `?`) of `bulk_senders` fits."""
    if not event_files or not settings.bulk_senders:
        return pl.DataFrame(schema={"sender": pl.UInt64})
    wild = {"*": ".*", "?": "."}
    texts = ["".join(wild.get(c, re.escape(c)) for c in pattern.lower()) for pattern in settings.bulk_senders]
    senders = pl.scan_parquet(event_files).select(text=pl.col("sender").str.to_lowercase()).unique()
    fits = senders.filter(pl.col("text").str.contains(f"^(?s:{'|'.join(texts)})$"))
    return fits.select(sender=_code(pl.col("text"), 4)).collect(engine="streaming")


def _code(text: pl.Expr, seed: int) -> pl.Expr:
    # Polars gives an absent value a hash like any other; here it stays absent.
    return pl.when(text.is_not_null()).then(text.hash(seed))


def _values(column: str) -> list[str]:
    return list(next(c.allowed for c in EVENTS.columns if c.name == column))


def _in_domains(column: str, domains: list[str]) -> pl.Expr:
    domain = pl.col(column).str.to_lowercase().str.extract(r"@[^@]*$", 0)
    return domain.is_in(domains).fill_null(False)
