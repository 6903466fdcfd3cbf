"""What was received of files that grow and are rotated: how far each was read, and how its bytes are known again.

A file is known by its bytes, never by its name or time: the digests of its first and of its last bytes as received.
One ledger lies in the run's folder, beside the kept bytes; it is replaced at once after every file, when the bytes have
their place.
"""

import hashlib
import json
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from sources.compression import open_decompressed
from sources.errors import BadInput
from sources.raw_store import RAW_FOLDER, Receipt, receipt_of, write_aside

EDGE = 4096  # bytes at either end by which a file is known: a dozen lines with their stamps and ids
_LEDGER = RAW_FOLDER / ".ledger.json"


@dataclass(frozen=True)
class Entry:
    """One file as far as it was received.

    `size` and `sha256` are those of the bytes kept, `seen` is its size in the source, which may be beyond an unfinished
    last line. `head` and `tail` are digests of the first and last `EDGE` bytes kept. `received_at` is for people.
    """

    uri: str
    size: int
    sha256: str
    seen: int
    head: str
    tail: str
    received_at: str

    def receipt(self, into: Path) -> Receipt | None:
        """Return the receipt of the bytes kept; None: they are gone."""
        return receipt_of(self.sha256, self.size, into)


class Ledger:
    """The entries of a run's folder, by the address of the store they came from; safe to use from several threads."""

    def __init__(self, into: Path) -> None:
        self._into, self._lock = into, threading.Lock()
        self._entries: dict[str, list[Entry]] = {}
        path = into / _LEDGER
        if path.exists():
            try:
                stored = json.loads(path.read_text(encoding="utf-8"))
                self._entries = {store: [Entry(**e) for e in entries] for store, entries in stored.items()}
            except (ValueError, TypeError, AttributeError):
                raise BadInput(
                    f"{path} is no ledger of ours; restore it, or remove it to pull anew what the sources still have."
                ) from None

    def of(self, store: str) -> list[Entry]:
        """Return the entries of one store whose bytes are still kept."""
        return [e for e in self._entries.get(store, []) if e.receipt(self._into)]

    def replace(self, store: str, entries: Iterable[Entry]) -> None:
        """Write down the entries of one store in place of those before."""
        with self._lock:
            self._entries[store] = sorted(entries, key=lambda e: (e.uri, e.received_at))
            text = json.dumps({s: [asdict(e) for e in es] for s, es in sorted(self._entries.items())}, indent=1)
            write_aside(f"{text}\n".encode(), self._into / _LEDGER)


def entry_of(uri: str, receipt: Receipt, seen: int, into: Path) -> Entry:
    """Return the entry for a file whose bytes were kept."""
    with (into / receipt.path).open("rb") as kept:
        head = kept.read(EDGE)
        kept.seek(max(0, receipt.bytes - EDGE))
        tail = kept.read(EDGE)
    return Entry(
        uri, receipt.bytes, receipt.sha256, seen, digest(head), digest(tail), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    )


def digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def is_within(entry: Entry, receipt: Receipt, into: Path) -> bool:
    """Say whether kept content, as received or decompressed, begins with all the bytes of `entry`."""
    path = into / receipt.path
    return (
        entry.sha256 == receipt.sha256
        or _begins_with(entry, path.open("rb"))
        or _begins_with(entry, open_decompressed(path))
    )


def _begins_with(entry: Entry, content: BinaryIO) -> bool:
    with content as stream:
        head = stream.read(min(entry.size, EDGE))
        if digest(head) != entry.head:  # so it is with nearly all, and costs no more than this
            return False
        sha256, left = hashlib.sha256(head), entry.size - len(head)
        while left and (piece := stream.read(min(left, 1 << 20))):
            sha256.update(piece)
            left -= len(piece)
    return not left and sha256.hexdigest() == entry.sha256
