"""Damaged copies of simulated outages, counted from the lines that are left, beside the truth of the whole."""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import polars as pl

from expectations.completeness import find_holes
from expectations.tables import BOUNDS, CELLS, CUSTOMER_RECORDS
from tests.simulate import simulate
from tests.simulate.dialects import Damage, write_down
from tests.simulate.line import Line
from tests.simulate.outage import Outage
from tests.simulate.postfix_queue import PostfixOptions
from tests.simulate.truth import Cell, truth_cells
from transforms import impact
from transforms.dialect import LogOptions
from transforms.gate_limits import GateLimits
from transforms.parse import Parsed, merge, parse_stream
from transforms.registry import ENVELOPES, GRAMMARS
from transforms.settings import Definition, Interval, Settings

MESSAGES, ACCOUNTS = 240, 50
SET_UPS: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("plain", {}, {}),
    ("filter", {"with_filter": True}, {}),
    ("cut off", {"cut_off": "flood"}, {}),
    ("aliases first", {"with_filter": True}, {"postfix": PostfixOptions(aliases="before")}),
    ("next host", {"with_filter": True}, {"postfix": PostfixOptions(filter_on_next_host=True)}),
)
"""How the outage and its servers are set up, by turns; options of `simulate` and of `write_down`."""


@dataclass
class Garble:
    """Cut a share of the lines off, somewhere after the head of the line."""

    share: float
    seed: int

    def __call__(self, host: str, lines: list[Line]) -> list[Line]:
        """Return a host's lines, some of them torn."""
        rng = np.random.default_rng([self.seed, len(host)])
        is_torn = (rng.random(len(lines)) < self.share).tolist()
        return [
            Line(line.at, line.service, line.pid, line.text[: int(rng.integers(1, 60))]) if torn else line
            for line, torn in zip(lines, is_torn, strict=True)
        ]


@dataclass
class Spoilt:
    """What is taken from one outage: `lines` spoil its logs, `kept` says which of its records are left."""

    lines: tuple[Damage, ...] = ()
    kept: list[bool] | None = None


@dataclass
class Trial:
    """One damaged outage: what was counted, what is true, and how many accounts there are."""

    name: str
    cells: pl.DataFrame
    bounds: pl.DataFrame
    truth: dict[Cell, int]
    provisioned: int
    violations: list[str] = field(default_factory=list)

    @property
    def width(self) -> float:
        """Return the mean width of the account's cells over all segments, as a share of the accounts."""
        widths = self.cells.filter(unit="account", segment="all").select(pl.col("upper") - pl.col("lower")).to_series()
        return float(widths.sum()) / len(widths) / self.provisioned


@cache
def outage_of(seed: int) -> tuple[str, Outage, dict[Cell, int]]:
    """Return the outage of a seed, its set-up's name and its true grid."""
    name, options, _ = SET_UPS[seed % len(SET_UPS)]
    outage = simulate(seed, messages=MESSAGES, days=3, accounts=ACCOUNTS, lifetime_hours=30, **options)
    return name, outage, truth_cells(outage)


def trials(seeds: Iterable[int], spoil: Callable[[Outage, int], Spoilt]) -> Iterator[Trial]:
    """Yield one trial per seed; `spoil` says what is taken away."""
    with impact.workspace() as db, TemporaryDirectory() as folder:
        db.execute("SET threads = 1")  # small logs: sharing the work costs more than it saves
        for seed in seeds:
            name, outage, truth = outage_of(seed)
            spoilt = spoil(outage, seed)
            cells, bounds = count(db, Path(folder), outage, spoilt, **SET_UPS[seed % len(SET_UPS)][2])
            trial = Trial(f"{name}, seed {seed}", cells, bounds, truth, len({r.account_id for r in outage.records}))
            trial.violations = list(_violations(trial, is_unmatched_known=spoilt.kept is None))
            yield trial


