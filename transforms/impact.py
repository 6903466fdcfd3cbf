"""Events and customer records become deliveries and the grid of counts, by the ladder of SQL files in `sql/`.

The files run in the order of their numbers in an embedded DuckDB of bounded memory, which spills to disk. Each can be
read, and run by hand, on its own; the rules are stated there and in docs/methodology.md.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl
from polars.io.plugins import register_io_source

from expectations.tables import (
    BOUNDS,
    CELLS,
    DELIVERIES,
    EVENTS,
    FAULTS,
    FINDINGS,
    LOSSES,
    QUARANTINE,
    SENDER_WAITS,
    SILENCES,
    UNREAD,
    Table,
)
from sources.errors import BadInput
from transforms.settings import Settings

SQL_FOLDER = Path(__file__).parent / "sql"
CHOICES = ("00_macros.sql", "05_choices.sql")
STITCH = (
    "06_files.sql",
    "07_linked.sql",
    "08_ends.sql",
    "09_plain.sql",
    "10_lifetimes.sql",
    "20_legs.sql",
    "30_chains.sql",
    "35_doubts.sql",
    "37_addresses.sql",
    "40_deliveries.sql",
    "42_silences.sql",
    "43_sender_waits.sql",
    "44_faults.sql",
)
GRID = ("45_gaps.sql", "50_cells.sql", "55_bounds.sql")
COUNT = (
    *GRID,
    "56_assumptions.sql",
    "60_accounts.sql",
    "70_minutes.sql",
    "71_delays.sql",
    "73_refusals.sql",
    "75_fault_shares.sql",
    "80_people.sql",
)
# Views of the ladder that are worked out once, and the tables that they become: too long to hold where logs are long.
KEPT = {
    "06_files.sql": ("files_of_share", "files"),
    "08_ends.sql": ("ends_of_share", "ends"),
    "40_deliveries.sql": ("all_deliveries", "deliveries"),
}
# Files that work on one share of the events after another.
BY_SHARE = ("06_files.sql", "08_ends.sql")
# As many as 50_cells.sql has room for; nobody speaks of more.
MOST_THRESHOLDS = 18
# Steps of time that can be drawn and spoken of; the shortest is chosen that keeps a picture within this many steps.
_STEPS_SECONDS = (1, 5, 10, 30, 60, 300, 900, 1800, 3600, 10800, 21600, 86400)
_MOST_STEPS = 2_000
# What `stitch` finds beside its deliveries: what a log misses, what it turned away, whose fault it was.
BESIDE = (LOSSES, SILENCES, UNREAD, SENDER_WAITS, FAULTS)
# Events of which a share is made: some half a million queue files.
_EVENTS_IN_SHARE = 4_000_000
# Deliveries read and sorted at once, while the next ones are read and the last ones written: 3 kB a row in all. All
# deliveries are looked at for each share, so that there must not be many.
_ROWS_IN_SHARE = 50_000
_MOST_SHARES = 60
# Half of what a whole run may use, as the second count works beside; what exceeds it goes to disk.
_MEMORY_LIMIT = "800MB"


@dataclass(frozen=True)
class Impact:
    """What was measured: frames of DELIVERIES, CELLS and BOUNDS."""

    deliveries: pl.DataFrame
    cells: pl.DataFrame
    bounds: pl.DataFrame


def measure(
    event_files: Sequence[Path],
    records: pl.DataFrame,
    settings: Settings,
    findings: pl.DataFrame | None = None,
    quarantine: pl.DataFrame | None = None,
) -> Impact:
    """Count the impact from files of EVENTS, CUSTOMER_RECORDS, and what is known of gaps and unread lines."""
    with workspace() as db:
        stitch(db, event_files, records, settings, quarantine)
        count(db, records, settings, findings)
        return Impact(table(db, "deliveries", DELIVERIES), table(db, "cells", CELLS), table(db, "bounds", BOUNDS))


@contextmanager
def workspace() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB that keeps to its share of memory and leaves nothing behind."""
    with TemporaryDirectory(prefix="mailtoll-") as spill:
        db = duckdb.connect(
            config={
                "memory_limit": _MEMORY_LIMIT,
                "temp_directory": spill,
                "preserve_insertion_order": "false",
                "checkpoint_threshold": "1TB",  # else tables in memory are compressed, which one thread does
                "allocator_background_threads": "true",  # give back what is free: a tenth less memory in stitching
            }
        )
        try:
            db.execute("SET TimeZone = 'UTC'")
            yield db
        finally:
            db.close()


