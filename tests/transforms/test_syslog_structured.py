"""Lines of RFC 5424 and journald's JSON: when, which host, which program, what."""

from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import pytest

from transforms.spans import Mask, Spans
from transforms.syslog_structured import looks_journal, looks_rfc5424, open_journal, open_rfc5424

AT = datetime(2030, 11, 25, 2, 22, 48, 500_000, tzinfo=UTC)
STAMP, MICROS = "2030-11-25T02:22:48.500Z", "1921803768500000"
Row = tuple[datetime, str, str, str]
RFC5424: list[tuple[str, Row | None]] = [
    (f"1 {STAMP} MX1 postfix/qmgr 812 - - 4F2: removed", (AT, "mx1", "postfix/qmgr", "4F2: removed")),
    (f"1 {STAMP} mx1 postfix/qmgr - - - \ufeffx", (AT, "mx1", "postfix/qmgr", "x")),
    (f"1 {STAMP} mx1 postfix/qmgr 812 - - ", (AT, "mx1", "postfix/qmgr", "")),
    (f"1 {STAMP} mx1 postfix/qmgr 812 - -", (AT, "mx1", "postfix/qmgr", "")),
    (f'1 {STAMP} mx1 postfix/qmgr 812 ID7 [a@1 b="c d"] x', (AT, "mx1", "postfix/qmgr", "x")),
    (f'1 {STAMP} mx1 postfix/qmgr 812 - [a@1 b="]"][c@1 d="\\""] x', (AT, "mx1", "postfix/qmgr", "x")),
    ("1 2030-11-31T02:22:48.500Z mx1 postfix/qmgr 812 - - x", None),
    ("1 - mx1 postfix/qmgr 812 - - x", None),
    (f"1 {STAMP} mx1 postfix/qmgr 812", None),
    (f"2 {STAMP} mx1 postfix/qmgr 812 - - x", None),
]
JOURNAL: list[tuple[str, Row | None]] = [
    (
        f'{{"__REALTIME_TIMESTAMP":"{MICROS}","_HOSTNAME":"MX1","SYSLOG_IDENTIFIER":"postfix/qmgr","MESSAGE":"x: y"}}',
        (AT, "mx1", "postfix/qmgr", "x: y"),
    ),
    (f'{{"MESSAGE":"x","_COMM":"qmgr","__REALTIME_TIMESTAMP":"{MICROS}","_HOSTNAME":"mx1"}}', (AT, "mx1", "qmgr", "x")),
    (f'{{ "MESSAGE" : "say \\"ü\\"", "__REALTIME_TIMESTAMP" : "{MICROS}" }}', (AT, "", "", 'say "ü"')),
    (f'{{"__REALTIME_TIMESTAMP":"{MICROS}","_HOSTNAME":"mx1","MESSAGE":[120,255]}}', (AT, "mx1", "", "[120,255]")),
    (f'{{"__REALTIME_TIMESTAMP":"{MICROS}","_HOSTNAME":"mx1","MESSAGE":null}}', (AT, "mx1", "", "")),
    (f'{{"__REALTIME_TIMESTAMP":"{MICROS}","_HOSTNAME":"mx1"}}', None),
    ('{"_HOSTNAME":"mx1","MESSAGE":"x"}', None),
    ('{"__REALTIME_TIMESTAMP":"soon","MESSAGE":"x"}', None),
    ('{"__REALTIME_TIMESTAMP":"1921', None),
    ('{"MESSAGE" broken}', None),
    ("{}", None),
]


def opened(
    texts: list[str], looks: Callable[[Spans], Mask], opener: Callable[[Spans], tuple[Mask, pl.DataFrame]]
) -> list[Row | None]:
    text = Spans.of(pl.Series(texts))
    is_open = looks(text)
    is_open[is_open], frame = opener(text.take(is_open))
    rows = iter(
        frame.select("logged_at", *(pl.col(name).cast(pl.String) for name in ("host", "service", "text"))).rows()
    )
    return [next(rows) if is_one else None for is_one in is_open]


@pytest.mark.parametrize(("text", "expected"), RFC5424, ids=[case[0] for case in RFC5424])
def test_a_line_of_rfc_5424(text: str, expected: Row | None) -> None:
    assert opened([text], looks_rfc5424, open_rfc5424) == [expected]


@pytest.mark.parametrize(("text", "expected"), JOURNAL, ids=[case[0] for case in JOURNAL])
def test_an_entry_of_journald(text: str, expected: Row | None) -> None:
    assert opened([text], looks_journal, open_journal) == [expected]


def test_odd_lines_do_not_move_the_others() -> None:
    assert opened([t for t, _ in RFC5424], looks_rfc5424, open_rfc5424) == [row for _, row in RFC5424]
    assert opened([t for t, _ in JOURNAL], looks_journal, open_journal) == [row for _, row in JOURNAL]
    well_formed = [case for case in JOURNAL if "broken" not in case[0]]
    assert opened([t for t, _ in well_formed], looks_journal, open_journal) == [row for _, row in well_formed]
