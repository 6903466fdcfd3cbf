"""Machine code and plain array code read the same out of a log, whatever is in it."""

import io
from collections.abc import Callable, Iterator

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.transforms.test_any_bytes import DIALECTS, lines_in, read, spoilt
from transforms import compiled
from transforms.clock import read_zoned
from transforms.lines import read_lines
from transforms.parse import Parsed
from transforms.spans import Spans
from transforms.stamps import read_yearless

HEAD = "Nov 25 02:22:48 mx1 postfix/smtp[812]: "
SENT = "relay=b[192.0.2.1]:25, delay=1.5, delays=0.1/0/1.2/0.2, dsn=2.0.0, status=sent"


@pytest.fixture(autouse=True)
def _plain_afterwards() -> Iterator[None]:
    yield
    compiled.unload()


def both(reading: Callable[[], pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    compiled.unload()
    plainly = reading()
    assert compiled.load(), "numba is not installed, or finds no folder for its machine code"
    return plainly, reading()


def told(parsed: Parsed) -> pl.DataFrame:
    order = ["line_number", "kind", "recipient"]
    fates = parsed.line_counts.select(pl.col("host", "service", "fate", "lines", "first_at", "last_at"))
    frames = (parsed.events.sort(order), parsed.quarantine.sort("line_number"), fates, parsed.activity, parsed.findings)
    return pl.concat(
        [frame.rename({name: f"{n} {name}" for name in frame.columns}) for n, frame in enumerate(frames)],
        how="diagonal",
    )


def assert_same(content: bytes, likely: str = "syslog", chunk_bytes: int = 1 << 20) -> None:
    assert_frame_equal(*both(lambda: told(read(content, likely, chunk_bytes))))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_log_of_any_dialect(dialect: str) -> None:
    assert_same(b"".join(line + b"\n" for line in lines_in(dialect)), "exim" if dialect == "exim" else "syslog")


@settings(max_examples=60, deadline=None)
@given(content=spoilt(), chunk_bytes=st.sampled_from([1, 700, 1 << 20]))
def test_spoilt_lines(content: bytes, chunk_bytes: int) -> None:
    assert_same(content, chunk_bytes=chunk_bytes)


@pytest.mark.parametrize(
    "fact",
    [
        f"4F2aB: to=<a@example.org>, {SENT} (250 2.0.0 Ok: queued as 7E1)",
        f"4F2aB: to=<A@Example.org>, orig_to=<b@example.org>, {SENT} (250 2.0.0 Ok: queued as 7E1AB22)",
        f"4F2aB: to=<a@example.org>, orig_to=<ö@example.org>, {SENT} (forwarded as 7E1AB22)",
        f"4F2aB: to=<a@example.org>, conn_use=2, {SENT}",
        f"4F2aB: to=<a@example.org>, {SENT} (id=7E1AB22",
        f"4F2aB: to=<a@example.org>, {SENT} so it says (250 Ok)",
        f"4F2aB: to=<>, {SENT} (250 Ok)",
        f'4F2aB: to=<"a, b"@example.org>, {SENT} (250 Ok)',
        f"4F2aB: to=<a@example.org>, {SENT.replace('b[192.0.2.1]:25', 'none')} (250 Ok)",
        f"4F2aB: to=<a@example.org>, {SENT.replace('sent', 'deferred')} (451 {'é' * 200})",
        f"4F2aB: to=<a@example.org>, {SENT.replace('sent', 'SOFTBOUNCE')} (450 4.1.1 no (such) user)",
        f"4F2aB: to=<a@example.org>, {SENT.replace('sent', 'bounced')}",
        f"4F2aB: to=<a@example.org>, {SENT.replace('sent', 'deliverable')} (250 Ok)",
        f"4F2aB: to=<a@example.org>, {SENT.replace('sent', 'lost')} (250 Ok)",
        f"4F2aB: to=<a@example.org>, {SENT.replace('1.5', '.5')} (250 Ok)",
        f"4F2aB: to=<a@example.org>, {SENT.replace('1.5', '1.')} (250 Ok)",
        f"4F2aB: to=<a@example.org>, {SENT.replace('1.5', '1.2.5')} (250 Ok)",
        f"4F2aB: to=<a@example.org>, {SENT.replace('1.5', '123456789012345678')} (250 Ok)",
        f"4F2aB: to=<a@example.org>, {SENT.replace('1.5', '172799.123456')} (250 Ok)",
        f"4F2a: to=<a@example.org>, {SENT} (250 Ok)",
        f"warning: to=<a@example.org>, {SENT} (250 Ok)",
        f"NOQUEUE: to=<a@example.org>, {SENT} (250 Ok)",
        "NOQUEUE: reject: RCPT from b[192.0.2.1]: 450 4.7.1 later; from=<a@b> to=<c@d> proto=ESMTP helo=<b>",
        "4F2aB: from=<>, size=812, nrcpt=1 (queue active)",
        "4F2aB: from=<A@b>, size=812, nrcpt=1.5 (queue active)",
        "4F2aB: from=<a@b>, size=812, nrcpt=12 (queue active) and more",
        "4F2aB: from=<a@b>, status=expired, returned to sender",
        "4F2aB: message-id=<>",
        "4F2aB: message-id=<a b@c>",
        "4F2aB: client=b[192.0.2.1], sasl_method=PLAIN",
        "4F2aB: client=",
        "4F2aB: removed",
        "4F2aB: removed ",
        "4F2aB: remove",
        "4F2aB:",
        "4F2aB0000000",
        "4F2aB",
        "connect from b[192.0.2.1]",
        "statistics: max connection rate 1/60s for (smtp:192.0.2.1)",
        "",
    ],
)
def test_a_fact_that_is_plain_or_nearly_so(fact: str) -> None:
    assert_same("".join(f"{HEAD}{line}\n" for line in (fact, "4F2aB: removed", fact)).encode())


@pytest.mark.parametrize(
    "head",
    [
        "Nov  5 02:22:48 mx1 postfix/qmgr[812]: ",
        "Nov 5 02:22:48 mx1 postfix/qmgr[812]: ",
        "Nov 25 02:22:60 MX1 postfix/qmgr[812]: ",
        "Nov 25 02:22:48.25 mx1 postfix/qmgr[812]: ",
        "Nov 31 02:22:48 mx1 postfix/qmgr[812]: ",
        "Nov 25 24:22:48 mx1 postfix/qmgr[812]: ",
        "Nov 25 02:22:48  postfix/qmgr[812]: ",
        "Nov 25 02:22:48 mx1 postfix/qmgr: ",
        "Nov 25 02:22:48 mx1 postfix/qmgr[pid]: ",
        "Nov 25 02:22:48 mx1 postfix/qmgr[12345678901]: ",
        "Nov 25 02:22:48 mx1 postfix/qmgr[812] ",
        "Nov 25 02:22:48 mx1 postfix/discard[812]: ",
        "Nov 25 02:22:48 mx1 postfix/postsuper[812]: ",
        "Nov 25 02:22:48 mx1 postfix[812]: ",
        "Nov 25 02:22:48 <mail.info> mx1 postfix/qmgr[812]: ",
        "<22>Nov 25 02:22:48 mx1 postfix/qmgr[812]: ",
        f"Nov 25 02:22:48 {'m' * 40} postfix/qmgr[812]: ",
        f"Nov 25 02:22:48 mx1 {'p' * 40}/qmgr[812]: ",
        "2030-11-25T02:22:48.123456+13:00 mx1 postfix/qmgr[812]: ",
        "2030-11-30T02:22:48Z mx1 postfix/qmgr[812]: ",
        "2030-02-30T02:22:48Z mx1 postfix/qmgr[812]: ",
        "2030-02-28T02:22:48-0930 mx1 postfix/qmgr[812]: ",
    ],
)
def test_a_head_that_is_plain_or_nearly_so(head: str) -> None:
    assert_same("".join(f"{line}4F2aB: removed\n" for line in (HEAD, head, head, HEAD)).encode())


def test_more_hosts_and_programs_than_one_chunk_tells_apart() -> None:
    heads = [f"Nov 25 02:22:48 mx{n % 70} postfix-{n % 67}/qmgr[{n}]: " for n in range(200)]
    assert_same("".join(f"{head}4F2aB: removed\n" for head in heads).encode())


@settings(max_examples=200, deadline=None)
@given(
    year=st.integers(0, 9999),
    month=st.integers(0, 13),
    day=st.integers(0, 32),
    time=st.sampled_from(["00:00:00", "23:59:60", "24:00:00", "12:60:00", "1x:00:00"]),
    fraction=st.sampled_from(["", ".1", ",123", ".123456", ".1234567", ".", ".1234567890"]),
    zone=st.sampled_from(["Z", "z", "+00:00", "-13:45", "+1300", "+99:99", "", "+1:00"]),
)
def test_a_stamp_with_its_zone(year: int, month: int, day: int, time: str, fraction: str, zone: str) -> None:
    stamp = f"{year:04}-{month:02}-{day:02}T{time}{fraction}{zone}"
    assert_frame_equal(*both(lambda: pl.DataFrame({"at": read_zoned(pl.Series([stamp, "2030-11-25T02:22:48Z"]))})))


@settings(max_examples=100, deadline=None)
@given(
    stamp=st.from_regex(
        r"(Jan|Dec|Feb|nov) [ 0-4]?[0-9x] [0-2][0-9]:[0-6][0-9]:[0-7][0-9](\.[0-9]{1,3})?", fullmatch=True
    )
)
def test_a_stamp_without_a_year(stamp: str) -> None:
    def reading() -> pl.DataFrame:
        read = read_yearless(Spans.of(pl.Series([stamp, "Nov 25 02:22:48"])))
        values = {"month": read.month, "day": read.day, "time": read.time}
        return pl.DataFrame({"is_stamp": read.is_stamp, **values}).filter("is_stamp")

    assert_frame_equal(*both(reading))


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(st.binary(max_size=30)))
def test_strings_short_and_long(lines: list[bytes]) -> None:
    def reading() -> pl.DataFrame:
        return pl.concat(
            [pl.DataFrame({"text": []}, schema={"text": pl.String}), *(f.select("text") for f in frames())]
        )

    def frames() -> Iterator[pl.DataFrame]:
        return read_lines(io.BytesIO(b"\n".join(lines)))

    assert_frame_equal(*both(reading))
