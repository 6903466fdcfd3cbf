"""Tables to take away, beside the reports: `exports/` for anybody inside, `restricted/` for those who may see accounts.

    DIR/exports/            cells, bounds, narrower, ladder, hours: figures alone, small ones too; not for the public
    DIR/restricted/         accounts, deliveries, care_list, and care_list.html for customer care; modes 0700 and 0600
    DIR/restricted/annex/   accounts and deliveries under keys, for incidents that ask (`annexes: true`)

Each table is there as CSV and as Parquet; `datapackage.json` and `data-dictionary.md` beside them say what is in them.
"""

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import file_digest
from pathlib import Path

import polars as pl

from expectations.tables import (
    ACCOUNTS,
    BOUNDS,
    CARE_LIST,
    CELLS,
    DELIVERIES,
    DOWNTIME,
    HOURS,
    LADDER,
    NARROWER,
    Table,
)
from mailtoll.run import Run, published_status
from mailtoll.secret import secret_of
from mailtoll.vintages import former_vintages
from mailtoll.warehouse import Warehouse, copy_file, write_parquet, write_text, written_aside
from reports.care_list import care_list, care_page
from reports.data_dictionary import dictionary
from reports.datapackage import TableFile, datapackage
from reports.spreadsheet import write_csv
from sources.errors import BadInput
from transforms.pseudonyms import pseudonymise, pseudonymous

_FIGURES = (CELLS, BOUNDS, NARROWER, LADDER, HOURS)
_PEOPLE = (ACCOUNTS, DELIVERIES)
PUBLIC = "public"
"""Below it, in the run's folder and in each vintage: what may go on the site."""
_FOLDERS = ("exports", "restricted")


def export(run: Run) -> dict[str, str]:
    """Write all folders of a count; return their paths.

    `BadInput`: annexes are asked for and have no secret; or the folder holds a refusal, or nothing.
    """
    if published_status(run.warehouse.root) in (None, "refused"):
        raise BadInput(
            f"{run.warehouse.root} holds no published count, so there is nothing to hand out; publish first."
        )
    secret = secret_of(run.incident.id, str(run.incident.path)) if run.incident.annexes else None
    warehouse = run.warehouse
    public, restricted = (warehouse.root / name for name in _FOLDERS)
    with ThreadPoolExecutor(1) as beside:
        listing = beside.submit(_care_list, run)  # a thousand letters, while tables are written without the interpreter
        files = _write_tables(run, public, _FIGURES, is_restricted=False)
        _describe(run, public, files, is_restricted=False)
        files = _write_tables(run, restricted, _PEOPLE, is_restricted=True)
        page = listing.result()
    files += _write_tables(run, restricted, (CARE_LIST,), is_restricted=True)
    _describe(run, restricted, files, is_restricted=True)
    write_text(page, restricted / "care_list.html", is_restricted=True)
    paths = {"exports": public, "restricted": restricted}
    if secret is None:
        shutil.rmtree(restricted / "annex", ignore_errors=True)
    else:
        annex = tuple(map(pseudonymous, _PEOPLE))
        for table, keyed in zip(_PEOPLE, annex, strict=True):
            write_parquet(pseudonymise(_read(warehouse, table), table, secret), warehouse.table(keyed.name))
        paths["annex"] = restricted / "annex"
        files = _write_tables(run, paths["annex"], annex, is_restricted=True)
        _describe(run, paths["annex"], files, is_restricted=True)
    return {name: str(path) for name, path in paths.items()}


def withdraw(warehouse: Warehouse) -> None:
    """Take away what a former count of this folder handed out: a refused run has no figure, a new count has others."""
    for name in (*_FOLDERS, PUBLIC):
        shutil.rmtree(warehouse.root / name, ignore_errors=True)


def _read(warehouse: Warehouse, table: Table) -> pl.DataFrame:
    return pl.read_parquet(warehouse.table(table.name))


def _care_list(run: Run) -> str:
    """Write the table CARE_LIST; return its page."""
    listed = care_list(_read(run.warehouse, ACCOUNTS), _read(run.warehouse, DOWNTIME), run.settings)
    write_parquet(listed, run.warehouse.table(CARE_LIST.name))
    return care_page(run.incident.title, run.settings, listed)


def _write_tables(run: Run, folder: Path, tables: Sequence[Table], *, is_restricted: bool) -> list[TableFile]:
    """Write tables of the run as CSV and as Parquet; return what describes the files."""
    folder.mkdir(mode=0o700 if is_restricted else 0o755, parents=True, exist_ok=True)
    files = []
    for table in tables:
        source = run.warehouse.table(table.name)
        parquet, csv = folder / f"{table.name}.parquet", folder / f"{table.name}.csv"
        copy_file(source, parquet, is_restricted=is_restricted)
        with written_aside(csv, is_restricted=is_restricted) as aside:
            write_csv(pl.scan_parquet(source), aside)
        files += [_described(table, path) for path in (csv, parquet)]
    return files


def _describe(run: Run, folder: Path, files: list[TableFile], *, is_restricted: bool) -> None:
    """Write what describes the tables of a folder, after them."""
    name = f"{run.incident.id}-{folder.name}"
    version = str(former_vintages(run)[-1].number)
    head = f"# Data dictionary\n\nThe tables of this folder: {run.incident.title}, count {version}.\n"
    tables = tuple(dict.fromkeys(file.table for file in files))
    write_text(dictionary(tables, head), folder / "data-dictionary.md", is_restricted=is_restricted)
    descriptor = datapackage(name, run.incident.title, version, files)
    write_text(descriptor, folder / "datapackage.json", is_restricted=is_restricted)


def _described(table: Table, path: Path) -> TableFile:
    with path.open("rb") as stream:
        return TableFile(table, path.name, os.fstat(stream.fileno()).st_size, file_digest(stream, "sha256").hexdigest())
