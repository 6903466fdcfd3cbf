"""The events of an earlier vintage's logs, as the present code reads them.

A log that the present run reads too, with the same options, was parsed already. One that it no longer reads is parsed
in place; one that it reads with other options is parsed aside, so that the present run's events stay what they are.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from mailtoll.parsing import parse_pulled
from mailtoll.run import Run
from mailtoll.warehouse import Warehouse, write_parquet
from sources.compression import open_decompressed
from transforms.queue_listing import read_queue_listing

_OPTIONS = ("format", "timezone", "year", "is_second_pass")


class GoneError(Exception):
    """The bytes of an earlier vintage's log are no longer kept."""


@dataclass(frozen=True)
class _Aside(Warehouse):
    """A warehouse to write to, which takes the kept bytes from the run's own."""

    run_root: Path = Path()

    def kept(self, path: str) -> Path:
        """The run's kept copy."""
        return self.run_root / path


def event_files_of(run: Run, pulled: pl.DataFrame, as_of: datetime, aside: Path) -> list[Path]:
    """Return the files of EVENTS of the logs and queue listings in `pulled` (INPUTS as pulled for that vintage).

    `as_of` is that vintage's, which stamps its queue listings; `aside` is a folder that lasts as long as the files are
    needed. `GoneError`: a file must be parsed anew and its bytes are gone.
    """
    elsewhere = _Aside(aside, run_root=run.warehouse.root)
    present = {row["source_id"]: row for row in run.pulled.filter(kind="log").iter_rows(named=True)}
    files: dict[str, Path] = {}
    for row in pulled.filter(~pl.col("is_duplicate")).iter_rows(named=True):
        source_id = row["source_id"]
        if row["kind"] == "log":
            now = present.get(source_id, row)
            warehouse = run.warehouse if all(now.get(name) == row.get(name) for name in _OPTIONS) else elsewhere
            try:
                parse_pulled(warehouse, row)
            except FileNotFoundError as error:
                raise GoneError(row["uri"]) from error
            files.setdefault(source_id, warehouse.part("events", source_id))
        elif row["kind"] == "queue_snapshot":
            files.setdefault(source_id, _listing(run, row, as_of, elsewhere))
    return list(files.values())


def _listing(run: Run, row: dict[str, str], as_of: datetime, aside: Warehouse) -> Path:
    try:
        with open_decompressed(run.warehouse.kept(row["path"])) as stream:
            events, _ = read_queue_listing(stream, row["source_id"], row["uri"], as_of)
    except FileNotFoundError as error:
        raise GoneError(row["uri"]) from error
    return write_parquet(events, aside.part("events", row["source_id"]))
