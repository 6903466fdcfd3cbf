"""One file's lines, chunk by chunk: each meets one fate, whatever the envelope and the grammars make of it."""

import io
from datetime import UTC, datetime

import polars as pl
import pytest

from tests.transforms.dialects import facts, fates
from transforms.dialect import OPENED, Opened, Reading
from transforms.parse import Parsed, add_up, are_in_order, merge, parse_stream

AT = datetime(2030, 3, 4, 12, tzinfo=UTC)


class Envelope:
    """Opens every line but `?…`, which it sets aside, and `-…`, which it knows as none of its own."""

    def open(self, raw: pl.DataFrame) -> Opened:
        text = pl.col("text")
        lines = raw.filter(~text.str.contains(r"^[?-]")).select(
            "line_number",
            pl.lit(AT).alias("logged_at"),
            pl.lit("mx1").alias("host"),
            text.str.head(1).alias("service"),
            "text",
        )
        aside = raw.filter(text.str.starts_with("?")).select("line_number", pl.lit("no head").alias("reason"))
        return Opened(lines.select(*OPENED), aside)


class Grammar:
    """Reads lines of one program: `ax` and `axx` give one and two events, `a!` is set aside, `a` says nothing."""

    def __init__(self, service: str) -> None:
        self.service = service

    def owns(self, services: pl.Series) -> pl.Series:
        return services == self.service

    def read(self, lines: pl.DataFrame) -> Reading:
        assert set(lines["service"].cast(pl.String)) == {self.service}, "it is shown its own lines only"
        text = pl.col("text")
        events = lines.with_columns(n=text.str.count_matches("x")).filter(pl.col("n") > 0)
        events = events.select(pl.exclude("n").repeat_by("n").explode()).with_row_index()
        recipient = pl.format("{}@BÜCHER.example", pl.col("index"))
        aside = lines.filter(text.str.contains("!", literal=True))
        return Reading(
            events.select("line_number", "logged_at", "host", kind=pl.lit("attempted"), recipient=recipient),
            aside.select("line_number", pl.lit("torn").alias("reason")),
        )


def read(*lines: str, chunk_bytes: int = 1 << 20) -> Parsed:
    stream = io.BytesIO("".join(f"{line}\n" for line in lines).encode())
    grammars = {name: Grammar(name) for name in "ab"}
    return merge(list(parse_stream(stream, Envelope(), grammars, "f" * 16, "x.log", chunk_bytes)))


LINES = ("ax", "-", "?", "a", "bxx", "c", "a!", "bx!")


@pytest.mark.parametrize("chunk_bytes", [1, 5, 1 << 20])
def test_each_line_meets_one_fate(chunk_bytes: int) -> None:
    parsed = read(*LINES, chunk_bytes=chunk_bytes)
    assert fates(parsed) == {"parsed": 2, "ignored": 3, "quarantined": 3}
    assert facts(parsed, "line_number") == [(1,), (5,), (5,), (8,)]
    assert parsed.quarantine.select("line_number", "reason", "text", "uri").rows() == [
        (3, "no head", "?", "x.log"),
        (7, "torn", "a!", "x.log"),
        (8, "torn", "bx!", "x.log"),
    ]
    assert set(parsed.events["source_id"]) == {"f" * 16}


def test_recipients_have_their_domains_as_the_records_have_them() -> None:
    assert facts(read("ax"), "recipient") == [("0@xn--bcher-kva.example",)]


@pytest.mark.parametrize(
    ("lines", "counts"), [((), {}), (("-",), {"ignored": 1}), (("",), {"ignored": 1})], ids=["none", "foreign", "empty"]
)
def test_a_log_without_a_fact_has_no_event(lines: tuple[str, ...], counts: dict[str, int]) -> None:
    parsed = read(*lines)
    assert parsed.events.is_empty()
    assert {fate: count for fate, count in fates(parsed).items() if count} == counts


def test_counts_of_the_same_host_program_and_fate_add_up() -> None:
    one, two = read("ax", "c").line_counts, read("ax", "ax", "?").line_counts
    assert add_up([one, two]).select("service", "fate", "lines").rows() == [
        (None, "quarantined", 1),
        ("a", "parsed", 3),
        ("c", "ignored", 1),
    ]
    assert add_up([]).is_empty()


class Stamped:
    """Opens `HH:MM:SS` as the time of a line of program `a`."""

    def open(self, raw: pl.DataFrame) -> Opened:
        at = ("2030-03-04 " + raw["text"]).str.to_datetime("%F %T", time_unit="us", time_zone="UTC")
        lines = raw.select("line_number", "text", host=pl.lit("mx1"), service=pl.lit("a")).with_columns(
            at.alias("logged_at")
        )
        return Opened(lines.select(*OPENED), raw.select("line_number", reason=pl.lit("")).clear())


@pytest.mark.parametrize("chunk_bytes", [9, 18, 1 << 20])  # one line at once, two, all
@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((), True),
        (("12:00:00", "12:00:00", "12:00:01"), True),
        (("12:00:00", "12:00:20", "12:00:11", "12:00:21"), True),  # untidy by seconds
        (("12:00:00", "12:00:20", "12:00:10", "12:00:21"), False),
        (("12:00:20", "12:00:16", "12:00:12", "12:00:08"), False),  # bit by bit
    ],
)
def test_lines_whose_time_lies_clearly_before_an_earlier_lines_are_not_in_order(
    times: tuple[str, ...], expected: bool, chunk_bytes: int
) -> None:
    stream = io.BytesIO("".join(f"{at}\n" for at in times).encode())
    parts = list(parse_stream(stream, Stamped(), {}, "f" * 16, "x.log", chunk_bytes))
    assert are_in_order(parts) is expected
