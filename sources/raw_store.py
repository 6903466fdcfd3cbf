"""Keeping what was received: bytes as they came, under the digest of what they hold, with a receipt.

A file is read once: copied, fingerprinted as received and as decompressed, its lines counted, all in one pass. It is
written aside and renamed, so that a run that was killed leaves no half file under a real name. Bytes that were received
before are only fingerprinted, never copied or decompressed again.
"""

import hashlib
import json
import os
import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sources.compression import Decompressed, codec_of
from sources.locate import Found, unreadable
from transforms.errors import BadInput

RAW_FOLDER = Path("warehouse/raw")  # within the run's folder
SOURCE_ID_LENGTH = 16
_CHUNK = 4 * 1024 * 1024
_IN_FLIGHT = 4  # chunks that may wait for the fingerprint: bounds memory
_EDGE = 64 * 1024  # longest first or last line that is remembered
_STALE_SECONDS = 24 * 3600  # an unfinished copy this old belongs to a run that was killed


@dataclass(frozen=True)
class Receipt:
    """What is known of a file's bytes; sizes in bytes, digests in hex.

    `path` is relative to the run's folder. `is_truncated`: the archive is cut off or damaged. `first_line` and
    `last_line` are not blank, without line ends, bytes that are not UTF-8 shown as U+FFFD.
    """

    sha256: str
    bytes: int
    source_id: str
    path: str
    lines: int
    is_truncated: bool
    first_line: str
    last_line: str


def keep(found: Found, into: Path, named_in: str) -> Receipt:
    """Keep the bytes of `found` in the run's folder `into` and return their receipt; `BadInput` if they can't be read."""
    raw = into / RAW_FOLDER
    incoming, receipts = raw / ".incoming", raw / ".receipts"
    for folder in (raw, incoming, receipts):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(incoming)
    known = _known(found, into, receipts, named_in)
    if known:
        return known
    handle, name = tempfile.mkstemp(dir=incoming)  # mode 0600
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as copy:
            facts = _take_in(found, copy, named_in)
        path = _place(aside, into, facts, found.basename)
        receipt = Receipt(path=path.as_posix(), **facts)
        aside.write_text(json.dumps(asdict(receipt)), encoding="utf-8")
        aside.chmod(0o600)
        aside.replace(receipts / _receipt_name(receipt.sha256, receipt.bytes))
        return receipt
    finally:
        aside.unlink(missing_ok=True)


def receipt_of(sha256: str, size: int, into: Path) -> Receipt | None:
    """Return the receipt of bytes that were kept in the run's folder `into`; None: they were not, or are gone."""
    try:
        text = (into / RAW_FOLDER / ".receipts" / _receipt_name(sha256, size)).read_text(encoding="utf-8")
        receipt = Receipt(**json.loads(text))
        return receipt if (into / receipt.path).stat().st_size == size else None
    except (OSError, ValueError, TypeError):
        return None


def safe_basename(name: str) -> str:
    """Return a name that stays inside its folder, whatever `name` says; control characters become `_`."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    shown = "".join(c if c.isprintable() else "_" for c in last).lstrip(".") or "file"
    return shown.encode("utf-8", "replace")[-200:].decode("utf-8", "ignore")


def _known(found: Found, into: Path, receipts: Path, named_in: str) -> Receipt | None:
    """Return the receipt of a local file whose bytes were kept before, by its digest; never by name or time."""
    size = found.local_path.stat().st_size if found.local_path and found.local_path.is_file() else None
    if size is None or not any(receipts.glob(f"*-{size}.json")):
        return None
    digest = hashlib.sha256()
    with found.open() as stream:
        while chunk := _read(stream, found, named_in):
            digest.update(chunk)
    return receipt_of(digest.hexdigest(), size, into)


def _take_in(found: Found, copy: BinaryIO, named_in: str) -> dict[str, Any]:
    """Copy one file and return what its receipt says of its bytes."""
    with ThreadPoolExecutor(1) as hasher, found.open() as stream:
        size = os.fstat(stream.fileno()).st_size if found.local_path else None
        received = _Received(lambda: _read(stream, found, named_in), copy, _Digest(hasher))
        codec = codec_of(received.head())
        unpacked = Decompressed(received, codec, found.uri) if codec else None
        content = _Content(_Digest(hasher) if unpacked else None)
        while chunk := (unpacked or received).read(_CHUNK):
            content.add(chunk)
        while received.read(_CHUNK):  # bytes behind the archive's end are received too
            pass
        if size is not None and received.size < size:
            raise BadInput(f"{named_in}: {found.uri!r} shrank while it was read; run again when nothing rewrites it.")
        sha256 = received.digest.hex()
        held = content.digest.hex() if content.digest else sha256
        return {
            "sha256": sha256,
            "bytes": received.size,
            "source_id": held[:SOURCE_ID_LENGTH],
            "lines": content.lines,
            "is_truncated": bool(unpacked and unpacked.is_truncated),
            "first_line": content.first_line(),
            "last_line": content.last_line(),
        }


def _read(stream: BinaryIO, found: Found, named_in: str) -> bytes:
    try:
        return stream.read(_CHUNK) or b""
    except Exception as error:  # a remote file system raises its own kinds
        raise unreadable(found.uri, named_in, error) from None


def _place(aside: Path, into: Path, facts: dict[str, Any], name: str) -> Path:
    """Rename the finished copy to its place and return that, relative to `into`; equal bytes there already stay."""
    folder = RAW_FOLDER / facts["source_id"]
    (into / folder).mkdir(mode=0o700, exist_ok=True)
    path = folder / safe_basename(name)
    if (into / path).exists() and _sha256(into / path) != facts["sha256"]:
        path = folder / f"{facts['sha256'][:8]}-{safe_basename(name)}"  # same content, compressed another way
    aside.replace(into / path)
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _receipt_name(sha256: str, size: int) -> str:
    return f"{sha256}-{size}.json"


def _sweep(incoming: Path) -> None:
    for left in incoming.iterdir():
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < time.time() - _STALE_SECONDS:
                left.unlink()


class _Digest:
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


class _Received:
    """The bytes as received: whatever is read of them is also written to the copy and fingerprinted."""

    def __init__(self, read: Callable[[], bytes], copy: BinaryIO, digest: _Digest) -> None:
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


class _Content:
    """Lines of the decompressed bytes: how many, the first and the last."""

    def __init__(self, digest: _Digest | None) -> None:
        self.digest = digest
        self._ends = 0
        self._head = self._tail = b""

    def add(self, chunk: bytes) -> None:
        if self.digest:
            self.digest.update(chunk)
        self._ends += chunk.count(b"\n")
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


def _lines(edge: bytes) -> list[str]:
    return edge.decode("utf-8", "replace").split("\n")
