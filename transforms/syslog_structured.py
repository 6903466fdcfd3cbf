"""Two spellings of syslog whose parts have names or fixed places: RFC 5424, and journald's JSON."""

import polars as pl

from expectations.tables import INSTANT
from transforms.clock import read_zoned
from transforms.spans import Mask, Spans

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


def looks_rfc5424(text: Spans) -> Mask:
    """Say which lines begin with the version of RFC 5424 (the priority is off already)."""
    return text.begins_with(b"1 ")


def open_rfc5424(text: Spans) -> tuple[Mask, pl.DataFrame]:
    """Open `1 2026-11-25T02:22:48.123456Z mx1 postfix/smtpd 812 - - text`."""
    parts = text.series().str.extract_groups(_RFC5424).struct.unnest()
    return _opened(parts.with_columns(read_zoned(parts["stamp"]).alias("logged_at"), _TEXT.fill_null("")))


def looks_journal(text: Spans) -> Mask:
    """Say which lines are a JSON object."""
    return (text.byte() == ord("{")) & (text.byte(-1) == ord("}")) & (text.lengths > 1)


def open_journal(text: Spans) -> tuple[Mask, pl.DataFrame]:
    """Open one JSON object per line; a message that is no text (journald writes bytes as a list) is empty."""
    lines = text.series().alias("text").to_frame()
    fields = [_TEXT.str.json_path_match(f"$.{name}").alias(alias) for alias, name in _JOURNAL.items()]
    at = pl.from_epoch(pl.col("micros").cast(pl.Int64, strict=False), "us").dt.replace_time_zone("UTC")
    has_message = pl.col("line").str.contains('"MESSAGE"', literal=True)
    return _opened(
        lines.select(_TEXT.alias("line"), *fields).select(
            pl.when(has_message).then(at).alias("logged_at"),
            pl.col("host").fill_null(""),
            pl.coalesce("service", "command", pl.lit("")).alias("service"),
            _TEXT.fill_null(""),
        )
    )


def _opened(parts: pl.DataFrame) -> tuple[Mask, pl.DataFrame]:
    """Keep the lines with a readable stamp."""
    kept = parts.drop_nulls("logged_at")
    names = [kept["host"].str.to_lowercase().cast(pl.Categorical), kept["service"].cast(pl.Categorical)]
    frame = kept.select(pl.col("logged_at").cast(INSTANT), *names, "text")
    return parts["logged_at"].is_not_null().to_numpy(), frame
