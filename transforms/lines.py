"""Bytes of a log become numbered lines, chunk by chunk, and no byte is lost.

A line ends with LF; a CR before it is dropped. The last line counts even without its LF. Bytes that are not UTF-8
become U+FFFD, so that every line can be shown. Memory is bounded by the chunk, whatever the size of the log.
"""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa

# Large enough for vectorised work to pay, small enough that some chunks in flight stay well below 1 GB.
CHUNK_BYTES = 32 << 20
_LF = 10


def read_lines(stream: BinaryIO, chunk_bytes: int = CHUNK_BYTES) -> Iterator[pl.DataFrame]:
    """Yield frames of `line_number` (from 1) and `text`, in file order; together they hold every line of `stream`."""
    next_line = 1
    rest = b""
    while True:
        block = stream.read(chunk_bytes)
        if not block:
            break
        cut = block.rfind(b"\n") + 1
        if cut == 0:
            rest += block
            continue
        frame = _frame(rest + block[:cut], next_line)
        rest = block[cut:]
        next_line += frame.height
        yield frame
    if rest:
        yield _frame(rest + b"\n", next_line)


def _frame(block: bytes, first_line: int) -> pl.DataFrame:
    """Turn a block that ends with LF into a frame; the text column borrows the block's bytes."""
    if not block.isascii():
        block = _as_utf8(block)
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == _LF).astype(np.int64) + 1
    offsets = np.concatenate([np.zeros(1, np.int64), ends])
    lines = pa.LargeStringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(block))
    text = pl.Series("text", lines).str.strip_suffix("\n")
    if b"\r" in block:
        text = text.str.strip_suffix("\r")
    numbers = pl.int_range(first_line, first_line + len(text), dtype=pl.Int64, eager=True).alias("line_number")
    return pl.DataFrame([numbers, text])


def _as_utf8(block: bytes) -> bytes:
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode(errors="replace").encode()
    return block