def count(
    db: duckdb.DuckDBPyConnection, folder: Path, outage: Outage, spoilt: Spoilt, **options: object
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Parse the lines that are left, stitch and count them; return CELLS and BOUNDS."""
    parts = [_parse(host, texts) for host, texts in _texts(outage, spoilt, **options)]
    files = [folder / f"{number}.parquet" for number in range(len(parts))]
    for part, file in zip(parts, files, strict=True):
        part.events.write_parquet(file)
    settings, records = settings_of(outage), records_of(outage, spoilt.kept)
    activity = pl.concat([part.activity for part in parts])
    holes = find_holes(activity, settings.window, settings.as_of, GateLimits(), settings.timezone)
    findings = pl.concat([holes, *(part.findings for part in parts)])
    impact.stitch(db, files, records, settings, pl.concat([part.quarantine for part in parts]))
    db.register("findings", findings.to_arrow())
    impact.run_files(db, impact.GRID)
    return impact.table(db, "cells", CELLS), impact.table(db, "bounds", BOUNDS)


@contextmanager
def counter() -> Iterator[Callable[..., tuple[pl.DataFrame, pl.DataFrame]]]:
    """Give `count` with a database and a folder of its own."""
    with impact.workspace() as db, TemporaryDirectory() as folder:
        yield lambda outage, spoilt, **options: count(db, Path(folder), outage, spoilt, **options)


def settings_of(outage: Outage) -> Settings:
    """Return the choices that an outage's incident file would declare."""
    window = Interval(*(datetime.fromtimestamp(s, UTC) for s in outage.window))
    return Settings(
        timezone=outage.timezone,
        window=window,
        as_of=datetime.fromtimestamp(outage.log_end, UTC),
        placebo_windows=(),
        local_domains=outage.local_domains,
        bulk_senders=tuple(pattern.lower() for pattern in outage.bulk_senders),
        thresholds_seconds=outage.thresholds,
        headline=Definition("account", 3600, "excluding_bulk", "late"),
    )


def records_of(outage: Outage, kept: list[bool] | None = None) -> pl.DataFrame:
    """Return CUSTOMER_RECORDS of an outage, or those of them that are left."""
    rows = [
        (r.account_id, r.customer_id, r.segment, r.mailbox.lower(), r.address.lower(), r.valid_from, r.valid_to)
        for r, is_kept in zip(outage.records, kept or cycle([True]), strict=False)
        if is_kept
    ]
    return pl.DataFrame(rows, schema=dict(CUSTOMER_RECORDS.schema), orient="row")


def _texts(outage: Outage, spoilt: Spoilt, **options: object) -> Iterable[tuple[str, list[str]]]:
    written = write_down(outage, "postfix-rfc3339", damage=spoilt.lines, **options)  # type: ignore[arg-type]
    return written.texts.items()


def _parse(host: str, texts: list[str]) -> Parsed:
    content = io.BytesIO("".join(f"{text}\n" for text in texts).encode())
    return merge(list(parse_stream(content, ENVELOPES["syslog"](LogOptions()), GRAMMARS, f"{host:0>16}", host)))


def _violations(trial: Trial, *, is_unmatched_known: bool) -> Iterator[str]:
    widths = trial.bounds.group_by(CELLS.key).agg(pl.col("width").sum())
    for row in trial.cells.join(widths, on=CELLS.key, how="left").iter_rows(named=True):
        cell: Cell = tuple(row[column] for column in CELLS.key)
        lower, measured, upper = row["lower"], row["measured"], row["upper"]
        if not lower <= measured <= upper:
            yield f"{trial.name}: {cell} measures {measured}, outside {lower} to {upper}"
        if row["width"] != upper - measured:
            yield f"{trial.name}: the causes of {cell} add {row['width']}, not {upper} - {measured}"
        is_comparable = is_unmatched_known or row["segment"] != "unmatched"
        if is_comparable and not lower <= trial.truth[cell] <= upper:
            yield f"{trial.name}: {cell} is truly {trial.truth[cell]}, outside {lower} to {upper}"
