"""Which lines of a log file speak of one and the same queue file, as far as that log file tells?

Short queue ids are used again (trap 6). Whoever reads a log from its beginning sees where: after a line that ends a
queue file, or with an arrival, the id stands for a new one. Queue files are numbered so in the order in which they
begin. What another log file tells of an id is not looked at; 07_linked.sql does that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

# Queue files of which nobody knows whether more will follow: so many are remembered, the latest. A log without lines
# that end a queue file would fill the memory otherwise; an older one is then seen to go on under a new number.
_MOST_OPEN = 500_000
_ENDS = ("removed", "ended", "deleted", "requeued")
Numbers = np.ndarray
Mask = np.ndarray
_NOTHING = np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, bool), np.empty(0, bool)


@dataclass(frozen=True)
class Told:
    """What one chunk tells of queue files: its events by queue file, then in the order of the file.

    `order` are places among the `counts` events that the pieces hold about queue files. `starts` marks each event with
    which a queue file begins or is first spoken of: `started` is its key, `place` where that is in the file, `goes_on`
    whether it may be known from earlier chunks. `is_last` marks the last event of each key: `last` is that key,
    `is_open` whether more of the queue file may follow.
    """

    pieces: Sequence[pl.DataFrame]
    counts: list[int]
    order: Numbers
    starts: Mask
    started: Numbers
    place: Numbers
    goes_on: Mask
    is_last: Mask
    last: Numbers
    is_open: Mask


def read_queue_files(pieces: Sequence[pl.DataFrame]) -> Told:
    """Read what frames of EVENTS, those of one chunk, tell of queue files; other chunks are not looked at."""
    about = [_read(piece) for piece in pieces]
    key, place, is_begin, is_end = (np.concatenate(column) for column in zip(_NOTHING, *about, strict=True))
    order = _by_key_and_place(key, place)
    key, place, is_begin, is_end = key[order], place[order], is_begin[order], is_end[order]
    is_last = np.ones(len(key), bool)
    is_last[:-1] = key[1:] != key[:-1]
    is_first, is_after_end = np.ones(len(key), bool), np.zeros(len(key), bool)
    is_first[1:], is_after_end[1:] = is_last[:-1], is_end[:-1]
    starts = is_first | is_begin | is_after_end
    return Told(
        pieces=pieces,
        counts=[len(found[0]) for found in about],
        order=order,
        starts=starts,
        started=key[starts],
        place=place[starts],
        goes_on=(is_first & ~is_begin)[starts],
        is_last=is_last,
        last=key[is_last],
        is_open=~is_end[is_last],
    )


class QueueFiles:
    """Numbers the queue files of one log file; chunks must come in the order of the file."""

    def __init__(self) -> None:
        self._next = 0
        self._open = np.empty(0, np.uint64), np.empty(0, np.int64)  # keys in order, and their numbers

    def number(self, told: Told) -> list[pl.DataFrame]:
        """Return the frames of EVENTS of a chunk with their `queue_file`; null where they name no queue id."""
        of_event = np.empty(len(told.order), np.int64)
        if len(told.order):
            in_order = self._numbers(told)[np.cumsum(told.starts) - 1]
            self._remember(told.last, in_order[told.is_last], told.is_open)
            of_event[told.order] = in_order
        ends = np.cumsum(told.counts)
        return [
            _with(piece, of_event[end - count : end])
            for piece, count, end in zip(told.pieces, told.counts, ends, strict=True)
        ]

    def _numbers(self, told: Told) -> Numbers:
        """Return the number of each start's queue file: what goes on has one, others get the next in file order."""
        number = np.full(len(told.started), -1, np.int64)
        open_keys, open_numbers = self._open
        if len(open_keys):
            at = np.minimum(np.searchsorted(open_keys, told.started), len(open_keys) - 1)
            goes_on = told.goes_on & (open_keys[at] == told.started)
            number[goes_on] = open_numbers[at[goes_on]]
        is_new = number < 0
        new = np.flatnonzero(is_new)[np.argsort(told.place[is_new])]
        number[new] = self._next + np.arange(len(new))
        self._next += len(new)
        return number

    def _remember(self, keys: Numbers, numbers: Numbers, is_open: Numbers) -> None:
        """Put the last queue file of each key in place of those before it."""
        old_keys, old_numbers = self._open
        if len(old_keys):
            at = np.minimum(np.searchsorted(keys, old_keys), len(keys) - 1)
            is_untold = keys[at] != old_keys
            old_keys, old_numbers = old_keys[is_untold], old_numbers[is_untold]
        keys = np.concatenate([old_keys, keys[is_open]])
        numbers = np.concatenate([old_numbers, numbers[is_open]])
        if len(keys) > _MOST_OPEN:
            is_late = numbers >= np.partition(numbers, -_MOST_OPEN)[-_MOST_OPEN]
            keys, numbers = keys[is_late], numbers[is_late]
        order = np.argsort(keys, kind="stable")
        self._open = keys[order], numbers[order]


def _by_key_and_place(key: Numbers, place: Numbers) -> Numbers:
    """Return the order by key, then by place, then as they come: one line may state several facts.

    Keys are hashes: their first bits nearly always tell them apart, and leave room for the place in one number, which
    is sorted eight times as fast.
    """
    by_place = np.argsort(place, kind="stable")
    bits = np.uint64(len(place).bit_length())
    rank = np.arange(len(place), dtype=np.uint64)
    both = (key[by_place] >> bits << bits) | rank
    both.sort()
    order = by_place[both & ((np.uint64(1) << bits) - np.uint64(1))]
    is_alike = both[1:] >> bits == both[:-1] >> bits
    if (key[order[1:]] != key[order[:-1]])[is_alike].any():
        order = by_place[np.argsort(key[by_place], kind="stable")]
    return order


def _read(piece: pl.DataFrame) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Return of each event about a queue file: a hash of its host and id, its place, whether it begins or ends it."""
    read = piece.lazy().filter(_names_queue_file())
    kind = pl.col("kind")
    found = read.select(
        (pl.col("queue_id").hash() ^ pl.col("host").hash(1)).alias("key"),
        # An arrival comes first and an end last, among facts of one line.
        (pl.col("line_number") * 3 + (kind != "arrived") + kind.is_in(_ENDS)).alias("place"),
        (kind == "arrived").alias("is_begin"),
        kind.is_in(_ENDS).alias("is_end"),
    ).collect()
    return tuple(column.to_numpy() for column in found)  # type: ignore[return-value]


def _with(piece: pl.DataFrame, numbers: Numbers) -> pl.DataFrame:
    if len(numbers) == piece.height:
        return piece.with_columns(pl.Series("queue_file", numbers))
    at = piece.select(_names_queue_file()).to_series().arg_true()
    whole = np.zeros(piece.height, np.int64)
    whole[at.to_numpy()] = numbers
    return piece.with_columns(pl.when(_names_queue_file()).then(pl.Series("queue_file", whole)).alias("queue_file"))


def _names_queue_file() -> pl.Expr:
    return pl.col("queue_id").is_not_null() & (pl.col("kind") != "refused")
