"""The syslog envelope: five spellings of when, where and which program.

| spelling | a line begins |
| --- | --- |
| RFC 3164 (also rsyslog's and postlogd's files) | `Nov 25 02:22:48 mx1 postfix/smtpd[812]: ` |
| RFC 3339 | `2026-11-25T02:22:48.123456+13:00 mx1 postfix/smtpd[812]: ` |
| RFC 5424 | `<22>1 2026-11-25T02:22:48.123456Z mx1 postfix/smtpd 812 - - ` |
| journald JSON (`journalctl -o json`) | `{"__REALTIME_TIMESTAMP": …, "_HOSTNAME": …, "SYSLOG_IDENTIFIER": …` |

Each of the first three may follow a `<priority>`. One file may mix them. A line that begins like none is foreign text
or damaged (`foreign.py`). A day below 10 may lack its leading blank, a pid its colon; `<facility.level>` may precede
the host (BSD).
Heads are cut with find and slice (no copy), not with a regular expression: every line of a log passes here.
"""

import polars as pl

from expectations.tables import INSTANT
from transforms.clock import MONTHS, Clock, read_zoned
from transforms.dialect import OPENED, LogOptions, Opened
from transforms.foreign import damaged

_PRIORITY = r"^<[0-9]{1,3}>"
_YEARLESS = f"^(?:{'|'.join(MONTHS)}) [ 0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9](?:[.][0-9]+)? [^ ]+ "
_UNPADDED = f"^({'|'.join(MONTHS)}) ([1-9]) "
_PID_WITHOUT_COLON = r"^[^\[]+\[[0-9]+\] (.*)$"
_BSD_FACILITY = r"^<[^ >]*> "
_ZONED = r"^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](?:[.,][0-9]+)?(?:[zZ]|[+-][0-9]{2}:?[0-9]{2}) [^ ]+ "
_RFC5424 = (
    r"^1 (?<stamp>[^ ]+) (?<host>[^ ]+) (?<service>[^ ]+) [^ ]+ [^ ]+ "
    r'(?:-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: (?:\x{FEFF})?(?<text>.*))?$'
)
_JOURNAL = pl.Struct(
    {"__REALTIME_TIMESTAMP": pl.String, "_HOSTNAME": pl.String, "SYSLOG_IDENTIFIER": pl.String, "_COMM": pl.String, "MESSAGE": pl.String}
)
# The stamp of RFC 3164 has a fixed width; sub-seconds, which some daemons add, are cut off behind it.
_YEARLESS_WIDTH = 15
_TEXT = pl.col("text")
_REST = pl.col("rest")


class SyslogEnvelope:
    """Opens syslog lines of every spelling; carries the year and the repeated hour from chunk to chunk."""

    def __init__(self, options: LogOptions) -> None:
        self._clock = Clock(options.timezone, options.year if options.year is not None else 1970)
        self._openers = (self._open_yearless, _open_zoned, _open_rfc5424, _open_journal, self._open_unpadded)

    def open(self, raw: pl.DataFrame) -> Opened:
        """Open one chunk; `aside` holds the damaged lines that begin like no spelling of syslog."""
        frames, left = [], raw
        for opener in self._openers:
            if left.is_empty():
                break
            found = opener(left)
            if found.height == left.height:
                frames.append(found)
                left = left.clear()
            elif found.height:
                frames.append(found)
                left = left.filter(~pl.col("line_number").is_in(found["line_number"].implode()))
        lines = pl.concat(frames) if frames else pl.DataFrame(schema=OPENED)
        if len(frames) > 1:
            lines = lines.sort("line_number")
        return Opened(lines, damaged(left))

    def _open_unpadded(self, raw: pl.DataFrame) -> pl.DataFrame:
        unpadded = raw.filter(_TEXT.str.contains(_UNPADDED))
        return self._open_yearless(unpadded.with_columns(_TEXT.str.replace(_UNPADDED, "$1  $2 ")))

    def _open_yearless(self, raw: pl.DataFrame) -> pl.DataFrame:
        lines = raw.filter(_bare(raw).str.contains(_YEARLESS)).with_columns(_bare(raw))
        if lines.is_empty():
            return pl.DataFrame(schema=OPENED)
        rest = _TEXT.str.slice(_YEARLESS_WIDTH)
        if lines.select((rest.str.head(1) == ".").any()).item():
            stamp = _TEXT.str.extract(r"^(.{15}(?:\.[0-9]+)?) ")
            rest = _TEXT.str.replace(r"^.{15}(?:\.[0-9]+)? ", "")
        else:
            stamp, rest = _TEXT.str.head(_YEARLESS_WIDTH), _TEXT.str.slice(_YEARLESS_WIDTH + 1)
        return _tagged(lines.select("line_number", stamp.alias("stamp"), rest.alias("rest")), self._clock.read_yearless)


