"""Compressed files: read as they are, told apart by their bytes, cut off or damaged without losing what they hold."""

import bz2
import gzip
import lzma
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from sources import compression
from sources.compression import codec_of, open_decompressed
from sources.errors import BadInput

CODECS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.compress,
}
each_codec = pytest.mark.parametrize("codec", CODECS)


def log(lines: int = 30_000) -> bytes:
    draw = random.Random(2030)
    return b"".join(b"2030-01-01T00:00:00Z mx1 smtpd[%d]: %X\n" % (n, draw.getrandbits(40)) for n in range(lines))


def read(tmp_path: Path, content: bytes) -> tuple[bytes, bool]:
    """Return what a file yields, and whether it says that it was cut off."""
    path = tmp_path / "some.log"
    path.write_bytes(content)
    with open_decompressed(path) as file:
        return file.read(), file.is_truncated  # type: ignore[attr-defined]


@each_codec
def test_whole(tmp_path: Path, codec: str) -> None:
    assert read(tmp_path, CODECS[codec](log())) == (log(), False)


def test_plain_whatever_the_name(tmp_path: Path) -> None:
    path = tmp_path / "mail.log.gz"
    path.write_bytes(b"BZh9 is how this plain line begins\n")
    with open_decompressed(path) as file:
        assert file.read() == b"BZh9 is how this plain line begins\n"


@each_codec
def test_archives_one_after_the_other(tmp_path: Path, codec: str) -> None:
    archive = CODECS[codec](log(10))
    assert read(tmp_path, archive * 3) == (log(10) * 3, False)
    assert read(tmp_path, archive + b"\0" * 512 + archive + b"\0" * 512) == (log(10) * 2, False)
    assert read(tmp_path, archive + b"something else") == (log(10), False)


@each_codec
def test_cut_off(tmp_path: Path, codec: str) -> None:
    archive = CODECS[codec](log(60_000))
    held, is_truncated = read(tmp_path, archive[: len(archive) * 2 // 3])
    assert is_truncated
    assert log(60_000).startswith(held)
    assert len(held) > len(log(60_000)) / 3
    assert read(tmp_path, archive[:-1])[1]


@each_codec
def test_damaged(tmp_path: Path, codec: str) -> None:
    archive = bytearray(CODECS[codec](log()))
    archive[12:40] = bytes(28)
    assert read(tmp_path, bytes(archive))[1]


@each_codec
def test_read_in_pieces_of_any_size(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "some"
    path.write_bytes(CODECS[codec](log(500)))
    with open_decompressed(path) as file:
        pieces = list(iter(lambda: file.read(777), b""))
    assert b"".join(pieces) == log(500)
    assert {len(p) for p in pieces[:-1]} == {777}


@each_codec
def test_nothing_inside(tmp_path: Path, codec: str) -> None:
    assert read(tmp_path, CODECS[codec](b"")) == (b"", False)


@each_codec
def test_a_bomb_is_refused(tmp_path: Path, codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "RATIO_COUNTS_FROM_BYTES", 1_000_000)
    bomb = CODECS[codec](bytes(20_000_000))
    with pytest.raises(BadInput, match="unpacks to more than 250 times"):
        read(tmp_path, bomb)
    assert read(tmp_path, CODECS[codec](bytes(900_000)))[0] == bytes(900_000), "small ones may be anything"


@given(st.binary(max_size=200), st.sampled_from(["", *CODECS]))
def test_any_bytes_can_be_read(tmp_path_factory: pytest.TempPathFactory, tail: bytes, codec: str) -> None:
    head = CODECS[codec](b"a line\n")[:12] if codec else b""
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(head + tail)
    with open_decompressed(path) as file:
        held = file.read()
    assert codec_of(head + tail) is not None or held == head + tail
