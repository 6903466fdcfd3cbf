"""What each line of a Postfix log states. Facts and figures are invented; forms are Postfix's."""

import polars as pl
import pytest

from tests.transforms.dialects import facts, fates, parse
from transforms.dialect import LogOptions
from transforms.parse import Parsed
from transforms.postfix import PostfixGrammar
from transforms.syslog import SyslogEnvelope

ID = "4ABCDEF012"
LONG = "4ZqFvB1ChpzLXyz"
RELAY = "store1[198.51.100.1]:24"
TIMES = "delay=75.5, delays=70/4/1/0.5"


def read(*bodies: str, service: str = "postfix/qmgr") -> Parsed:
    lines = [f"Nov 25 02:22:48 mx1 {service}[4711]: {body}" for body in bodies]
    return parse(lines, SyslogEnvelope(LogOptions(year=2030)), PostfixGrammar())


@pytest.mark.parametrize(
    ("service", "owned"),
    [
        ("postfix/qmgr", True),
        ("postfix-in/smtpd", True),
        ("mail/qmgr", True),
        ("postfix/relay/smtp", True),
        ("postfix", True),
        ("mail/trivial-rewrite", True),
        ("dovecot", False),
        ("sendmail", False),
        ("mail/qmgrs", False),
    ],
)
def test_services(service: str, owned: bool) -> None:
    assert PostfixGrammar().owns(pl.Series([service])).to_list() == [owned]


@pytest.mark.parametrize(
    ("service", "said", "kind", "column", "value"),
    [
        ("smtpd", "client=a.example.org[192.0.2.7]", "arrived", "client", "a.example.org[192.0.2.7]"),
        (
            "smtpd",
            f"client=localhost[127.0.0.1], orig_queue_id={LONG}, orig_client=a.example.org[192.0.2.7]",
            "arrived",
            "related_queue_id",
            LONG,
        ),
        ("pickup", "uid=0 from=<Root>", "arrived", "sender", "root"),
        ("pickup", "uid=0 from=<root> orig_id=4OLDOLD012", "arrived", "related_queue_id", "4OLDOLD012"),
        ("cleanup", "message-id=<1.2@Example.org>", "named", "message_id", "1.2@Example.org"),
        ("cleanup", "message-id=<a>b@example.org>", "named", "message_id", "a>b@example.org"),
        ("cleanup", "resent-message-id=<1.2@example.org>", "named", "message_id", "1.2@example.org"),
        ("qmgr", "from=<Ann@Example.org>, size=9, nrcpt=3 (queue active)", "queued", "sender", "ann@example.org"),
        ("qmgr", "from=<a@example.org>, size=9, nrcpt=3 (queue active)", "queued", "recipient_count", 3),
        ("qmgr", "from=<>, size=9, nrcpt=1 (queue active)", "queued", "sender", ""),
        ("qmgr", 'from=<"a>, size=1"@example.org>, size=9, nrcpt=1 (queue active)', "queued", "recipient_count", 1),
        ("qmgr", "from=<a@example.org>, status=expired, returned to sender", "expired", "sender", "a@example.org"),
        (
            "qmgr",
            "from=<a@example.org>, status=force-expired, returned to sender",
            "expired",
            "sender",
            "a@example.org",
        ),
        ("qmgr", "removed", "removed", "sender", None),
        ("postsuper", "removed", "deleted", "sender", None),
        ("postsuper", "requeued", "requeued", "sender", None),
        ("postsuper", "placed on hold", "held", "sender", None),
        ("cleanup", "hold: header Subject: x from a[192.0.2.7]; from=<a> to=<b>", "held", "sender", None),
        ("postsuper", "released from hold", "released", "sender", None),
        ("cleanup", "discard: header Subject: x from a[192.0.2.7]; from=<a> to=<b>", "deleted", "sender", None),
        ("bounce", f"sender non-delivery notification: {LONG}", "notified", "related_queue_id", LONG),
        ("bounce", f"postmaster non-delivery notification: {LONG}", "notified", "related_queue_id", LONG),
    ],
)
def test_a_fact_about_a_queue_file(service: str, said: str, kind: str, column: str, value: object) -> None:
    parsed = read(f"{ID}: {said}", service=f"postfix/{service}")
    assert facts(parsed, "queue_id", "kind", column) == [(ID, kind, value)]


def test_an_unnamed_daemon_that_removes_a_queue_file_may_be_the_operator() -> None:
    assert facts(read(f"{ID}: removed", service="postfix"), "kind") == [("ended",)]


