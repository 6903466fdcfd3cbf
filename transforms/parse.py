"""One log file becomes events, line by line accounted for, in chunks of bounded memory.

Each line meets one fate: parsed (it gave an event), ignored (known, no delivery fact) or quarantined (kept, with its
number and the rule that set it aside); the three sum to the lines read. Chunks are opened in file order, as the year
and the repeated hour are carried from line to line, and read by the grammars in worker threads.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import BinaryIO

import numpy as np
import polars as pl

from expectations.tables import ACTIVITY, EVENTS, FINDINGS, LINE_COUNTS, QUARANTINE
from sources.domains import ascii_domains
from transforms.dialect import Envelope, Grammar, Opened
from transforms.falls import is_in_order
from transforms.lines import CHUNK_BYTES, read_lines
from transforms.loss_marks import find_loss_marks
from transforms.queue_files import QueueFiles, Told, read_queue_files
from transforms.spans import Mask
from transforms.tally import count_activity, count_lines

_WORKERS = 2
_IN_FLIGHT = 3


@dataclass(frozen=True)
class Parsed:
    """What one chunk of a file gave: frames of EVENTS, QUARANTINE, LINE_COUNTS, ACTIVITY and FINDINGS.

    Events come in `pieces`, as putting frames together copies them. `is_in_order`: no line's time lies clearly before
    that of a line before it (`falls.py`).
    """

    pieces: Sequence[pl.DataFrame]
    quarantine: pl.DataFrame
    line_counts: pl.DataFrame
    activity: pl.DataFrame
    findings: pl.DataFrame
    is_in_order: bool

    @cached_property
    def events(self) -> pl.DataFrame:
        """All events in one frame."""
        return pl.concat([EVENTS.empty(), *self.pieces])


def parse_stream(
    stream: BinaryIO,
    envelope: Envelope,
    grammars: Mapping[str, Grammar],
    source_id: str,
    uri: str,
    chunk_bytes: int = CHUNK_BYTES,
) -> Iterator[Parsed]:
    """Yield what each chunk of `stream` gives, in file order."""
    queue_files = QueueFiles()
    with ThreadPoolExecutor(_WORKERS) as workers:
        waiting: deque[Future[tuple[Parsed, Told]]] = deque()
        for raw in read_lines(stream, chunk_bytes):
            opened = _by_category(envelope.open(raw))
            waiting.append(workers.submit(_read_chunk, raw, opened, grammars, source_id, uri))
            if len(waiting) >= _IN_FLIGHT:
                yield _numbered(waiting.popleft(), queue_files)
        while waiting:
            yield _numbered(waiting.popleft(), queue_files)


def _numbered(read: Future[tuple[Parsed, Told]], queue_files: QueueFiles) -> Parsed:
    """Give events the numbers of their queue files, which are carried from chunk to chunk."""
    parsed, told = read.result()
    return replace(parsed, pieces=queue_files.number(told))


def _by_category(opened: Opened) -> Opened:
    """Make numbers of the names of hosts and services, where the envelope has not."""
    return Opened(opened.lines.with_columns(pl.col("host", "service").cast(pl.Categorical)), opened.aside)


def _read_chunk(
    raw: pl.DataFrame, opened: Opened, grammars: Mapping[str, Grammar], source_id: str, uri: str
) -> tuple[Parsed, Told]:
    services = opened.lines["service"].unique()
    names = services.cast(pl.String)
    asides, events = [opened.aside], list[pl.DataFrame]()
    for grammar in grammars.values():
        is_owned = grammar.owns(names)
        if is_owned.any():
            lines = opened.lines
            if not is_owned.all():
                lines = lines[np.flatnonzero(_is_in(lines["service"], services.filter(is_owned)))]
            reading = grammar.read(lines)
            frames = [frame for frame in (*reading.apart, reading.events) if frame.height]
            found = (EVENTS.conform(frame.with_columns(pl.lit(source_id).alias("source_id"))) for frame in frames)
            events += map(_in_ascii_domains, found)
            asides.append(reading.aside)
    told = pl.concat([EVENTS.empty()["line_number"], *(frame["line_number"] for frame in events)])
    aside = pl.concat(asides, how="vertical_relaxed").unique("line_number", keep="first", maintain_order=True)
    parsed = Parsed(
        events,
        _quarantine(raw, aside, source_id, uri),
        count_lines(raw, opened.lines, told, aside["line_number"], source_id),
        count_activity(opened.lines, source_id),
        find_loss_marks(opened.lines, source_id),
        is_in_order(opened.lines["logged_at"]),
    )
    return parsed, read_queue_files(events)


def _is_in(service: pl.Series, some: pl.Series) -> Mask:
    return np.isin(service.to_physical().to_numpy(), some.to_physical().to_numpy())


def _quarantine(raw: pl.DataFrame, aside: pl.DataFrame, source_id: str, uri: str) -> pl.DataFrame:
    texts = raw["text"].gather(aside["line_number"] - raw["line_number"][0])
    # Copied, as each text would otherwise hold on to its whole chunk.
    own = pl.Series("text", texts.to_list(), pl.String)
    return QUARANTINE.conform(aside.with_columns(own, pl.lit(source_id).alias("source_id"), pl.lit(uri).alias("uri")))


def _in_ascii_domains(events: pl.DataFrame) -> pl.DataFrame:
    """Return EVENTS whose recipients have their domains as customer records have them, `xn--…`."""
    return events.with_columns(ascii_domains(events[name]) for name in ("recipient", "original_recipient"))


def add_up(line_counts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Add up LINE_COUNTS of several chunks or files: lines of the same key are summed, their stamps spanned."""
    if not line_counts:
        return LINE_COUNTS.empty()
    counts = pl.concat(line_counts).group_by(LINE_COUNTS.key, maintain_order=True)
    return LINE_COUNTS.conform(
        counts.agg(pl.col("lines").sum(), pl.col("first_at").min(), pl.col("last_at").max()).sort(LINE_COUNTS.key)
    )


def are_in_order(parts: Sequence[Parsed]) -> bool:
    """Say whether no line's time lies clearly before that of a line before it, in one chunk or in several."""
    spans = [p.line_counts.select(pl.col("first_at").min(), pl.col("last_at").max()) for p in parts]
    edges = pl.concat([LINE_COUNTS.empty().select("first_at", "last_at"), *spans]).drop_nulls()
    firsts_and_lasts = edges.select(pl.concat_list(pl.all())).to_series().explode()
    return all(p.is_in_order for p in parts) and is_in_order(firsts_and_lasts)


def merge(parts: Sequence[Parsed]) -> Parsed:
    """Put the chunks of one small log together."""
    return Parsed(
        [piece for p in parts for piece in p.pieces],
        pl.concat([QUARANTINE.empty(), *(p.quarantine for p in parts)]),
        add_up([p.line_counts for p in parts]),
        pl.concat([ACTIVITY.empty(), *(p.activity for p in parts)]),
        pl.concat([FINDINGS.empty(), *(p.findings for p in parts)]),
        are_in_order(parts),
    )
