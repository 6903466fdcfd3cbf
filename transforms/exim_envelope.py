"""The envelope of Exim's main log: a stamp, perhaps with its zone, and no host.

| a line begins | when |
| --- | --- |
| `2030-11-25 02:22:48 ` | local time in the log's declared zone |
| `2030-11-25 02:22:48.123 ` | with `log_selector = +millisec` |
| `2030-11-25 02:22:48 +1300 ` | with `log_timezone` |

Some programs put `host exim[pid]: ` before all that. A line without a stamp is foreign text or damaged (`foreign.py`).
"""

import polars as pl

from expectations.tables import INSTANT
from transforms.clock import Clock, read_zoned
from transforms.dialect import OPENED, LogOptions, Opened
from transforms.foreign import damaged

SERVICE = "exim"
MESSAGE_ID = r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6}(?:[0-9A-Za-z]{5})?-[0-9A-Za-z]{2}(?:[0-9A-Za-z]{2})?"
_STAMP_WIDTH = 19
# What may follow the seconds. Only lines that show a dot or a sign there pay for the regular expression.
_TAIL = r"^(?<fraction>\.[0-9]+)?(?: (?<zone>[+-][0-9]{4}))?(?: (?<text>.*))?$"
_TAIL_MARKS = (".", " +", " -")
_WRAPPING = r"^[^ 0-9#][^ ]* exim[^ ]*: ([0-9]{4}-)"
_TEXT = pl.col("text")


class EximEnvelope:
    """Opens main-log lines; carries the repeated hour of daylight saving from chunk to chunk."""

    def __init__(self, options: LogOptions) -> None:
        self._clock = Clock(options.timezone, options.year or 1970, options.is_second_pass)
        self._host = options.host.lower()

    def open(self, raw: pl.DataFrame) -> Opened:
        """Open one chunk; `aside` holds the damaged lines."""
        is_wrapped = raw["text"].str.contains(_WRAPPING).any()
        unwrapped = raw.with_columns(_TEXT.str.replace(_WRAPPING, "$1")) if is_wrapped else raw
        lines = unwrapped.select(
            "line_number", _TEXT.str.head(_STAMP_WIDTH).alias("stamp"), _TEXT.str.slice(_STAMP_WIDTH).alias("text")
        )
        lines = _split_tails(lines)
        lines = lines.with_columns(self._instants(lines).alias("logged_at"))
        is_open = lines["logged_at"].is_not_null()
        if not is_open.all():
            unstamped = raw.filter(~is_open)
            lines = lines.filter(is_open)
        else:
            unstamped = raw.clear()
        opened = lines.select(
            "line_number",
            "logged_at",
            pl.lit(self._host).alias("host"),
            pl.lit(SERVICE).alias("service"),
            _TEXT.fill_null("").str.strip_prefix(" "),
        )
        return Opened(opened.select(OPENED.keys()), damaged(unstamped))

    def _instants(self, lines: pl.DataFrame) -> pl.Series:
        """Read each run of equal stamps once; lines with a zone need no clock."""
        if lines.is_empty():
            return pl.Series([], dtype=INSTANT)
        key = lines.select(pl.concat_str("stamp", "fraction", "zone", ignore_nulls=True).alias("key"))["key"]
        run = key.rle_id()
        starts = lines.filter((run != run.shift(1)).fill_null(True))
        fraction = pl.col("fraction").cast(pl.Float64, strict=False).fill_null(0.0)
        wall = pl.col("stamp").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
        starts = starts.with_columns((wall + pl.duration(microseconds=(fraction * 1e6).round())).alias("wall"))
        has_zone = pl.col("zone").is_not_null()
        local = self._clock.to_utc(starts.select(pl.when(~has_zone).then("wall").alias("wall"))["wall"])
        if not starts["zone"].is_null().all():
            colon = pl.concat_str(pl.col("zone").str.head(3), pl.lit(":"), pl.col("zone").str.slice(3))
            zoned = starts.select(
                pl.concat_str(pl.col("wall").dt.strftime("%Y-%m-%dT%H:%M:%S%.6f"), colon).alias("zoned")
            )["zoned"]
            local = local.zip_with(starts["zone"].is_null(), read_zoned(zoned))
        return local.gather(run)


def _split_tails(lines: pl.DataFrame) -> pl.DataFrame:
    """Give every line the columns `fraction` and `zone` (null where not written), cut off its text."""
    none = pl.lit(None, pl.String)
    plain = lines.with_columns(none.alias("fraction"), none.alias("zone"))
    has_tail = _TEXT.str.head(1).is_in(_TAIL_MARKS[:1]) | _TEXT.str.head(2).is_in(_TAIL_MARKS[1:])
    if not lines.select(has_tail.any()).item():
        return plain
    parts = lines.select("line_number", "stamp", _TEXT.str.extract_groups(_TAIL).alias("g"), _TEXT.alias("whole"))
    split = parts.unnest("g").with_columns(pl.coalesce("text", pl.lit("")))
    is_read = pl.col("fraction").is_not_null() | pl.col("zone").is_not_null()
    return split.select(
        "line_number", "stamp", pl.when(is_read).then("text").otherwise("whole").alias("text"), "fraction", "zone"
    )
