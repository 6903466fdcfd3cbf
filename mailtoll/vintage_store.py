"""The vintages of a run's folder: one small folder per published count that was new, never changed afterwards.

    DIR/vintages/<NNNN>-<as of>/
        impact.json, report.html, summary.*        what was published
        cells.parquet, inputs.parquet              its whole grid, its inputs
        pulled.parquet                             which files were read, and how the incident file said to read them
        vintage.json                               settings, fingerprints, and the split of the change since the last
    DIR/vintages.json                              the list of them, with totals and splits

A later run counts an old vintage's logs again to tell what changed a figure. The bytes lie in `warehouse/raw` under
their content's id, so a vintage holds no copy of them, nor of deliveries; the customer records as they were read are
kept once per content in `warehouse/records`, since a database gives them in another order each time.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from mailtoll.warehouse import Warehouse, write_bytes, write_parquet, write_text
from sources.errors import BadInput
from transforms.settings import Definition
from transforms.vintage import Step, Vintage

FOLDER = "vintages"


@dataclass(frozen=True)
class Basis:
    """What a count rests on, as fingerprints: equal ones give equal figures.

    `settings` are those that were declared. `found` are those that the logs gave: `as_of`, the instant up to which
    they are complete, and the windows where they are detected. `records` is the fingerprint of the records as read,
    `records_raw` that of their bytes.
    """

    code: str
    settings: dict[str, Any]
    found: dict[str, Any]
    records: str
    records_raw: str = field(compare=False)  # the same records may come in another order
    logs: tuple[tuple[str, ...], ...]
    status: str


@dataclass(frozen=True)
class Kept:
    """A vintage as it was kept, with what it rests on."""

    vintage: Vintage
    basis: Basis


def read_vintages(warehouse: Warehouse) -> list[Kept]:
    """Return the vintages of a run's folder, oldest first."""
    files = sorted((warehouse.root / FOLDER).glob("[0-9]*-*/vintage.json"))
    return sorted((_read(file) for file in files), key=lambda kept: kept.vintage.number)


def vintage_of(warehouse: Warehouse, count: str) -> tuple[Path, Vintage]:
    """Return the folder of one count and its vintage; `BadInput`: no such count was kept."""
    folder = warehouse.root / FOLDER / count
    for kept in read_vintages(warehouse):
        if warehouse.root / kept.vintage.folder == folder:
            return folder, kept.vintage
    raise BadInput(f"{folder} is missing: no such count was published; run the step publish first.")


def keep_vintage(
    warehouse: Warehouse, kept: Kept, files: Mapping[str, bytes], tables: Mapping[str, pl.DataFrame]
) -> None:
    """Write a vintage's folder at once: aside, then renamed. A folder of that name, left by another run, stays."""
    target = warehouse.root / kept.vintage.folder
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    for left in target.parent.glob(".new-*"):  # by a run that was killed: only one publishes at a time
        shutil.rmtree(left, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    try:
        for name, content in files.items():
            write_bytes(content, aside / name)
        for name, frame in tables.items():
            write_parquet(frame, aside / f"{name}.parquet", is_restricted=False)
        write_text(json.dumps(_as_json(kept), indent=1) + "\n", aside / "vintage.json")
        aside.chmod(0o755)
        if not target.exists():
            os.rename(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_list(warehouse: Warehouse, incident_id: str, vintages: list[Vintage]) -> None:
    """Write `vintages.json`: every vintage with its total, and the split of each change by cause."""
    listed = [_listed(vintage, former) for vintage, former in zip(vintages, [None, *vintages], strict=False)]
    write_text(json.dumps({"incident": incident_id, "vintages": listed}, indent=2) + "\n", list_path(warehouse))


def list_path(warehouse: Warehouse) -> Path:
    """Return where the list of vintages lies."""
    return warehouse.root / "vintages.json"


def records_path(warehouse: Warehouse, digest: str) -> Path:
    """Return where customer records as read are kept, by their fingerprint; restricted."""
    return warehouse.folder / "records" / f"{digest[:16]}.parquet"


def folder_name(number: int, as_of: datetime) -> str:
    """Return a vintage's folder, relative to the run's folder: `vintages/0002-20121104T000000Z`."""
    return f"{FOLDER}/{number:04d}-{as_of.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _listed(vintage: Vintage, former: Vintage | None) -> dict[str, Any]:
    change = None
    if former:
        change = {
            "from": former.number,
            "total_before": former.measured,
            "total_now": vintage.measured,
            "difference": vintage.measured - former.measured,
            "steps": [
                {
                    "causes": list(step.causes),
                    "difference": step.difference(),
                    "by_segment": {s: step.difference(s) for s in sorted({*step.before, *step.after} - {"all"})},
                }
                for step in vintage.steps
            ],
        }
    plain = asdict(vintage) | {"as_of": vintage.as_of.astimezone(UTC).isoformat().replace("+00:00", "Z")}
    return {name: value for name, value in plain.items() if name != "steps"} | {"change": change}


def _as_json(kept: Kept) -> dict[str, Any]:
    vintage = asdict(kept.vintage) | {"as_of": kept.vintage.as_of.astimezone(UTC).isoformat()}
    return {"vintage": vintage, "basis": asdict(kept.basis)}


def _read(file: Path) -> Kept:
    try:
        return _kept(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError) as error:
        raise BadInput(
            f"{file} was written by another version of mailtoll, or is damaged ({error}), so that no figure can be "
            f"compared with it; move {file.parent.parent} out of the run's folder and run again."
        ) from None


def _kept(content: dict[str, Any]) -> Kept:
    told, basis = content["vintage"], content["basis"]
    vintage = Vintage(
        **told
        | {
            "as_of": datetime.fromisoformat(told["as_of"]),
            "headline": Definition(**told["headline"]),
            "steps": tuple(Step(tuple(s["causes"]), s["before"], s["after"]) for s in told["steps"]),
        }
    )
    return Kept(vintage, Basis(**basis | {"logs": tuple(tuple(log) for log in basis["logs"])}))
