"""Write log lines into rotated, compressed files, as logrotate leaves them."""

import bz2
import gzip
import lzma
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import zstandard

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda raw: raw,
    ".gz": lambda raw: gzip.compress(raw, 1, mtime=0),
    ".bz2": lambda raw: bz2.compress(raw, 1),
    ".xz": lambda raw: lzma.compress(raw, preset=0),
    ".zst": lambda raw: zstandard.compress(raw, 1),
}

DECOMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": zstandard.decompress,
}


def read_bytes(path: Path) -> bytes:
    """Return a file's content, decompressed as its name says."""
    content = path.read_bytes()
    return DECOMPRESSORS[path.suffix](content) if path.suffix in DECOMPRESSORS else content


def rotate(stamps: Sequence[float], pieces: int) -> list[slice]:
    """Return `pieces` slices of lines, oldest first, that cover equal spans of time."""
    if not stamps:
        return []
    first, last = stamps[0], stamps[-1]
    span = (last - first) / pieces or 1.0
    bounds = [0]
    for piece in range(1, pieces):
        edge = first + piece * span
        bounds.append(next((i for i in range(bounds[-1], len(stamps)) if stamps[i] >= edge), len(stamps)))
    bounds.append(len(stamps))
    return [slice(a, b) for a, b in pairwise(bounds) if b > a]


def write_rotated(
    folder: Path,
    name: str,
    lines: Sequence[str],
    slices: Sequence[slice],
    suffixes: Sequence[str] = ("",),
    *,
    newline: str = "\n",
    headers: Sequence[str] = (),
) -> list[Path]:
    """Write `name` (newest, never compressed), `name.1`, `name.2`, … with the compression of `suffixes` in turn.

    `headers` holds what opens each file. Returns the paths, oldest first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for age, piece in zip(range(len(slices) - 1, -1, -1), slices, strict=True):
        suffix = suffixes[(age - 1) % len(suffixes)] if age else ""
        path = folder / f"{name}{f'.{age}' if age else ''}{suffix}"
        header = headers[len(paths)] if headers else ""
        path.write_bytes(COMPRESSORS[suffix]((header + newline.join(lines[piece]) + newline).encode()))
        paths.append(path)
    return paths