def stitch(
    db: duckdb.DuckDBPyConnection,
    event_files: Sequence[Path],
    records: pl.DataFrame,
    settings: Settings,
    quarantine: pl.DataFrame | None = None,
) -> None:
    """Fill the tables of the ladder up to `deliveries`, from files of EVENTS and the lines of QUARANTINE."""
    if quarantine is not None:
        db.register("quarantine", quarantine.select("source_id", "line_number").to_arrow())
    if event_files:
        db.read_parquet([str(f) for f in event_files]).create_view("events", replace=True)
    else:
        db.register("events", EVENTS.empty().to_arrow())
    declare(db, records, settings)
    shares = list(_shares_of_events(event_files))
    for name in STITCH:
        for number, share in enumerate(shares if name in BY_SHARE else shares[:1]):
            if name in BY_SHARE:
                declare_share(db, share.events, share.condition)
                _recall(db, name, number)
            run_files(db, (name,))
            if name in KEPT:
                _keep(db, name, number, is_long=len(shares) > 1)


def _keep(db: duckdb.DuckDBPyConnection, name: str, number: int, *, is_long: bool) -> None:
    """Keep what a file made of a share: on disk where logs are long, else in memory, which is quicker."""
    view, made = KEPT[name]
    if is_long:
        db.table(view).write_parquet(str(_on_disk(db, made, number)), compression="lz4_raw")
        db.read_parquet([str(_on_disk(db, made, n)) for n in range(number + 1)]).create_view(made, replace=True)
    else:
        db.execute(f"CREATE OR REPLACE TABLE {made} AS FROM {view}")


def _recall(db: duckdb.DuckDBPyConnection, name: str, number: int) -> None:
    """Let the views of a share that former files made be what they kept of it."""
    for former in BY_SHARE[: BY_SHARE.index(name)]:
        view, made = KEPT[former]
        path = _on_disk(db, made, number)
        kept = db.read_parquet(str(path)) if path.exists() else db.table(made)
        kept.create_view(view, replace=True)


def declare_share(db: duckdb.DuckDBPyConnection, events: str = "events", condition: str = "true") -> None:
    """Let `share` be the events about queue files, those that meet a condition, each with the key of its `file`."""
    db.execute(
        f"""
        CREATE OR REPLACE VIEW share AS
        SELECT
            *,
            CASE WHEN queue_file IS NULL THEN hash(source_id, host, queue_id) ELSE hash(source_id, queue_file) END
                AS file
        FROM {events}
        WHERE queue_id IS NOT NULL AND kind NOT IN ('refused', 'snapshot') AND {condition}
        """  # noqa: S608 - both are our own
    )


@dataclass(frozen=True)
class _Share:
    """SQL for some of the events, all of each queue file of a log file: where they are read, and which of them."""

    events: str = "events"
    condition: str = "true"


