"""What of each event does the second count need, and to which queue-file lifetime (leg) does it belong?

Text is replaced by 64-bit hashes at once: `key` (host and id), `leg` (host, id, lifetime), `queue` (id alone),
`address`, `original`, `named`, `related`, `relay` (with the host that used it), `sender`. Stamps are microseconds.
The rule of lifetimes is in docs/methodology.md, "One queue file".
"""

import re
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
_NEXT_LIFETIME = 0x9E3779B97F4A7C15  # odd, so that lifetimes of one id never meet
_LINE = ("key", "kind", "at", "address", "original", "related", "status")


def address_hash(column: str) -> pl.Expr:
    """Return the code of a lower-cased address."""
    return _code(pl.col(column).str.to_lowercase(), 2)


def read_events(event_files: list[Path], settings: Settings) -> pl.LazyFrame:
    """Return every event about a queue file, one row per event, in coded columns and with its `leg`.

    `is_local` and `is_original_local` say whether the two addresses lie in a local domain. Rows of a queue listing
    (`snapshot`) have their `queue` as their `leg`. `refused` lines concern no queue file.
    """
    events = _coded(event_files, settings)
    reused = _used_again(events)
    once = events.with_columns(leg=pl.when(pl.col("kind") == "snapshot").then("queue").otherwise("key"))
    if reused.is_empty():
        return once
    keys = reused.lazy()
    several = _with_lifetimes(events.join(keys, on="key").collect(engine="streaming"))
    return pl.concat([once.join(keys, on="key", how="anti"), several.lazy()])


def read_bulk_senders(event_files: list[Path], settings: Settings) -> pl.DataFrame:
    """Return `sender`: the codes of the envelope senders that a shell pattern (`*`, `?`) of `bulk_senders` fits."""
    if not event_files or not settings.bulk_senders:
        return pl.DataFrame(schema={"sender": pl.UInt64})
    wild = {"*": ".*", "?": "."}
    texts = ["".join(wild.get(c, re.escape(c)) for c in pattern.lower()) for pattern in settings.bulk_senders]
    senders = pl.scan_parquet(event_files).select(text=pl.col("sender").str.to_lowercase()).unique()
    fits = senders.filter(pl.col("text").str.contains(f"^(?s:{'|'.join(texts)})$"))
    return fits.select(sender=_code(pl.col("text"), 4)).collect(engine="streaming")


def _coded(event_files: list[Path], settings: Settings) -> pl.LazyFrame:
    domains = [domain.lower() for domain in settings.local_domains]
    scanned = pl.scan_parquet(event_files) if event_files else EVENTS.empty().lazy()
    places = _places(scanned)
    host = _code(pl.col("host").fill_null(""), 1)
    client = pl.col("client")
    is_own = client.str.contains("[127.0.0.1]", literal=True) | client.str.contains("[::1]", literal=True)
    coded = scanned.filter(pl.col("queue_id").is_not_null(), pl.col("kind") != "refused").select(
        "source_id",
        "recipient_count",
        pl.col("kind").cast(pl.Enum(_values("kind"))),
        pl.col("status").cast(pl.Enum(_values("status"))),
        line="line_number",
        key=_code(pl.col("queue_id"), 0) ^ host,
        queue=_code(pl.col("queue_id"), 0),
        host=host,
        has_host=pl.col("host").fill_null("") != "",
        is_reusable=~pl.col("queue_id").str.contains(_NEVER_REUSED) & (pl.col("kind") != "snapshot"),
        at=pl.col("logged_at").dt.epoch("us"),
        delay=(pl.col("delay_seconds") * SECOND).cast(pl.Int64),
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
            | pl.col("reply").str.to_lowercase().str.contains(_UNKNOWN_MAILBOX).fill_null(False)
        ),
    )
    return coded.join(places, on="source_id", how="left").drop("source_id")


def _code(text: pl.Expr, seed: int) -> pl.Expr:
    # Polars gives an absent value a hash like any other; here it stays absent.
    return pl.when(text.is_not_null()).then(text.hash(seed))


