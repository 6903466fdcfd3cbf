"""Where does the time of a log fall back, and was it the clock or the file?

Rules
- A host's lines come in the order of time, give or take seconds of disorder. Time falls where it goes back and stays.
- It was the clock where times come a second time with other lines, and queue files that were open have lines that go
  back in time.
- Everywhere else pieces of the log may have been joined (`cat mail.log*`): out of order, or overlapping, so that lines
  stand twice. Each piece is then a file of its own to whoever puts lines in order.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
import pyarrow.parquet as pq

SECOND = 1_000_000
# A fall of this much is no disorder among processes; it counts if the lines before and after agree, so many each.
_STEP = 10 * SECOND
_AROUND = 5
# Where time falls back more often than this in a file, nothing is proven of its clock.
_MOST_STEPS = 3
# And more often than this, its lines were not written in the order of time at all.
_MOST_PIECES = 500
# Lines are mixed where theirs follow one another at least once in so many stamps of the rarer kind.
_TIMES_A_TURN = 2
_OVERLAP_ROWS = 5_000
_LAST_LINE = 1 << 62
# What tells one event of a moment from another.
_FACT = ("kind", "queue_id", "recipient", "status", "related_queue_id", "message_id")


class Fall(NamedTuple):
    """One line whose time lies before that of its host's line before; both in microseconds since 1970.

    `cause`: it was the clock, or pieces that overlap were joined, or it may have been either. `copies`: lines from here
    to the host's next fall that stand before it too.
    """

    host: str
    line_number: int
    at: int
    before: int
    cause: Literal["clock", "overlap", "unknown"] = "unknown"
    copies: int = 0


def is_in_order(logged_at: pl.Series) -> bool:
    """Say that no line's time lies clearly before that of a line before it, of whatever host: then none falls back."""
    at = logged_at.dt.timestamp("us").to_numpy()
    return bool((np.maximum.accumulate(at) - at < _STEP).all())


def find_falls(event_file: Path) -> list[Fall]:
    """Return where time falls back in one log file, given its EVENTS (Parquet), by host and line."""
    with pq.ParquetFile(event_file, read_dictionary=["host"]) as file:
        if not file.num_row_groups:
            return []
        pieces = enumerate(_in_order(file))
        found = (
            pl.concat(_falls(rows, opens_file=n == 0) for n, rows in pieces).unique("line_number").sort("line_number")
        )
    return [
        fall
        for (host,), rows in found.group_by("host", maintain_order=True)
        for fall in _judged(event_file, str(host), rows)
    ]


def piece_starts(falls: Sequence[Fall]) -> list[int]:
    """Return the lines at which a further piece of the log begins in its file."""
    starts = sorted({fall.line_number for fall in falls if fall.cause != "clock"})
    return starts if len(starts) <= _MOST_PIECES else []


def in_pieces(events: pl.DataFrame, starts: Sequence[int]) -> pl.DataFrame:
    """Return EVENTS of one file with the piece in their `source_id`: `…`, `…+1`, `…+2`."""
    piece = np.searchsorted(np.array(starts, np.int64), events["line_number"].to_numpy(), side="right")
    number = pl.Series("piece", piece, pl.Int64)
    source_id = pl.col("source_id")
    named = pl.when(number > 0).then(pl.concat_str(source_id, pl.lit("+"), number)).otherwise(source_id)
    return events.with_columns(named.alias("source_id"))


def file_of(source_id: str) -> str:
    """Return the id of the file, given that of a piece of it."""
    return source_id.partition("+")[0]


def _in_order(file: pq.ParquetFile) -> Iterator[pl.DataFrame]:
    """Yield the stamps of a file's events in the order of its lines, each piece with the end of the one before."""
    before: pl.DataFrame | None = None
    for group in range(file.num_row_groups):
        rows = _rows(file, group, ["host", "line_number", "logged_at"]).sort("line_number")
        yield rows if before is None else pl.concat([before, rows])
        before = rows.tail(_OVERLAP_ROWS)


