"""What of each event does the second count need, and to which queue-file lifetime (leg) does it belong?

A leg is a host, a queue id and a lifetime. A lifetime ends at `removed`, `deleted` or `requeued`; what follows
belongs to the next one, and so does an `arrived` that follows other events. Only ids in upper-case hexadecimal can
be used again (Postfix's short ids); every other id is one lifetime for ever. A line that was read from two
overlapping files is one line: same host, id, kind, stamp, recipient, related id and status.

Text is replaced by 64-bit hashes at once: `leg` (host, id, lifetime), `address`, `original`, `named`, `related`.
"""

from pathlib import Path

import polars as pl

from expectations.tables import EVENTS
from transforms.settings import Settings

ENDS = ("removed", "deleted", "requeued")
# Which texts of a refusal say that the mailbox does not exist, where the code alone does not.
UNKNOWN_MAILBOX = (
    r"(?i)\b(?:user|mailbox|recipient)(?: is)? unknown\b|\bunknown (?:user|mailbox|recipient)\b"
    r"|\bno such (?:user|mailbox|recipient)\b"
)
_REUSABLE_ID = r"^[0-9A-F]+$"
_NEXT_LIFETIME = 0x9E3779B97F4A7C15  # odd, so that lifetimes of one id never meet
_LINE = ("key", "kind", "at", "address", "related", "status")


def address_hash(column: str) -> pl.Expr:
    """Return the code of a lower-cased address."""
    return _code(pl.col(column).str.to_lowercase(), 2)


def host_hash(column: pl.Expr) -> pl.Expr:
    """Return the part of a leg's key that stands for the host."""
    return _code(column, 1)


def _code(text: pl.Expr, seed: int) -> pl.Expr:
    # Polars gives an absent value a hash like any other; here it stays absent.
    return pl.when(text.is_not_null()).then(text.hash(seed))


def read_events(event_files: list[Path], settings: Settings) -> pl.LazyFrame:
    """Return every event about a queue file, one row per event, in coded columns and with its `leg`.

    `at` and `delay` are microseconds; `key` is host and queue id without the lifetime; `is_local` and
    `is_original_local` say whether the two addresses lie in a local domain. `refused` lines concern no queue file.
    """
    events = _coded(event_files, settings)
    reused = _keys_with_several_lifetimes(events)
    if reused.is_empty():
        return events.with_columns(leg="key")
    keys = pl.LazyFrame({"key": reused})
    several = _with_lifetimes(events.join(keys, on="key", how="semi").collect(engine="streaming"))
    single = events.join(keys, on="key", how="anti").with_columns(leg="key")
    return pl.concat([single, several.lazy()])


def _coded(event_files: list[Path], settings: Settings) -> pl.LazyFrame:
    domains = [domain.lower() for domain in settings.local_domains]
    scanned = pl.scan_parquet(event_files) if event_files else EVENTS.empty().lazy()
    return scanned.filter(pl.col("queue_id").is_not_null(), pl.col("kind") != "refused").select(
        "source_id",
        "line_number",
        "recipient_count",
        pl.col("kind").cast(pl.Enum(_values("kind"))),
        pl.col("status").cast(pl.Enum(_values("status"))),
        key=_code(pl.col("queue_id"), 0) ^ host_hash(pl.col("host").fill_null("")),
        host=host_hash(pl.col("host").fill_null("")),
        is_listed_only=(pl.col("host").fill_null("") == "") & (pl.col("kind") == "snapshot"),
        is_reusable=pl.col("queue_id").str.contains(_REUSABLE_ID),
        at=pl.col("logged_at").dt.epoch("us"),
        delay=(pl.col("delay_seconds") * 1_000_000).round().cast(pl.Int64),
        sender=pl.col("sender").str.to_lowercase(),
        address=address_hash("recipient"),
        original=address_hash("original_recipient"),
        is_local=_in_domains("recipient", domains),
        is_original_local=_in_domains("original_recipient", domains),
        named=_code(pl.col("message_id"), 3),
        related=_code(pl.col("related_queue_id"), 0),
        is_unknown_mailbox=(pl.col("status") == "bounced")
        & (
            (pl.col("dsn") == "5.1.1").fill_null(False) | pl.col("reply").str.contains(UNKNOWN_MAILBOX).fill_null(False)
        ),
    )


