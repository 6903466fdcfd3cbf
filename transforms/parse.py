"""One log file becomes events, line by line accounted for, in chunks of bounded memory.

Each line meets one fate: parsed (it gave an event), ignored (known, no delivery fact) or quarantined (kept, with its
number and the rule that set it aside); the three sum to the lines read. Chunks are opened in file order, as the year
and the repeated hour are carried from line to line, and read by the grammars in worker threads.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import polars as pl

from expectations.tables import ACTIVITY, EVENTS, FINDINGS, LINE_COUNTS, QUARANTINE
from transforms.dialect import Envelope, Grammar, Opened
from transforms.lines import read_lines
from transforms.loss_marks import find_loss_marks

_WORKERS = 2
_IN_FLIGHT = 3
_FATES = ("ignored", "parsed", "quarantined")


@dataclass(frozen=True)
class Parsed:
    """What one chunk of a file gave: frames of EVENTS, QUARANTINE, LINE_COUNTS, ACTIVITY and FINDINGS."""

    events: pl.DataFrame
    quarantine: pl.DataFrame
    line_counts: pl.DataFrame
    activity: pl.DataFrame
    findings: pl.DataFrame


def parse_stream(
    stream: BinaryIO, envelope: Envelope, grammars: Mapping[str, Grammar], source_id: str, uri: str
) -> Iterator[Parsed]:
    """Yield what each chunk of `stream` gives, in file order."""
    with ThreadPoolExecutor(_WORKERS) as workers:
        waiting: deque[Future[Parsed]] = deque()
        for raw in read_lines(stream):
            opened = envelope.open(raw)
            waiting.append(workers.submit(_read_chunk, raw, opened, grammars, source_id, uri))
            if len(waiting) >= _IN_FLIGHT:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _read_chunk(raw: pl.DataFrame, opened: Opened, grammars: Mapping[str, Grammar], source_id: str, uri: str) -> Parsed:
    services = opened.lines["service"].cast(pl.String).unique()
    asides, events = [opened.aside], []
    for grammar in grammars.values():
        owned = services.filter(grammar.owns(services))
        if len(owned):
            is_all = len(owned) == len(services)
            lines = (
                opened.lines
                if is_all
                else opened.lines.filter(pl.col("service").cast(pl.String).is_in(owned.implode()))
            )
            reading = grammar.read(lines)
            events.append(EVENTS.conform(reading.events.with_columns(pl.lit(source_id).alias("source_id"))))
            asides.append(reading.aside)
    event_frame = pl.concat(events) if events else EVENTS.empty()
    aside = pl.concat(asides, how="vertical_relaxed").unique("line_number", keep="first", maintain_order=True)
    quarantine = aside.join(raw, on="line_number", how="left", maintain_order="left").select(
        pl.lit(source_id).alias("source_id"), pl.lit(uri).alias("uri"), "line_number", "reason", "text"
    )
    return Parsed(
        event_frame,
        QUARANTINE.conform(quarantine),
        _line_counts(raw, opened.lines, event_frame["line_number"], aside["line_number"], source_id),
        _activity(opened.lines, source_id),
        find_loss_marks(opened.lines, source_id),
    )


def _line_counts(
    raw: pl.DataFrame, opened: pl.DataFrame, parsed: pl.Series, aside: pl.Series, source_id: str
) -> pl.DataFrame:
    first = raw["line_number"][0]
    fates = np.zeros(raw.height, np.uint8)
    fates[parsed.to_numpy() - first] = 1
    fates[aside.to_numpy() - first] = 2
    fate = pl.Series("fate", fates)
    if opened.height == raw.height:
        lines = opened.select(pl.col("host", "service").cast(pl.String), "logged_at").with_columns(fate)
    else:
        lines = (
            raw.select("line_number")
            .with_columns(fate)
            .join(
                opened.select("line_number", pl.col("host", "service").cast(pl.String), "logged_at"),
                on="line_number",
                how="left",
            )
        )
    at = pl.col("logged_at")
    counts = (
        lines.lazy()
        .group_by("host", "service", "fate")
        .agg(pl.len().alias("lines"), at.min().alias("first_at"), at.max().alias("last_at"))
        .sort("host", "service", "fate")
        .collect()
    )
    names = pl.col("fate").replace_strict(list(range(len(_FATES))), list(_FATES), return_dtype=pl.String)
    return LINE_COUNTS.conform(counts.with_columns(names, pl.lit(source_id).alias("source_id")))


def _activity(opened: pl.DataFrame, source_id: str) -> pl.DataFrame:
    minutes = (
        opened.lazy()
        .group_by(pl.col("host").cast(pl.String), pl.col("logged_at").dt.truncate("1m").alias("minute_at"))
        .len("lines")
        .sort("minute_at", "host")
    )
    return ACTIVITY.conform(minutes.collect().with_columns(pl.lit(source_id).alias("source_id")))


def add_up(line_counts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Add up LINE_COUNTS of several chunks or files: lines of the same key are summed, their stamps spanned."""
    if not line_counts:
        return LINE_COUNTS.empty()
    counts = pl.concat(line_counts).group_by(LINE_COUNTS.key, maintain_order=True)
    return LINE_COUNTS.conform(
        counts.agg(pl.col("lines").sum(), pl.col("first_at").min(), pl.col("last_at").max()).sort(LINE_COUNTS.key)
    )


def merge(parts: Sequence[Parsed]) -> Parsed:
    """Put the chunks of one small log together."""
    return Parsed(
        pl.concat([EVENTS.empty(), *(p.events for p in parts)]),
        pl.concat([QUARANTINE.empty(), *(p.quarantine for p in parts)]),
        add_up([p.line_counts for p in parts]),
        pl.concat([ACTIVITY.empty(), *(p.activity for p in parts)]),
        pl.concat([FINDINGS.empty(), *(p.findings for p in parts)]),
    )