def _rows(file: pq.ParquetFile, group: int, columns: list[str]) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(file.read_row_group(group, columns=columns, use_threads=False)))


def _falls(rows: pl.DataFrame, *, opens_file: bool) -> pl.DataFrame:
    """Return host, line_number, at and the time before, in µs, of each line where a host's time falls back.

    A single line may be a straggler, but not if it opens the file: then it is a piece by itself.
    """
    found = []
    for (host,), lines in rows.group_by("host", maintain_order=True):
        at = lines["logged_at"].dt.timestamp("us").to_numpy()
        for place in np.flatnonzero(np.diff(at) <= -_STEP) + 1:
            before, after = at[max(0, place - _AROUND) : place], at[place : place + _AROUND]
            fell = np.median(before) - np.median(after)
            is_seen = len(after) >= 2 and (len(before) >= 2 or opens_file)
            if is_seen and fell >= _STEP and np.ptp(after) < fell and np.ptp(before) < fell:
                found.append((str(host), int(lines["line_number"][int(place)]), int(at[place]), int(at[place - 1])))
    schema = {"host": pl.String, "line_number": pl.Int64, "at": pl.Int64, "before": pl.Int64}
    return pl.DataFrame(found, schema=schema, orient="row")


def _judged(event_file: Path, host: str, rows: pl.DataFrame) -> Iterator[Fall]:
    """Yield the falls of one host with what they tell of its clock."""
    falls = [Fall(*row) for row in rows.iter_rows()]
    if len(falls) > _MOST_STEPS:
        yield from falls
        return
    lines = _lines_of(event_file, host)
    starts = [fall.line_number for fall in falls]
    for fall, end in zip(falls, [*starts[1:], None], strict=True):
        before = lines.filter(pl.col("line_number") < fall.line_number)
        after = lines.filter(pl.col("line_number").is_between(fall.line_number, end or _LAST_LINE, closed="left"))
        others = after.join(before, on="fact", how="anti")
        copies = after["line_number"].n_unique() - others["line_number"].n_unique()
        is_clock = _comes_again(before, others) and _goes_back(before, others)
        yield fall._replace(cause="clock" if is_clock else "overlap" if copies else "unknown", copies=copies)


def _lines_of(event_file: Path, host: str) -> pl.DataFrame:
    """Return line_number, at, queue and fact of a host's events; the last two in code, as a file may have millions."""
    queue_id = pl.col("queue_id")
    of_host = pl.scan_parquet(event_file).filter(pl.col("host").cast(pl.String).fill_null("None") == host)
    return of_host.select(
        "line_number",
        at="logged_at",
        queue=pl.when(queue_id.is_not_null()).then(queue_id.hash()),
        fact=pl.when(queue_id.is_not_null()).then(pl.struct("logged_at", *_FACT).hash()),
    ).collect(engine="streaming")


def _comes_again(before: pl.DataFrame, after: pl.DataFrame) -> bool:
    """Say whether times that were there already come again: lines of both lie mixed where both have some.

    Pieces that were joined in any order lie side by side, and touch at their ends, untidy by seconds.
    """
    at, step = pl.col("at"), timedelta(microseconds=_STEP)
    sides = [lines.select("at", side=pl.lit(number)).unique() for number, lines in enumerate((before, after))]
    first, last = at.min().over("side").max() + step, at.max().over("side").min() - step
    side = pl.concat(sides).filter(at.is_between(first, last, closed="none")).sort("at", "side")["side"]
    fewer = min(int((side == number).sum()) for number in range(len(sides)))
    return 0 < fewer <= _TIMES_A_TURN * int((side != side.shift(1)).sum())


def _goes_back(before: pl.DataFrame, after: pl.DataFrame) -> bool:
    """Say whether a queue file has lines that go back in time."""
    last, first = (rows.drop_nulls("queue").group_by("queue") for rows in (before, after))
    open_files = last.agg(last=pl.col("at").max()).join(first.agg(first=pl.col("at").min()), on="queue")
    return open_files.filter(pl.col("last") - pl.col("first") >= timedelta(microseconds=_STEP)).height > 0
