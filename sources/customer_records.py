"""Pull the customer records: bytes kept as received, columns checked, spellings made one where that is safe.

Where the records keep no days of validity, `snapshots` names a folder of daily snapshots from which those are derived.
Corrections that somebody answers for are made after that. What is missing or contradictory stays as it is: a gate
judges it.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from expectations.tables import CORRECTIONS, CUSTOMER_RECORDS, INPUTS
from sources.corrections import correct
from sources.corrections_file import read_corrections
from sources.errors import BadInput
from sources.locate import Found, locate
from sources.log_spec import RecordsSpec
from sources.raw_store import Receipt, keep
from sources.records_database import find_table
from sources.records_file import read_records
from sources.records_snapshots import STATE, add_snapshot, snapshots_in, with_validity
from sources.records_spelling import conformed

RECORD_COLUMNS = tuple(CUSTOMER_RECORDS.schema)
# The grid has these rows of its own; a segment of that name would be taken for them.
RESERVED_SEGMENTS = ("all", "unmatched")


@dataclass(frozen=True)
class PulledRecords:
    """CUSTOMER_RECORDS, the INPUTS rows that say where they came from, and the CORRECTIONS that were made."""

    records: pl.DataFrame
    inputs: pl.DataFrame
    corrections: pl.DataFrame


def pull_customer_records(spec: RecordsSpec, into: Path) -> PulledRecords:
    """Copy the records that `spec` names into the run's folder `into` and read them.

    CSV (UTF-8, also compressed), Parquet, or a table of a database, of which a CSV of the contract's columns is kept.
    `BadInput`: no such file or table, a column missing or unknown, a date that is none, a segment that is unknown or
    has a reserved name, a correction that meets another number of records than it expects.
    """
    if spec.snapshots is None:
        raw, row = _source(spec, into, RECORD_COLUMNS)
        rows = [row]
    else:
        folder = spec.base / Path(spec.snapshots).expanduser()
        add_snapshot(_source(spec, into, STATE)[0], folder, today(spec.timezone))
        raw, rows = _derived(folder, spec, into)
    records = conformed(raw)
    made = CORRECTIONS.empty()
    if spec.corrections is not None:
        found = _one(spec.corrections, spec, "customers.corrections")
        receipt = keep(found, into, spec.named_in)
        corrections = read_corrections(into / receipt.path, found.uri, RECORD_COLUMNS)
        records, made = correct(records, corrections, found.uri)
        rows.append(_row(found.uri, receipt, receipt.lines, "corrections") | {"format": "yaml"})
    _refuse_segments(records, spec, rows[0]["uri"])
    inputs = INPUTS.conform(pl.DataFrame(rows, schema_overrides={"query": pl.String}, infer_schema_length=None))
    return PulledRecords(records, inputs, made)


def today(timezone: str) -> date:
    """Return the day on which the records are looked at."""
    return datetime.now(UTC).astimezone(ZoneInfo(timezone)).date()


def _source(spec: RecordsSpec, into: Path, columns: tuple[str, ...]) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Keep and read the file or table; return its rows as they are, and its row of INPUTS."""
    query = None
    if spec.uri is None:
        found, query = find_table(spec, columns)
    else:
        found = _one(spec.uri, spec, "customers.uri")
    receipt = keep(found, into, spec.named_in)
    raw, kind = read_records(into / receipt.path, found.uri, columns)
    row = _row(found.uri, receipt, raw.height if kind == "parquet" else receipt.lines, "customer_records")
    return raw, row | {"format": "database" if query else kind, "query": query}


def _derived(folder: Path, spec: RecordsSpec, into: Path) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    """Keep every snapshot; return the records with their days of validity, and a row of INPUTS for each."""
    states, rows = {}, []
    for day, path in snapshots_in(folder).items():
        state, row = _source(RecordsSpec(f"{spec.snapshots}/{path.name}", base=spec.base), into, STATE)
        states[day] = conformed(state.with_columns(pl.lit(None, pl.Date).alias(c) for c in ("valid_from", "valid_to")))
        rows.append(row)
    return with_validity(states), rows


def _one(uri: str, spec: RecordsSpec, key: str) -> Found:
    matches = locate(uri, spec.base, spec.named_in, spec.connection if uri == spec.uri else None)
    if len(matches) > 1:
        raise BadInput(f"{spec.named_in}: {key} {uri!r} matches {len(matches)} files; name one.")
    return matches[0]


def _refuse_segments(records: pl.DataFrame, spec: RecordsSpec, uri: str) -> None:
    """Refuse words of the report itself, and what is none of the segments that the incident file declares."""
    is_reserved = pl.col("segment").is_in(RESERVED_SEGMENTS)
    is_unknown = ~pl.col("segment").is_in(spec.segments) if spec.segments else pl.lit(False)
    wrong = records.with_row_index("row", offset=1).filter(is_reserved | is_unknown)
    if wrong.is_empty():
        return
    segment = wrong["segment"][0]
    if segment in RESERVED_SEGMENTS:
        raise BadInput(f"{uri}: segment {segment!r} is a word of the report itself; name the segment otherwise.")
    raise BadInput(
        f"{uri}: segment {segment!r}, in {wrong.height} records, first in data row {wrong['row'][0]}, is none of "
        f"customers.segments ({', '.join(spec.segments)}); correct the records, or add it there."
    )


def _row(uri: str, receipt: Receipt, lines: int, kind: str) -> dict[str, Any]:
    return {
        "uri": uri,
        "kind": kind,
        "source_id": receipt.source_id,
        "path": receipt.path,
        "sha256": receipt.sha256,
        "bytes": receipt.bytes,
        "lines": lines,
        "is_duplicate": False,
        "query": None,
    }
