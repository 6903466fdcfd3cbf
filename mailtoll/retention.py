"""Data ages out by policy, and each folder says what went from it and what can no longer be done.

A policy names folders of runs and standby stores, and two ages. In a run's folder both are counted from its last
publication, or where it never published from its last work: `raw_after`, the bytes as received go; `restricted_after`,
everything that holds an address goes. What was published stays, and so do the vintages. In a store each log ages by
its own last line, with what was parsed of it; one without a stamp, from when it was received. In both, copies that a
cut transfer left unfinished go after a day. A run whose folder is in use is left for the next time.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from mailtoll.incident_model import Seconds
from mailtoll.lock import FolderInUse, hold
from mailtoll.parsing import read_receipt
from mailtoll.policy_file import read_policy_file
from mailtoll.run import Run
from mailtoll.standby import PARTS, collected, reach, standby_of
from mailtoll.warehouse import Warehouse, write_text
from sources.raw_store import receipt_path

NOTE = "retention.json"
_RAW_ENDS = "a changed figure can no longer be split by its causes where older logs must be read again"
_RESTRICTED_ENDS = "no verdict can be explained any more, and no later figure be compared by cause with this one"
_UNFINISHED_AFTER = timedelta(days=1)
_GONE = {
    "source_id": pl.String,
    "uri": pl.String,
    "first_at": pl.Datetime("us", "UTC"),
    "last_at": pl.Datetime("us", "UTC"),
    "gone_at": pl.Datetime("us", "UTC"),
}


class Policy(BaseModel):
    """What ages out, and when; ages such as 90d. Paths are relative to the policy file; `runs` are globs of folders."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    runs: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    raw_after: Annotated[Seconds, Field()]
    restricted_after: Annotated[Seconds, Field()]


@dataclass(frozen=True)
class _Aged:
    """What a policy removes from one folder, what that ends, and which logs go with it; no end: nobody will miss it."""

    folder: Path
    paths: tuple[Path, ...]
    what: str
    ends: str = ""
    logs: tuple[dict[str, Any], ...] = ()


def read_policy(path: Path) -> tuple[Policy, Path]:
    """Return the policy of a file and the folder that its paths are relative to; `BadInput`: it will not do."""
    return read_policy_file(path, Policy), path.parent


def apply_policy(policy: tuple[Policy, Path], at: datetime, *, is_dry: bool) -> list[str]:
    """Remove what is too old at the instant `at`, or only say so; return one sentence per folder and kind."""
    said = []
    for folder, in_store in _folders(*policy):
        try:
            with hold(folder, alone=True):
                by_age = _of_store if in_store else _of_run
                for part in [*_unfinished(folder, at), *by_age(folder, policy[0], at)]:
                    if not is_dry:
                        _remove(part, at)
                    verb = "would be removed" if is_dry else "removed"
                    said.append(f"{folder}: {part.what} {verb}{f': {part.ends}' if part.ends else ''}.")
        except FolderInUse:
            said.append(f"{folder}: in use, left for the next time.")
    return said


def what_is_gone(folder: Path) -> str:
    """Return what retention has removed from a run's folder, as a sentence; empty: nothing."""
    return " ".join(f"{note['what']} went on {note['at'][:10]}: {note['ends']}." for note in _notes(folder))


def logs_gone(run: Run) -> pl.DataFrame:
    """Return the logs of the incident's time that retention has removed and that this run has not read again.

    Columns: source_id, uri, first_at, last_at, gone_at. They went from the run's folder or from its standby store.
    """
    standby, (since, upto) = standby_of(run.incident), reach(run.incident)
    folders = [run.warehouse.root, *([standby.warehouse.root] if standby else [])]
    rows = [{**log, "gone_at": note["at"]} for f in folders for note in _notes(f) for log in note.get("logs", ())]
    gone = pl.DataFrame(rows, schema=dict.fromkeys(_GONE, pl.String)).with_columns(
        pl.col(name).str.to_datetime(time_unit="us", time_zone="UTC")
        for name, kind in _GONE.items()
        if kind != pl.String
    )
    is_of_its_time = (pl.col("last_at") >= since) & (pl.col("first_at") <= upto)
    return (
        gone.filter(is_of_its_time.fill_null(True), ~pl.col("source_id").is_in(run.pulled["source_id"].implode()))
        .unique("source_id", keep="last")
        .sort("first_at", "uri")
    )


def _notes(folder: Path) -> list[dict[str, Any]]:
    path = folder / NOTE
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else []


