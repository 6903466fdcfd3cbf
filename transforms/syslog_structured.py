"""Two spellings of syslog whose parts have names or fixed places: RFC 5424, and journald's JSON."""

import polars as pl

from expectations.tables import INSTANT
from transforms.clock import read_zoned
from transforms.spans import Mask, Spans
from transforms.syslog_tags import category, host_category

_RFC5424 = (
    r"^1 (?<stamp>[^ ]+) (?<host>[^ ]+) (?<service>[^ ]+) [^ ]+ [^ ]+ "
    r'(?:-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: (?:\x{FEFF})?(?<text>.*))?$'
)
_JOURNAL = {
    "micros": "__REALTIME_TIMESTAMP",
    "host": "_HOSTNAME",
    "service": "SYSLOG_IDENTIFIER",
    "command": "_COMM",
    "text": "MESSAGE",
}
_TEXT = pl.col("text")


def open_rfc5424(text: Spans) -> tuple[Mask, pl.DataFrame]:
    """Open `1 2026-11-25T02:22:48.123456Z mx1 postfix/smtpd 812 - - text` (the priority is off already)."""
    is_candidate = text.begins_with(b"1 ")
    if not is_candidate.any():
        return is_candidate, pl.DataFrame()
    lines = text.take(is_candidate).series().alias("text").to_frame()
    parts = lines.select(_TEXT.str.extract_groups(_RFC5424).alias("p")).unnest("p")
    return _opened(is_candidate, parts.with_columns(read_zoned(parts["stamp"]).alias("logged_at"), _TEXT.fill_null("")))


def open_journal(text: Spans) -> tuple[Mask, pl.DataFrame]:
    """Open one JSON object per line; a message that is no text (journald writes bytes as a list) is empty."""
    is_candidate = (text.byte() == ord("{")) & (text.byte(-1) == ord("}")) & (text.lengths > 1)
    is_candidate[is_candidate] = text.take(is_candidate).series().str.contains('"MESSAGE"', literal=True).to_numpy()
    if not is_candidate.any():
        return is_candidate, pl.DataFrame()
    lines = text.take(is_candidate).series().alias("text").to_frame()
    fields = [_TEXT.str.json_path_match(f"$.{name}").alias(alias) for alias, name in _JOURNAL.items()]
    at = pl.from_epoch(pl.col("micros").cast(pl.Int64, strict=False), "us").dt.replace_time_zone("UTC")
    parts = lines.select(fields).select(
        at.alias("logged_at"),
        pl.col("host").fill_null(""),
        pl.coalesce("service", "command", pl.lit("")).alias("service"),
        _TEXT.fill_null(""),
    )
    return _opened(is_candidate, parts)


def _opened(is_candidate: Mask, parts: pl.DataFrame) -> tuple[Mask, pl.DataFrame]:
    """Keep the lines with a readable stamp."""
    is_open = is_candidate.copy()
    is_open[is_candidate] = parts["logged_at"].is_not_null().to_numpy()
    kept = parts.drop_nulls("logged_at")
    host, service = host_category(kept["host"]), category(kept["service"])
    return is_open, kept.select(pl.col("logged_at").cast(INSTANT), host, service, "text")
