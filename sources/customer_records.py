"""Pull the customer records: bytes kept as received, columns checked, spellings made one where that is safe.

Safe means that no two different things can become one: spaces around a value go, mailbox and address are put in lower
case with their domain in ASCII, an empty text is no value, a row that stands twice word for word is kept once. What is
missing or contradictory stays as it is: a gate judges it.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from expectations.tables import CUSTOMER_RECORDS, INPUTS
from sources.domains import ascii_domain
from sources.locate import locate
from sources.log_spec import RecordsSpec
from sources.raw_store import Receipt, keep
from sources.records_database import find_table
from sources.records_file import read_records
from transforms.errors import BadInput

RECORD_COLUMNS = tuple(CUSTOMER_RECORDS.schema)
# The grid has these rows of its own; a segment of that name would be taken for them.
RESERVED_SEGMENTS = ("all", "unmatched")


@dataclass(frozen=True)
class PulledRecords:
    """Customer records (columns of CUSTOMER_RECORDS) and the one INPUTS row that says where they came from."""

    records: pl.DataFrame
    inputs: pl.DataFrame


def pull_customer_records(spec: RecordsSpec, into: Path) -> PulledRecords:
    """Copy the records that `spec` names into the run's folder `into` and read them.

    CSV (UTF-8, also compressed), Parquet, or a table of a database, of which a CSV of the contract's columns is kept.
    `BadInput`: no such file or table, a column missing or unknown, a date that is none, a segment with a reserved name.
    """
    query = None
    if spec.uri is None:
        found, query = find_table(spec, RECORD_COLUMNS)
    else:
        matches = locate(spec.uri, spec.base, spec.named_in, spec.connection)
        if len(matches) > 1:
            raise BadInput(f"{spec.named_in}: customers.uri {spec.uri!r} matches {len(matches)} files; name one.")
        found = matches[0]
    receipt = keep(found, into, spec.named_in)
    raw, kind = read_records(into / receipt.path, found.uri, RECORD_COLUMNS)
    records = conformed(raw)
    _refuse_reserved(records, found.uri)
    lines = raw.height if kind == "parquet" else receipt.lines
    kind = "database" if spec.uri is None else kind
    return PulledRecords(records, _inputs(found.uri, receipt, lines, kind, query))


def conformed(raw: pl.DataFrame) -> pl.DataFrame:
    """Return records in their declared types and one spelling; `raw` has texts, and dates for the days of validity."""
    texts = ("account_id", "customer_id", "segment", "mailbox", "address")
    stripped = raw.with_columns(pl.col(texts).str.strip_chars().replace("", None))
    spelled = stripped.with_columns(_one_spelling(stripped[name]) for name in ("mailbox", "address"))
    return CUSTOMER_RECORDS.conform(spelled).unique(maintain_order=True)


def _one_spelling(addresses: pl.Series) -> pl.Series:
    """Return addresses in lower case; a domain with other than ASCII letters is put in its ASCII form."""
    lowered = addresses.str.to_lowercase()
    foreign = lowered.filter(lowered.str.contains(r"[^\x00-\x7F]")).unique().drop_nulls()
    if foreign.is_empty():
        return lowered
    return lowered.replace({a: _ascii_address(a) for a in foreign})


def _ascii_address(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{ascii_domain(domain)}" if at else address


def _refuse_reserved(records: pl.DataFrame, uri: str) -> None:
    taken = records.filter(pl.col("segment").is_in(RESERVED_SEGMENTS))
    if taken.height:
        raise BadInput(
            f"{uri}: segment {taken['segment'][0]!r} is a word of the report itself; name the segment otherwise."
        )


def _inputs(uri: str, receipt: Receipt, lines: int, kind: str, query: str | None) -> pl.DataFrame:
    row = {
        "uri": uri,
        "kind": "customer_records",
        "source_id": receipt.source_id,
        "path": receipt.path,
        "sha256": receipt.sha256,
        "bytes": receipt.bytes,
        "lines": lines,
        "is_duplicate": False,
        "format": kind,
        "query": query,
    }
    return INPUTS.conform(pl.DataFrame([row], schema_overrides={"query": pl.String}))
