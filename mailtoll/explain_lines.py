"""Log lines, read back from the bytes as they were received, by file and line number; no other line is looked at."""

from collections.abc import Iterable
from pathlib import Path

from sources.compression import open_decompressed

_BLOCK_BYTES = 4 << 20


def lines_of(path: Path, numbers: Iterable[int]) -> dict[int, str]:
    """Return the lines of a (compressed) file that have these numbers, from 1; reading stops after the last of them.

    Lines end with LF, as `transforms.lines` counts them; bytes that are not UTF-8 are shown as U+FFFD, the mark that
    opens some files is not shown. A number beyond the end is left out. `OSError`: the file is gone or unreadable.
    """
    wanted = sorted(set(numbers))
    found: dict[int, str] = {}
    first, rest = 1, b""
    with open_decompressed(path) as stream:
        while wanted and (block := stream.read(_BLOCK_BYTES)):
            block = rest + block
            cut = block.rfind(b"\n") + 1
            whole, rest = block[:cut], block[cut:]
            last = first + whole.count(b"\n") - 1
            if wanted[0] <= last:
                lines = whole.split(b"\n")
                here = [n for n in wanted if n <= last]
                found |= {n: _text(lines[n - first]) for n in here}
                wanted = wanted[len(here) :]
            first = last + 1
    if wanted and wanted[0] == first and rest:
        found[first] = _text(rest)
    return {number: text.removeprefix("\ufeff") if number == 1 else text for number, text in found.items()}


def _text(line: bytes) -> str:
    return line.decode(errors="replace").removesuffix("\r")
