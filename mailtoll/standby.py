"""Standby: logs come in all year, so that an incident finds them pulled and parsed.

A standby file says what an incident file says, but for what is disputed, and where its store is. `ingest` pulls what is
new and parses it there, each content once; what was received stays in the store when its source has dropped it. A run
whose incident file names the standby file takes over, by content, what its time needs: bytes, receipts and parsed parts
are linked, not copied, and nothing is parsed twice.
"""

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import BeforeValidator, Field

from expectations.freshness import source_warnings
from expectations.tables import ACTIVITY, FINDINGS, INPUTS, QUARANTINE
from mailtoll.file_passes import with_passes
from mailtoll.file_years import with_years
from mailtoll.incident import Incident, load_file
from mailtoll.incident_model import Headline, Seconds, Text
from mailtoll.lock import hold
from mailtoll.parsing import parse_pulled, read_receipt
from mailtoll.run import Run
from mailtoll.warehouse import Warehouse, sweep, write_parquet, written_aside
from sources import log_files
from sources.addresses import is_remote
from sources.errors import BadInput
from sources.log_spec import LogSpec
from sources.raw_store import receipt_path

PARTS = ("events", QUARANTINE.name, ACTIVITY.name, FINDINGS.name, "line_counts")
_HABIT = timedelta(weeks=4)  # what a source usually writes is known from so long
# Mail that arrived shortly before the first window belongs to chains that reach into it.
_LEAD = timedelta(days=1)
_EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Standby(Incident):
    """A standby file: an incident file without a dispute, plus where its store is and when a source is to be missed.

    `stale_after`: a host whose last line is older than this is missed. `low_volume`: an hour with less than this share
    of the lines of the same hour on other days is suspicious.
    """

    title: Text = "Standby"
    window: Any = "detect"
    thresholds: Any = (900, 3600, 14400, 86400)
    headline: Headline = Headline.model_validate(
        {"unit": "account", "threshold": "1h", "messages": "excluding_bulk", "count": "late"}
    )
    store: Text
    stale_after: Seconds = 3 * 3600
    low_volume: Annotated[float, Field(ge=0, le=1), BeforeValidator(float)] = 0.1

    @property
    def warehouse(self) -> Warehouse:
        """The store; it is laid out as a run's folder."""
        return Warehouse(self.path.parent / Path(self.store).expanduser())


def load_standby(path: Path) -> Standby:
    """Read a standby file; `BadInput` says in one sentence what is wrong, where, and what to do."""
    return load_file(path, Standby)


def ingest(standby: Standby, at: datetime) -> dict[str, int]:
    """Pull and parse what is new by the instant `at`; return how many files are held of it, new, and parsed.

    Dates in a path are written as `strftime` has them (`mail.log-%Y%m%d*`), and are those of the hour before `at` in
    the time zone of the file: at midnight the day that ends is fetched, and a past day by any of its hours.
    """
    warehouse = standby.warehouse
    dated = _on_day(standby, at).model_copy(update={"as_of": at})
    with hold(warehouse.root, alone=True, waits=True):
        sweep(warehouse.root)
        run = Run(dated, warehouse)
        followed = [replace(spec, follows=True) for spec in dated.log_specs() if spec.kind == "log"]
        pulled = log_files.pull_logs(followed, warehouse.root)
        known = collected(warehouse)
        new = pulled.filter(~pl.col("is_duplicate")).join(known, on="source_id", how="anti", maintain_order="left")
        if new.height:
            edges = log_files.edge_lines(new, warehouse.root)
            new = INPUTS.conform(with_passes(run, with_years(run, new, edges), edges))
        parsed = 0
        for row in [*known.iter_rows(named=True), *new.iter_rows(named=True)]:
            before = read_receipt(warehouse, row["source_id"])
            parsed += parse_pulled(warehouse, row) != before
        write_parquet(pl.concat([known, new]), _list(warehouse))
    return {"files": pulled.height, "new": new.height, "parsed": parsed}


def collected(warehouse: Warehouse) -> pl.DataFrame:
    """Return the INPUTS rows of all logs that a store holds, each content once."""
    path = _list(warehouse)
    rows = INPUTS.conform(pl.read_parquet(path)) if path.exists() else INPUTS.empty()
    return rows.filter([warehouse.kept(kept).exists() for kept in rows["path"]])


