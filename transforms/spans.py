"""Strings as spans of one block of bytes: cut, compared and searched without being copied.

Rule: all places are bytes of the block, so that text in any script is cut exactly where it was found. (Polars finds by
bytes and slices by characters, which disagree on everything that is not ASCII.) A cut is made beside ASCII only, so
that what is cut from valid UTF-8 stays valid.

Spans go into Polars as Arrow's string views, which borrow the block: sixteen bytes a string are written, whatever its
length (Arrow columnar format, *variable-size binary view layout*).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from transforms.compiled import kernels

Bytes: TypeAlias = NDArray[np.uint8]
Places: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

# Bytes that a block must hold behind its last string, as strings are read eight or twelve bytes at a time.
PADDING = 16
ABSENT = -1
_INLINE = 12
# Masks that keep the first bytes of eight.
FIRST_BYTES = np.array([(1 << 8 * count) - 1 for count in range(9)], "<u8")
_ONES = 0x0101010101010101
_NOT_FOUND = 0xFFFFFFFF


@dataclass(frozen=True)
class Spans:
    """Strings in `block`, from `start` up to but not including `end`; `block` is padded."""

    block: Bytes
    start: Places
    end: Places

    def __len__(self) -> int:
        """Return the number of strings."""
        return len(self.start)

    @classmethod
    def of(cls, strings: pl.Series) -> "Spans":
        """Take the strings of a series without nulls; they are copied unless they lie in one padded block already."""
        buffers, views = _views_of(strings)
        if len(buffers) == 2 and len(views) and views[:, 0].min() > _INLINE:
            start = views[:, 3].astype(np.int64)
            end = start + views[:, 0]
            if end.max() + PADDING <= buffers[1].size:
                return cls(np.frombuffer(buffers[1], np.uint8), start, end)
        return cls._copied(pl.concat([strings, pl.Series([" " * PADDING])]))

    @classmethod
    def long(cls, strings: pl.Series) -> tuple["Spans", Places]:
        """Take those strings of a series, without nulls, that lie in one padded block as they are; and their rows."""
        buffers, views = _views_of(strings)
        rows = np.flatnonzero(views[:, 0] > _INLINE) if len(buffers) == 2 else np.empty(0, np.int64)
        start = views[rows, 3].astype(np.int64)
        end = start + views[rows, 0]
        if not len(rows) or end.max() + PADDING > buffers[1].size:
            return cls(np.zeros(PADDING, np.uint8), start[:0], end[:0]), rows[:0]
        return cls(np.frombuffer(buffers[1], np.uint8), start, end), rows

    def dense(self) -> "Spans":
        """Return the same strings in a block of their own, one behind the other.

        Strings that lie scattered over a large block cost a memory access each time they are looked at, many times
        what copying them once costs.
        """
        # The padding is copied like a last string.
        padding = len(self.block) - PADDING
        padded = self.cut(np.append(self.start, padding), np.append(self.end, len(self.block)))
        return Spans._copied(padded.series())

    @classmethod
    def _copied(cls, strings: pl.Series) -> "Spans":
        """Take all but the last of some strings, which is the padding."""
        array = strings.to_arrow(compat_level=pl.CompatLevel.oldest())
        _, offsets, data = array.buffers()
        ends = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(strings) + 1]
        return cls(np.frombuffer(data, np.uint8), ends[:-2], ends[1:-1])

    @property
    def lengths(self) -> Places:
        """Return the length of each string in bytes."""
        return self.end - self.start

    def take(self, rows: Places | Mask) -> "Spans":
        """Return the strings of some rows, by number or by mask."""
        if rows.dtype == np.bool_ and rows.all():
            return self
        return Spans(self.block, self.start[rows], self.end[rows])

    def cut(self, start: Places, end: Places) -> "Spans":
        """Return other spans of the same block; an end before its start gives an empty string."""
        return Spans(self.block, start, np.maximum(start, end))

    def after(self, count: int) -> "Spans":
        """Return the strings without their first `count` bytes."""
        return self.cut(np.minimum(self.start + count, self.end), self.end)

    def series(self, is_there: Mask | None = None) -> pl.Series:
        """Return the strings as a series that borrows the block; null where `is_there` is false."""
        if loops := kernels():
            views = np.empty((len(self), 2), "<u8")
            loops.write_views(self.block, self.start, self.end, views)
            return strings_of(views, self.block, is_there)
        return self._viewed(self.words(), is_there)

    def find(self, mark: str) -> Places:
        """Return where in the block `mark` first occurs in each string; `ABSENT` where it does not."""
        # A search reads the block, so these views need no first bytes.
        found = self._viewed(np.uint64(0)).str.find(mark, literal=True)
        at = self.start + found.fill_null(_NOT_FOUND).to_numpy()
        if found.null_count():
            at[found.is_null().to_numpy()] = ABSENT
        return at

    def _viewed(self, first_bytes: NDArray[np.uint32] | np.uint64, is_there: Mask | None = None) -> pl.Series:
        views, lengths = np.empty((len(self), 2), "<u8"), self.lengths
        views[:, 0] = lengths | (first_bytes.astype(np.int64) << 32)
        views[:, 1] = self.start << 32
        short = np.flatnonzero(lengths <= _INLINE)
        if len(short):
            # A short string stands in its view: four bytes in the first half, the other eight in the second.
            held, start = lengths[short], self.start[short]
            views[short, 0] = held.astype("<u8") | (self._at("<u4", start) & FIRST_BYTES[np.minimum(held, 4)]) << 32
            views[short, 1] = self._at("<u8", start + 4) & FIRST_BYTES[np.maximum(held - 4, 0)]
        return strings_of(views, self.block, is_there)

    def find_byte(self, mark: str, within: int) -> Places:
        """Return where a character of ASCII first occurs among the first bytes of each string (eight, or more)."""
        at = self._find_in_eight(mark)
        for place in range(8, within, 8):
            left = np.flatnonzero((at == ABSENT) & (self.lengths > place))
            if not len(left):
                break
            at[left] = self.take(left).after(place)._find_in_eight(mark)
        return at

    def _find_in_eight(self, mark: str) -> Places:
        marks = bytes_equal(self.double_words(), mark)
        at = self.start + (np.bitwise_count(below_lowest(marks)) >> 3)
        at[(marks == 0) | (at >= self.end)] = ABSENT
        return at

    def byte(self, place: int = 0) -> Bytes:
        """Return the byte at `place` of each string, from its end where negative; void for a shorter one."""
        return self.bytes_at((self.start if place >= 0 else self.end) + place)

    def bytes_at(self, places: Places) -> Bytes:
        """Return the bytes at places of the block; void outside it."""
        return self.block.take(places, mode="clip")

    def words(self, place: int = 0) -> NDArray[np.uint32]:
        """Return the four bytes at `place` of each string as a number; void for a shorter one."""
        return self._at("<u4", self.start + place)

    def double_words(self, place: int = 0) -> NDArray[np.uint64]:
        """Return the eight bytes at `place` of each string as a number; void for a shorter one."""
        return self._at("<u8", self.start + place)

    def begins_with(self, text: bytes) -> Mask:
        """Say which strings begin with `text`."""
        is_so = self.lengths >= len(text)
        for width, place in _pieces(len(text)):
            piece = text[place : place + width]
            is_so &= self._at(f"<u{width}", self.start + place) == int.from_bytes(piece, "little")
        return is_so

    def equals(self, text: bytes) -> Mask:
        """Say which strings are `text`."""
        return (self.lengths == len(text)) & self.begins_with(text)

    def _at(self, dtype: str, places: Places) -> NDArray[np.unsignedinteger]:
        width = np.dtype(dtype).itemsize
        windows = np.ndarray((len(self.block) - width + 1,), dtype, self.block, strides=(1,))
        return windows[np.minimum(places, len(windows) - 1)]


def strings_of(views: NDArray[np.uint64], block: Bytes, is_there: Mask | None = None) -> pl.Series:
    """Return the strings of Arrow string views, which borrow the block; null where `is_there` is false."""
    validity = None if is_there is None else pa.py_buffer(np.packbits(is_there, bitorder="little"))
    buffers = [validity, pa.py_buffer(views), pa.py_buffer(block)]
    return pl.Series(pa.StringViewArray.from_buffers(pa.string_view(), len(views), buffers), dtype=pl.String)


def _views_of(strings: pl.Series) -> tuple[list[pa.Buffer], NDArray[np.uint32]]:
    """Return the buffers of a series behind its validity, and its views, four numbers each."""
    array = strings.to_arrow(compat_level=pl.CompatLevel.newest())
    _, *buffers = array.buffers()
    # A series may be a part of a longer one: then its buffers are that one's.
    part = slice(array.offset, array.offset + len(strings))
    return buffers, np.frombuffer(buffers[0], "<u4").reshape(-1, 4)[part] if len(strings) else np.empty((0, 4), "<u4")


def first_letters(text: str) -> int:
    """Return the first four letters of an ASCII text as `Spans.words` does."""
    return int.from_bytes(text[:4].encode("ascii"), "little")


def first_words(strings: pl.Series) -> NDArray[np.uint32]:
    """Return the first four bytes of each string as a number, noughts behind a shorter one; they stand in its view."""
    return _views_of(strings)[1][:, 1]


def bytes_equal(words: NDArray[np.uint64], mark: str) -> NDArray[np.uint64]:
    """Set the high bit of the first byte of each word that is `mark`, and of some behind it; 0: no byte is."""
    differing = words ^ np.uint64(ord(mark) * _ONES)
    return (differing - np.uint64(_ONES)) & ~differing & np.uint64(_ONES << 7)


def below_lowest(high_bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return masks of the bytes that come before the first byte whose high bit is set (0: void)."""
    return ((high_bits - np.uint64(1)) & ~high_bits) >> np.uint64(7)


def _pieces(length: int) -> Iterator[tuple[int, int]]:
    """Yield width and place of the pieces of eight, four, two and one bytes that make up a length."""
    place = 0
    for width in (8, 4, 2, 1):
        while length - place >= width:
            yield width, place
            place += width
