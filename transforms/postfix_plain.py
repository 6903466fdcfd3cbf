"""Postfix's plain lines, read in one pass by machine code (`kernels.py`): what fills gigabytes.

Rules
- The shapes are those of `postfix_attempts.py` and `postfix_facts.py`, and plain means what it means in `template.py`.
- A line that states no fact at all is ignored, as in `postfix.py`. Every other line is left to that.
- Reading gives the events that those modules give, which tests hold them to.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from transforms.next_leg import NAMES_NEXT_LEG, REPLY_CHARACTERS, next_leg
from transforms.postfix_attempts import DISCARD, FORWARDED, MEANT, SHAPES, STATUS
from transforms.postfix_bodies import same, written_by
from transforms.postfix_facts import FACTS, FIRST_LETTERS, LONGEST_BEGINNING, LONGEST_ID, end_kinds
from transforms.postfix_refusals import REFUSALS
from transforms.spans import Bytes, Mask, Places, Spans, first_letters, strings_of
from transforms.template import parsed

# First letters of what stands where a queue id would, and is none.
NO_QUEUE_ID = ("warn", "erro", "fata", "pani", "NOQU")
# Each kind of event has a table, which the templates of its lines fill.
_TEMPLATES = (*((0, shape) for shape in SHAPES), *enumerate((fact.shape for fact in FACTS if fact.shape), start=1))
_KINDS = ("attempted", *(fact.kind for fact in FACTS if fact.shape))
_LOWERED = ("sender", "recipient", "original_recipient")
_kept = threading.local()
_SENT = tuple(STATUS).index("sent")


@dataclass(frozen=True)
class _Program:
    """The templates as arrays for `kernels.cut_facts`; `texts` and `numbers` are the fields, as table and name."""

    letters: tuple[NDArray[np.uint32], NDArray[np.uint32], int, int]
    templates: tuple[NDArray[np.uint32], Places, Places, NDArray[np.int64], Bytes]
    words: tuple[Bytes, Places, int, Bytes, Places]
    texts: tuple[tuple[int, str], ...]
    numbers: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class _Tables:
    """What was cut: `rows` of lines by table, fields by slot; `counts` says how many rows each table has.

    `status` and `may_name` say of attempts which word was read, and whether a reply may name a queue file.
    """

    program: _Program
    block: Bytes
    counts: Places
    cased: Bytes
    rows: NDArray[np.int64]
    texts: NDArray[np.uint64]
    is_there: Mask
    numbers: NDArray[np.float64]
    status: NDArray[np.int8]
    may_name: Mask


def read_plain(lines: pl.DataFrame, loops: ModuleType) -> tuple[list[pl.DataFrame], Places]:
    """Read opened lines of Postfix services: their events, kind by kind, and the numbers of the lines left."""
    text, of = Spans.long(lines["text"])
    tables, is_left = _cut(text, loops)
    heads = lines.select("line_number", "logged_at", "host", "service")
    frames = []
    for table, kind in enumerate(_KINDS):
        rows = tables.rows[table, : tables.counts[table]]
        if len(rows):
            frame = heads[of[rows]].with_columns(same("kind", kind, len(rows)), **dict(_fields(tables, table)))
            frames.append(_FINISHED.get(kind, _as_it_is)(frame, tables).drop("service"))
    left = np.ones(lines.height, bool)
    left[of] = is_left
    return frames, np.flatnonzero(left)


def _cut(text: Spans, loops: ModuleType) -> tuple[_Tables, Mask]:
    """Cut texts into tables; say which are left."""
    count, program = len(text), _program(loops)
    tables = _Tables(
        program,
        text.block,
        np.zeros(len(_KINDS), np.int64),
        np.zeros(len(program.texts), np.uint8),
        *_room(count, program),
    )
    is_left = np.empty(count, bool)
    loops.cut_facts(
        *(text.block, text.start, text.end, program.letters, program.templates, program.words),
        (tables.rows, tables.texts, tables.is_there, tables.numbers),
        *(tables.status, tables.may_name, tables.cased, tables.counts, is_left),
    )
    return tables, is_left


def _room(count: int, program: _Program) -> tuple[NDArray[Any], ...]:
    """Return arrays to cut into, the same ones each time in a thread: fresh memory would cost more than the cutting."""
    if getattr(_kept, "count", -1) < count:
        _kept.count = count
        _kept.arrays = (
            np.empty((len(_KINDS), count), np.int64),
            np.empty((len(program.texts), count, 2), np.uint64),
            np.empty((len(program.texts), count), bool),
            np.empty((len(program.numbers), count)),
            np.empty(count, np.int8),
            np.empty(count, bool),
        )
    arrays: tuple[NDArray[Any], ...] = _kept.arrays
    return arrays


def _fields(tables: _Tables, table: int) -> Iterator[tuple[str, pl.Series]]:
    count = tables.counts[table]
    for slot, (of, name) in enumerate(tables.program.texts):
        if of == table:
            is_there = tables.is_there[slot, :count]
            column = strings_of(tables.texts[slot, :count].copy(), tables.block, None if is_there.all() else is_there)
            yield name, column.str.to_lowercase() if name in _LOWERED and tables.cased[slot] else column
    for slot, (of, name) in enumerate(tables.program.numbers):
        if of == table:
            column = pl.Series(tables.numbers[slot, :count].copy())
            yield name, column.cast(pl.Int64, strict=False) if name == "recipient_count" else column


def _attempted(frame: pl.DataFrame, tables: _Tables) -> pl.DataFrame:
    """Say how each attempt went, and which queue file its reply names."""
    written, may_name = (values[: frame.height] for values in (tables.status, tables.may_name))
    status = np.array([MEANT.index(meant) for meant in STATUS.values()])[written]
    legs = pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
    naming = np.flatnonzero(may_name)
    if len(naming):
        slot = tables.program.texts.index((0, "reply"))
        replies = strings_of(tables.texts[slot, naming], tables.block)
        legs = legs.scatter(naming, pl.select(next_leg(pl.lit(replies))).to_series())
        status[naming[replies.str.starts_with(FORWARDED).to_numpy()]] = MEANT.index("forwarded")
    is_nowhere = (frame["relay"] == "none").to_numpy() & (written == _SENT)
    status[is_nowhere | written_by(frame["service"], DISCARD)] = MEANT.index("discarded")
    return frame.with_columns(
        pl.Series(MEANT).gather(status).alias("status"),
        legs.alias("related_queue_id"),
        pl.col("reply").str.head(REPLY_CHARACTERS),
    )


def _removed(frame: pl.DataFrame, _: _Tables) -> pl.DataFrame:
    return frame.with_columns(end_kinds(frame["service"]).alias("kind"))


def _as_it_is(frame: pl.DataFrame, _: _Tables) -> pl.DataFrame:
    return frame


_FINISHED = {"attempted": _attempted, "removed": _removed}


@cache
def _program(loops: ModuleType) -> _Program:
    kinds = {"word": loops.WORD, "address": loops.ADDRESS, "number": loops.NUMBER, "text": loops.STATUS}
    read = [(table, _named(*parsed(shape))) for table, shape in _TEMPLATES]
    texts = tuple(dict.fromkeys((t, name) for t, fields in read for name, kind, _ in fields if kind != "number"))
    numbers = tuple(
        dict.fromkeys((t, name) for t, fields in read for name, kind, _ in fields if kind == "number" and name)
    )
    operations, firsts, literals = [], [0], b""
    for table, fields in read:
        for name, kind, literal in fields:
            slots = numbers if kind == "number" else texts
            slot = slots.index((table, name)) if name else -1
            end = len(literals) + len(literal)
            operations.append((kinds.get(kind, loops.QUEUE_ID), slot, len(literals), end))
            literals += literal.encode()
        names = [name for name, _, _ in fields]
        absent = [slot for slot, (of, name) in enumerate(texts) if of == table and name not in names]
        operations += [(loops.ABSENT, slot, 0, 0) for slot in absent]
        firsts.append(len(operations))
    return _Program(
        (_letters(NO_QUEUE_ID), _letters(("to=<", *FIRST_LETTERS, *REFUSALS)), LONGEST_ID, LONGEST_BEGINNING),
        (
            _letters([shape for _, shape in _TEMPLATES]),
            np.array([table for table, _ in _TEMPLATES]),
            np.array(firsts),
            np.array(operations),
            np.frombuffer(literals, np.uint8),
        ),
        (*_joined(tuple(STATUS)), _SENT, *_joined(NAMES_NEXT_LEG)),
        texts,
        numbers,
    )


def _named(begin: str, fields: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Put the queue id before a template's fields, and call the text behind them the reply."""
    return [
        ("queue_id", "", begin),
        *((name or "reply" * (kind == "text"), kind, literal) for name, kind, literal in fields),
    ]


def _letters(texts: Sequence[str]) -> NDArray[np.uint32]:
    return np.array([first_letters(text) for text in texts], np.uint32)


def _joined(texts: Sequence[str]) -> tuple[Bytes, Places]:
    """Return texts one behind the other, and where each ends."""
    return np.frombuffer("".join(texts).encode(), np.uint8), np.cumsum([len(text) for text in texts])
