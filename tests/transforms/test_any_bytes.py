"""Whatever a log file holds, no line of it is lost; however it is cut into files, it tells the same."""

import io
from collections.abc import Sequence
from functools import cache

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.simulate import simulate
from tests.simulate.dialects import POSTFIX, write_down
from tests.transforms.dialects import fates
from transforms import compiled
from transforms.dialect import Envelope, LogOptions
from transforms.mixed import MixedEnvelope
from transforms.parse import Parsed, merge, parse_stream
from transforms.registry import ENVELOPES, GRAMMARS

DIALECTS = ("postfix-rfc3164", "postfix-rfc3339", "postfix-rfc5424", "postfix-journald", "exim", "sendmail", "exchange")
# Of each dialect; enough for every kind of line that the simulator writes.
_LINES = 400
PLACE = ["source_id", "line_number", "queue_file"]


def read(content: bytes, likely: str = "syslog", chunk_bytes: int = 1 << 20) -> Parsed:
    options = LogOptions(year=2030, host="mx1")
    return read_in(
        MixedEnvelope({name: make(options) for name, make in ENVELOPES.items()}, likely), content, chunk_bytes
    )


def read_in(envelope: Envelope, content: bytes, chunk_bytes: int) -> Parsed:
    return merge(list(parse_stream(io.BytesIO(content), envelope, GRAMMARS, "0" * 16, "test.log", chunk_bytes)))


@cache
def lines_in(dialect: str) -> list[bytes]:
    outage = simulate(5, messages=60, days=2, accounts=20)
    written = write_down(outage, dialect)
    host = max(written.texts, key=lambda name: len(written.texts[name]))
    header = written.header(host, 0.0).rstrip().encode().split(b"\n") if written.header else []
    return [*header, *(text.encode() for text in written.texts[host][:_LINES])]


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """Lines of one dialect, some of them cut, some with bytes in between that no server wrote."""
    lines = lines_in(draw(st.sampled_from(DIALECTS)))
    first = draw(st.integers(0, len(lines) - 1))
    pieces = []
    for line in lines[first : first + draw(st.integers(0, 12))]:
        at = draw(st.integers(0, len(line)))
        junk = draw(
            st.one_of(st.just(b""), st.binary(max_size=9), st.sampled_from([b"\xc3\xa9", b"\r", b"\x00", b'"']))
        )
        pieces.append(line[:at] + junk + (line[at:] if draw(st.booleans()) else b""))
    return draw(st.sampled_from([b"\n", b"\r\n"])).join(pieces) + draw(st.binary(max_size=40))


ANY_BYTES = st.one_of(spoilt(), st.binary(max_size=200), st.lists(st.sampled_from(b"\n\r <[\x00\xff")).map(bytes))
CHUNKS = st.sampled_from([1, 700, 1 << 20])


@settings(max_examples=40, deadline=None)
@given(content=ANY_BYTES, likely=st.sampled_from(list(ENVELOPES)), chunk_bytes=CHUNKS)
def test_every_line_meets_one_fate(content: bytes, likely: str, chunk_bytes: int) -> None:
    check_fates(content, read(content, likely, chunk_bytes))


@pytest.mark.parametrize("is_compiled", [False, True], ids=["array code", "machine code"])
@pytest.mark.parametrize("envelope", ENVELOPES)
@settings(max_examples=20, deadline=None)
@given(content=ANY_BYTES, chunk_bytes=CHUNKS)
def test_every_line_meets_one_fate_in_each_envelope_alone(
    envelope: str, is_compiled: bool, content: bytes, chunk_bytes: int
) -> None:
    if is_compiled:
        assert compiled.load()
    try:
        alone = ENVELOPES[envelope](LogOptions(year=2030, host="mx1"))
        check_fates(content, read_in(alone, content, chunk_bytes))
    finally:
        compiled.unload()


def check_fates(content: bytes, parsed: Parsed) -> None:
    lines = content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
    assert sum(fates(parsed).values()) == lines
    events, aside = set(parsed.events["line_number"]), set(parsed.quarantine["line_number"])
    assert len(events - aside) == fates(parsed)["parsed"]
    assert len(aside) == fates(parsed)["quarantined"]


def told(parts: Sequence[Parsed]) -> pl.DataFrame:
    return pl.concat([part.events.drop(PLACE) for part in parts])


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "exchange"])
@settings(max_examples=4, deadline=None)
@given(at=st.floats(0, 1), chunk_bytes=st.sampled_from([9_000, 1 << 20]))
def test_a_file_cut_between_any_two_lines_tells_the_same(dialect: str, at: float, chunk_bytes: int) -> None:
    lines = lines_in(dialect)
    cut = int(at * len(lines))
    files = [b"".join(line + b"\n" for line in part) for part in (lines[cut:], lines[:cut])]
    likely = "exim" if dialect == "exim" else "syslog"
    whole = told([read(files[1] + files[0], likely)])
    assert_frame_equal(told([read(file, likely, chunk_bytes) for file in files]), whole, check_row_order=False)
    assert whole.height > 0


# Bare RFC 5424 names no daemon, so that its `removed` is less sure: another kind of event.
@pytest.mark.parametrize("spelling", [name for name in POSTFIX[1:] if name != "rfc5424-bare"])
def test_every_spelling_of_postfix_tells_the_same(spelling: str) -> None:
    def facts_in(name: str) -> pl.DataFrame:
        whole_seconds = pl.col("logged_at").dt.truncate("1s")
        return told([read(b"\n".join(lines_in(f"postfix-{name}")))]).with_columns(whole_seconds)

    assert_frame_equal(facts_in(spelling), facts_in(POSTFIX[0]), check_row_order=False)