def _folders(policy: Policy, base: Path) -> Iterator[tuple[Path, bool]]:
    for pattern in policy.runs:
        yield from ((path, False) for path in sorted(base.glob(pattern)) if (path / "warehouse").is_dir())
    yield from ((base / store, True) for store in policy.stores if (base / store).is_dir())


def _of_run(folder: Path, policy: Policy, at: datetime) -> Iterator[_Aged]:
    warehouse = Warehouse(folder)
    age = at - _last_work(warehouse)
    paths: tuple[Path, ...]
    if age >= timedelta(seconds=policy.restricted_after):
        paths = (
            warehouse.folder,
            warehouse.published_deliveries,
            warehouse.published_accounts,
            warehouse.published_quarantine,
            folder / "restricted",
        )
        ends, what = _RESTRICTED_ENDS, "everything that holds an address"
    elif age >= timedelta(seconds=policy.raw_after):
        paths, ends, what = (warehouse.raw,), _RAW_ENDS, "raw logs"
    else:
        return
    if there := tuple(path for path in paths if _holds_data(path)):
        yield _Aged(folder, there, what, ends, tuple(_logs_in(warehouse)))


def _last_work(warehouse: Warehouse) -> datetime:
    """Return when a run last published; where it never did, when it last wrote anything."""
    wrote = [warehouse.impact] if warehouse.impact.exists() else list(warehouse.folder.iterdir())
    return datetime.fromtimestamp(max((p.stat().st_mtime for p in wrote), default=0), UTC)


def _logs_in(warehouse: Warehouse) -> Iterator[dict[str, Any]]:
    """Name the logs whose bytes a run's folder holds."""
    if _holds_data(warehouse.raw) and (path := warehouse.table("inputs")).exists():
        yield from _named(pl.read_parquet(path).filter(kind="log", is_duplicate=False).iter_rows(named=True))


def _named(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        stamps = {name: row[name].isoformat() if row[name] else None for name in ("first_at", "last_at")}
        yield {"source_id": row["source_id"], "uri": row["uri"], **stamps}


def _unfinished(folder: Path, at: datetime) -> Iterator[_Aged]:
    """Copies of cut transfers: the next pull sweeps them too, but it may never come."""
    copies = (Warehouse(folder).raw / ".incoming").glob("*")
    oldest = (at - _UNFINISHED_AFTER).timestamp()
    if old := tuple(path for path in copies if path.stat().st_mtime < oldest):
        yield _Aged(folder, old, f"{len(old)} unfinished {'copy' if len(old) == 1 else 'copies'} of cut transfers")


def _of_store(folder: Path, policy: Policy, at: datetime) -> Iterator[_Aged]:
    warehouse = Warehouse(folder)
    oldest = at - timedelta(seconds=policy.raw_after)
    paths: list[Path] = []
    gone: list[dict[str, Any]] = []
    for row in collected(warehouse).iter_rows(named=True):
        receipt = read_receipt(warehouse, row["source_id"]) or {}
        first, last = (receipt.get(name) and datetime.fromisoformat(receipt[name]) for name in ("first_at", "last_at"))
        received = datetime.fromtimestamp(warehouse.kept(row["path"]).stat().st_mtime, UTC)
        if (last or received) < oldest:
            paths += [warehouse.kept(row["path"]), folder / receipt_path(row["sha256"], row["bytes"])]
            paths += [warehouse.part(name, row["source_id"]) for name in PARTS]
            paths.append(warehouse.folder / "parsed" / f"{row['source_id']}.json")
            gone.append({**row, "first_at": first, "last_at": last or received})
    if paths:
        upto = f"{max(log['last_at'] for log in gone):%Y-%m-%d %H:%M} UTC"
        ends = "no new incident can be counted, nor compared with ordinary weeks, on them"
        what = f"{len(gone)} {'log' if len(gone) == 1 else 'logs'} that ended by {upto}"
        yield _Aged(folder, tuple(paths), what, ends, tuple(_named(gone)))


def _holds_data(path: Path) -> bool:
    """Say whether a path is a file, or a folder with more in it than the lock."""
    return path.is_file() or (path.is_dir() and any(entry.name != ".lock" for entry in path.iterdir()))


def _remove(aged: _Aged, at: datetime) -> None:
    if aged.ends:  # said before it is done: a note too many misleads nobody
        note = {"at": at.astimezone(UTC).isoformat(), "what": aged.what, "ends": aged.ends, "logs": aged.logs}
        write_text(json.dumps([*_notes(aged.folder), note], indent=1) + "\n", aged.folder / NOTE)
    for path in aged.paths:
        for part in [path] if path.name != "warehouse" else [p for p in path.iterdir() if p.name != ".lock"]:
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)
