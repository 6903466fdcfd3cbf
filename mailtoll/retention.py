"""Data ages out by policy, and each folder says what went from it and what can no longer be done.

A policy names folders of runs and standby stores, and two ages. In a run's folder both are counted from its last
publication: `raw_after`, the bytes as received go; `restricted_after`, everything that holds an address goes. What was
published stays, and so do the vintages. In a store each log ages by its own last line, with what was parsed of it.
A run whose folder is in use is left for the next time.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mailtoll.incident_model import Seconds
from mailtoll.lock import FolderInUse, hold
from mailtoll.parsing import read_receipt
from mailtoll.standby import PARTS, collected
from mailtoll.warehouse import Warehouse, write_text
from mailtoll.yaml_lines import read_yaml
from sources.raw_store import receipt_path
from transforms.errors import BadInput

NOTE = "retention.json"
_RAW_ENDS = "a changed figure can no longer be split by its causes where older logs must be read again"
_RESTRICTED_ENDS = "no verdict can be explained any more, and no later figure be compared by cause with this one"


class Policy(BaseModel):
    """What ages out, and when; ages such as 90d. Paths are relative to the policy file; `runs` are globs of folders."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    runs: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    raw_after: Annotated[Seconds, Field()]
    restricted_after: Annotated[Seconds, Field()]


@dataclass(frozen=True)
class _Aged:
    """What a policy removes from one folder, and what that ends."""

    folder: Path
    paths: tuple[Path, ...]
    what: str
    ends: str


def read_policy(path: Path) -> tuple[Policy, Path]:
    """Return the policy of a file and the folder that its paths are relative to; `BadInput`: it will not do."""
    document = read_yaml(path)
    try:
        return Policy.model_validate(document.values), path.parent
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{path}, line {document.line_of(first['loc'])}: {place}: {first['msg']}.") from None


def apply_policy(policy: tuple[Policy, Path], at: datetime, *, is_dry: bool) -> list[str]:
    """Remove what is too old at the instant `at`, or only say so; return one sentence per folder and kind."""
    said = []
    for folder, in_store in _folders(*policy):
        try:
            with hold(folder, alone=True):
                aged = list(_of_store(folder, policy[0], at) if in_store else _of_run(folder, policy[0], at))
                for part in aged:
                    if not is_dry:
                        _remove(part, at)
                    verb = "would be removed" if is_dry else "removed"
                    said.append(f"{folder}: {part.what} {verb}: {part.ends}.")
        except FolderInUse:
            said.append(f"{folder}: in use, left for the next time.")
    return said


def what_is_gone(folder: Path) -> str:
    """Return what retention has removed from a run's folder, as a sentence; empty: nothing."""
    path = folder / NOTE
    notes = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return " ".join(f"{note['what']} went on {note['at'][:10]}: {note['ends']}." for note in notes)


def _folders(policy: Policy, base: Path) -> Iterator[tuple[Path, bool]]:
    for pattern in policy.runs:
        yield from ((path, False) for path in sorted(base.glob(pattern)) if (path / "impact.json").exists())
    yield from ((base / store, True) for store in policy.stores if (base / store).is_dir())


def _of_run(folder: Path, policy: Policy, at: datetime) -> Iterator[_Aged]:
    warehouse = Warehouse(folder)
    age = at - datetime.fromtimestamp(warehouse.impact.stat().st_mtime, UTC)
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
        yield _Aged(folder, there, what, ends)


def _of_store(folder: Path, policy: Policy, at: datetime) -> Iterator[_Aged]:
    warehouse = Warehouse(folder)
    oldest = at - timedelta(seconds=policy.raw_after)
    paths: list[Path] = []
    lasts: list[datetime] = []
    for row in collected(warehouse).iter_rows(named=True):
        receipt = read_receipt(warehouse, row["source_id"]) or {}
        last = receipt.get("last_at")
        if last and datetime.fromisoformat(last) < oldest:
            paths += [warehouse.kept(row["path"]), folder / receipt_path(row["sha256"], row["bytes"])]
            paths += [warehouse.part(name, row["source_id"]) for name in PARTS]
            paths.append(warehouse.folder / "parsed" / f"{row['source_id']}.json")
            lasts.append(datetime.fromisoformat(last))
    if paths:
        upto = f"{max(lasts):%Y-%m-%d %H:%M} UTC"
        ends = "no new incident can be counted, nor compared with ordinary weeks, on them"
        yield _Aged(folder, tuple(paths), f"{len(lasts)} logs whose last lines are of {upto} or before", ends)


def _holds_data(path: Path) -> bool:
    """Say whether a path is a file, or a folder with more in it than the lock."""
    return path.is_file() or (path.is_dir() and any(entry.name != ".lock" for entry in path.iterdir()))


def _remove(aged: _Aged, at: datetime) -> None:
    note = aged.folder / NOTE
    notes = json.loads(note.read_text(encoding="utf-8")) if note.exists() else []
    notes.append({"at": at.astimezone(UTC).isoformat(), "what": aged.what, "ends": aged.ends})
    write_text(json.dumps(notes, indent=1) + "\n", note)  # said before it is done: a note too many misleads nobody
    for path in aged.paths:
        for part in [path] if path.name != "warehouse" else [p for p in path.iterdir() if p.name != ".lock"]:
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)
