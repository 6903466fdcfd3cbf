"""Which lines of a log file speak of one and the same queue file, as far as that log file tells?

Short queue ids are used again (trap 6). Whoever reads a log from its beginning sees where: after a line that ends a
queue file, or with an arrival, the id stands for a new one. Queue files are numbered so in the order in which they
begin. What another log file tells of an id is not looked at; 07_linked.sql does that.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

# Queue files of which nobody knows whether more will follow: so many are remembered, the latest. A log without lines
# that end a queue file would fill the memory otherwise; an older one is then seen to go on under a new number.
_MOST_OPEN = 500_000
_ENDS = ("removed", "ended", "deleted", "requeued")
Numbers = np.ndarray


class QueueFiles:
    """Numbers the queue files of one log file; chunks must come in the order of the file."""

    def __init__(self) -> None:
        self._next = 0
        self._open = np.empty(0, np.uint64), np.empty(0, np.int64)  # keys in order, and their numbers

    def number(self, pieces: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
        """Return frames of EVENTS, those of one chunk, with their `queue_file`; null where they name no queue id."""
        about = [_read(piece) for piece in pieces]
        key, place, is_begin, is_end = (np.concatenate(column) for column in zip(*about, strict=True))
        # By queue file, then by line; a stable sort, as one line may state several facts.
        order = np.argsort(place, kind="stable")
        order = order[np.argsort(key[order], kind="stable")]
        numbers = np.empty(len(order), np.int64)
        numbers[order] = self._told(key[order], place[order], is_begin[order], is_end[order])
        cuts = np.cumsum([len(found[0]) for found in about])[:-1]
        return [_with(piece, some) for piece, some in zip(pieces, np.split(numbers, cuts), strict=True)]

    def _told(self, key: Numbers, place: Numbers, is_begin: Numbers, is_end: Numbers) -> Numbers:
        if not len(key):
            return np.empty(0, np.int64)
        is_first = np.concatenate([[True], key[1:] != key[:-1]])
        is_last = np.concatenate([is_first[1:], [True]])
        starts = is_first | is_begin | np.concatenate([[False], is_end[:-1]])
        of_start = np.cumsum(starts) - 1
        started = key[starts]
        open_keys, open_numbers = self._open
        number = np.full(len(started), -1, np.int64)
        if len(open_keys):  # what goes on from earlier chunks
            at = np.minimum(np.searchsorted(open_keys, started), len(open_keys) - 1)
            goes_on = (open_keys[at] == started) & (is_first & ~is_begin)[starts]
            number[goes_on] = open_numbers[at[goes_on]]
        is_new = number < 0
        in_order = np.flatnonzero(is_new)[np.argsort(place[starts][is_new])]
        number[in_order] = self._next + np.arange(len(in_order))
        self._next += len(in_order)
        numbers = number[of_start]
        self._remember(key[is_last], numbers[is_last], ~is_end[is_last])
        return numbers

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