def _shares_of_events(event_files: Sequence[Path]) -> Iterator[_Share]:
    """Yield shares of about `_EVENTS_IN_SHARE`: of a long file some of its queue files, of short ones several."""
    together: list[Path] = []
    room = _EVENTS_IN_SHARE
    for path in event_files:
        measured = pl.scan_parquet(path).select(pl.len().alias("rows"), pl.col("queue_file").max().alias("last"))
        rows, last = measured.collect().row(0)
        if rows > _EVENTS_IN_SHARE and last is not None:
            size = -(-(last + 1) * _EVENTS_IN_SHARE // rows)
            for first in range(0, last + 1, size):
                yield _Share(_parquet([path]), f"queue_file BETWEEN {first} AND {first + size - 1}")
            continue
        if together and rows > room:
            yield _Share(_parquet(together))
            together, room = [], _EVENTS_IN_SHARE
        together.append(path)
        room -= rows
    if together:
        yield _Share(_parquet(together))
    elif not event_files:
        yield _Share()


def _parquet(paths: Sequence[Path]) -> str:
    names = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    return f"read_parquet([{names}])"


def _on_disk(db: duckdb.DuckDBPyConnection, name: str, number: int) -> Path:
    ((folder,),) = db.sql("SELECT current_setting('temp_directory')").fetchall()
    return Path(folder) / f"{name}-{number}.parquet"


def count(
    db: duckdb.DuckDBPyConnection, records: pl.DataFrame, settings: Settings, findings: pl.DataFrame | None = None
) -> None:
    """Fill `cells`, `bounds`, `accounts`, `minutes`, `delays`, `ladder` and `people` from `deliveries`.

    `deliveries` is a table or view, and so is each of BESIDE, which `stitch` makes too; without one of these
    nothing of its kind was found. `findings` has the columns of FINDINGS.
    """
    if findings is not None:
        db.register("findings", findings.to_arrow())
    declare(db, records, settings)
    ((first, last),) = db.sql(
        "SELECT epoch(min(arrived_at)), epoch(max(coalesce(ended_at, arrived_at))) FROM deliveries"
    ).fetchall()
    span = (last or 0) - (first or 0)
    step = next((s for s in _STEPS_SECONDS if span / s <= _MOST_STEPS), _STEPS_SECONDS[-1])
    db.execute("SET VARIABLE step_seconds = ?", [step])
    run_files(db, COUNT)


def declare(db: duckdb.DuckDBPyConnection, records: pl.DataFrame, settings: Settings) -> None:
    """Put the declared choices where the SQL files find them: variables, and the table `customer_records`."""
    if len(set(settings.thresholds_seconds)) > MOST_THRESHOLDS:
        raise BadInput(f"thresholds: at most {MOST_THRESHOLDS} can be counted together; leave some out.")
    spans = (settings.window, *settings.placebo_windows)
    variables = {
        "timezone": settings.timezone,
        "as_of": settings.as_of,
        "local_domains": list(settings.local_domains),
        "bulk_senders": list(settings.bulk_senders),
        "thresholds_seconds": list(settings.thresholds_seconds),
        "window_starts": [s.start for s in spans],
        "window_ends": [s.end for s in spans],
        "headline_threshold_seconds": settings.headline.threshold_seconds,
        "headline_messages": settings.headline.messages,
        "headline_count": settings.headline.count,
    }
    for name, value in variables.items():
        db.execute(f"SET VARIABLE {name} = ?", [value])
    db.register("customer_records", records.to_arrow())
    known = {name for (name,) in db.execute("SELECT table_name FROM information_schema.tables").fetchall()}
    for declaration in (QUARANTINE, FINDINGS, *BESIDE):  # empty where nobody looked
        if declaration.name not in known:
            db.register("nothing", declaration.empty().to_arrow())
            db.execute(f"CREATE TABLE {declaration.name} AS FROM nothing")
    run_files(db, CHOICES)


def run_files(db: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
    """Run SQL files of the ladder, in the order given."""
    for name in names:
        db.execute((SQL_FOLDER / name).read_text(encoding="utf-8"))


def table(db: duckdb.DuckDBPyConnection, name: str, declaration: Table) -> pl.DataFrame:
    """Read a finished table, in the columns and types of its declaration, sorted by its key."""
    return declaration.conform(db.sql(f"SELECT * FROM {name}").pl()).sort(declaration.key, nulls_last=True)  # noqa: S608 - names are our own


def deliveries_in_order(db: duckdb.DuckDBPyConnection) -> pl.LazyFrame:
    """Return DELIVERIES by arrival, then by their key: read a share of them at a time, however many they are."""

    def shares(
        columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        for condition in _shares_by_arrival(db):
            read = DELIVERIES.conform(db.sql(f"SELECT * FROM deliveries WHERE {condition}").pl())  # noqa: S608
            share = read.sort("arrived_at", *DELIVERIES.key, nulls_last=True)
            yield share.select(columns) if columns else share

    return register_io_source(shares, schema=dict(DELIVERIES.schema))


def _shares_by_arrival(db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield conditions that cut the deliveries by arrival into shares of about `_ROWS_IN_SHARE`, or into the most."""
    ((rows,),) = db.sql("SELECT count(*) FROM deliveries").fetchall()
    shares = min(round(rows / _ROWS_IN_SHARE), _MOST_SHARES)
    cuts = [cut / shares for cut in range(1, shares)] or [1.0]
    ((edges,),) = db.execute(
        "SELECT quantile_disc(epoch_us(arrived_at), ?::DOUBLE[]) FROM deliveries", [cuts]
    ).fetchall()
    places = sorted(set(edges or [0]))
    yield f"epoch_us(arrived_at) < {places[0]}"
    for start, end in pairwise(places):
        yield f"epoch_us(arrived_at) >= {start} AND epoch_us(arrived_at) < {end}"
    yield f"epoch_us(arrived_at) >= {places[-1]}"
