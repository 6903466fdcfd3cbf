"""Do a log's stamps fit the clocks that its ids carry, and does its time only move forward?

Rules
- A queue file's first line is written within moments of its id. Where the stamps of a host run off from its ids by a
  whole number of quarter hours, line after line, the stamps were read in a wrong zone (`wrong_zone`), or by 300 days
  or more in a wrong year (`wrong_year`); where single lines do, somebody or something wrote them anew (`edited_stamp`).
- Where time falls back (`falls.py`), the clock was set back (`clock_set_back`), or pieces of the log that overlap were
  joined (`joined_pieces`); it may also have been either the clock or pieces that were joined out of order
  (`clock_step`).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from expectations.tables import FINDINGS
from transforms.falls import SECOND, Fall
from transforms.id_clocks import read_id_clocks

_QUARTER_HOUR = 15 * 60 * SECOND
# A stamp in whole seconds may lie a second before its id; syslog and a busy server write the line some time after.
_EARLIEST, _LATEST = -5 * SECOND, 300 * SECOND
# Exim names a message when its data begin to come in, and logs it when they are in: a slow sender takes long.
_LATEST_OF_EXIM = 3600 * SECOND
# From here on it is the year that is wrong, and no zone or clock.
_OTHER_YEAR = 300 * 86_400 * SECOND
# A zone is a habit: as many lines, and at least half of the lines of their time.
_LEAST_LINES = 5
# Code of the finding, and what it says.
_CAUSES = {
    "clock": ("clock_set_back", "the clock was set back"),
    "overlap": ("joined_pieces", "pieces of the log that overlap were joined: {copies} stand twice and count once"),
    "unknown": ("clock_step", "the clock was set back, or pieces of the log were joined out of order"),
}


def find_clock_findings(event_file: Path, falls: Sequence[Fall], source_id: str, uri: str) -> pl.DataFrame:
    """Return the FINDINGS on the clocks of one log file, given its EVENTS (Parquet) and where its time falls back."""
    with pq.ParquetFile(event_file, read_dictionary=["host", "kind"]) as file:
        if not file.num_row_groups:
            return FINDINGS.empty()
        arrivals = _arrivals(file).sort("line_number")
    found = [*_describe_falls(falls, uri), *_describe_offsets(arrivals, uri)]
    return FINDINGS.conform(
        pl.DataFrame([{"source_id": source_id, **finding} for finding in found], schema=dict(FINDINGS.schema))
    )


def _arrivals(file: pq.ParquetFile) -> pl.DataFrame:
    """Return the arrivals whose id has a clock: how far their stamps run ahead of it (`off`, µs).

    Whether ids have clocks is a setting of the server: where neither the first nor the last piece has one, none has.
    """
    groups = range(file.num_row_groups)
    read = {group: _clocked(file, group) for group in {groups[0], groups[-1]}}
    if all(rows.is_empty() for rows in read.values()):
        return read[groups[0]]
    return pl.concat(read[group] if group in read else _clocked(file, group) for group in groups)


def _clocked(file: pq.ParquetFile, group: int) -> pl.DataFrame:
    columns = ["host", "line_number", "kind", "logged_at", "queue_id"]
    rows = pl.DataFrame(pl.from_arrow(file.read_row_group(group, columns=columns, use_threads=False)))
    begun = rows.filter(pl.col("kind") == "arrived", pl.col("queue_id").is_not_null())
    return (
        begun.with_columns(read_id_clocks(begun["queue_id"]).alias("clock"))
        .drop_nulls("clock")
        .select(
            pl.col("host").cast(pl.String),
            "line_number",
            "logged_at",
            (pl.col("logged_at") - pl.col("clock")).dt.total_microseconds().alias("off"),
            pl.col("queue_id").str.contains("-", literal=True).alias("is_exim"),
        )
    )


def _describe_falls(falls: Sequence[Fall], uri: str) -> Iterator[dict[str, object]]:
    for fall in falls:
        code, why = _CAUSES[fall.cause]
        copies = f"{fall.copies:,} line{'s' if fall.copies > 1 else ''}"
        back = _spelled(fall.before - fall.at)
        yield {
            "code": code,
            "host": fall.host,
            "start_at": _instant(fall.at),
            "end_at": _instant(fall.before),
            "detail": f"{uri}, line {fall.line_number}: time falls back by {back}; {why.format(copies=copies)}",
        }


def _describe_offsets(arrivals: pl.DataFrame, uri: str) -> Iterator[dict[str, object]]:
    latest = pl.when("is_exim").then(_LATEST_OF_EXIM).otherwise(_LATEST)
    is_off = (pl.col("off") < _EARLIEST) | (pl.col("off") > latest)
    for (host,), lines in arrivals.group_by("host", maintain_order=True):
        # The id is a moment older than the line, so the offset is rounded down, but for a second's fraction.
        quarters = ((pl.col("off") - _EARLIEST) // _QUARTER_HOUR).alias("quarters")
        off = lines.with_columns(quarters).filter(is_off)
        edited = []
        for (steps,), group in off.group_by("quarters", maintain_order=True):
            shift = int(str(steps)) * _QUARTER_HOUR
            first, last = group["line_number"].min(), group["line_number"].max()
            among = lines.filter(pl.col("line_number").is_between(pl.lit(first), pl.lit(last))).height
            fits = group.filter((pl.col("off") - shift).is_between(_EARLIEST, _LATEST)).height
            is_habit = shift != 0 and 2 * fits >= among and fits >= _LEAST_LINES
            if is_habit and abs(shift) < _OTHER_YEAR:
                yield _finding("wrong_zone", str(host), group, f"{uri}: {_zone_words(shift)}")
            elif is_habit or (abs(shift) >= _OTHER_YEAR and 2 * group.height >= lines.height):
                yield _finding("wrong_year", str(host), group, f"{uri}: {_year_words(shift)}")
            else:
                edited.append(group)
        if edited:
            some = pl.concat(edited).sort("line_number")
            yield _finding("edited_stamp", str(host), some, f"{uri}: {_edited_words(some)}")


def _finding(code: str, host: str, lines: pl.DataFrame, detail: str) -> dict[str, object]:
    return {
        "code": code,
        "host": host,
        "start_at": lines["logged_at"].min(),
        "end_at": lines["logged_at"].max(),
        "detail": detail,
    }


def _zone_words(shift: int) -> str:
    return (
        f"the stamps run {_spelled(abs(shift))} {'ahead of' if shift > 0 else 'behind'} the clocks in the queue ids;"
        " set `timezone:` of this entry under logs"
    )


def _year_words(shift: int) -> str:
    days = round(abs(shift) / (86_400 * SECOND))
    return (
        f"the stamps lie {days} days {'after' if shift > 0 else 'before'} the clocks in the queue ids;"
        " set `year:` of this entry under logs"
    )


def _edited_words(lines: pl.DataFrame) -> str:
    first, count = lines["line_number"][0], lines.height
    return (
        f"{count:,} queue file{'s' if count > 1 else ''} with a stamp that {'do' if count > 1 else 'does'} not fit"
        f" {'their' if count > 1 else 'its'} own id, the first in line {first}: off by {_spelled(abs(lines['off'][0]))}"
    )


def _spelled(micros: int) -> str:
    """Say a length of time: `11 h 45 min`, `42 s`."""
    minutes, seconds = divmod(round(micros / SECOND), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds if not hours else 0, "s")]
    return " ".join(f"{n:,} {unit}" for n, unit in parts if n) or "0 s"


def _instant(micros: int) -> datetime:
    return datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(microseconds=micros)