def _values(column: str) -> list[str]:
    return list(next(c.allowed for c in EVENTS.columns if c.name == column))


def _in_domains(column: str, domains: list[str]) -> pl.Expr:
    domain = pl.col(column).str.to_lowercase().str.extract(r"@([^@]*)$")
    return domain.is_in(domains).fill_null(False)


def _places(scanned: pl.LazyFrame) -> pl.LazyFrame:
    """Return `file`, each log file's place in time, whatever order the files were given in."""
    is_log = pl.col("kind") != "snapshot"
    files = scanned.filter(is_log).group_by("source_id").agg(pl.col("logged_at").min()).collect(engine="streaming")
    return files.sort("logged_at", "source_id").select("source_id").with_row_index("file").lazy()


def _used_again(events: pl.LazyFrame) -> pl.DataFrame:
    """Return the keys that had several lifetimes, and whether one file holds all their lines."""
    is_end, is_arrival = pl.col("kind").is_in(ENDS), pl.col("kind") == "arrived"
    picked = events.filter("is_reusable").select(
        "key",
        "file",
        is_arrival=is_arrival,
        is_end=is_end,
        arrived_at=pl.when(is_arrival).then("at"),
        arrived_line=pl.when(is_arrival).then("line"),
        ended_at=pl.when(is_end).then("at"),
        ended_line=pl.when(is_end).then("line"),
    )
    usage = picked.group_by("key").agg(
        pl.col("arrived_at", "arrived_line").min(),
        pl.col("ended_at", "ended_line").max(),
        arrivals=pl.col("is_arrival").sum(),
        ends=pl.col("is_end").sum(),
        is_one_file=pl.col("file").min() == pl.col("file").max(),
    )
    ends_first = (
        pl.when("is_one_file")
        .then(pl.col("ended_line") < pl.col("arrived_line"))
        .otherwise(pl.col("ended_at") < pl.col("arrived_at"))
    )
    several = usage.filter((pl.col("arrivals") > 1) | (pl.col("ends") > 1) | ends_first.fill_null(False))
    return several.select("key", "is_one_file").collect(engine="streaming")


def _with_lifetimes(events: pl.DataFrame) -> pl.DataFrame:
    """Number the lifetimes of each key, in the file's order or, over several files, in the order of the stamps."""
    kind, at, key = pl.col("kind"), pl.col("at"), "key"
    in_order = (
        events.sort("file", "line")
        .unique(subset=list(_LINE), keep="first", maintain_order=True)
        .sort(key, pl.when("is_one_file").then(0).otherwise("at"), "file", "line")
        .with_columns(
            is_after_end=kind.shift(1).over(key).is_in(ENDS).fill_null(False),
            is_first=kind.shift(1).over(key).is_null(),
            ended_before=pl.when(kind.is_in(ENDS)).then("at").shift(1).over(key),
            arrived_before=pl.when(kind == "arrived").then("at").shift(1).over(key),
        )
        .with_columns(pl.col("ended_before", "arrived_before").cum_max().forward_fill().over(key))
    )
    ended, arrived = pl.col("ended_before"), pl.col("arrived_before")
    begins = (
        pl.when(pl.col("is_first") | (kind == "arrived"))
        .then(True)
        .when(kind == "named")
        .then(ended >= pl.coalesce(arrived, ended))
        .when(kind == "queued")
        .then("is_after_end")
        .otherwise(pl.col("is_after_end") & (at - pl.col("delay").fill_null(0) > ended + 2 * SECOND))
        .fill_null(False)
    )
    numbered = in_order.with_columns(lifetime=begins.cast(pl.UInt64).cum_sum().over(key))
    leg = pl.col(key) + pl.col("lifetime") * pl.lit(_NEXT_LIFETIME, pl.UInt64)
    return numbered.with_columns(leg=leg).drop(
        "lifetime", "is_one_file", "is_after_end", "is_first", "ended_before", "arrived_before"
    )
