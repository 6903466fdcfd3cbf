"""Stamps become UTC instants: the year that is not written, the zone that is not named, the hour that comes twice.

Rules
- A stamp without a year takes the year of the file's first line; when the months of successive lines fall from late
  to early (December to January) the year goes up by one, and down again should a straggler follow.
- A stamp without a zone is local time in the log's declared zone. In the hour that daylight saving repeats, lines
  belong to its first pass until the wall clock falls back by about an hour: file order decides. A line that comes some
  seconds late, after that fall or after that hour, belongs to the pass that it was written in.
- A wall-clock time that daylight saving skips was written by a clock that had not moved yet; it is read so.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import polars as pl

import transforms.stamps as stamps_of
from transforms.spans import Places, Spans

MONTHS = stamps_of.MONTHS
# Half a year: a jump between months that large is a change of year, not a clock that was set.
_YEAR_JUMP_MONTHS = 6
# The wall clock falls back by an hour (half an hour on Lord Howe); a log's own disorder stays far below this.
_FALL_BACK_AT_LEAST = timedelta(minutes=20)
_ONE_HOUR = timedelta(hours=1)
_INSTANT = pl.Datetime("us", "UTC")


@dataclass
class Clock:
    """Reads the stamps of one file in file order, and carries from chunk to chunk what they leave unsaid.

    `timezone` is the IANA name for stamps that carry none; `year` that of the file's first line, and
    `is_second_pass` says that this line, if it lies in an hour that comes twice, lies in its second pass.
    """

    timezone: str
    year: int
    is_second_pass: bool = False
    _month: int | None = field(default=None, init=False)
    _wall: datetime | None = field(default=None, init=False)
    _is_repeated: bool = field(default=True, init=False)

    def read_yearless(self, stamps: Spans) -> pl.Series:
        """Read `Nov 25 02:22:48[.123]` (RFC 3164) stamps in file order; null where that is no stamp."""
        read = stamps_of.read_yearless(stamps)
        days, is_day = stamps_of.days_since_1970(self._years(read), read.month, read.day)
        walls = days * stamps_of.DAY + read.time
        return self.to_utc(stamps_of.as_series(walls, read.is_stamp & is_day, pl.Datetime("us")))

    def _years(self, read: stamps_of.Yearless) -> Places:
        """Return the year of each stamp by the turns of the months; what is no stamp turns nothing."""
        years = np.full(len(read.month), self.year)
        months = read.month[read.is_stamp]
        if len(months):
            moved = np.diff(months, prepend=months[0] if self._month is None else self._month)
            turns = (moved <= -_YEAR_JUMP_MONTHS).astype(np.int64) - (moved >= _YEAR_JUMP_MONTHS)
            years[read.is_stamp] = self.year + np.cumsum(turns)
            self._month, self.year = int(months[-1]), int(years[read.is_stamp][-1])
        return years

    def to_utc(self, walls: pl.Series) -> pl.Series:
        """Turn local wall-clock times (Datetime without zone, file order, nulls allowed) into UTC instants."""
        if self.timezone == "UTC":
            return walls.dt.replace_time_zone("UTC").cast(_INSTANT)
        frame = pl.DataFrame({"wall": walls}).select(
            "wall",
            _instant("wall", self.timezone, "earliest").alias("first"),
            _instant("wall", self.timezone, "latest").alias("second"),
            (_instant_of(pl.col("wall") - _ONE_HOUR, self.timezone, "latest") + _ONE_HOUR).alias("skipped"),
        )
        first = frame["first"]
        if (first != frame["second"]).any():
            first = self._by_file_order(frame)
        elif first.null_count() < len(first):
            self._is_repeated = False
        self._wall = walls.drop_nulls()[-1] if walls.drop_nulls().len() else self._wall
        return first.fill_null(frame["skipped"])

    def _by_file_order(self, frame: pl.DataFrame) -> pl.Series:
        """Choose the pass of each line in the repeated hour; what is no stamp changes nothing."""
        wall = pl.col("wall")
        lines = frame.with_row_index("line").drop_nulls("first")
        moved = wall - wall.shift(1, fill_value=self._wall)
        is_entered = ~pl.col("is_repeated").shift(1, fill_value=self._is_repeated)
        told = lines.with_columns(is_repeated=pl.col("first") != pl.col("second")).with_columns(
            spell=pl.col("is_repeated").rle_id(),
            # The clock falls back; or the line comes late, when that hour is over.
            turns=pl.when(is_entered)
            .then((moved < timedelta(0)) & (moved > -_FALL_BACK_AT_LEAST))
            .otherwise(moved <= -_FALL_BACK_AT_LEAST)
            .fill_null(False),
        )
        if self.is_second_pass and self._is_repeated:
            told = told.with_columns(pl.col("turns") | (pl.int_range(pl.len()) == 0))
        # Before a fall of the clock that is still to come it is the first pass: such a line comes late.
        falls_later = wall - wall.reverse().cum_min().reverse().over("spell") >= _FALL_BACK_AT_LEAST
        is_second = pl.col("is_repeated") & pl.col("turns").cum_sum().over("spell").gt(0) & ~falls_later
        told = told.with_columns(is_second=is_second)
        self._is_repeated, self.is_second_pass = told.select("is_repeated", "is_second").row(-1)
        chosen = told.select("line", at=pl.when("is_second").then("second").otherwise("first"))
        every = frame.select(pl.int_range(pl.len(), dtype=pl.get_index_type()).alias("line"))
        return every.join(chosen, on="line", how="left", maintain_order="left")["at"]


def _instant(column: str, timezone: str, ambiguous: str) -> pl.Expr:
    return _instant_of(pl.col(column), timezone, ambiguous)


def _instant_of(wall: pl.Expr, timezone: str, ambiguous: str) -> pl.Expr:
    local = wall.dt.replace_time_zone(timezone, ambiguous=ambiguous, non_existent="null")  # type: ignore[arg-type]
    return local.dt.convert_time_zone("UTC").cast(_INSTANT)


def read_zoned(stamps: pl.Series | Spans) -> pl.Series:
    """Read RFC 3339 stamps with their offset (`2026-11-25T02:22:48.123456+13:00`, `…Z`); null where unreadable."""
    spans = stamps if isinstance(stamps, Spans) else Spans.of(stamps.fill_null(""))
    return stamps_of.as_series(*stamps_of.read_zoned(spans), _INSTANT)
