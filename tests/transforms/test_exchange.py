"""What each row of Exchange message tracking states. Facts and figures are invented; columns are Exchange's."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.transforms.dialects import facts, fates, parse
from transforms.dialect import LogOptions
from transforms.exchange import ExchangeGrammar
from transforms.exchange_envelope import HEADERS, ExchangeEnvelope
from transforms.parse import Parsed

AT = "2030-11-25T02:22:48.123Z"
BASE = {
    "date-time": AT,
    "source": "SMTP",
    "message-id": "<m1@example.com>",
    "server-hostname": "EX1",
    "sender-address": "ann@example.com",
    "return-path": "ann@example.com",
}
HEADER = list(HEADERS[27])


def row(header: list[str] = HEADER, **fields: str) -> str:
    values: dict[str, str] = BASE | {name.replace("_", "-"): value for name, value in fields.items()}
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([values.get(name, "") for name in header])
    return out.getvalue()


def head(header: list[str] = HEADER) -> str:
    return "#Fields: " + ",".join(header)


def read(*lines: str) -> Parsed:
    return parse(lines, ExchangeEnvelope(LogOptions()), ExchangeGrammar())


def one(line: str, *columns: str) -> tuple[Any, ...]:
    found = facts(read(head(), line), *columns)
    assert len(found) == 1
    return found[0]


def test_receive_begins_a_message_and_names_its_recipients() -> None:
    parsed = read(
        head(),
        row(
            event_id="RECEIVE",
            recipient_address="Bob@example.org;eve@example.org",
            recipient_count="2",
            client_ip="192.0.2.1",
            client_hostname="mail",
        ),
    )
    assert facts(
        parsed, "kind", "queue_id", "host", "sender", "recipient", "recipient_count", "message_id", "client"
    ) == [
        ("accepted", "m1@example.com", "", None, "bob@example.org", None, None, None),
        ("accepted", "m1@example.com", "", None, "eve@example.org", None, None, None),
        ("arrived", "m1@example.com", "", "ann@example.com", None, 2, "m1@example.com", "mail[192.0.2.1]"),
    ]
    assert facts(parsed, "recipient", "recipient_place") == [
        ("bob@example.org", 1),
        ("eve@example.org", 2),
        (None, None),
    ]
    assert parsed.events["logged_at"].unique().to_list() == [datetime(2030, 11, 25, 2, 22, 48, 123_000, tzinfo=UTC)]
    assert parsed.activity["host"].to_list() == ["ex1"]


@pytest.mark.parametrize(
    ("path", "sender"), [("<>", ""), ("", "ann@example.com"), ("Bounce@example.com", "bounce@example.com")]
)
def test_the_envelope_sender_is_the_return_path(path: str, sender: str) -> None:
    assert one(row(event_id="RECEIVE", return_path=path), "kind", "sender") == ("arrived", sender)


@pytest.mark.parametrize("event", ["EXPAND", "RESOLVE", "REDIRECT"])
def test_another_address_stands_in_for_the_one_that_was_written(event: str) -> None:
    line = row(event_id=event, recipient_address="bob@example.org", related_recipient_address="Team@example.org")
    assert one(line, "kind", "recipient", "original_recipient") == ("accepted", "bob@example.org", "team@example.org")


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("DELIVER", "sent"),
        ("DUPLICATEDELIVER", "sent"),
        ("SENDEXTERNAL", "sent"),
        ("SEND", "forwarded"),
        ("DEFER", "deferred"),
        ("FAIL", "bounced"),
        ("POISONMESSAGE", "discarded"),
        ("DROP", "discarded"),
    ],
)
def test_what_happened_to_a_recipient(event: str, status: str) -> None:
    assert one(row(event_id=event, recipient_address="bob@example.org"), "kind", "recipient", "status") == (
        "attempted",
        "bob@example.org",
        status,
    )


@pytest.mark.parametrize(
    "event", ["HARECEIVE", "HAREDIRECT", "HADISCARD", "SUBMIT", "TRANSFER", "NOTIFYMAPI", "AGENTINFO", "RESUBMIT"]
)
def test_shadow_copies_and_internal_steps_carry_no_fact(event: str) -> None:
    assert fates(read(head(), row(event_id=event, recipient_address="bob@example.org"))) == {
        "parsed": 0,
        "ignored": 2,
        "quarantined": 0,
    }


@pytest.mark.parametrize(
    ("said", "source", "status", "dsn"),
    [
        ("550 5.1.1 RESOLVER.ADR.RecipNotFound; not found", "ROUTING", "bounced", "5.1.1"),
        ("[{LRT=};{LED=550 5.2.2 mailbox full};{FQDN=}]", "STOREDRIVER", "bounced", "5.2.2"),
        ("550 4.4.7 QUEUE.Expired; message expired", "QUEUE", "expired", "4.4.7"),
        ("", "ADMIN", "discarded", None),
    ],
)
def test_failures_keep_what_was_said(said: str, source: str, status: str, dsn: str | None) -> None:
    line = row(event_id="FAIL", recipient_address="bob@example.org", recipient_status=said, source=source)
    assert one(line, "status", "dsn", "reply") == (status, dsn, said)


@pytest.mark.parametrize("said", ["550 5.1.1 unknown;452 4.2.2 full", "'550 5.1.1 unknown';'452 4.2.2 full; wait'"])
def test_each_recipient_has_its_own_status(said: str) -> None:
    parsed = read(
        head(), row(event_id="FAIL", recipient_address="bob@example.org;eve@example.org", recipient_status=said)
    )
    assert facts(parsed, "recipient", "dsn") == [("bob@example.org", "5.1.1"), ("eve@example.org", "4.2.2")]


def test_a_shared_status_with_a_semicolon_is_not_torn_apart() -> None:
    line = row(
        event_id="FAIL",
        recipient_address="bob@example.org;eve@example.org",
        recipient_status="550 5.1.1 RESOLVER.ADR.RecipNotFound; not found",
    )
    assert facts(read(head(), line), "recipient", "dsn") == [("bob@example.org", "5.1.1"), ("eve@example.org", "5.1.1")]


def test_the_origin_in_message_info_gives_the_delay() -> None:
    line = row(
        event_id="DELIVER",
        recipient_address="bob@example.org",
        message_info="2030-11-25T02:20:48.123Z;SRV=EX1:TOTAL=120",
    )
    assert one(line, "delay_seconds") == (120.0,)


def test_a_notice_arrives_and_points_from_the_message_it_is_about() -> None:
    line = row(
        event_id="DSN",
        source="DSN",
        message_id="<n1@example.org>",
        recipient_address="ann@example.com",
        reference="<m1@example.com>",
    )
    assert facts(read(head(), line), "kind", "queue_id", "sender", "recipient", "related_queue_id") == [
        ("accepted", "n1@example.org", None, "ann@example.com", None),
        ("arrived", "n1@example.org", "", None, None),
        ("notified", "m1@example.com", None, None, "n1@example.org"),
    ]


def test_what_a_server_sends_shows_that_server_at_work() -> None:
    parsed = read(
        head(),
        row(
            event_id="SEND",
            recipient_address="bob@example.org",
            client_hostname="EX1",
            server_hostname="mx.example.net",
        ),
    )
    assert (parsed.activity["host"].to_list(), parsed.events["relay"].to_list()) == (["ex1"], ["mx.example.net"])


@pytest.mark.parametrize(
    ("status", "context", "named"),
    [
        ("250 2.0.0 Ok: queued as 4ABCDEF012", "", "4ABCDEF012"),
        ("250 2.1.5 Recipient OK", "08D2A7;250 2.0.0 Ok: queued as 4ABCDEF012;ClientSubmitTime:", "4ABCDEF012"),
        ("250 2.1.5 Recipient OK", "08D2A7;250 2.0.0 OK;ClientSubmitTime:", None),
    ],
)
def test_what_is_sent_on_names_its_next_leg(status: str, context: str, named: str | None) -> None:
    sent_on = row(event_id="SEND", recipient_address="bob@example.org", recipient_status=status, source_context=context)
    assert facts(read(head(), sent_on), "status", "related_queue_id") == [("forwarded", named)]


def test_columns_come_in_any_order_and_may_change_within_a_file() -> None:
    other = ["event-id", "recipient-address", "message-id", "date-time"]
    lines = [
        head(),
        row(event_id="DELIVER", recipient_address="bob@example.org"),
        head(other),
        row(other, event_id="DELIVER", recipient_address="eve@example.org"),
    ]
    assert facts(read(*lines), "line_number", "recipient") == [(2, "bob@example.org"), (4, "eve@example.org")]


@pytest.mark.parametrize("columns", sorted(HEADERS))
def test_a_file_cut_off_above_its_header_is_read_by_its_number_of_columns(columns: int) -> None:
    line = row(list(HEADERS[columns]), event_id="DELIVER", recipient_address="bob@example.org")
    assert facts(read(line), "kind", "recipient", "queue_id") == [("attempted", "bob@example.org", "m1@example.com")]


@pytest.mark.parametrize("subject", ['say "hi", bob', "a,b;c", '",DELIVER,"', "", " ", '""'])
def test_quoted_text_cannot_shift_columns(subject: str) -> None:
    assert one(
        row(event_id="DELIVER", recipient_address="bob@example.org", message_subject=subject), "status", "recipient"
    ) == ("sent", "bob@example.org")


@pytest.mark.parametrize(
    "line",
    [
        row(event_id="DELIVER").rsplit(",", 1)[0],
        row(event_id="DELIVER") + ",x",
        row(event_id="DELIVER", date_time="soon"),
        row(event_id="DELIVER", message_subject='a"b')[:-40],
        "junk",
    ],
)
def test_a_row_that_does_not_fit_its_header_is_set_aside(line: str) -> None:
    assert fates(read(head(), line)) == {"parsed": 0, "ignored": 1, "quarantined": 1}


def test_the_header_lasts_from_chunk_to_chunk() -> None:
    other = ["event-id", "recipient-address", "message-id", "date-time"]
    content = "\n".join(
        [head(other), *(row(other, event_id="DELIVER", recipient_address=f"bob{n}@example.org") for n in range(5))]
    ).encode()
    envelope = ExchangeEnvelope(LogOptions())
    opened = [
        envelope.open(
            pl.DataFrame({"line_number": [n], "text": [line]}, schema={"line_number": pl.Int64, "text": pl.String})
        )
        for n, line in enumerate(content.decode().split("\n"), 1)
    ]
    assert sum(o.lines.height for o in opened) == 5
    assert parse(content, ExchangeEnvelope(LogOptions()), ExchangeGrammar()).events.height == 5


words = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=30)
pieces = st.sampled_from(
    [
        head() + "\n",
        row(event_id="DELIVER", recipient_address="a@example.com") + "\n",
        "#Fields:",
        ",",
        '"',
        ";",
        AT,
        "FAIL",
        "\n",
        "\r",
        "\x1f",
    ]
)


@settings(deadline=None)
@given(st.lists(st.one_of(words, pieces), max_size=30).map("".join).map(str.encode) | st.binary(max_size=400))
def test_any_bytes_are_accounted_for(content: bytes) -> None:
    parsed = parse(content, ExchangeEnvelope(LogOptions()), ExchangeGrammar())
    lines = content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
    assert sum(fates(parsed).values()) == lines
    assert parsed.quarantine.height == fates(parsed)["quarantined"]


addresses = st.from_regex(r"\A[a-z][a-z0-9._+'-]{0,12}@[a-z]{1,8}\.example\Z")
events = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["sent", "forwarded", "deferred", "bounced", "discarded"]),
        "recipients": st.lists(addresses, min_size=1, max_size=4, unique=True),
        "message_id": st.from_regex(r"\A[A-Za-z0-9$=.,\"-]{1,20}@[a-z]{1,8}\Z"),
        "subject": st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20),
    }
)
NAMES = {"sent": "DELIVER", "forwarded": "SEND", "deferred": "DEFER", "bounced": "FAIL", "discarded": "POISONMESSAGE"}


@settings(deadline=None)
@given(st.lists(events, min_size=1, max_size=6), st.permutations(HEADER))
def test_events_written_in_this_dialect_are_read_back(wanted: list[dict[str, Any]], header: list[str]) -> None:
    lines = [head(header)]
    expected = []
    for number, event in enumerate(wanted, 2):
        lines.append(
            row(
                header,
                event_id=NAMES[event["status"]],
                recipient_address=";".join(event["recipients"]),
                message_id=f"<{event['message_id']}>",
                message_subject=event["subject"],
            )
        )
        expected += [(number, event["message_id"], recipient, event["status"]) for recipient in event["recipients"]]
    found = (
        read(*lines).events.select("line_number", "queue_id", "recipient", "status").sort("line_number", "recipient")
    )
    assert_frame_equal(
        found, pl.DataFrame(expected, schema=found.schema, orient="row").sort("line_number", "recipient")
    )
