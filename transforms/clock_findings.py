"""Do a log's stamps fit the clocks that its ids carry, and does its time only move forward?

Rules
- A queue file's first line is written within moments of its id. Where the stamps of a host run off from its ids by a
  whole number of quarter hours, line after line, the stamps were read in a wrong zone (`wrong_zone`), or by 300 days
  or more in a wrong year (`wrong_year`); where single lines do, somebody or something wrote them anew (`edited_stamp`).
- A host's lines come in the order of time, give or take seconds of disorder. Where they fall back and stay back, its
  clock was set back, or pieces of the log were joined out of order (`clock_step`). It was the clock (`clock_set_back`)
  where times come a second time and queue files that were open have lines that go back in time.
"""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from expectations.tables import FINDINGS
from transforms.id_clocks import read_id_clocks

_SECOND = 1_000_000
_QUARTER_HOUR = 15 * 60 * _SECOND
# A stamp in whole seconds may lie a second before its id; syslog and a busy server write the line some time after.
_EARLIEST, _LATEST = -5 * _SECOND, 300 * _SECOND
# Exim names a message when its data begin to come in, and logs it when they are in: a slow sender takes long.
_LATEST_OF_EXIM = 3600 * _SECOND
# From here on it is the year that is wrong, and no zone or clock.
_OTHER_YEAR = 300 * 86_400 * _SECOND
# A zone is a habit: as many lines, and at least half of the lines of their time.
_LEAST_LINES = 5
# A fall of this much is no disorder among processes; it counts if the lines before and after agree, so many each.
_STEP = 10 * _SECOND
_AROUND = 5
# Where time falls back more often than this in a file, its lines were not written in this order.
_MOST_STEPS = 3
_OVERLAP_ROWS = 5_000


def find_clock_findings(event_file: Path, source_id: str, uri: str) -> pl.DataFrame:
    """Return the FINDINGS on the clocks of one log file, given its EVENTS (Parquet)."""
    with pq.ParquetFile(event_file, read_dictionary=["host", "kind"]) as file:
        if not file.num_row_groups:
            return FINDINGS.empty()
        steps = pl.concat(_steps(rows) for rows in _in_order(file)).unique("line_number").sort("line_number")
        arrivals = _arrivals(file).sort("line_number")
    found = [*_describe_steps(steps, _proven(event_file, steps), uri), *_describe_offsets(arrivals, uri)]
    return FINDINGS.conform(
        pl.DataFrame([{"source_id": source_id, **finding} for finding in found], schema=dict(FINDINGS.schema))
    )


def _in_order(file: pq.ParquetFile) -> Iterator[pl.DataFrame]:
    """Yield the stamps of a file's events in the order of its lines, each piece with the end of the one before."""
    before: pl.DataFrame | None = None
    for group in range(file.num_row_groups):
        rows = _rows(file, group, ["host", "line_number", "logged_at"]).sort("line_number")
        yield rows if before is None else pl.concat([before, rows])
        before = rows.tail(_OVERLAP_ROWS)


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
    rows = _rows(file, group, ["host", "line_number", "kind", "logged_at", "queue_id"])
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


def _rows(file: pq.ParquetFile, group: int, columns: list[str]) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(file.read_row_group(group, columns=columns, use_threads=False)))


def _steps(rows: pl.DataFrame) -> pl.DataFrame:
    """Return host, line_number, logged_at and the time before, in µs, of each line where a host's time falls back."""
    found = []
    for (host,), lines in rows.group_by("host", maintain_order=True):
        at = lines["logged_at"].dt.timestamp("us").to_numpy()
        for place in np.flatnonzero(np.diff(at) <= -_STEP) + 1:
            before, after = at[max(0, place - _AROUND) : place], at[place : place + _AROUND]
            fell = np.median(before) - np.median(after)
            if min(len(before), len(after)) >= 2 and fell >= _STEP and np.ptp(after) < fell and np.ptp(before) < fell:
                found.append((str(host), int(lines["line_number"][int(place)]), int(at[place]), int(at[place - 1])))
    schema = {"host": pl.String, "line_number": pl.Int64, "at": pl.Int64, "before": pl.Int64}
    return pl.DataFrame(found, schema=schema, orient="row")


def _proven(event_file: Path, steps: pl.DataFrame) -> set[int]:
    """Return the lines of those falls which only a clock that was set back explains."""
    proven: set[int] = set()
    step = timedelta(microseconds=_STEP)
    for (host,), falls in steps.group_by("host", maintain_order=True):
        if falls.height > _MOST_STEPS:
            continue
        of_host = pl.scan_parquet(event_file).filter(pl.col("host").cast(pl.String).fill_null("None") == host)
        lines = of_host.select("line_number", "queue_id", at="logged_at").collect()
        starts = [*falls["line_number"], lines["line_number"].max()]
        for start, end in itertools.pairwise(starts):
            before = lines.filter(pl.col("line_number") < start)
            after = lines.filter(
                pl.col("line_number").is_between(start, end, closed="both" if end == starts[-1] else "left")
            )
            # Pieces that were joined in another order touch at their ends, and are untidy there by seconds.
            comes_again = (
                before.join(after.select(first=pl.col("at").min(), last=pl.col("at").max()), how="cross")
                .filter(pl.col("at") > pl.col("first") + step, pl.col("at") < pl.col("last") - step)
                .height
                > 0
            )
            last, first = (rows.drop_nulls("queue_id").group_by("queue_id") for rows in (before, after))
            open_files = last.agg(last=pl.col("at").max()).join(first.agg(first=pl.col("at").min()), on="queue_id")
            goes_back = open_files.filter(pl.col("last") - pl.col("first") >= step).height > 0
            if comes_again and goes_back:
                proven.add(int(start))
    return proven


def _describe_steps(steps: pl.DataFrame, proven: set[int], uri: str) -> Iterator[dict[str, object]]:
    for host, line_number, at, before in steps.iter_rows():
        is_clock = line_number in proven
        why = "the clock was set back" + ("" if is_clock else ", or pieces of the log were joined out of order")
        yield {
            "code": "clock_set_back" if is_clock else "clock_step",
            "host": host,
            "start_at": _instant(at),
            "end_at": _instant(before),
            "detail": f"{uri}, line {line_number}: time falls back by {_spelled(before - at)}; {why}",
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
    days = round(abs(shift) / (86_400 * _SECOND))
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
    minutes, seconds = divmod(round(micros / _SECOND), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds if not hours else 0, "s")]
    return " ".join(f"{n:,} {unit}" for n, unit in parts if n) or "0 s"


def _instant(micros: int) -> datetime:
    return datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(microseconds=micros)
