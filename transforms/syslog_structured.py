"""Two spellings of syslog whose parts have names or fixed places: RFC 5424, and journald's JSON.

- RFC 5424: `1 stamp host program pid message-id structured-data text`; `-` stands for what is absent. The text may
  begin with a byte order mark.
- journald (`journalctl -o json`): one object per line. It writes a message that is not UTF-8 as a list of bytes, which
  is kept as it stands.
"""

import numpy as np
import polars as pl

from expectations.tables import INSTANT
from transforms.clock import read_zoned
from transforms.spans import Mask, Spans
from transforms.template import match

_USUAL = "1 {stamp:word} {host:word} {service:word} {:word} {:word} - {:text}"
_RFC5424 = (
    r"^1 (?<stamp>[^ ]+) (?<host>[^ ]+) (?<service>[^ ]+) [^ ]+ [^ ]+ "
    r'(?:-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: (?:\x{FEFF})?(?<text>.*))?$'
)
_BYTE_ORDER_MARK = "\ufeff".encode()
_MICROSECONDS, _HOST, _IDENTIFIER, _COMMAND, _MESSAGE = (
    "__REALTIME_TIMESTAMP",
    "_HOSTNAME",
    "SYSLOG_IDENTIFIER",
    "_COMM",
    "MESSAGE",
)
_FIELDS = (_MICROSECONDS, _HOST, _IDENTIFIER, _COMMAND, _MESSAGE)
_HAS_MESSAGE, _HAS_BYTES = '"MESSAGE"', r'"MESSAGE" ?: ?\['


def looks_rfc5424(text: Spans) -> Mask:
    """Say which lines begin with the version of RFC 5424 (the priority is off already)."""
    return text.begins_with(b"1 ")


def open_rfc5424(text: Spans) -> tuple[Mask, pl.DataFrame]:
    """Open lines of RFC 5424; those with structured data go through a regular expression."""
    usual = match(text, _USUAL)
    has_mark = usual.text.begins_with(_BYTE_ORDER_MARK)
    bodies = usual.text.cut(usual.text.start + len(_BYTE_ORDER_MARK) * has_mark, usual.text.end)
    parts = pl.DataFrame(usual.fields).with_columns(bodies.series().alias("text"), pl.Series("row", usual.rows))
    if len(usual.rows) < len(text):
        is_left = np.ones(len(text), bool)
        is_left[usual.rows] = False
        groups = text.take(is_left).series().str.extract_groups(_RFC5424).struct.unnest()
        odd = groups.with_columns(pl.col("text").fill_null(""), pl.Series("row", np.flatnonzero(is_left)))
        parts = pl.concat([parts, odd.select(parts.columns)]).sort("row")
    return _opened(parts.with_columns(read_zoned(parts["stamp"]).alias("logged_at")))


def looks_journal(text: Spans) -> Mask:
    """Say which lines are a JSON object."""
    return (text.byte() == ord("{")) & (text.byte(-1) == ord("}")) & (text.lengths > 1)


def open_journal(text: Spans) -> tuple[Mask, pl.DataFrame]:
    """Open journald's objects; one without a message is none of its entries."""
    lines = text.series()
    fields = _decoded(lines)
    at = pl.from_epoch(pl.col(_MICROSECONDS).cast(pl.Int64, strict=False), "us").dt.replace_time_zone("UTC")
    return _opened(
        fields.select(
            pl.when(lines.str.contains(_HAS_MESSAGE, literal=True)).then(at).alias("logged_at"),
            pl.col(_HOST).fill_null("").alias("host"),
            pl.coalesce(_IDENTIFIER, _COMMAND, pl.lit("")).alias("service"),
            pl.col(_MESSAGE).fill_null("").alias("text"),
        )
    )


def _decoded(lines: pl.Series) -> pl.DataFrame:
    """Decode each object once; in one that is malformed, or holds bytes, look for each field by itself."""
    has_bytes = lines.str.contains(_HAS_BYTES)
    try:
        decoded = lines.filter(~has_bytes).str.json_decode(pl.Struct(dict.fromkeys(_FIELDS, pl.String)))
    except pl.exceptions.ComputeError:
        return _searched(lines)
    if not has_bytes.any():
        return decoded.struct.unnest()
    rows = np.concatenate([np.flatnonzero(~has_bytes.to_numpy()), np.flatnonzero(has_bytes.to_numpy())])
    fields = pl.concat([decoded.struct.unnest(), _searched(lines.filter(has_bytes))])
    return fields.with_columns(pl.Series("row", rows)).sort("row").drop("row")


def _searched(lines: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({name: lines.str.json_path_match(f"$.{name}") for name in _FIELDS})


def _opened(parts: pl.DataFrame) -> tuple[Mask, pl.DataFrame]:
    """Keep the lines with a readable stamp."""
    is_open = parts["logged_at"].is_not_null()
    kept = parts.filter(is_open)
    names = [kept["host"].str.to_lowercase().cast(pl.Categorical), kept["service"].cast(pl.Categorical)]
    return is_open.to_numpy(), kept.select(pl.col("logged_at").cast(INSTANT), *names, "text")
