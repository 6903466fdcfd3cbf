"""How many lines each host and program wrote, what became of them, and in which minutes."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from transforms.tally import count_activity, count_lines

NOON = datetime(2030, 3, 4, 12, tzinfo=UTC)
# Line number, host, program, seconds after noon.
LINES = [
    (11, "mx1", "postfix/smtp", 0),
    (12, "mx1", "postfix/smtp", 59),
    (13, "mx2", "postfix/smtp", 59),
    (15, "mx1", "dovecot", 60),
    (16, "mx1", "postfix/smtp", 61),
    (17, "mx1", "postfix/smtp", 10),  # a straggler
]


def opened(rows: list[tuple[int, str, str, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(number, host, service, NOON + timedelta(seconds=after)) for number, host, service, after in rows],
        schema={
            "line_number": pl.Int64,
            "host": pl.Categorical,
            "service": pl.Categorical,
            "logged_at": pl.Datetime("us", "UTC"),
        },
        orient="row",
    )


def counted(parsed: list[int], aside: list[int]) -> list[tuple[object, ...]]:
    raw = pl.DataFrame({"line_number": range(11, 19), "text": ["x"] * 8})
    told, torn = (pl.Series(lines, dtype=pl.Int64) for lines in (parsed, aside))
    counts = count_lines(raw, opened(LINES), told, torn, "f")
    assert counts["lines"].sum() == raw.height
    after = ((pl.col(name) - NOON).dt.total_seconds() for name in ("first_at", "last_at"))
    return counts.select("host", "service", "fate", "lines", *after).rows()


def test_what_gave_an_event_is_parsed_what_was_set_aside_is_quarantined_and_all_else_is_ignored() -> None:
    assert counted(parsed=[11, 12, 13, 17], aside=[14, 16]) == [
        (None, None, "ignored", 1, None, None),
        (None, None, "quarantined", 1, None, None),
        ("mx1", "dovecot", "ignored", 1, 60, 60),
        ("mx1", "postfix/smtp", "parsed", 3, 0, 59),
        ("mx1", "postfix/smtp", "quarantined", 1, 61, 61),
        ("mx2", "postfix/smtp", "parsed", 1, 59, 59),
    ]


def test_a_line_that_gave_several_events_is_one_line_and_to_set_it_aside_prevails() -> None:
    fates = {(row[1], row[2]): row[3] for row in counted(parsed=[11, 11, 12], aside=[12]) if row[0] == "mx1"}
    assert fates == {
        ("dovecot", "ignored"): 1,
        ("postfix/smtp", "ignored"): 2,
        ("postfix/smtp", "parsed"): 1,
        ("postfix/smtp", "quarantined"): 1,
    }


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        (LINES[:1], [("mx1", 0, 1)]),
        (LINES, [("mx1", 0, 3), ("mx2", 0, 1), ("mx1", 1, 2)]),
    ],
    ids=["no line", "one line", "two hosts, two minutes, a straggler"],
)
def test_each_host_and_minute_is_one_row_however_its_lines_are_scattered(
    rows: list[tuple[int, str, str, int]], expected: list[tuple[str, int, int]]
) -> None:
    minute = ((pl.col("minute_at") - NOON).dt.total_minutes()).alias("minute")
    assert count_activity(opened(rows), "f").select("host", minute, "lines").rows() == expected
