"""Parse one pulled log file into the warehouse: streamed, in bounded memory, and only once.

What a file gave is kept under its content's id together with a receipt, which names the reader (code and options) that
made it. The receipt is written last: a parse that was cut off leaves none, and is done again.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.tables import ACTIVITY, EVENTS, FINDINGS, QUARANTINE
from mailtoll.warehouse import Warehouse, write_parquet, write_text, written_aside
from sources.compression import open_decompressed
from transforms import compiled
from transforms.clock_findings import find_clock_findings
from transforms.detect import detect
from transforms.dialect import Envelope, Grammar, LogOptions
from transforms.falls import find_falls, in_pieces, piece_starts
from transforms.lines import read_lines
from transforms.mixed import MixedEnvelope
from transforms.parse import Parsed, add_up, are_in_order, parse_stream
from transforms.registry import ENVELOPES, GRAMMARS

# Enough lines to see what a file begins with, few enough to cost nothing.
_SAMPLE_BYTES = 1 << 20
_SAMPLE_LINES = 4_000
_TRANSFORMS = Path(__file__).parents[1] / "transforms"
# How events are kept: they are written once and read a few times, which compression would slow down, and nobody
# searches by statistics but for a range of queue files. Repetitions are sought where there are some.
_EVENTS_FILE = {
    "compression": "none",
    "write_statistics": ["queue_file"],
    "store_schema": False,
    "use_dictionary": ["source_id", "host", "kind", "status", "dsn", "relay", "reply", "recipient_count"],
}
# Which envelopes a format comes in; syslog carries three of them.
_ENVELOPES_OF = {
    "auto": ("syslog", "exim", "exchange"),
    "postfix": ("syslog",),
    "sendmail": ("syslog",),
    "exim": ("exim", "syslog"),
    "exchange": ("exchange",),
}


def parse_pulled(warehouse: Warehouse, source: Mapping[str, Any]) -> dict[str, Any]:
    """Parse the file of one INPUTS row; return its receipt (rows and lines by fate, digest, what was detected)."""
    reader = _reader(str(source["format"]), str(source["timezone"]), source["year"], _is_second_pass(source))
    before = read_receipt(warehouse, source["source_id"])
    if before and before["reader"] == reader:
        return before
    receipt = {"reader": reader, **_parse(warehouse, source)}
    write_text(json.dumps(receipt, sort_keys=True), _receipt_path(warehouse, source["source_id"]), is_restricted=True)
    return receipt


def read_receipt(warehouse: Warehouse, source_id: str) -> dict[str, Any] | None:
    """Return the receipt of the last parse of a file, whichever reader made it; None: there was none."""
    try:
        receipt: dict[str, Any] = json.loads(_receipt_path(warehouse, source_id).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return receipt


def _receipt_path(warehouse: Warehouse, source_id: str) -> Path:
    return warehouse.folder / "parsed" / f"{source_id}.json"


def _parse(warehouse: Warehouse, source: Mapping[str, Any]) -> dict[str, Any]:
    source_id, path = str(source["source_id"]), warehouse.kept(str(source["path"]))
    folder = Path(str(source["uri"])).parent.name
    options = LogOptions(str(source["timezone"]), source["year"], folder, _is_second_pass(source))
    declared = str(source["format"])
    grammars = GRAMMARS if declared == "auto" else {declared: GRAMMARS[declared]}
    envelope, likely = _envelope(path, declared, options)
    if likely == "syslog" and source["lines"] >= compiled.PAYS_FROM_LINES:
        compiled.load()
    with ExitStack() as stack:
        stream = stack.enter_context(open_decompressed(path))
        events = stack.enter_context(written_aside(warehouse.part("events", source_id), is_restricted=True))
        writer = stack.enter_context(pq.ParquetWriter(events, _arrow([]).schema, **_EVENTS_FILE))
        # One chunk is written while the next is read.
        writing = stack.enter_context(ThreadPoolExecutor(1))
        written: Future[None] | None = None
        rest: list[Parsed] = []
        for part in parse_stream(stream, envelope, grammars, source_id, str(source["uri"])):
            if written:
                written.result()
            written = writing.submit(writer.write_table, _arrow(part.pieces))
            rest.append(replace(part, pieces=[]))
        if written:
            written.result()
        writer.close()
    falls = [] if are_in_order(rest) else find_falls(warehouse.part("events", source_id))
    if starts := piece_starts(falls):
        _tell_pieces(warehouse.part("events", source_id), starts)
    clocks = find_clock_findings(warehouse.part("events", source_id), falls, source_id, str(source["uri"]))
    counts = add_up([p.line_counts for p in rest])
    for declaration, frames in (
        (QUARANTINE, [p.quarantine for p in rest]),
        (ACTIVITY, [p.activity for p in rest]),
        (FINDINGS, [*(p.findings for p in rest), clocks]),
    ):
        write_parquet(pl.concat([declaration.empty(), *frames]), warehouse.part(declaration.name, source_id))
    write_parquet(counts, warehouse.part("line_counts", source_id))
    dialects = _lines_by_dialect(counts, grammars)
    fates = dict(counts.group_by("fate").agg(pl.col("lines").sum()).iter_rows())
    return {
        "source_id": source_id,
        "events": pq.read_metadata(warehouse.part("events", source_id)).num_rows,
        **{fate: int(fates.get(fate, 0)) for fate in ("parsed", "ignored", "quarantined")},
        "format": declared if declared != "auto" else "+".join(dialects) or "none",
        "dialect_lines": ", ".join(f"{lines} {dialect}" for dialect, lines in dialects.items()) or "no mail server's",
        "first_at": _stamp(counts["first_at"].min()),
        "last_at": _stamp(counts["last_at"].max()),
        "digest": sha256(counts.write_csv().encode()).hexdigest(),
    }


def _arrow(events: Sequence[pl.DataFrame]) -> pa.Table:
    """Hand frames of EVENTS over without copying them."""
    return pa.concat_tables(f.to_arrow(compat_level=pl.CompatLevel.newest()) for f in (EVENTS.empty(), *events))


def _tell_pieces(path: Path, starts: Sequence[int]) -> None:
    """Write a file of events anew, with the pieces of the log that were joined in it told apart."""
    with (
        written_aside(path, is_restricted=True) as aside,
        pq.ParquetFile(path) as file,
        pq.ParquetWriter(aside, _arrow([]).schema, **_EVENTS_FILE) as writer,
    ):
        for group in range(file.num_row_groups):
            writer.write_table(_arrow([in_pieces(EVENTS.conform(pl.DataFrame(file.read_row_group(group))), starts)]))


def _envelope(path: Path, declared: str, options: LogOptions) -> tuple[Envelope, str]:
    """Return what opens the lines of a file, and the name of the envelope that it is likely to need, by a sample."""
    names = _ENVELOPES_OF[declared]
    if len(names) == 1:
        return ENVELOPES[names[0]](options), names[0]
    with open_decompressed(path) as stream:
        sample = next(read_lines(stream, _SAMPLE_BYTES), None)
    seen = detect(sample["text"].head(_SAMPLE_LINES)).envelope if sample is not None else names[0]
    likely = seen if seen in names else names[0]
    return MixedEnvelope({name: ENVELOPES[name](options) for name in names}, likely), likely


def _lines_by_dialect(counts: pl.DataFrame, grammars: Mapping[str, Grammar]) -> dict[str, int]:
    """Count the lines of each dialect's services, whatever became of them; the dialect with most lines first."""
    named = counts.drop_nulls("service")
    lines = {name: int(named.filter(g.owns(named["service"]))["lines"].sum()) for name, g in grammars.items()}
    return {name: count for name, count in sorted(lines.items(), key=lambda item: -item[1]) if count}


def _stamp(value: object) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else None


@cache
def _reader(declared: str, timezone: str, year: int | None, is_second_pass: bool) -> str:
    """Fingerprint what decides how a file is read: the code of the transforms room, and the options."""
    code = sha256()
    for file in sorted(_TRANSFORMS.glob("*.py")):
        code.update(file.read_bytes())
    return f"{code.hexdigest()[:16]} {declared} {timezone} {year}{' second pass' if is_second_pass else ''}"


def _is_second_pass(source: Mapping[str, Any]) -> bool:
    return bool(source.get("is_second_pass"))  # rows that earlier vintages kept lack it
