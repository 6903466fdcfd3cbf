"""What stands behind a syslog stamp: host, program, text."""

import polars as pl
import pytest

from transforms.spans import Spans
from transforms.syslog_tags import read_tags

CASES: list[tuple[str, tuple[str, str, str] | None]] = [
    ("mx1 postfix/qmgr[812]: 4F2: removed", ("mx1", "postfix/qmgr", "4F2: removed")),
    ("MX1.Example.COM postfix/qmgr[812]: x", ("mx1.example.com", "postfix/qmgr", "x")),
    ("mx1 postfix/qmgr: x", ("mx1", "postfix/qmgr", "x")),
    ("mx1 postfix/qmgr[812] x", ("mx1", "", "postfix/qmgr[812] x")),
    ("mx1 postfix/qmgr[812] 4F2: removed", ("mx1", "postfix/qmgr", "4F2: removed")),
    ("mx1 kernel: [1.2] eth0: up", ("mx1", "kernel", "[1.2] eth0: up")),
    ("mx1 last message repeated 3 times", ("mx1", "", "last message repeated 3 times")),
    ("mx1 a program of words: x", ("mx1", "", "a program of words: x")),
    ("<mail.info> mx1 postfix/qmgr[812]: x", ("mx1", "postfix/qmgr", "x")),
    ("mx1 postfix/qmgr[812]: ", ("mx1", "postfix/qmgr", "")),
    ("mx1 postfix/qmgr[812]:", ("mx1", "", "postfix/qmgr[812]:")),
    ("mx1 ", ("mx1", "", "")),
    ("mx1", None),
    (" postfix/qmgr[812]: x", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[repr(case[0]) for case in CASES])
def test_a_line_names_its_host_and_its_program(text: str, expected: tuple[str, str, str] | None) -> None:
    has_host, tags = read_tags(Spans.of(pl.Series([text])))
    assert bool(has_host[0]) is (expected is not None)
    if expected:
        assert tags.select(pl.all().cast(pl.String)).row(0) == expected


def test_lines_that_follow_one_another_keep_their_own() -> None:
    has_host, tags = read_tags(Spans.of(pl.Series([text for text, _ in CASES])))
    told = tags.filter(pl.Series(has_host)).select(pl.all().cast(pl.String)).rows()
    assert told == [expected for _, expected in CASES if expected]
