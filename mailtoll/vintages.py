"""Each published count keeps its vintage; a count that differs in anything says what changed the figure since the last.

A run whose logs, definition, records, code and status are all those of the last vintage makes no new one: it repeats
the same answer. A refused run makes none either, and leaves the last one in place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from mailtoll.code_digest import code_sha256
from mailtoll.run import Run
from mailtoll.snapshot import settings_as_json, settings_from_json
from mailtoll.vintage_logs import GoneError, event_files_of
from mailtoll.vintage_store import (
    Basis,
    Kept,
    folder_name,
    keep_vintage,
    read_vintages,
    records_path,
    write_list,
)
from mailtoll.warehouse import write_parquet
from reports.publication import Publication
from transforms.settings import Definition, Settings
from transforms.vintage import Figures, Step, Vintage, figures_of, headline_figures, split_change

_LISTED = ("kind", "source_id", "format", "timezone", "year")


@dataclass(frozen=True)
class History:
    """All vintages, oldest first, the present count last; `new` is the present one if it is to be kept."""

    vintages: tuple[Vintage, ...]
    new: Kept | None


def former_vintages(run: Run) -> tuple[Vintage, ...]:
    """Return the vintages that earlier runs have kept, oldest first."""
    return tuple(kept.vintage for kept in read_vintages(run.warehouse))


def take_vintage(run: Run, publication: Publication) -> History:
    """Compare the present count, which was not refused, with the last vintage; nothing is kept yet."""
    earlier = read_vintages(run.warehouse)
    basis = _basis(run, publication.status)
    vintages = tuple(kept.vintage for kept in earlier)
    if earlier and earlier[-1].basis == basis:
        return History(vintages, None)
    headline = run.settings.headline
    cells = pl.read_parquet(run.warehouse.table("cells"))
    total = cells.filter(segment="all", **_row_of(headline)).row(0, named=True)
    figures = figures_of(cells, headline)
    number = earlier[-1].vintage.number + 1 if earlier else 1
    present = Vintage(
        number=number,
        folder=folder_name(number, run.settings.as_of),
        as_of=run.settings.as_of,
        status=publication.status,
        headline=headline,
        measured=total["measured"],
        lower=total["lower"],
        upper=total["upper"],
        figures=figures,
        definition_sha256=run.definition_sha256,
        code_version=publication.code_version,
    )
    if earlier:
        present = replace(present, steps=_Split(run, earlier[-1], basis).steps(figures))
    return History((*vintages, present), Kept(present, basis))


def keep(run: Run, history: History, files: Mapping[str, bytes]) -> None:
    """Keep the present count's vintage if it is new, with what was published (`files` by name); list them all."""
    if history.new:
        write_parquet(run.records, records_path(run.warehouse, history.new.basis.records))
        tables = {name: pl.read_parquet(run.warehouse.table(name)) for name in ("cells", "inputs", "pulled")}
        keep_vintage(run.warehouse, history.new, files, tables)
    write_list(run.warehouse, run.incident.id, list(history.vintages))


def _row_of(headline: Definition) -> dict[str, object]:
    return {
        "unit": headline.unit,
        "threshold_seconds": headline.threshold_seconds,
        "messages": headline.messages,
        "count": headline.count,
    }


def _basis(run: Run, status: str) -> Basis:
    settings = settings_as_json(run.settings)
    by_the_logs = ("as_of",) if run.incident.declared_window() else ("as_of", "window", "placebo_windows")
    found = {name: settings.pop(name) for name in by_the_logs}
    logs = sorted({tuple(str(row[name]) for name in _LISTED) for row in run.pulled.iter_rows(named=True)})
    raw = pl.read_parquet(run.warehouse.table("pulled_records"))["sha256"][0]
    return Basis(code_sha256(), settings, found, _digest(run.records), raw, tuple(logs), status)


def _digest(records: pl.DataFrame) -> str:
    return sha256(records.sort(pl.all()).write_csv().encode()).hexdigest()


class _Split:
    """Counts the old logs, records and definition again, one cause after the other made new."""

    def __init__(self, run: Run, former: Kept, basis: Basis) -> None:
        self.run, self.former, self.now = run, former, basis
        was = former.basis
        self.changed = {
            "code": was.code != basis.code,
            "definition": was.settings != basis.settings,
            "records": was.records != basis.records and not self._is_read_otherwise(),
            "logs": (was.logs, was.found) != (basis.logs, basis.found),
        }

    def steps(self, figures: Figures) -> tuple[Step, ...]:
        """Return the steps from the former vintage's figures to the present ones."""
        changed = [cause for cause, is_changed in self.changed.items() if is_changed]
        return split_change(self.former.vintage.figures, figures, changed, self._recount)

    def _recount(self, swapped: frozenset[str]) -> Figures | None:
        settings = self._settings(swapped)
        try:
            records = self._records(swapped)
            if "logs" in swapped or not self.changed["logs"]:
                return headline_figures(self.run.event_files(), records, settings)
            pulled = pl.read_parquet(self.run.warehouse.root / self.former.vintage.folder / "pulled.parquet")
            with TemporaryDirectory(prefix="mailtoll-") as aside:
                files = event_files_of(self.run, pulled, settings.as_of, Path(aside))
                return headline_figures(files, records, settings)
        except (GoneError, FileNotFoundError):
            return None

    def _settings(self, swapped: frozenset[str]) -> Settings:
        was, now = self.former.basis, self.now
        declared = now.settings if "definition" in swapped else was.settings
        found = now.found if "logs" in swapped else was.found
        return settings_from_json({**now.settings, **now.found, **declared, **found})

    def _records(self, swapped: frozenset[str]) -> pl.DataFrame:
        if "records" in swapped or self.former.basis.records == self.now.records or self._is_read_otherwise():
            return self.run.records
        return pl.read_parquet(records_path(self.run.warehouse, self.former.basis.records))

    def _is_read_otherwise(self) -> bool:
        """The same bytes of records, read otherwise by new code: the code is the cause, not the records."""
        was = self.former.basis
        return was.records_raw == self.now.records_raw and was.code != self.now.code
