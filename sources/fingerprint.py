"""What is learnt of bytes while they stream by: their SHA-256, how many lines they hold, the first one and the last."""

import hashlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO

import numpy as np

_IN_FLIGHT = 4  # chunks that may wait for the fingerprint: bounds memory
_PIECE = 256 * 1024
_LF = 10
_EDGE = 64 * 1024  # longest first or last line that is remembered


class Digest:
    """SHA-256 computed in another thread, while this one reads and writes."""

    def __init__(self, hasher: ThreadPoolExecutor) -> None:
        self._hasher, self._sha256 = hasher, hashlib.sha256()
        self._waiting: deque[Future[None]] = deque()

    def update(self, chunk: bytes) -> None:
        self._waiting.append(self._hasher.submit(self._sha256.update, chunk))
        if len(self._waiting) > _IN_FLIGHT:
            self._waiting.popleft().result()

    def hex(self) -> str:
        while self._waiting:
            self._waiting.popleft().result()
        return self._sha256.hexdigest()


class Received:
    """The bytes as received: whatever is read of them is also written to the copy and fingerprinted."""

    def __init__(self, read: Callable[[], bytes], copy: BinaryIO, digest: Digest) -> None:
        self._read, self._copy, self.digest = read, copy, digest
        self._ahead = b""
        self.size = 0

    def head(self) -> bytes:
        self._ahead = self.read(0)
        return self._ahead[:10]

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, as many as come at once, at most `size` if that is above 0."""
        if not self._ahead:
            self._ahead = self._read()
            self._copy.write(self._ahead)
            self.digest.update(self._ahead)
            self.size += len(self._ahead)
        given = self._ahead[:size] if size > 0 else self._ahead
        self._ahead = self._ahead[len(given) :]
        return given


class Content:
    """Lines of the decompressed bytes: how many, the first and the last."""

    def __init__(self, digest: Digest | None) -> None:
        self.digest = digest
        self._ends = 0
        self._head = self._tail = b""

    def add(self, chunk: bytes) -> None:
        if self.digest:
            self.digest.update(chunk)
        self._ends += _count_ends(chunk)
        if len(self._head) < _EDGE:
            self._head += chunk[:_EDGE]
        self._tail = (self._tail + chunk[-_EDGE:])[-_EDGE:]

    @property
    def lines(self) -> int:
        """Lines; the last one counts with or without its line end."""
        return self._ends + (self._tail[-1:] not in (b"", b"\n"))

    def first_line(self) -> str:
        return next((line for line in _lines(self._head) if line.strip()), "")

    def last_line(self) -> str:
        return next((line for line in reversed(_lines(self._tail)) if line.strip()), "")


def _count_ends(chunk: bytes) -> int:
    """Count LFs piece by piece, so that what is written on the way stays in the processor's cache."""
    marks, pieces = np.frombuffer(chunk, np.uint8), range(0, len(chunk), _PIECE)
    return sum(int(np.count_nonzero(marks[at : at + _PIECE] == _LF)) for at in pieces)


def _lines(edge: bytes) -> list[str]:
    return edge.decode("utf-8", "replace").split("\n")
