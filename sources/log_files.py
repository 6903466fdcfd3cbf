"""Pull an incident's log files and queue listings: which they are, their fingerprints, and which repeat another.

The answer does not depend on the order of entries or folders: files are listed by kind and name. Two files that hold
the same decompressed bytes are one: the first is read, the later ones are marked as duplicates.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from expectations.tables import FINDINGS, INPUTS
from sources.addresses import is_remote
from sources.errors import BadInput
from sources.locate import Found, locate
from sources.log_spec import LogSpec, refuse_other_options
from sources.pulled import Pulled
from sources.raw_store import forget, incoming, receipt_of, receive, settle

# Two at a time: one waits for its disk or server while another is unpacked.
_AT_ONCE = 2


def pull_logs(specs: Iterable[LogSpec], into: Path) -> pl.DataFrame:
    """Copy every file that `specs` name into the run's folder `into`; return their INPUTS rows, sorted by kind and uri.

    `path` is relative to `into`; `first_at` and `last_at` are left null (parsing knows them); `format`, `timezone` and
    `year` are as declared, so that `year` is that of the entry's first file in time. `BadInput`: nothing matches, a
    file can't be read or vanished, an archive unpacks beyond reason, or two entries claim one file with different
    options.
    """
    given = list(specs)
    followed = [s for s in given if s.kind == "log" and (s.follows or is_remote(s.uri))]
    pulled = [*_pull_as_they_are([s for s in given if s not in followed], into), *_pull_followed(followed, into)]
    rows: list[dict[str, object]] = []
    seen: set[tuple[str, str]] = set()
    for file in sorted(pulled, key=lambda f: (f.spec.kind, f.uri)):
        if rows and (rows[-1]["kind"], rows[-1]["uri"]) == (file.spec.kind, file.uri):
            raise BadInput(
                f"{file.spec.named_in}: {file.uri!r} is named by an entry that follows it and by one that does not; "
                "make the patterns exclude each other."
            )
        key = (file.spec.kind, file.receipt.source_id)
        rows.append(_row(file) | {"is_duplicate": key in seen})
        seen.add(key)
    return INPUTS.conform(pl.DataFrame(rows, schema=dict(INPUTS.schema))) if rows else INPUTS.empty()


def pull_findings(inputs: pl.DataFrame, into: Path) -> pl.DataFrame:
    """Return the FINDINGS about pulled files: archives that are cut off or damaged, files that hold nothing."""
    rows = []
    for row in inputs.filter(pl.col("kind") != "customer_records").iter_rows(named=True):
        receipt = receipt_of(row["sha256"], row["bytes"], into)
        if receipt and receipt.is_truncated:
            detail = (
                f"{row['uri']}: the archive is cut off or damaged; the {row['lines']} lines that it yields were read"
            )
            rows.append({"code": "truncated_file", "source_id": row["source_id"], "detail": detail})
        if row["lines"] == 0:
            rows.append(
                {"code": "empty_file", "source_id": row["source_id"], "detail": f"{row['uri']}: the file is empty"}
            )
    return FINDINGS.conform(pl.DataFrame(rows, schema=dict(FINDINGS.schema)))


def edge_lines(inputs: pl.DataFrame, into: Path) -> dict[str, tuple[str, str]]:
    """Return the first and the last line that is not blank of each pulled file, by `source_id`."""
    edges = {}
    for row in inputs.iter_rows(named=True):
        receipt = receipt_of(row["sha256"], row["bytes"], into)
        if receipt:
            edges[receipt.source_id] = (receipt.first_line, receipt.last_line)
    return edges


def _pull_as_they_are(specs: Iterable[LogSpec], into: Path) -> list[Pulled]:
    """Copy whole files, as they stand now."""
    chosen = _chosen(specs)
    with incoming(into) as folder, ThreadPoolExecutor(_AT_ONCE) as pool:
        arrivals = pool.map(lambda c: receive(c[1], folder, into, c[0].named_in), chosen)
        receipts = [settle(arrival, into) for arrival in arrivals]
    return [Pulled(spec, found.uri, receipt) for (spec, found), receipt in zip(chosen, receipts, strict=True)]


def _pull_followed(specs: list[LogSpec], into: Path) -> list[Pulled]:
    """Pull what is new of files that grow; drop the kept bytes that longer ones now hold."""
    if not specs:
        return []
    from sources.follow import pull_followed  # plain files do without it, and without fsspec

    with incoming(into) as folder:
        followed = pull_followed(specs, folder, into)
    for receipt in followed.needless:
        forget(receipt, into)
    return followed.files


def _chosen(specs: Iterable[LogSpec]) -> list[tuple[LogSpec, Found]]:
    """Return each file once with the entry that names it, sorted by kind and listed name."""
    chosen: dict[tuple[str, str], tuple[LogSpec, Found]] = {}
    for spec in specs:
        for found in locate(spec.uri, spec.base, spec.named_in, spec.connection):
            earlier = chosen.setdefault((spec.kind, found.uri), (spec, found))[0]
            refuse_other_options(earlier, spec, found.uri)
    return [chosen[key] for key in sorted(chosen)]


def _row(file: Pulled) -> dict[str, object]:
    spec, receipt = file.spec, file.receipt
    is_log = spec.kind == "log"
    return {
        "uri": file.uri,
        "kind": spec.kind,
        "source_id": receipt.source_id,
        "path": receipt.path,
        "sha256": receipt.sha256,
        "bytes": receipt.bytes,
        "lines": receipt.lines,
        "format": spec.format if is_log else None,
        "timezone": spec.timezone if is_log else None,
        "year": spec.year if is_log else None,
    }
