"""One run: an incident file and a folder. What the steps know about it, read from what earlier steps wrote."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import polars as pl

from expectations.tables import LINE_COUNTS, Table
from mailtoll.definition import definition_sha256
from mailtoll.incident import Incident, load_incident
from mailtoll.warehouse import Warehouse
from sources.errors import BadInput
from transforms.parse import add_up
from transforms.settings import Interval, Settings


@dataclass(frozen=True)
class Run:
    """An incident and its folder. Attributes are read when first asked for, as earlier steps left them."""

    incident: Incident
    warehouse: Warehouse

    @classmethod
    def of(cls, incident: str | Path, out: str | Path) -> "Run":
        """Open the run of an incident file in a folder; nothing is written."""
        return cls(load_incident(Path(incident)), Warehouse(Path(out)))

    @cached_property
    def pulled(self) -> pl.DataFrame:
        """INPUTS rows of logs and queue listings, as `pull_logs` left them."""
        path = self.warehouse.table("pulled")
        if not path.exists():
            raise BadInput(
                f"{path} is missing: the logs of this run were not pulled yet; run the step pull_logs first."
            )
        return pl.read_parquet(path)

    def source_ids(self, kind: str) -> list[str]:
        """Return the ids of this run's files of one kind, each content once, in the order of their names."""
        return self.pulled.filter((pl.col("kind") == kind) & ~pl.col("is_duplicate"))["source_id"].to_list()

    def event_files(self) -> list[Path]:
        """Return the files of events of this run: those of its logs, then those of its queue listings."""
        ids = dict.fromkeys([*self.source_ids("log"), *self.source_ids("queue_snapshot")])
        return [self.warehouse.part("events", source_id) for source_id in ids]

    def parts(self, declaration: Table) -> pl.DataFrame:
        """Read one of the tables that parsing writes per log file: QUARANTINE, ACTIVITY, FINDINGS, LINE_COUNTS."""
        ids = dict.fromkeys([*self.source_ids("log"), *self.source_ids("queue_snapshot")])
        paths = [self.warehouse.part(declaration.name, source_id) for source_id in ids]
        return pl.concat([declaration.empty(), *(pl.read_parquet(path) for path in paths if path.exists())])

    @cached_property
    def line_counts(self) -> pl.DataFrame:
        """LINE_COUNTS of all log files."""
        return add_up([self.parts(LINE_COUNTS)])

    @cached_property
    def records(self) -> pl.DataFrame:
        """The CUSTOMER_RECORDS as pulled."""
        return pl.read_parquet(self.warehouse.table("customer_records"))

    @cached_property
    def as_of(self) -> datetime:
        """The instant up to which the logs are complete: the declared one, else the last stamp read."""
        if self.incident.as_of:
            return self.incident.as_of
        last = self.line_counts["last_at"].max()
        if not isinstance(last, datetime):
            raise BadInput(
                f"{self.incident.path}: as_of is not given and no log line has a readable stamp;"
                " give as_of, or check `logs`."
            )
        return last

    @cached_property
    def window(self) -> Interval:
        """The declared window, else the detected one; until `stitch` has detected it, the whole log."""
        return self.incident.declared_window() or self._detected_window() or self._whole_log()

    def _detected_window(self) -> Interval | None:
        path = self.warehouse.table("windows")
        used = pl.read_parquet(path).filter("is_used") if path.exists() else pl.DataFrame()
        return Interval(used["start_at"][0], used["end_at"][0]) if used.height else None

    def _whole_log(self) -> Interval:
        first = self.line_counts["first_at"].min()
        last = self.as_of  # says in one sentence what to do where no line bears a stamp
        return Interval(min(first, last) if isinstance(first, datetime) else last, last)

    @cached_property
    def settings(self) -> Settings:
        """The frozen choices that the transforms take."""
        return self.incident.settings(self.as_of, self.window)

    @property
    def status(self) -> str:
        """`final` once the logs cover the longest possible delay after the window, else `preliminary`."""
        covered = self.window.end + timedelta(days=self.incident.gates.final_after_days)
        return "final" if self.as_of >= covered else "preliminary"

    @property
    def definition_sha256(self) -> str:
        """Fingerprint of the declared choices, written down before anything is counted (`definition.py`)."""
        return definition_sha256(self.incident)


def published_status(out: Path) -> str | None:
    """Return the status of what a run's folder has published: preliminary, final or refused; None: nothing yet."""
    published = Warehouse(out).impact
    return str(json.loads(published.read_text(encoding="utf-8"))["status"]) if published.exists() else None
