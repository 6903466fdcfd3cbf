"""What a file tells, whatever its kind: all its text and its metadata, so that a test can look for somebody in it."""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pypdfium2

_WORD = re.compile(r"\w(?:[\w.+@-]*\w)?")
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def words_of(path: Path) -> set[str]:
    """Return the words of a file in small letters, an address being one word. `KeyError`: no reader for its kind."""
    return set(_WORD.findall(text_of(path).lower()))


def text_of(path: Path) -> str:
    """Return all that a file tells."""
    return READERS[path.suffix](path)


def _plain(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _pdf(path: Path) -> str:
    sheets = pypdfium2.PdfDocument(path)
    told = [sheet.get_textpage().get_text_range() for sheet in sheets]
    return "\n".join([*told, *map(str, sheets.get_metadata_dict().values())])


def _png(path: Path) -> str:
    return "\n".join(text for kind, text in _chunks(path.read_bytes()) if kind in ("tEXt", "zTXt", "iTXt", "eXIf"))


def _chunks(content: bytes) -> Iterator[tuple[str, str]]:
    at = 8
    while at < len(content):
        size, kind = struct.unpack(">I4s", content[at : at + 8])
        body = content[at + 8 : at + 8 + size]
        if kind == b"zTXt":
            body = zlib.decompress(body.split(b"\0", 1)[1][1:])
        yield kind.decode("ascii"), body.decode("utf-8", "replace")
        at += 12 + size


def _parquet(path: Path) -> str:
    frame = pl.read_parquet(path)
    told = [*frame.columns, *map(str, (pq.read_metadata(path).metadata or {}).values())]
    for column in frame.select(pl.col(pl.String), pl.col(pl.List(pl.String)).list.join(" ")).iter_columns():
        told += [text for text in column if text]
    return "\n".join(told)


READERS: dict[str, Callable[[Path], str]] = {
    **dict.fromkeys((".html", ".json", ".csv", ".txt", ".md"), _plain),
    ".pdf": _pdf,
    ".png": _png,
    ".parquet": _parquet,
}