def missed(standby: Standby, at: datetime) -> list[str]:
    """Say which hosts have fallen silent by `at`, or write far less than is usual for them; empty: none."""
    warehouse = standby.warehouse
    rows = [
        row["source_id"]
        for row, (_, last) in _spans(warehouse, collected(warehouse))
        if last is not None and last > at - _HABIT
    ]
    parts = [pl.read_parquet(warehouse.part(ACTIVITY.name, source_id)) for source_id in rows]
    activity = pl.concat([ACTIVITY.empty(), *parts])
    return source_warnings(activity, at, timedelta(seconds=standby.stale_after), standby.low_volume)


def first_stamp(standby: Standby) -> datetime | None:
    """Return the first stamp of any log in the store; None: it holds none."""
    spans = _spans(standby.warehouse, collected(standby.warehouse))
    return min((first for _, (first, _) in spans if first), default=None)


def specs_beside_standby(incident: Incident) -> list[LogSpec]:
    """Return which files a run must pull itself: all that its standby file does not."""
    standby = standby_of(incident)
    return [spec for spec in incident.log_specs() if not (standby and spec.kind == "log" and _names(standby, spec))]


def with_standby(run: Run, pulled: pl.DataFrame) -> pl.DataFrame:
    """Link what the run's time needs from its standby store; return its INPUTS rows with those that were pulled."""
    standby = standby_of(run.incident)
    if standby is None:
        return pulled
    store, (since, upto) = standby.warehouse, reach(run.incident)
    rows = [
        row
        for row, (first, last) in _spans(store, collected(store))
        if first is not None and last is not None and last >= since and first <= upto
    ]
    if not rows:
        raise BadInput(
            f"{run.incident.path}: the standby store {store.root} holds no log of the incident's time; run "
            f"`mailtoll standby {standby.path}` first."
        )
    for row in rows:
        for path in (Path(row["path"]), receipt_path(row["sha256"], row["bytes"])):
            _link(store.root / path, run.warehouse.root / path)
        for name in PARTS:
            _link(store.part(name, row["source_id"]), run.warehouse.part(name, row["source_id"]))
        receipt = Path("parsed") / f"{row['source_id']}.json"
        _link(store.folder / receipt, run.warehouse.folder / receipt)
    stored = INPUTS.conform(pl.DataFrame(rows, schema=dict(INPUTS.schema)))
    both = pl.concat([stored, pulled]).sort("kind", "uri", maintain_order=True)
    is_copy = ~pl.struct("kind", "source_id").is_first_distinct()
    return both.with_columns(is_duplicate=pl.col("is_duplicate") | is_copy)


def standby_of(incident: Incident) -> Standby | None:
    """Return the standby file that an incident file names; None: it names none."""
    return load_standby(incident.path.parent / incident.standby) if incident.standby else None


def _names(standby: Standby, spec: LogSpec) -> bool:
    return any(
        _place(spec) == _place(own) and (spec.format, spec.timezone, spec.year) == (own.format, own.timezone, own.year)
        for own in standby.log_specs()
    )


def _place(spec: LogSpec) -> str:
    return spec.uri if is_remote(spec.uri) else os.path.abspath(spec.base / Path(spec.uri).expanduser())


def reach(incident: Incident) -> tuple[datetime, datetime]:
    """Return from when and until when an incident needs logs."""
    window = incident.declared_window()
    starts = [span.start for span in (incident.baseline, window) if span]
    return (min(starts) - _LEAD if window else _EVER[0]), incident.as_of or _EVER[1]


def _on_day(standby: Standby, at: datetime) -> Standby:
    day = (at - timedelta(hours=1)).astimezone(ZoneInfo(standby.timezone))
    return standby.model_copy(
        update={"logs": tuple(log.model_copy(update={"uri": day.strftime(log.uri)}) for log in standby.logs)}
    )


def _list(warehouse: Warehouse) -> Path:
    return warehouse.table("collected")


def _link(source: Path, target: Path) -> None:
    """Let `target` be the same file as `source`, or a copy where they lie on two file systems."""
    if target.exists():
        return
    with written_aside(target, is_restricted=True) as aside:
        try:
            aside.unlink()
            os.link(source, aside)
        except OSError:
            shutil.copyfile(source, aside)


def _spans(
    store: Warehouse, rows: pl.DataFrame
) -> list[tuple[dict[str, Any], tuple[datetime | None, datetime | None]]]:
    """Return each row of a store with the first and the last stamp of its file."""
    found = []
    for row in rows.iter_rows(named=True):
        receipt = read_receipt(store, row["source_id"]) or {}
        first, last = (receipt.get(name) and datetime.fromisoformat(receipt[name]) for name in ("first_at", "last_at"))
        found.append((row, (first, last)))
    return found
