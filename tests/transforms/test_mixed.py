"""A log that changes its spelling, or begins with something else than mail."""

import io
from collections.abc import Sequence
from itertools import permutations

import pytest
from polars.testing import assert_frame_equal

from tests.transforms.dialects import facts, fates
from transforms.dialect import LogOptions
from transforms.mixed import MixedEnvelope
from transforms.parse import Parsed, merge, parse_stream
from transforms.registry import ENVELOPES, GRAMMARS

POSTFIX = [
    "Nov 25 02:22:48 mx1 postfix/smtpd[812]: 4ABCDEF012: client=mail.example.com[192.0.2.1]",
    "Nov 25 02:22:49 mx1 postfix/qmgr[813]: 4ABCDEF012: removed",
]
CRON = ["Nov 25 02:23:01 mx1 CRON[9]: (root) CMD (run-parts /etc/cron.hourly)"]
EXIM = [
    "2030-11-25 02:22:48 1aBcDe-000abc-XX <= ann@example.com H=x [192.0.2.1] P=smtp S=1",
    "2030-11-25 02:22:49 1aBcDe-000abc-XX Completed",
]
EXCHANGE = [
    "#Fields: date-time,event-id,source,message-id,recipient-address,sender-address,server-hostname",
    "2030-11-25T02:22:48.123Z,RECEIVE,SMTP,<a@example.com>,bob@example.org,ann@example.com,EX1",
    "2030-11-25T02:22:49.123Z,DELIVER,STOREDRIVER,<a@example.com>,bob@example.org,ann@example.com,EX1",
]
PARTS = {"syslog": POSTFIX, "exim": EXIM, "exchange": EXCHANGE}


def read(lines: Sequence[str], likely: str, chunk_bytes: int) -> Parsed:
    envelopes = {name: make(LogOptions(year=2030, host="mx1")) for name, make in ENVELOPES.items()}
    stream = io.BytesIO("".join(f"{line}\n" for line in lines).encode())
    mixed = MixedEnvelope(envelopes, likely)
    return merge(list(parse_stream(stream, mixed, GRAMMARS, "0" * 16, "test.log", chunk_bytes)))


def alone(envelope: str) -> Parsed:
    stream = io.BytesIO("".join(f"{line}\n" for line in PARTS[envelope]).encode())
    reader = ENVELOPES[envelope](LogOptions(year=2030, host="mx1"))
    return merge(list(parse_stream(stream, reader, GRAMMARS, "0" * 16, "test.log")))


@pytest.mark.parametrize("chunk_bytes", [1, 300, 1 << 20])
@pytest.mark.parametrize("order", list(permutations(PARTS)), ids="-".join)
def test_a_server_that_is_replaced_is_read_to_the_end(order: tuple[str, ...], chunk_bytes: int) -> None:
    lines = [line for name in order for line in PARTS[name] * 3]
    parsed = read(lines, order[0], chunk_bytes)
    columns = ["logged_at", "host", "queue_id", "kind", "sender", "recipient"]
    for name in order:
        expected = alone(name).events.select(columns)
        ids = expected["queue_id"].unique().to_list()
        found = parsed.events.filter(parsed.events["queue_id"].is_in(ids)).select(columns).unique()
        assert_frame_equal(found, expected, check_row_order=False)
    headers = 3 * (len(EXCHANGE) - 2)
    assert fates(parsed) == {"parsed": len(lines) - headers, "ignored": headers, "quarantined": 0}


def test_mail_behind_other_programs_lines_is_found() -> None:
    parsed = read([*CRON * 50, *EXIM, *CRON * 50, *EXIM], "syslog", 500)
    assert facts(parsed, "line_number", "kind") == [
        (51, "arrived"),
        (52, "removed"),
        (103, "arrived"),
        (104, "removed"),
    ]
    assert fates(parsed) == {"parsed": 4, "ignored": 100, "quarantined": 0}


def test_what_no_envelope_opens_is_judged_once_by_the_first() -> None:
    damaged = "22:48 mx1 postfix/qmgr[812]: 4ABCDEF012: removed"
    parsed = read([*POSTFIX, damaged, "# a note", *EXIM], "syslog", 1 << 20)
    assert parsed.quarantine["line_number"].to_list() == [3]
    assert fates(parsed) == {"parsed": 4, "ignored": 1, "quarantined": 1}


def test_a_quoted_line_of_another_server_opens_nothing() -> None:
    quoted = f"Nov 25 02:22:50 mx1 script[9]: {EXIM[0]}"
    assert fates(read([*POSTFIX, quoted], "syslog", 1 << 20)) == {"parsed": 2, "ignored": 1, "quarantined": 0}
