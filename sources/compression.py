"""Reading a compressed file as it is: gzip, bzip2, xz and zstd, told apart by their first bytes, whatever the name.

A cut-off or damaged archive yields what it holds, and says so in `is_truncated`. An archive that grows beyond reason is
refused: it was not made from a log.
"""

import bz2
import io
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import zstandard
from isal import igzip_lib

from sources.errors import BadInput

# A log line holds a dozen bytes that no compressor can guess (stamp, queue id), so real logs stay below 40 to 1.
HIGHEST_RATIO = 250
# Small files may be anything, an empty-looking one too: the ratio is judged from this size on.
RATIO_COUNTS_FROM_BYTES = 256 * 1024 * 1024

_CHUNK = 256 * 1024
# zstd gives out all that a piece of input holds at once, up to 128 KiB for each 4 bytes: so it gets small pieces.
_CHUNK_ZSTD = 4 * 1024
_GZIP, _BZIP2, _XZ, _ZSTD = "gzip", "bzip2", "xz", "zstd"
_HEAD = 10  # bytes that tell every codec
# The gzip library's stub calls its exception class an exception; the class is one like the others.
_DAMAGE: tuple[Any, ...] = (OSError, EOFError, ValueError, lzma.LZMAError, igzip_lib.IsalError, zstandard.ZstdError)


class Reader(Protocol):
    """Anything that gives bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        ...


class PlainFile(io.FileIO):
    """An uncompressed file; it cannot be seen whether it was cut off."""

    is_truncated = False


def open_decompressed(path: Path) -> BinaryIO:
    """Open a file for reading its decompressed bytes; the result's `is_truncated` is meaningful after the last read.

    `BadInput` while reading: an archive that unpacks to more than `HIGHEST_RATIO` times its size.
    """
    file = PlainFile(path)
    codec = codec_of(file.read(_HEAD))
    file.seek(0)
    return cast(BinaryIO, Decompressed(file, codec, str(path)) if codec else file)


def codec_of(head: bytes) -> str | None:
    """Return the compression that the first ten bytes of a file announce; None: none."""
    if head.startswith(b"\x1f\x8b\x08"):
        return _GZIP
    if head[:3] == b"BZh" and head[3:4].isdigit() and head[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"):
        return _BZIP2
    if head.startswith(b"\xfd7zXZ\x00"):
        return _XZ
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return _ZSTD
    return None


class Decompressed(io.RawIOBase):
    """The decompressed bytes of `source`, one archive member after the other, read as a stream.

    `name` is used in messages. Reads return as many bytes as asked for, fewer only at the end.
    """

    def __init__(self, source: Reader, codec: str, name: str) -> None:
        self._source, self._codec, self._label = source, codec, name
        self._member: Any = _member(codec)
        self._surplus = b""  # decompressed, not yet asked for
        self._is_done = False
        self._received = self._given = 0
        self.is_truncated = False

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill `buffer`; return how much of it."""
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return `size` decompressed bytes, fewer only at the end; all for a negative size."""
        wanted = -1 if size is None else size
        pieces: list[bytes] = []
        held = 0
        while wanted < 0 or held < wanted:
            piece = self._piece(_CHUNK * 4 if wanted < 0 else wanted - held)
            if not piece:
                break
            pieces.append(piece)
            held += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Close the file below, where it can be closed."""
        closer: Callable[[], None] | None = getattr(self._source, "close", None)
        if closer and not self.closed:
            closer()
        super().close()

    def _piece(self, limit: int) -> bytes:
        """Return some of the next decompressed bytes, at most `limit`; none at the end."""
        while not self._surplus:
            data = self._next_data()
            if self._is_done:
                return b""
            try:
                self._surplus = self._member.decompress(data, limit)
            except _DAMAGE:
                self.is_truncated = self._is_done = True
            self._given += len(self._surplus)
            self._refuse_bomb()
        piece, self._surplus = self._surplus[:limit], self._surplus[limit:]
        return piece

    def _next_data(self) -> bytes:
        if self._is_done:
            return b""
        if self._member.eof:
            return self._next_member()
        if not self._member.needs_input:
            return b""
        data = self._receive()
        if not data:
            self.is_truncated = self._is_done = True
        return data

    def _next_member(self) -> bytes:
        """Begin the next member and return its first bytes; zeros in between are padding, other bytes are not ours."""
        rest = bytes(self._member.unused_data).lstrip(b"\0")
        while len(rest) < _HEAD and (more := self._receive()):
            rest = (rest + more).lstrip(b"\0")
        if codec_of(rest[:_HEAD]) == self._codec:
            self._member = _member(self._codec)
        else:
            self._is_done = True
        return rest

    def _receive(self) -> bytes:
        data = self._source.read(_CHUNK_ZSTD if self._codec == _ZSTD else _CHUNK)
        self._received += len(data)
        return data

    def _refuse_bomb(self) -> None:
        if self._given > RATIO_COUNTS_FROM_BYTES and self._given > self._received * HIGHEST_RATIO:
            raise BadInput(
                f"{self._label} unpacks to more than {HIGHEST_RATIO} times its size, which no log does; "
                "unpack it yourself and name the unpacked file, if it is one."
            )


class _ZstdMember:
    """One zstd frame behind the interface that the other codecs' decompressors share; gives out more than `limit`."""

    needs_input = True

    def __init__(self) -> None:
        self._frame = zstandard.ZstdDecompressor().decompressobj()

    @property
    def eof(self) -> bool:
        return bool(self._frame.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._frame.unused_data)

    def decompress(self, data: bytes, limit: int) -> bytes:
        return self._frame.decompress(data)


def _member(codec: str) -> Any:
    """Return a decompressor for one archive member."""
    if codec == _GZIP:
        return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    if codec == _BZIP2:
        return bz2.BZ2Decompressor()
    if codec == _XZ:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ)
    return _ZstdMember()