def _open_zoned(raw: pl.DataFrame) -> pl.DataFrame:
    lines = raw.filter(_bare(raw).str.contains(_ZONED)).with_columns(_bare(raw))
    if lines.is_empty():
        return pl.DataFrame(schema=OPENED)
    space = _TEXT.str.find(" ", literal=True)
    return _tagged(
        lines.select("line_number", _TEXT.str.head(space).alias("stamp"), _TEXT.str.slice(space + 1).alias("rest")), read_zoned
    )


def _open_rfc5424(raw: pl.DataFrame) -> pl.DataFrame:
    lines = raw.with_columns(_bare(raw)).filter(_TEXT.str.starts_with("1 "))
    if lines.is_empty():
        return pl.DataFrame(schema=OPENED)
    parts = lines.select("line_number", _TEXT.str.extract_groups(_RFC5424).alias("p")).unnest("p").drop_nulls("stamp")
    return _opened(parts.with_columns(pl.Series("logged_at", read_zoned(parts["stamp"]), INSTANT), _TEXT.fill_null("")))


def _open_journal(raw: pl.DataFrame) -> pl.DataFrame:
    lines = raw.filter(_TEXT.str.starts_with("{") & _TEXT.str.ends_with("}") & _TEXT.str.contains('"MESSAGE"', literal=True))
    if lines.is_empty():
        return pl.DataFrame(schema=OPENED)
    fields = [
        _TEXT.str.json_path_match(f"$.{name}").alias(alias)
        for name, alias in (
            ("__REALTIME_TIMESTAMP", "micros"),
            ("_HOSTNAME", "host"),
            ("SYSLOG_IDENTIFIER", "service"),
            ("_COMM", "command"),
            ("MESSAGE", "message"),
        )
    ]
    return _opened(
        lines.select("line_number", *fields).select(
            "line_number",
            pl.from_epoch(pl.col("micros").cast(pl.Int64, strict=False), "us").dt.replace_time_zone("UTC").alias("logged_at"),
            pl.col("host").fill_null(""),
            pl.coalesce("service", "command", pl.lit("")).alias("service"),
            pl.col("message").fill_null("").alias("text"),
        )
    )


def _bare(raw: pl.DataFrame) -> pl.Expr:
    """Give the text without its `<priority>`, at no cost for the usual log that writes none."""
    has_priority = bool(raw.select((_TEXT.str.head(1) == "<").any()).item())
    return _TEXT.str.replace(_PRIORITY, "") if has_priority else _TEXT


def _tagged(lines: pl.DataFrame, read_stamps) -> pl.DataFrame:  # type: ignore[no-untyped-def]
    """Cut `host program[pid]: text` off `rest`, and read each run of equal stamps once."""
    if lines.select((_REST.str.head(1) == "<").any()).item():
        lines = lines.with_columns(_REST.str.replace(_BSD_FACILITY, ""))
    run = lines["stamp"].rle_id()
    starts = (run != run.shift(1)).fill_null(True)  # noqa: FBT003 - Polars' own signature
    instants = read_stamps(lines["stamp"].filter(starts)).gather(run)
    space, colon, bracket = (pl.col(name) for name in ("space", "colon", "bracket"))
    cut = (
        lines.lazy()
        .with_columns(instants.alias("logged_at"), _REST.str.find(" ", literal=True).alias("space"))
        .with_columns(_REST.str.head(space).alias("host"), _REST.str.slice(space + 1).alias("rest"))
        .with_columns(_REST.str.find(": ", literal=True).alias("colon"))
        .with_columns(_REST.str.head(colon).alias("tag"), _REST.str.slice(colon + 2).alias("text"))
        .with_columns(pl.col("tag").str.find("[", literal=True).alias("bracket"))
        .with_columns(pl.when(bracket.is_null()).then("tag").otherwise(pl.col("tag").str.head(bracket)).alias("service"))
        .with_columns((colon.is_null() | pl.col("service").str.contains(" ", literal=True)).alias("is_untagged"))
        .with_columns((bracket.is_not_null() & ~pl.col("tag").str.ends_with("]") & ~pl.col("is_untagged")).alias("lacks_colon"))
        .with_columns(
            pl.when("is_untagged").then(pl.lit("")).otherwise("service").alias("service"),
            pl.when("is_untagged").then("rest").otherwise("text").alias("text"),
        )
        .select("line_number", "logged_at", "host", "service", "text", "tag", "lacks_colon")
        .collect()
    )
    if cut["lacks_colon"].any():
        before = pl.col("tag").str.extract(_PID_WITHOUT_COLON, 1)
        whole = pl.concat_str(before, pl.lit(": "), _TEXT)
        cut = cut.with_columns(pl.when("lacks_colon").then(pl.coalesce(whole, _TEXT)).otherwise(_TEXT).alias("text"))
    return _opened(cut)


def _opened(lines: pl.DataFrame) -> pl.DataFrame:
    """Keep lines with a readable stamp, in the columns of OPENED."""
    return lines.filter(pl.col("logged_at").is_not_null()).select(
        "line_number", pl.col("logged_at").cast(INSTANT), pl.col("host").str.to_lowercase(), "service", "text"
    )
