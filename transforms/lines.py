"""Bytes of a log become numbered lines, chunk by chunk, and no line is lost.

A line ends with LF; a CR before it is dropped, and so is the byte order mark that opens some files. The last line
counts even without its LF. Bytes that are not UTF-8 become U+FFFD, so that every line can be shown. A line of absurd
length is shown up to `LONGEST_LINE` bytes and is one line still. So memory is bounded by the chunk, whatever the size
of the log and whatever is in it.
"""

from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import numpy as np
import polars as pl

from transforms.spans import PADDING, Bytes, Places, Spans

# Large enough for vectorised work to pay, small enough that some chunks in flight stay well below 1 GB.
CHUNK_BYTES = 16 << 20
# Far above what any mail server or syslog daemon writes in a line (rsyslog: 8 KiB by default).
LONGEST_LINE = 4 << 20
# Empty lines are the most that a chunk can hold: one for each byte, and each costs tens of bytes in memory.
_MOST_LINES = 1 << 20
_LONGEST_CHARACTER = 4
_PIECE_BYTES = 1 << 18
_NOWHERE = np.empty(0, np.int64)
_LF, _CR = 10, 13
_FIRST_LINE, _MARK_BYTES = 1, len(BOM_UTF8)
_ASCII_BELOW, _CHARACTER_GOES_ON = 0x80, range(0x80, 0xC0)


def read_lines(stream: BinaryIO, chunk_bytes: int = CHUNK_BYTES) -> Iterator[pl.DataFrame]:
    """Yield frames of `line_number` (from 1) and `text`, in file order; together they hold every line of `stream`."""
    next_line, rest, is_end = _FIRST_LINE, np.empty(0, np.uint8), False
    while not is_end:
        block, filled = _next_block(stream, rest, chunk_bytes)
        is_end = filled == len(rest)
        if is_end and filled:
            block[filled] = _LF
            filled += 1
        ends = _places_of_lf(block[:filled])
        whole = int(ends[-1]) + 1 if len(ends) else 0
        rest = block[whole:filled][: LONGEST_LINE + _LONGEST_CHARACTER].copy()
        if whole:
            block[whole : whole + PADDING] = 0
            lines = _lines(block[: whole + PADDING], ends, opens_file=next_line == _FIRST_LINE)
            for first in range(0, len(lines), _MOST_LINES):
                text = lines[first : first + _MOST_LINES]
                numbers = pl.int_range(next_line, next_line + len(text), dtype=pl.Int64, eager=True)
                next_line += len(text)
                yield pl.DataFrame({"line_number": numbers, "text": text})


def _next_block(stream: BinaryIO, rest: Bytes, chunk_bytes: int) -> tuple[Bytes, int]:
    """Return a block that holds `rest` and the next bytes of `stream`, and how many bytes of it are filled."""
    block = np.empty(len(rest) + chunk_bytes + PADDING, np.uint8)
    block[: len(rest)] = rest
    # Every binary stream has `readinto`, though its type does not say so.
    read_into = cast(Any, stream).readinto
    filled, room = len(rest), block[: len(rest) + chunk_bytes].data
    while filled < len(room) and (count := read_into(room[filled:])):
        filled += count
    return block, filled


def _places_of_lf(block: Bytes) -> Places:
    """Search piece by piece, so that what is written on the way stays in the processor's cache."""
    pieces = range(0, len(block), _PIECE_BYTES)
    return np.concatenate([_NOWHERE, *(np.flatnonzero(block[at : at + _PIECE_BYTES] == _LF) + at for at in pieces)])


def _lines(block: Bytes, ends: Places, *, opens_file: bool) -> pl.Series:
    """Cut a padded block at the places of its LFs."""
    if block.max() >= _ASCII_BELOW:
        block = _as_utf8(block)
        ends = _places_of_lf(block)
    mark = _MARK_BYTES if opens_file and bytes(block[:_MARK_BYTES]) == BOM_UTF8 else 0
    start = np.concatenate([np.full(1, mark, np.int64), ends[:-1] + 1])
    has_cr = (block[np.maximum(ends - 1, 0)] == _CR) & (ends > start)
    ends = ends - has_cr
    for line in np.flatnonzero(ends - start > LONGEST_LINE):
        end = start[line] + LONGEST_LINE
        while block[end] in _CHARACTER_GOES_ON:
            end -= 1
        ends[line] = end
    return Spans(block, start, ends).series()


def _as_utf8(block: Bytes) -> Bytes:
    try:
        str(block.data, "utf-8")
    except UnicodeDecodeError:
        return np.frombuffer(str(block.data, "utf-8", "replace").encode(), np.uint8)
    return block
