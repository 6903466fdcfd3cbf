"""Keeping what was received: bytes as they came, under the digest of what they hold, with a receipt.

A file is read once: copied, fingerprinted as received and as decompressed, its lines counted, all in one pass. It is
written aside and renamed, so that a run that was killed leaves no half file under a real name. Bytes that were received
before are only fingerprinted, never copied or decompressed again.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sources.compression import Decompressed, codec_of
from sources.errors import BadInput
from sources.fingerprint import Content, Digest, Received
from sources.locate import Found, unreadable

RAW_FOLDER = Path("warehouse/raw")  # within the run's folder
SOURCE_ID_LENGTH = 16
_CHUNK = 1024 * 1024
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


@dataclass(frozen=True)
class Arrival:
    """A file that was received: its facts, and the finished copy aside (None: its bytes were kept before)."""

    name: str
    facts: dict[str, Any]
    aside: Path | None


def keep(found: Found, into: Path, named_in: str) -> Receipt:
    """Keep the bytes of `found` in the run's folder `into`; return their receipt. `BadInput` if they can't be read."""
    with incoming(into) as folder:
        return settle(receive(found, folder, into, named_in), into)


@contextmanager
def incoming(into: Path) -> Iterator[Path]:
    """Give a folder for unfinished copies, emptied at the end; what killed runs left there long ago goes too."""
    for part in (RAW_FOLDER.parent, RAW_FOLDER, RAW_FOLDER / ".receipts", RAW_FOLDER / ".incoming"):
        (into / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = into / RAW_FOLDER / ".incoming"
    for left in folder.iterdir():
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < time.time() - _STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        yield Path(name)


def receive(found: Found, folder: Path, into: Path, named_in: str) -> Arrival:
    """Read one file whole, copying it aside into `folder` unless its bytes were kept in `into` before."""
    known = _known(found, into, named_in)
    if known:
        return Arrival(found.basename, asdict(known), None)
    handle, name = tempfile.mkstemp(dir=folder)  # mode 0600
    with os.fdopen(handle, "wb") as copy:
        return Arrival(found.basename, _take_in(found, copy, named_in), Path(name))


def settle(arrival: Arrival, into: Path) -> Receipt:
    """Give a received file its place and its receipt; settled in one order, equal files get equal places each time."""
    facts = arrival.facts
    known = receipt_of(facts["sha256"], facts["bytes"], into)
    if known or arrival.aside is None:
        return known or Receipt(**facts)
    path = _place(arrival.aside, into, facts, arrival.name)
    receipt = Receipt(path=path.as_posix(), **facts)
    arrival.aside.write_text(json.dumps(asdict(receipt)), encoding="utf-8")
    arrival.aside.chmod(0o600)
    arrival.aside.replace(into / RAW_FOLDER / ".receipts" / _receipt_name(receipt.sha256, receipt.bytes))
    return receipt


def receipt_of(sha256: str, size: int, into: Path) -> Receipt | None:
    """Return the receipt of bytes that were kept in the run's folder `into`; None: they were not, or are gone."""
    try:
        text = (into / receipt_path(sha256, size)).read_text(encoding="utf-8")
        receipt = Receipt(**json.loads(text))
        return receipt if (into / receipt.path).stat().st_size == size else None
    except (OSError, ValueError, TypeError):
        return None


def receipt_path(sha256: str, size: int) -> Path:
    """Return where the receipt of kept bytes lies, relative to the run's folder."""
    return RAW_FOLDER / ".receipts" / _receipt_name(sha256, size)


def write_aside(content: bytes, path: Path) -> None:
    """Write bytes in place of `path` at once, for nobody else to read."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "wb") as aside:
        aside.write(content)
    Path(name).replace(path)


def forget(receipt: Receipt, into: Path) -> None:
    """Remove kept bytes and their receipt from the run's folder `into`."""
    (into / receipt_path(receipt.sha256, receipt.bytes)).unlink(missing_ok=True)
    (into / receipt.path).unlink(missing_ok=True)


def safe_basename(name: str) -> str:
    """Return a name that stays inside its folder, whatever `name` says; control characters become `_`."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    shown = "".join(c if c.isprintable() else "_" for c in last).lstrip(".") or "file"
    return shown.encode("utf-8", "replace")[-200:].decode("utf-8", "ignore")


def _known(found: Found, into: Path, named_in: str) -> Receipt | None:
    """Return the receipt of a local file whose bytes were kept before, by its digest; never by name or time."""
    size = found.local_path.stat().st_size if found.local_path and found.local_path.is_file() else None
    if size is None or not any((into / RAW_FOLDER / ".receipts").glob(f"*-{size}.json")):
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
        received = Received(lambda: _read(stream, found, named_in), copy, Digest(hasher))
        codec = codec_of(received.head())
        unpacked = Decompressed(received, codec, found.uri) if codec else None
        content = Content(Digest(hasher) if unpacked else None)
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
    except BadInput:
        raise
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
