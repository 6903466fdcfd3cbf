"""Log lines read back by number are the lines that were parsed under that number."""

import gzip
from codecs import BOM_UTF8
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtoll import explain_lines
from mailtoll.explain_lines import lines_of
from sources.compression import open_decompressed
from transforms.lines import read_lines

LINES = st.lists(st.binary(max_size=12).map(lambda b: b.replace(b"\n", b"")), max_size=12)


@settings(deadline=None)
@given(mark=st.sampled_from([b"", BOM_UTF8]), lines=LINES, end=st.sampled_from([b"", b"\n"]), block=st.integers(1, 9))
def test_every_line_is_found_under_the_number_that_the_parser_gave_it(
    mark: bytes, lines: list[bytes], end: bytes, block: int
) -> None:
    content = mark + b"\n".join(lines) + end
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(explain_lines, "_BLOCK_BYTES", block)
        path = Path(folder) / "mail.log"
        path.write_bytes(content)
        with open_decompressed(path) as stream:  # bytes that look like an archive are taken for one
            parsed = {row["line_number"]: row["text"] for chunk in read_lines(stream) for row in chunk.to_dicts()}
        assert lines_of(path, range(1, len(lines) + 3)) == parsed


def test_single_lines_come_out_of_a_compressed_file(tmp_path: Path) -> None:
    path = tmp_path / "mail.log.gz"
    path.write_bytes(gzip.compress(b"".join(f"line {n}\n".encode() for n in range(1, 100_001))))
    assert lines_of(path, [99_999, 2, 2]) == {2: "line 2", 99_999: "line 99999"}


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"mail\.log"):
        lines_of(tmp_path / "mail.log", [1])
