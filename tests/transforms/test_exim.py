"""What each line of an Exim main log states. Facts and figures are invented; forms are Exim's."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from sources.domains import ascii_address
from tests.transforms.dialects import facts, fates, parse
from transforms.dialect import LogOptions
from transforms.exim import EximGrammar
from transforms.exim_envelope import EximEnvelope
from transforms.parse import Parsed
from transforms.syslog import SyslogEnvelope

OLD = "1aBcDe-000abc-XX"
NEW = "1aBcDe-0000000abcd-1XyZ"
AT = "2030-11-25 02:22:48"


def read(*lines: str, timezone: str = "UTC") -> Parsed:
    return parse(lines, EximEnvelope(LogOptions(timezone=timezone, host="MX1")), EximGrammar())


def one(line: str, *columns: str) -> tuple[object, ...]:
    found = facts(read(line), *columns)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("message_id", [OLD, NEW])
def test_an_arrival_names_sender_client_message_id_and_its_recipients(message_id: str) -> None:
    parsed = read(
        f"{AT} {message_id} <= Ann@Example.com H=mail.example.com (helo) [192.0.2.1]:4711 P=esmtps X=TLS1.3:x:256 CV=no"
        ' S=1234 id=abc@example.com T="lunch for eve@example.com" for bob@example.org Eve@example.org'
    )
    assert facts(parsed, "kind", "queue_id", "sender", "recipient", "recipient_count", "message_id", "client") == [
        ("accepted", message_id, None, "bob@example.org", None, None, None),
        ("accepted", message_id, None, "eve@example.org", None, None, None),
        ("arrived", message_id, "ann@example.com", None, 2, "abc@example.com", "mail.example.com (helo) [192.0.2.1]"),
    ]
    assert parsed.events["host"].unique().to_list() == ["mx1"]


def test_without_a_list_of_recipients_there_is_at_least_one() -> None:
    assert one(
        f'{AT} {OLD} <= ann@example.com U=ann P=local S=99 T="for bob@example.org"', "kind", "recipient_count"
    ) == ("arrived", 1)


@pytest.mark.parametrize(
    ("message_id", "written", "recipients"),
    [
        ("1@example.com", "bob@example.org", ["bob@example.org"]),
        # What a sender put into a Message-ID is no list of recipients.
        ("x for eve@example.com", "bob@example.org", ["bob@example.org"]),
        ("x for eve@example.com y", "bob@example.org al@example.org", ["al@example.org", "bob@example.org"]),
        ("1@example.com", '"a for b"@example.org bob@example.org', ['"a for b"@example.org', "bob@example.org"]),
        ("x for eve@example.com", '"a for b"@example.org', ['"a for b"@example.org']),
    ],
)
def test_recipients_stand_behind_the_last_for(message_id: str, written: str, recipients: list[str]) -> None:
    parsed = read(f"{AT} {NEW} <= ann@example.com H=h [192.0.2.1] P=smtp S=1 id={message_id} for {written}")
    accepted = parsed.events.filter(kind="accepted")
    assert sorted(accepted["recipient"]) == recipients
    assert parsed.events.filter(kind="arrived")["recipient_count"].to_list() == [len(recipients)]
    assert parsed.events.filter(kind="arrived")["message_id"].to_list() == [message_id.split(" ")[0]]


@pytest.mark.parametrize(
    "written", ["", " ", " bob@example.org", "bob@example.org ", "bob@example.org  al@example.org"]
)
def test_a_list_with_a_blank_too_many_is_none(written: str) -> None:
    line = f"{AT} {NEW} <= ann@example.com H=h [192.0.2.1] P=smtp S=1 id=1@example.com for {written}"
    assert one(line, "kind", "recipient_count") == ("arrived", 1)


def test_a_notice_arrives_itself_and_points_from_the_message_it_is_about() -> None:
    parsed = read(f"{AT} {NEW} <= <> R={OLD} U=Debian-exim P=local S=99")
    assert facts(parsed, "kind", "queue_id", "sender", "related_queue_id") == [
        ("arrived", NEW, "", None),
        ("notified", OLD, None, NEW),
    ]


def test_the_reference_of_an_ordinary_message_is_no_notice() -> None:
    assert one(f"{AT} {NEW} <= ann@example.com R={OLD} U=ann P=local S=99", "kind") == ("arrived",)


@pytest.mark.parametrize("mark", ["=>", "->", ">>"])
def test_each_kind_of_delivery_is_sent(mark: str) -> None:
    line = (
        f"{AT} {OLD} {mark} Bob@example.org R=dnslookup T=remote_smtp H=mx.example.org [192.0.2.9]:25"
        ' C="250 2.0.0 OK" QT=3m45s DT=0.2s'
    )
    columns = ("kind", "status", "recipient", "original_recipient", "delay_seconds", "relay", "dsn", "reply")
    assert one(line, *columns) == (
        "attempted",
        "sent",
        "bob@example.org",
        None,
        225.0,
        "mx.example.org [192.0.2.9]:25",
        "2.0.0",
        None,
    )


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("3m45s", 225.0),
        ("0.304s", 0.304),
        ("1d2h", 93_600.0),
        ("1h2m3s", 3_723.0),
        ("0s", 0.0),
        ("1w", 604_800.0),
        ("2h", 7_200.0),
    ],
)
def test_time_on_queue_in_every_spelling(written: str, seconds: float) -> None:
    line = f"{AT} {OLD} => bob@example.org R=r T=t QT={written}"
    assert one(line, "delay_seconds")[0] == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("target", "recipient", "original"),
    [
        ("bob@example.org", "bob@example.org", None),
        ("bob@example.org <Sales@example.org>", "bob@example.org", "sales@example.org"),
        ("bob@example.org <BOB@example.org>", "bob@example.org", None),
        ("bob@example.org (team@example.org) <sales@example.org>", "bob@example.org", "sales@example.org"),
        ("bob <bob@example.org>", "bob@example.org", None),
        ("bob <sales@example.org>", "bob@example.org", "sales@example.org"),
        ("Bob <Sales@Example.org>", "bob@example.org", "sales@example.org"),
        ("bob (list@example.org) <team@example.org>", "bob@example.org", "team@example.org"),
        ('"b o b" <"b o b"@example.org>', '"b o b"@example.org', None),
        ("bob", "bob", None),
        ("/var/mail/bob <bob@example.org>", "bob@example.org", None),
        ("/var/mail/bob smith <bob@example.org>", "bob@example.org", None),
        ("|/usr/bin/procmail -d bob <bob@example.org>", "bob@example.org", None),
        ('"b o b"@example.org', '"b o b"@example.org', None),
        ('"x R=r T=t H=evil [192.0.2.6]"@example.org', '"x r=r t=t h=evil [192.0.2.6]"@example.org', None),
        ('"a>b"@example.org <"c>d"@example.org>', '"a>b"@example.org', '"c>d"@example.org'),
        ("用户@例子.example", "用户@xn--fsqu00a.example", None),
    ],
)
def test_the_recipient_is_a_full_address(target: str, recipient: str, original: str | None) -> None:
    assert one(f"{AT} {OLD} => {target} R=r T=t", "recipient", "original_recipient", "relay") == (
        recipient,
        original,
        "t",
    )


@pytest.mark.parametrize(
    ("said", "next_leg"),
    [
        ("250 OK id=1aBcDf-000abd-YY", "1aBcDf-000abd-YY"),
        ("250 2.0.0 Ok: queued as 4ABCDEF012", "4ABCDEF012"),
        ("250 2.0.0 u31FFPtp032300 Message accepted for delivery", "u31FFPtp032300"),
        (
            "250 2.6.0 <m.1@example.net> [InternalId=3221, Hostname=ex1.example.com] 9 bytes Queued mail for delivery",
            "m.1@example.net",
        ),
        ("250 2.1.5 <bob@example.org> OK", None),
        ("250 2.0.0 OK", None),
    ],
)
def test_the_confirmation_names_the_next_leg(said: str, next_leg: str | None) -> None:
    assert one(f'{AT} {OLD} => bob@example.org R=r T=t H=x [192.0.2.9] C="{said}"', "related_queue_id") == (next_leg,)


def test_nothing_is_read_from_inside_the_confirmation() -> None:
    line = f'{AT} {OLD} => bob@example.org R=r T=t H=x [192.0.2.9] C="250 H=evil [192.0.2.6] QT=9w" QT=2s'
    assert one(line, "relay", "delay_seconds") == ("x [192.0.2.9]", 2.0)


@pytest.mark.parametrize("target", [":blackhole: <bob@example.org> R=null", "discarded <bob@example.org> R=r1"])
def test_a_black_hole_is_no_delivery(target: str) -> None:
    assert one(f"{AT} {OLD} => {target}", "status", "recipient") == ("discarded", "bob@example.org")


@pytest.mark.parametrize(
    "text", ["=> blackhole (DATA ACL discarded recipients)", "=> discarded (system filter)", "removed by root"]
)
def test_a_message_that_a_rule_or_an_operator_ends_is_deleted(text: str) -> None:
    assert one(f"{AT} {OLD} {text}", "kind", "queue_id") == ("deleted", OLD)


@pytest.mark.parametrize(
    "text", ["=> >ann@example.com <bob@example.org> R=vacation T=reply", "*> bob@example.org R=r T=t"]
)
def test_automatic_replies_and_suppressed_deliveries_are_no_deliveries(text: str) -> None:
    parsed = read(f"{AT} {OLD} {text}")
    assert parsed.events.is_empty()
    assert fates(parsed)["ignored"] == 1


def test_a_deferral_keeps_what_was_said() -> None:
    line = (
        f"{AT} {OLD} == bob@example.org R=dnslookup T=remote_smtp defer (-44) H=mx.example.org [192.0.2.9]:"
        " SMTP error from remote mail server after RCPT TO:<bob@example.org>: 452 4.2.2 Mailbox full"
    )
    status, relay, dsn, reply = one(line, "status", "relay", "dsn", "reply")
    assert (status, relay, dsn) == ("deferred", "mx.example.org [192.0.2.9]", "4.2.2")
    assert str(reply).startswith("defer (-44) H=mx.example.org [192.0.2.9]: SMTP error")


@pytest.mark.parametrize(
    "text",
    [
        "== bob@example.org routing defer (-52): retry time not reached",
        "== bob@example.org R=r T=t defer (-54): retry time not reached for any host",
    ],
)
def test_a_retry_time_that_is_not_reached_is_no_attempt(text: str) -> None:
    assert one(f"{AT} {OLD} {text}", "status", "relay") == ("deferred", "none")


@pytest.mark.parametrize(
    ("text", "status", "reply"),
    [
        ("** bob@example.org: Unrouteable address", "bounced", "Unrouteable address"),
        ("** bob@example.org : Unrouteable address", "bounced", "Unrouteable address"),
        ("** bob@example.org <sales@example.org>: Unknown user", "bounced", "Unknown user"),
        ("** bob@example.org R=r T=t H=x [192.0.2.9]: 550 5.1.1 User unknown", "bounced", "550 5.1.1 User unknown"),
        ("** bob@example.org: retry timeout exceeded", "expired", "retry timeout exceeded"),
        (
            "** bob@example.org : delivery cancelled; message timed out",
            "expired",
            "delivery cancelled; message timed out",
        ),
    ],
)
def test_a_failure_is_a_bounce_unless_time_ran_out(text: str, status: str, reply: str) -> None:
    assert one(f"{AT} {OLD} {text}", "recipient", "status", "reply") == ("bob@example.org", status, reply)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Completed", "removed"),
        ("Completed QT=4s", "removed"),
        ("Frozen (delivery error message)", "held"),
        ("frozen by root", "held"),
        ("Unfrozen by auto-thaw", "released"),
    ],
)
def test_statements_about_a_whole_message(text: str, kind: str) -> None:
    assert one(f"{AT} {OLD} {text}", "kind") == (kind,)


@pytest.mark.parametrize(
    "text",
    [
        "cancelled by root",
        "Message is frozen",
        "SMTP connection from x closed by QUIT",
        "no immediate delivery: queued by ACL",
    ],
)
def test_known_lines_without_a_delivery_fact_are_ignored(text: str) -> None:
    assert fates(read(f"{AT} {OLD} {text}")) == {"parsed": 0, "ignored": 1, "quarantined": 0}


def test_our_own_temporary_refusals() -> None:
    parsed = read(
        f"{AT} H=mail.example.com (helo) [192.0.2.1]:4711 F=<Ann@example.com> temporarily rejected RCPT"
        " <bob@example.org>: greylisted",
        f"{AT} H=mail.example.com (helo) [192.0.2.1] F=<ann@example.com> rejected RCPT <bob@example.org>: no relaying",
        f"{AT} {OLD} H=(helo) [192.0.2.1] F=<ann@example.com> temporarily rejected after DATA: scanner busy",
        f"{AT} Connection from [192.0.2.1]:99 refused: too many connections",
    )
    assert facts(parsed, "line_number", "kind", "queue_id", "client", "sender", "recipient", "reply") == [
        (1, "refused", None, "mail.example.com (helo) [192.0.2.1]", "ann@example.com", "bob@example.org", "greylisted"),
        (3, "refused", None, "(helo) [192.0.2.1]", "ann@example.com", None, "scanner busy"),
        (4, "refused", None, "[192.0.2.1]", None, None, "too many connections"),
    ]


@pytest.mark.parametrize(
    "said", ["", "<=", "<= ann@example.com H=x", "=>", "=> bob@exam", "== bob@example.org R=r T=t", "** bob", "Comple"]
)
def test_a_line_that_is_cut_off_is_set_aside(said: str) -> None:
    parsed = read(f"{AT} {OLD} {said}".rstrip())
    assert fates(parsed) == {"parsed": 0, "ignored": 0, "quarantined": 1}
    assert parsed.events.is_empty()


@pytest.mark.parametrize(
    ("stamp", "timezone", "instant"),
    [
        ("2030-11-25 02:22:48", "UTC", datetime(2030, 11, 25, 2, 22, 48, tzinfo=UTC)),
        ("2030-11-25 02:22:48", "Pacific/Auckland", datetime(2030, 11, 24, 13, 22, 48, tzinfo=UTC)),
        ("2030-11-25 02:22:48 +0200", "Pacific/Auckland", datetime(2030, 11, 25, 0, 22, 48, tzinfo=UTC)),
        ("2030-11-25 02:22:48 -0230", "UTC", datetime(2030, 11, 25, 4, 52, 48, tzinfo=UTC)),
        ("2030-11-25 02:22:48.125", "UTC", datetime(2030, 11, 25, 2, 22, 48, 125_000, tzinfo=UTC)),
        ("2030-11-25 02:22:48.125 +0100 [4711]", "UTC", datetime(2030, 11, 25, 1, 22, 48, 125_000, tzinfo=UTC)),
        ("2030-11-25 02:22:48 [4711]", "UTC", datetime(2030, 11, 25, 2, 22, 48, tzinfo=UTC)),
    ],
)
def test_stamps_with_and_without_zone_fraction_and_pid(stamp: str, timezone: str, instant: datetime) -> None:
    parsed = read(f"{stamp} {OLD} Completed", timezone=timezone)
    assert facts(parsed, "kind", "queue_id", "logged_at") == [("removed", OLD, instant)]


def test_the_repeated_hour_is_told_apart_by_the_order_of_lines() -> None:
    parsed = read(
        f"2030-10-27 02:50:00 {OLD} Frozen",
        f"2030-10-27 02:10:00 {OLD} Unfrozen by root",
        f"2030-10-27 03:10:00 {OLD} Completed",
        timezone="Europe/Berlin",
    )
    assert parsed.events.sort("line_number")["logged_at"].dt.strftime("%H:%M").to_list() == ["00:50", "01:10", "02:10"]


@pytest.mark.parametrize(
    "head",
    [
        "Nov 25 02:22:48 mx1 exim[4711]: ",
        "Nov 25 02:22:48 mx1 exim4[4711]: 2030-11-25 02:22:48 ",
        "Nov 25 02:22:48 mx1 exim[4711]: 2030-11-25 02:22:48 [4711] ",
        "2030-11-25T02:22:48.5+00:00 mx1 exim[4711]: [1/2] ",
    ],
)
def test_exim_through_syslog(head: str) -> None:
    parsed = parse([f"{head}{OLD} => bob@example.org R=r T=t"], SyslogEnvelope(LogOptions(year=2030)), EximGrammar())
    assert facts(parsed, "host", "queue_id", "status", "recipient") == [("mx1", OLD, "sent", "bob@example.org")]


@pytest.mark.parametrize(
    ("line", "fate"),
    [
        ("", "ignored"),
        ("# a note", "ignored"),
        (" Suggested action: install a certificate", "ignored"),
        ("250 OK", "ignored"),
        (f"{OLD} => bob@example.org R=r T=t", "quarantined"),
        (f"22:48 {OLD} Completed", "quarantined"),
        ("\x00\x01", "quarantined"),
        (f"mx1 exim[99]: {AT} {OLD} Completed", "parsed"),
    ],
)
def test_a_line_without_a_stamp_is_foreign_unless_it_is_damaged(line: str, fate: str) -> None:
    assert fates(read(line)) == {"parsed": 0, "ignored": 0, "quarantined": 0} | {fate: 1}


words = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=30)
pieces = st.sampled_from(
    [
        f"{AT} ",
        OLD,
        NEW,
        " <= ",
        " => ",
        " == ",
        " ** ",
        " >> ",
        "<>",
        "<a@example.com>",
        " R=",
        " T=x",
        " for ",
        '"',
        " C=",
        "Completed",
        "\n",
        "\r",
    ]
)


@settings(deadline=None)
@given(st.lists(st.one_of(words, pieces), max_size=40).map("".join).map(str.encode) | st.binary(max_size=400))
def test_any_bytes_are_accounted_for(content: bytes) -> None:
    parsed = parse(content, EximEnvelope(LogOptions()), EximGrammar())
    lines = content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
    assert sum(fates(parsed).values()) == lines
    assert parsed.quarantine.height == fates(parsed)["quarantined"]


locals_ = st.from_regex(r"\A[a-z][a-z0-9._+-]{0,12}\Z") | st.from_regex(r'\A"[a-z ,@:()=]{1,12}"\Z')
addresses = st.builds(lambda left, right: f"{left}@{right}.example", locals_, st.from_regex(r"\A[a-z]{1,8}\Z"))
attempts = st.fixed_dictionaries(
    {
        "queue_id": st.sampled_from([OLD, NEW]),
        "status": st.sampled_from(["sent", "deferred", "bounced", "expired"]),
        "recipient": addresses,
        "original_recipient": st.none() | addresses,
        "relay": st.sampled_from(["mx.example.org [192.0.2.9]", "mx.example.org [2001:db8::1]:25"]),
    }
)
MARKS = {"sent": "=>", "deferred": "==", "bounced": "**", "expired": "**"}
SAID = {
    "sent": "",
    "deferred": " defer (111): Connection refused",
    "bounced": ": 550 no",
    "expired": ": retry timeout exceeded",
}


@settings(deadline=None)
@given(st.lists(attempts, min_size=1, max_size=8))
def test_attempts_written_in_this_dialect_are_read_back(events: list[dict[str, str | None]]) -> None:
    for event in events:
        if event["original_recipient"] == event["recipient"]:
            event["original_recipient"] = None
    lines = []
    for event in events:
        original = f" <{event['original_recipient']}>" if event["original_recipient"] else ""
        status = str(event["status"])
        host = f" H={event['relay']}"
        tail = SAID[status] + host + ": x" if status == "deferred" else host + SAID[status]
        lines.append(f"{AT} {event['queue_id']} {MARKS[status]} {event['recipient']}{original} R=r T=t{tail}")
    parsed = read(*lines)
    columns = ["queue_id", "status", "recipient", "original_recipient", "relay"]
    assert_frame_equal(
        parsed.events.sort("line_number").select(columns),
        pl.DataFrame(events, schema=dict.fromkeys(columns, pl.String)),
    )


subjects = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20) | st.sampled_from(
    [" for eve@example.org", " P=x S=1 id=evil@example.com", '\\" H=evil [192.0.2.6] R=x', "=> eve@example.org R=r T=t"]
)
arrivals = st.fixed_dictionaries(
    {
        "queue_id": st.sampled_from([OLD, NEW]),
        "sender": st.just("") | addresses,
        "recipients": st.lists(addresses, min_size=1, max_size=4, unique=True),
        "message_id": st.from_regex(r"\A[A-Za-z0-9$.=+-]{1,12}@[a-z]{1,6}\Z"),
        "subject": subjects,
    }
)


@settings(deadline=None)
@given(st.lists(arrivals, min_size=1, max_size=5))
def test_arrivals_written_in_this_dialect_are_read_back(messages: list[dict[str, Any]]) -> None:
    lines = []
    expected: list[tuple[Any, ...]] = []
    for number, message in enumerate(messages, 1):
        subject = message["subject"].replace('\\"', '"').replace("\\", "").replace('"', '\\"')
        lines.append(
            f"{AT} {message['queue_id']} <= {message['sender'] or '<>'} H=mail.example.com (helo) [192.0.2.1] P=esmtp"
            f' S=1 id={message["message_id"]} T="{subject}" for {" ".join(message["recipients"])}'
        )
        expected += [(number, "accepted", None, recipient, None) for recipient in message["recipients"]]
        expected.append((number, "arrived", message["sender"], None, message["message_id"]))
    columns = ["line_number", "kind", "sender", "recipient", "message_id"]
    found = read(*lines).events.select(columns).sort("line_number", "kind", "recipient")
    wanted = pl.DataFrame(expected, schema=found.schema, orient="row").sort("line_number", "kind", "recipient")
    assert_frame_equal(found, wanted)


@pytest.mark.parametrize("address", ["jürgen@example.org", "用户@例え.example", "\u0430\u0301nn@example.org"])
def test_what_stands_behind_an_address_in_any_script_is_cut_where_it_stands(address: str) -> None:
    columns = ("status", "recipient", "original_recipient", "relay", "delay_seconds", "reply")
    tail = "R=größe T=remote_smtp H=mx.example.org [192.0.2.9]"
    assert one(f'{AT} {OLD} => {address} <é{address}> {tail} C="250 größe" QT=5s', *columns) == (
        *("sent", ascii_address(address), ascii_address(f"é{address}"), "mx.example.org [192.0.2.9]", 5.0, None),
    )
    assert one(f"{AT} {OLD} == {address} {tail} defer (-44): größe: é", *columns) == (
        *("deferred", ascii_address(address), None, "mx.example.org [192.0.2.9]", None, "defer (-44): größe: é"),
    )
    assert one(f"{AT} {OLD} ** {address} <é{address}> {tail}: größe: é", *columns) == (
        *(
            "bounced",
            ascii_address(address),
            ascii_address(f"é{address}"),
            "mx.example.org [192.0.2.9]",
            None,
            "größe: é",
        ),
    )
