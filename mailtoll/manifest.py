"""What a run did: `manifest.json` in its folder, one record per step, whoever ran the steps and on which machine.

Each step leaves a record of its own in `warehouse/steps`: rows in, out and set aside, seconds, peak memory, and what it
reports (counts and digests, never an address). The manifest puts them together with the inputs. It is about the
running, not about the answer: the one file of a run that differs each time.
"""

import json
import logging
import resource
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import polars as pl
import pyarrow.parquet as pq

from expectations.tables import ACCOUNTS, CARE_LIST, CELLS, DELIVERIES
from mailtoll.lock import hold
from mailtoll.run import Run
from mailtoll.warehouse import Warehouse, write_text

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Rows = dict[str, int]

log = logging.getLogger("mailtoll.steps")

_ORDER = (
    "pull_logs",
    "parse_log",
    "pull_customer_records",
    "check_inputs",
    "stitch",
    "count",
    "recount",
    "check_impact",
    "publish",
    "export",
    "put_on_site",
    "send",
)
_ONCE_PER_FILE = "parse_log"
_FOLDER = "steps"
_INPUT_FACTS = ("uri", "kind", "sha256", "bytes", "lines", "is_duplicate")


def recorded(step: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a step `(incident, out, …)` leave its record, renew the manifest, and say one structured line."""

    shape = signature(step)  # arguments by name come in any order: PostgreSQL sorts the keys of what XCom keeps

    @wraps(step)
    def run_step(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        incident, out, *of = map(str, shape.bind(*arguments, **named).arguments.values())
        warehouse = Warehouse(Path(out))
        with hold(warehouse.root, alone=False):
            _forget_peak()
            began, start = datetime.now(UTC), time.monotonic()
            result = step(*arguments, **named)
            record = _record(step.__name__, Run.of(incident, out), result) | {
                "part": of[0] if of else None,
                "began_at": began.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "seconds": round(time.monotonic() - start, 3),
                "peak_memory_bytes": _peak(),
            }
            file = warehouse.folder / _FOLDER / f"{'.'.join([step.__name__, *of])}.json"
            write_text(json.dumps(record, sort_keys=True), file, is_restricted=True)
            if step.__name__ != _ONCE_PER_FILE:  # of thousands of files, none pays for all
                write_manifest(warehouse)
        log.info("%s", json.dumps({"event": "step_done", "out": out, **record}))
        return result

    return run_step


def forget_records(warehouse: Warehouse) -> None:
    """Begin a run: records of an earlier one go, but for the customer records', which may be pulled beforehand."""
    for file in (warehouse.folder / _FOLDER).glob("*.json"):
        if file.stem != "pull_customer_records":
            file.unlink(missing_ok=True)


def write_manifest(warehouse: Warehouse) -> None:
    """Put the records of all steps and the inputs into `manifest.json`."""
    records = [json.loads(file.read_text(encoding="utf-8")) for file in (warehouse.folder / _FOLDER).glob("*.json")]
    records.sort(key=lambda record: (_ORDER.index(record["step"]), record["began_at"]))
    inputs: list[dict[str, Any]] = []
    for name in ("pulled", "pulled_records"):
        if warehouse.table(name).exists():
            inputs += pl.read_parquet(warehouse.table(name), columns=list(_INPUT_FACTS)).to_dicts()
    content = {
        "steps": records,
        "seconds": round(sum(record["seconds"] for record in records), 3),
        "peak_memory_bytes": max((record["peak_memory_bytes"] for record in records), default=0),
        "inputs": inputs,
    }
    write_text(json.dumps(content, indent=1) + "\n", warehouse.manifest)


def _record(step: str, run: Run, result: Any) -> dict[str, Any]:
    told = result if isinstance(result, dict) else {}
    facts = {k: v for k, v in told.items() if isinstance(v, int | bool) or k in ("digest", "status", "source_id")}
    return {"step": step, "rows": _ROWS[step](run, told), "facts": facts}


def _of_logs(run: Run, _: dict[str, Any]) -> Rows:
    copies = int(run.pulled["is_duplicate"].sum())
    return {"in": run.pulled.height, "out": run.pulled.height - copies, "set_aside": copies}


def _of_lines(_: Run, told: dict[str, Any]) -> Rows:
    lines = sum(told[fate] for fate in ("parsed", "ignored", "quarantined"))
    return {"in": lines, "out": told["events"], "set_aside": told["quarantined"]}


def _of_events(run: Run, told: dict[str, Any]) -> Rows:
    events = sum(_height(file) for file in run.event_files())
    return {"in": events, "out": told["rows"], "set_aside": 0}


def _of_gates(table: str) -> Callable[[Run, dict[str, Any]], Rows]:
    def rows(run: Run, _: dict[str, Any]) -> Rows:
        gates = pl.read_parquet(run.warehouse.table(table))
        return {"in": gates.height, "out": int(gates["is_passed"].sum()), "set_aside": int((~gates["is_passed"]).sum())}

    return rows


def _of_tables(read: str, written: str) -> Callable[[Run, dict[str, Any]], Rows]:
    def rows(run: Run, _: dict[str, Any]) -> Rows:
        return {"in": _height(run.warehouse.table(read)), "out": _height(run.warehouse.table(written)), "set_aside": 0}

    return rows


def _of_publishing(run: Run, told: dict[str, Any]) -> Rows:
    cells = _height(run.warehouse.table(CELLS.name))
    is_refused = told["status"] == "refused"
    return {"in": cells, "out": 0 if is_refused else cells, "set_aside": cells if is_refused else 0}


def _of_public_figures(_: Run, told: dict[str, Any]) -> Rows:
    """Count the figures of the public table: out are those shown, set aside those withheld; no site, no figure."""
    figures = Path(told["site"]) / "figures.json" if told else None
    table = json.loads(figures.read_text(encoding="utf-8"))["rows"] if figures else []
    counts = [count for row in table for count in row["counts"]]
    withheld = counts.count(None)
    return {"in": len(counts), "out": len(counts) - withheld, "set_aside": withheld}


def _of_mail(_: Run, told: dict[str, Any]) -> Rows:
    sent, before = told["sent"], told["sent_before"]
    return {"in": sent + before, "out": sent, "set_aside": before}


_ROWS: dict[str, Callable[[Run, dict[str, Any]], Rows]] = {
    "pull_logs": _of_logs,
    "parse_log": _of_lines,
    "pull_customer_records": lambda run, told: {"in": told["rows"], "out": told["rows"], "set_aside": 0},
    "check_inputs": _of_gates("gates_on_inputs"),
    "stitch": _of_events,
    "count": _of_tables(DELIVERIES.name, CELLS.name),
    "recount": _of_events,
    "check_impact": _of_gates("gates_on_impact"),
    "publish": _of_publishing,
    "export": _of_tables(ACCOUNTS.name, CARE_LIST.name),
    "put_on_site": _of_public_figures,
    "send": _of_mail,
}


def _height(path: Path) -> int:
    return pq.read_metadata(path).num_rows if path.exists() else 0


def _forget_peak() -> None:
    """Let the kernel count this process's peak memory from here on, where it can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak() -> int:
    """Return the peak of resident memory since `_forget_peak`, in bytes; elsewhere that of the process's life."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
