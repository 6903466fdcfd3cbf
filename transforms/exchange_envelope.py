"""The envelope of Exchange message tracking logs: CSV under a `#Fields:` header, stamps in UTC.

`#Fields:` names the columns, in any order, and may come again further down with others. A file that was cut off above
its header is read by the number of its columns, of which each version of Exchange has its own. The body of an opened
line is the fields that the grammar needs, in the order of `FIELDS`, joined by `SEPARATOR`; its service is `exchange`.
A row that has not as many columns as its header is set aside; `#` lines and empty lines carry no fact.
"""

import polars as pl

from expectations.tables import INSTANT
from transforms.clock import read_zoned
from transforms.dialect import OPENED, LogOptions, Opened

SERVICE = "exchange"
SEPARATOR = "\x1f"
FIELDS = (
    "event-id",
    "source",
    "message-id",
    "recipient-address",
    "recipient-status",
    "recipient-count",
    "related-recipient-address",
    "reference",
    "sender-address",
    "return-path",
    "client-ip",
    "client-hostname",
    "server-hostname",
    "message-info",
    "source-context",
    "connector-id",
)
_2010 = (
    "date-time",
    "client-ip",
    "client-hostname",
    "server-ip",
    "server-hostname",
    "source-context",
    "connector-id",
    "source",
    "event-id",
    "internal-message-id",
    "message-id",
    "recipient-address",
    "recipient-status",
    "total-bytes",
    "recipient-count",
    "related-recipient-address",
    "reference",
    "message-subject",
    "sender-address",
    "return-path",
    "message-info",
)
_2010_SP1 = (*_2010, "directionality", "tenant-id", "original-client-ip", "original-server-ip", "custom-data")
_2013 = (*_2010_SP1[:11], "network-message-id", *_2010_SP1[11:])
_2016 = (*_2013, "transport-traffic-type", "log-id", "schema-version")
# Columns of files that have lost their header, by their number.
HEADERS = {len(names): names for names in (_2010, _2010_SP1, _2013, _2016)}
_SENDS = ("SEND", "SENDEXTERNAL")
_HEADER_MARK = "#Fields:"
# Looked for in the row with a comma put before it, so that every field, the first and empty ones too, begins with one.
_FIELD = r',(?:"(?:[^"]|"")*"|[^",][^,]*|)'
_TEXT = pl.col("text")


class ExchangeEnvelope:
    """Opens message tracking rows; carries the header from chunk to chunk."""

    def __init__(self, options: LogOptions) -> None:
        self._header: tuple[str, ...] = ()
        self._host = options.host.lower()

    def open(self, raw: pl.DataFrame) -> Opened:
        """Open one chunk; each run of rows under one header is cut by that header."""
        raw = raw.with_columns(_TEXT.str.strip_prefix("\ufeff"))
        is_header = raw["text"].str.starts_with(_HEADER_MARK)
        sections = raw.with_columns(is_header.cum_sum().alias("section")).partition_by("section", maintain_order=True)
        opened, aside = [pl.DataFrame(schema=OPENED)], []
        for section in sections:
            first = section["text"][0]
            if first.startswith(_HEADER_MARK):
                self._header = tuple(name.strip().lower() for name in first[len(_HEADER_MARK) :].split(","))
            rows = section.select("line_number", "text").filter(
                ~_TEXT.str.starts_with("#") & (_TEXT.str.strip_chars() != "")
            )
            headers = [self._header] if self._header else list(HEADERS.values())
            for header in headers:
                found, rows = _cut(rows, header, self._host)
                opened.append(found)
            aside.append(
                rows.select(
                    "line_number",
                    pl.lit("row has another number of columns than its header, or no date-time").alias("reason"),
                )
            )
        lines = pl.concat(opened).sort("line_number")
        return Opened(
            lines, pl.concat(aside) if aside else raw.clear().select("line_number", pl.lit("").alias("reason"))
        )


def _cut(rows: pl.DataFrame, header: tuple[str, ...], host: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Open the rows that have as many columns as `header`; the second frame holds the others."""
    is_quoted = _TEXT.str.contains('"', literal=True)
    plain = rows.filter(~is_quoted).with_columns(_TEXT.str.split(",").alias("fields"))
    led = pl.lit(",") + _TEXT
    quoted = rows.filter(is_quoted).with_columns(led.str.extract_all(_FIELD).alias("fields"))
    quoted = quoted.filter(pl.col("fields").list.join("") == led).with_columns(
        pl.col("fields").list.eval(_unquoted(pl.element().str.strip_prefix(",")))
    )
    fields = pl.concat([plain, quoted]).filter(pl.col("fields").list.len() == len(header))
    place = {name: header.index(name) for name in (*FIELDS, "date-time") if name in header}
    if "date-time" not in place or "event-id" not in place or fields.is_empty():
        return pl.DataFrame(schema=OPENED), rows
    named = fields.select(
        "line_number", *(pl.col("fields").list.get(at).alias(name) for name, at in place.items())
    ).with_columns(pl.lit("").alias(name) for name in FIELDS if name not in place)
    # The server that wrote the row: for what it sends it is the client, and `server` is the next hop.
    sends = pl.col("event-id").is_in(_SENDS) | (pl.col("server-hostname") == "")
    server = pl.when(sends).then("client-hostname").otherwise("server-hostname")
    opened = named.with_columns(pl.Series("logged_at", read_zoned(named["date-time"]), INSTANT)).drop_nulls("logged_at")
    opened = opened.select(
        "line_number",
        "logged_at",
        pl.when(server == "").then(pl.lit(host)).otherwise(server.str.to_lowercase()).alias("host"),
        pl.lit(SERVICE).alias("service"),
        pl.concat_str(
            [pl.col(name).str.replace_all(SEPARATOR, " ", literal=True) for name in FIELDS], separator=SEPARATOR
        ).alias("text"),
    )
    return opened.select(OPENED.keys()), rows.join(opened, on="line_number", how="anti", maintain_order="left")


def _unquoted(field: pl.Expr) -> pl.Expr:
    inner = field.str.strip_prefix('"').str.strip_suffix('"').str.replace_all('""', '"', literal=True)
    return pl.when(field.str.starts_with('"')).then(inner).otherwise(field)