@pytest.mark.parametrize(
    ("said", "status", "related"),
    [
        ("status=sent (250 2.0.0 Ok: stored)", "sent", None),
        (f"status=sent (250 2.0.0 Ok: queued as {LONG})", "sent", LONG),
        (f"status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as {ID})", "sent", ID),
        (f"status=sent (250 2.0.0 Ok: queued as {LONG[:9]}", "sent", None),
        (f"status=sent (forwarded as {LONG})", "forwarded", LONG),
        ("status=deferred (host said: 451 4.3.0 Busy)", "deferred", None),
        ("status=bounced (host said: 550 5.1.1 status=sent (250 ok))", "bounced", None),
        ("status=SOFTBOUNCE (host said: 550 5.1.1 unknown)", "deferred", None),
        ("status=expired (delivery time expired)", "expired", None),
    ],
)
def test_how_an_attempt_went(said: str, status: str, related: str | None) -> None:
    parsed = read(f"{ID}: to=<bob@example.com>, relay={RELAY}, {TIMES}, dsn=2.0.0, {said}", service="postfix/lmtp")
    assert facts(parsed, "kind", "status", "related_queue_id") == [("attempted", status, related)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("to=<Bob@Example.com>, ", ("bob@example.com", None)),
        ("to=<bob@example.com>, orig_to=<Info@example.com>, ", ("bob@example.com", "info@example.com")),
        ('to=<"a, b>, relay=x"@example.com>, ', ('"a, b>, relay=x"@example.com', None)),
        ("to=<jürgen@example.com>, ", ("jürgen@example.com", None)),
        ("to=<bob@example.com>, orig_to=<root>, ", ("bob@example.com", "root")),
    ],
)
def test_who_was_tried(said: str, expected: tuple[str, str | None]) -> None:
    line = f"{ID}: {said}relay={RELAY}, conn_use=3, {TIMES}, dsn=2.0.0, status=sent (250 ok)"
    assert facts(read(line, service="postfix/smtp"), "recipient", "original_recipient") == [expected]


def test_the_parts_of_a_delay_and_the_old_form_without_them() -> None:
    columns = ("delay_seconds", "before_active_seconds", "active_seconds", "connect_seconds", "transmit_seconds", "dsn")
    end = "dsn=4.4.1, status=deferred (connect to x: timed out)"
    whole = read(f"{ID}: to=<bob@example.com>, relay=none, {TIMES}, {end}", service="postfix/error")
    assert facts(whole, *columns) == [(75.5, 70.0, 4.0, 1.0, 0.5, "4.4.1")]
    old = read(f"{ID}: to=<bob@example.com>, relay=none, delay=75, status=deferred (x)", service="postfix/smtp")
    assert facts(old, *columns) == [(75.0, None, None, None, None, None)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "NOQUEUE: reject: RCPT from a.example.org[192.0.2.7]: 450 4.2.0 <bob@example.com>: Recipient address"
            " rejected: Greylisted; from=<Ann@example.org> to=<Bob@example.com> proto=ESMTP helo=<x>",
            [("refused", "a.example.org[192.0.2.7]", "ann@example.org", "bob@example.com")],
        ),
        (
            "NOQUEUE: reject: RCPT from a.example.org[192.0.2.7]: 554 5.7.1 <bob@example.com>: Relay access denied;"
            " from=<ann@example.org> to=<bob@example.com> proto=ESMTP helo=<x>",
            [],
        ),
        ("warning: a.example.org[192.0.2.7]: from=<x>, status=expired, returned to sender", []),
        ("connect from a.example.org[192.0.2.7]", []),
        (f"{ID}: to=<bob@example.com>, relay=none, {TIMES}, dsn=2.1.5, status=deliverable (250 ok)", []),
    ],
)
def test_what_is_said_before_there_is_a_queue_file(said: str, expected: list[object]) -> None:
    parsed = read(said, service="postfix/smtpd")
    assert facts(parsed, "kind", "client", "sender", "recipient") == expected
    assert fates(parsed)["quarantined"] == 0


@pytest.mark.parametrize(
    "said",
    [
        f"{ID}: to=<bob@example.com>, relay={RELAY}, delay=75",
        f"{ID}: to=<bob@example.com>, relay={RELAY}, {TIMES}, dsn=2.0.0, status=",
        f"{ID}: from=<ann@example.org>, size=9, nrc",
        f"{ID}: removed?",
        f"{ID}: remo",
        f"{ID}:",
        ID,
        f"{ID}: requeued twice",
        f"{ID}: uid=0 from",
    ],
)
def test_a_line_that_begins_like_a_fact_and_does_not_end_like_one_is_set_aside(said: str) -> None:
    parsed = read(said)
    assert (facts(parsed, "kind"), fates(parsed)) == ([], {"parsed": 0, "ignored": 0, "quarantined": 1})
