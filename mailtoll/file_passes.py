"""In which pass of an hour that daylight saving repeats each pulled log file begins, where its stamps carry no zone.

Only files that begin in such an hour, and those of the same folder that touch it, are looked at. The rule is in
`transforms.passes`.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from mailtoll.run import Run
from sources.compression import open_decompressed
from transforms.id_clocks import read_clocks_in_lines
from transforms.lines import read_lines
from transforms.passes import Stretch, begin_in_second_pass, spans_of
from transforms.years import MONTHS

_YEARLESS = re.compile(rf"^(?:<[0-9]+>)?({'|'.join(MONTHS)}) +([0-9]{{1,2}}) ([0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}})")
_DATED = re.compile(r"^([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?(?! [+-][0-9]{4})")
# A queue id is younger than its line would be in the first pass; a host's clock may jump by less.
_YOUNGER = 120
_ID_LINES = 5_000


class _Hour(NamedTuple):
    """An hour that comes twice, by the wall clock (local, without zone)."""

    start: datetime
    end: datetime
    zone: ZoneInfo


def with_passes(run: Run, dated: pl.DataFrame, edges: Mapping[str, tuple[str, str]]) -> pl.DataFrame:
    """Return INPUTS rows with `is_second_pass` set; `edges` are the first and last line of each file by `source_id`."""
    told = dict.fromkeys(dated["source_id"], False)
    logs = dated.filter((pl.col("kind") == "log") & pl.col("timezone").is_not_null()).unique("source_id")
    folders: dict[tuple[str, str], list[_File]] = {}
    for row in logs.sort("uri").iter_rows(named=True):
        lines = edges.get(row["source_id"], ("", ""))
        first, last = (_wall(line, row["year"]) for line in lines)
        if first and last and last < first - timedelta(days=180):
            last = last.replace(year=last.year + 1)
        key = (row["timezone"], str(PurePosixPath(row["uri"]).parent))
        folders.setdefault(key, []).append(_File(row["source_id"], row["path"], first, last))
    for (timezone, _), files in folders.items():
        for hour in {hour for file in files if file.first and (hour := repeated_hour(file.first, timezone))}:
            touching = [file for file in files if file.touches(hour)]
            stretches = [_stretch(run, file, hour) for file in touching]
            for file, stretch, is_second in zip(touching, stretches, begin_in_second_pass(stretches), strict=True):
                told[file.source_id] |= is_second and stretch.begins_inside
    return dated.with_columns(is_second_pass=pl.col("source_id").replace_strict(told, return_dtype=pl.Boolean))


class _File(NamedTuple):
    source_id: str
    path: str
    first: datetime | None
    last: datetime | None

    def touches(self, hour: _Hour) -> bool:
        return (self.first is None or self.first < hour.end) and (self.last is None or self.last >= hour.start)


def repeated_hour(wall: datetime, timezone: str) -> _Hour | None:
    """Return the hour that comes twice in which a local time lies; None: there is none."""
    zone = ZoneInfo(timezone)
    before, after = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if before is None or after is None or before <= after:
        return None
    turn = wall.replace(second=0, microsecond=0)
    while _offset(turn, before, zone) == before:  # from a minute before the change to the change
        turn += timedelta(minutes=1)
    return _Hour(turn - (before - after), turn, zone)


def _offset(wall: datetime, offset: timedelta, zone: ZoneInfo) -> timedelta | None:
    """Return the zone's offset at the instant at which clocks that far ahead of UTC show `wall`."""
    return (wall - offset).replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).utcoffset()


def _wall(line: str, year: int | None) -> datetime | None:
    """Return the local time in a line's stamp; None where it has none, or one with a zone."""
    try:
        if (dated := _DATED.match(line)) is not None:
            return datetime.fromisoformat(dated[1])
        if (yearless := _YEARLESS.match(line)) is not None and year is not None:
            return datetime.fromisoformat(
                f"{year}-{MONTHS.index(yearless[1]) + 1:02}-{int(yearless[2]):02} {yearless[3]}"
            )
    except ValueError:
        pass
    return None


def _stretch(run: Run, file: _File, hour: _Hour) -> Stretch:
    first_lines = pl.DataFrame(schema={"time": pl.Int64, "text": pl.String})
    times = [first_lines["time"]]
    with open_decompressed(run.warehouse.kept(file.path)) as stream:
        for chunk in read_lines(stream):
            inside = _inside(chunk["text"], hour)
            times.append(inside["time"])
            first_lines = pl.concat([first_lines, inside.head(_ID_LINES - first_lines.height)])
    spans = spans_of(pl.concat(times).to_list())
    begins_inside = file.first is not None and hour.start <= file.first < hour.end
    goes_on = file.last is not None and file.last >= hour.end
    return Stretch(spans, begins_inside, goes_on, _by_ids(first_lines, hour) if len(spans) == 1 else None)


def _inside(text: pl.Series, hour: _Hour) -> pl.DataFrame:
    """Return the lines whose stamp lies in the hour: `time`, seconds from its start, and `text`."""
    full_hours = [hour.start.replace(minute=0) + timedelta(hours=n) for n in range(3)]
    days = {f"{MONTHS[at.month - 1]} +{at.day}|{at:%Y-%m-%d}" for at in full_hours}
    time = "(?<h>[0-9]{2}):(?<m>[0-9]{2}):(?<s>[0-9]{2})"
    zone = r"(?<zone>(?:\.[0-9]+)? [+-][0-9]{4})?"
    pattern = rf"^(?:<[0-9]+>)?(?:{'|'.join(sorted(days))}) {time}{zone}"
    read = text.to_frame("text").select("text", pl.col("text").str.extract_groups(pattern).alias("g")).unnest("g")
    starts = {f"{at:%H}": int((at - hour.start).total_seconds()) for at in full_hours}
    hours = pl.col("h").replace_strict(starts, default=None, return_dtype=pl.Int64)
    seconds = hours + pl.col("m").cast(pl.Int64) * 60 + pl.col("s").cast(pl.Int64)
    length = int((hour.end - hour.start).total_seconds())
    inside = read.filter(pl.col("zone").is_null()).select(seconds.alias("time"), "text")
    return inside.filter(pl.col("time").is_between(0, length, closed="left"))


def _by_ids(lines: pl.DataFrame, hour: _Hour) -> bool | None:
    """Say whether queue ids are younger than their lines would be in the first pass; None: no id tells."""
    start = hour.start.replace(tzinfo=hour.zone, fold=0)
    first = pl.lit(start).dt.convert_time_zone("UTC") + pl.duration(seconds="time")
    clocks = lines.select("time", clock=read_clocks_in_lines(lines["text"])).drop_nulls()
    ahead = clocks.select((pl.col("clock") - first).dt.total_seconds()).to_series().max()
    if not isinstance(ahead, int) or ahead < -_YOUNGER:
        return None
    return ahead > _YOUNGER