def _values(column: str) -> list[str]:
    return list(next(c.allowed for c in EVENTS.columns if c.name == column))


def _in_domains(column: str, domains: list[str]) -> pl.Expr:
    domain = pl.col(column).str.to_lowercase().str.extract(r"@([^@]*)$")
    return domain.is_in(domains).fill_null(False)


def _keys_with_several_lifetimes(events: pl.LazyFrame) -> pl.Series:
    """Return the keys whose lines don't plainly read as one lifetime: one arrival first, one end last, one file."""
    is_end = pl.col("kind").is_in(ENDS)
    is_arrival = pl.col("kind") == "arrived"
    suspects = (
        events.filter("is_reusable", ~pl.col("is_listed_only"))
        .select(
            "key",
            "at",
            "line_number",
            "source_id",
            is_arrival=is_arrival,
            is_end=is_end,
            arrived_at=pl.when(is_arrival).then("at"),
            arrived_line=pl.when(is_arrival).then("line_number"),
            ended_at=pl.when(is_end).then("at"),
            ended_line=pl.when(is_end).then("line_number"),
        )
        .group_by("key")
        .agg(
            pl.col("arrived_at", "arrived_line").min(),
            pl.col("ended_at", "ended_line").max(),
            arrivals=pl.col("is_arrival").sum(),
            ends=pl.col("is_end").sum(),
            first_at=pl.col("at").min(),
            last_at=pl.col("at").max(),
            first_line=pl.col("line_number").min(),
            last_line=pl.col("line_number").max(),
            first_source=pl.col("source_id").min(),
            last_source=pl.col("source_id").max(),
        )
        .filter(
            (pl.col("arrivals") > 1)
            | (pl.col("ends") > 1)
            | (pl.col("first_source") != pl.col("last_source"))
            | ((pl.col("arrived_at") > pl.col("first_at")) | (pl.col("arrived_line") > pl.col("first_line"))).fill_null(
                False
            )
            | ((pl.col("ended_at") < pl.col("last_at")) | (pl.col("ended_line") < pl.col("last_line"))).fill_null(False)
        )
    )
    return suspects.select("key").collect(engine="streaming")["key"]


def _with_lifetimes(events: pl.DataFrame) -> pl.DataFrame:
    """Number the lifetimes of each key in the order of the stamps; equal stamps keep the order of their file."""
    files = events.group_by("source_id").agg(file_at=pl.col("at").min())
    listed = events.filter("is_listed_only").with_columns(leg="key")
    logged = (
        events.filter(~pl.col("is_listed_only"))
        .join(files, on="source_id", validate="m:1")
        .sort("key", "at", "file_at", "source_id", "line_number")
        .unique(subset=list(_LINE), keep="first", maintain_order=True)
    )
    is_end = pl.col("kind").is_in(ENDS)
    # A line opens a lifetime when it follows an end that is not itself repeated, or when it is an arrival.
    follows_end = is_end.shift(1).over("key").fill_null(False) & ~is_end
    opens = follows_end | ((pl.col("kind") == "arrived") & pl.col("kind").shift(1).over("key").is_not_null())
    numbered = logged.with_columns(lifetime=opens.cast(pl.UInt64).cum_sum().over("key")).with_columns(
        leg=pl.col("key") + pl.col("lifetime") * pl.lit(_NEXT_LIFETIME, pl.UInt64)
    )
    return pl.concat([numbered.drop("file_at", "lifetime"), listed])
