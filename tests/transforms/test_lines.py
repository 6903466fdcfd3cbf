"""What counts as a line of a file, and how it is shown."""

import io

import pytest

from transforms import lines
from transforms.lines import read_lines

CASES = {
    "one line for each LF": (b"a\nb\n", ["a", "b"]),
    "the last line needs no LF": (b"a\nb", ["a", "b"]),
    "an empty line is a line": (b"\n\na\n\n", ["", "", "a", ""]),
    "an empty file has none": (b"", []),
    "a CR before LF is dropped": (b"a\r\nb\r\n", ["a", "b"]),
    "a CR elsewhere stays": (b"a\rb\nc\r\r\n", ["a\rb", "c\r"]),
    "a CR alone is an empty line": (b"\r\n", [""]),
    "a last CR without its LF is dropped": (b"a\r", ["a"]),
    "letters beyond ASCII": ("ü\n€uro\n".encode(), ["ü", "€uro"]),
    "bytes that are not UTF-8 are shown as U+FFFD": (b"a\xffb\nc\n", ["a�b", "c"]),
    "a NUL is a character": (b"a\x00b\n", ["a\x00b"]),
    "the mark that opens a file is no text": (b"\xef\xbb\xbfa\nb\n", ["a", "b"]),
    "and makes an empty line of its own": (b"\xef\xbb\xbf", [""]),
    "further on it is a character": (b"a\n\xef\xbb\xbfb\n", ["a", "\ufeffb"]),
}


@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 5, 1 << 20])
@pytest.mark.parametrize("case", CASES)
def test_lines_are_the_same_however_the_file_is_cut_into_chunks(case: str, chunk_bytes: int) -> None:
    content, expected = CASES[case]
    read = [row for chunk in read_lines(io.BytesIO(content), chunk_bytes) for row in chunk.iter_rows()]
    assert read == list(enumerate(expected, start=1))


@pytest.mark.parametrize(
    ("line", "shown"),
    [(b"1234567", "1234567"), (b"12345678", "12345678"), (b"123456789", "12345678"), ("1234567ü".encode(), "1234567")],
)
@pytest.mark.parametrize("chunk_bytes", [1, 4, 1 << 20])
def test_a_line_of_absurd_length_is_one_line_and_shown_up_to_a_whole_character(
    line: bytes, shown: str, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 8)
    read = [row for chunk in read_lines(io.BytesIO(line + b"\nnext\n"), chunk_bytes) for row in chunk.iter_rows()]
    assert read == [(1, shown), (2, "next")]
