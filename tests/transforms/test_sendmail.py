"""What each line of a Sendmail log states. Facts and figures are invented; forms are Sendmail's."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from sources.domains import ascii_address
from tests.transforms.dialects import facts, fates, parse
from transforms.dialect import LogOptions
from transforms.parse import Parsed
from transforms.sendmail import SendmailGrammar
from transforms.syslog import SyslogEnvelope

ID = "u31FFPtp032300"
NEXT = "u31FFQab032301"


def read(*bodies: str, service: str = "sm-mta") -> Parsed:
    lines = [f"Nov 25 02:22:48 mx1 {service}[4711]: {body}" for body in bodies]
    return parse(lines, SyslogEnvelope(LogOptions(year=2030)), SendmailGrammar())


def one(body: str, *columns: str) -> tuple[object, ...]:
    found = facts(read(body), *columns)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("service", "owned"),
    [
        ("sendmail", True),
        ("sm-mta", True),
        ("sm-msp-queue", True),
        ("sm-acceptingconnections", True),
        ("postfix/sendmail", False),
        ("dovecot", False),
    ],
)
def test_services(service: str, owned: bool) -> None:
    assert SendmailGrammar().owns(pl.Series([service])).to_list() == [owned]


def test_from_begins_a_queue_file() -> None:
    parsed = read(
        f"{ID}: from=<Ann@Example.com>, size=5938, class=0, nrcpts=7, msgid=<abc def@example.com>, proto=ESMTP,"
        " daemon=MTA, relay=mail.example.com [192.0.2.1]"
    )
    assert facts(parsed, "kind", "queue_id", "sender", "recipient_count", "message_id", "client") == [
        ("arrived", ID, "ann@example.com", 7, "abc def@example.com", "mail.example.com [192.0.2.1]"),
    ]


@pytest.mark.parametrize(
    ("sender", "read_as"),
    [
        ("<>", ""),
        ("<ann@example.com>", "ann@example.com"),
        ("root", "root"),
        ('<"a, b"@example.com>', '"a, b"@example.com'),
    ],
)
def test_senders_in_every_spelling(sender: str, read_as: str) -> None:
    parsed = read(f"{ID}: from={sender}, size=1, class=0, nrcpts=1, msgid=<a@b>, relay=root@localhost")
    assert facts(parsed, "kind", "sender") == [("arrived", read_as)]


def test_a_message_of_which_no_recipient_was_accepted_never_arrived() -> None:
    assert (
        fates(read(f"{ID}: from=<ann@example.com>, size=0, class=0, nrcpts=0, proto=SMTP, relay=[192.0.2.1]"))[
            "ignored"
        ]
        == 1
    )


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("00:00:00", 0.0), ("00:03:45", 225.0), ("1+00:00:15", 86_415.0), ("5+01:02:03", 435_723.0)],
)
def test_delay_may_count_days(written: str, seconds: float) -> None:
    line = f"{ID}: to=<bob@example.org>, delay={written}, mailer=esmtp, relay=x [192.0.2.9], dsn=2.0.0, stat=Sent (ok)"
    assert one(line, "delay_seconds", "relay", "dsn", "reply") == (seconds, "x [192.0.2.9]", "2.0.0", None)


@pytest.mark.parametrize(
    ("listed", "recipients"),
    [
        ("<bob@example.org>", ["bob@example.org"]),
        ("<Bob@example.org>,<eve@example.org>", ["bob@example.org", "eve@example.org"]),
        ("bob@example.org, eve@example.org", ["bob@example.org", "eve@example.org"]),
        ('<"a, b"@example.org>,<eve@example.org>', ['"a, b"@example.org', "eve@example.org"]),
        ("<bob@example.org>,<bob@example.org>", ["bob@example.org"]),
        ("<bob@example.org> [more]", ["bob@example.org"]),
    ],
)
def test_one_line_may_list_several_recipients(listed: str, recipients: list[str]) -> None:
    parsed = read(f"{ID}: to={listed}, delay=00:00:01, mailer=local, dsn=2.0.0, stat=Sent")
    assert sorted(parsed.events["recipient"].to_list()) == sorted(recipients)


@pytest.mark.parametrize(
    ("control", "mailer", "original"),
    [
        ("<sales@example.org> (8/0)", "local", "sales@example.org"),
        ("<bob@example.org> (1000/1000)", "local", None),
        ("root (0/0)", "local", None),
        ("ann@example.org (1000/1000)", "relay", None),
    ],
)
def test_ctladdr_is_the_alias_that_led_to_the_recipient(control: str, mailer: str, original: str | None) -> None:
    to = f"{ID}: to=<bob@example.org>, ctladdr={control}, delay=00:00:01, xdelay=00:00:00"
    line = f"{to}, mailer={mailer}, pri=1, dsn=2.0.0, stat=Sent"
    assert one(line, "recipient", "original_recipient") == ("bob@example.org", original)


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ("ann", [("ann@example.org", "team@example.org", 1)]),
        ("ann,Bob", [("ann@example.org", "team@example.org", 1), ("bob@example.org", "team@example.org", 2)]),
        ("\\ann", [("ann@example.org", "team@example.org", 1)]),
        ('"|/usr/bin/procmail -d ann@example.net"', [("team@example.org", None, 1)]),
        ("/var/mail/list", [("team@example.org", None, 1)]),
        ('":include:/etc/mail/list"', [("team@example.org", None, 1)]),
        (
            "<eve@example.net>,ann",
            [("ann@example.org", "team@example.org", 2), ("eve@example.net", "team@example.org", 1)],
        ),
    ],
)
def test_behind_an_alias_a_bare_local_part_is_in_its_domain_and_a_pipe_is_nobody(
    listed: str, found: list[tuple[str, str | None, int]]
) -> None:
    line = f"{ID}: to={listed}, ctladdr=<team@example.org> (8/0), delay=00:00:01, mailer=local, dsn=2.0.0, stat=Sent"
    assert facts(read(line), "recipient", "original_recipient", "recipient_place") == found


def test_a_bare_local_part_without_an_alias_has_no_domain() -> None:
    assert one(f"{ID}: to=ann, delay=00:00:01, mailer=local, dsn=2.0.0, stat=Sent", "recipient") == ("ann",)


@pytest.mark.parametrize(
    ("dsn", "stat", "status"),
    [
        ("2.0.0", "Sent", "sent"),
        ("2.0.0", "Sent (ok: Message 40279894 accepted)", "sent"),
        ("4.0.0", "Deferred: Connection refused by mx.example.org.", "deferred"),
        ("4.2.2", "Deferred: 452 4.2.2 Mailbox full", "deferred"),
        ("4.3.0", "Local configuration error", "deferred"),
        ("5.1.1", "User unknown", "bounced"),
        ("5.0.0", "Service unavailable", "bounced"),
        ("5.1.2", "Host unknown (Name server: mx.example.org: host not found)", "bounced"),
        ("4.4.7", "Cannot send message for 5 days", "expired"),
    ],
)
def test_stat_says_how_the_attempt_went(dsn: str, stat: str, status: str) -> None:
    line = f"{ID}: to=<bob@example.org>, delay=00:00:01, mailer=esmtp, pri=1, relay=x., dsn={dsn}, stat={stat}"
    assert one(line, "kind", "status", "dsn", "reply") == ("attempted", status, dsn, None if status == "sent" else stat)


def test_a_recipient_that_only_waits_in_the_queue_is_accepted() -> None:
    line = f"{ID}: to=<bob@example.org>, delay=00:00:00, mailer=esmtp, pri=1, stat=queued"
    assert one(line, "kind", "recipient", "status") == ("accepted", "bob@example.org", None)


def test_the_submission_program_hands_over_to_the_server_on_the_same_host() -> None:
    line = (
        f"{ID}: to=<bob@example.org>, ctladdr=<ann@example.org> (1000/1000), delay=00:00:01, mailer=relay,"
        f" pri=1, relay=[127.0.0.1] [127.0.0.1], dsn=2.0.0, stat=Sent ({NEXT} Message accepted for delivery)"
    )
    assert one(line, "status", "related_queue_id", "original_recipient") == ("sent", NEXT, None)


@pytest.mark.parametrize(
    "what",
    [
        "DSN: User unknown",
        "postmaster notify: User unknown",
        "return to sender: User unknown",
        "sender notify: Warning: could not send message for past 4 hours",
    ],
)
def test_a_notice_names_its_own_queue_file(what: str) -> None:
    assert one(f"{ID}: {NEXT}: {what}", "kind", "queue_id", "related_queue_id") == ("notified", ID, NEXT)


@pytest.mark.parametrize("why", ["Cannot send message for 5 days", "Cannot send message within 5 days"])
def test_giving_up_after_the_longest_time_is_a_loss_for_all_still_waiting(why: str) -> None:
    parsed = read(f"{ID}: {NEXT}: sender notify: {why}")
    assert facts(parsed, "kind", "queue_id", "related_queue_id") == [("expired", ID, None), ("notified", ID, NEXT)]


def test_a_clone_takes_over_from_its_former_leg() -> None:
    assert one(f"{ID}: {NEXT}: clone: owner=owner-list@example.org", "kind", "queue_id", "related_queue_id") == (
        "arrived",
        NEXT,
        ID,
    )


def test_only_temporary_refusals_wait_in_the_senders_queue() -> None:
    parsed = read(
        f"{ID}: ruleset=check_rcpt, arg1=<Bob@example.org>, relay=mail [192.0.2.1], reject=451 4.7.1 greylisted",
        f"{ID}: ruleset=check_rcpt, arg1=<bob@example.org>, relay=mail.example.com [192.0.2.1], reject=550 5.7.1 no",
        f"{ID}: ruleset=check_mail, arg1=<ann@example.com>, relay=[192.0.2.1], reject=451 4.1.8 Does not resolve",
        "ruleset=check_relay, arg1=x, arg2=192.0.2.1, relay=x [192.0.2.1], reject=421 4.3.2 Too many open connections.",
    )
    assert facts(parsed, "line_number", "kind", "sender", "recipient", "client", "reply") == [
        (1, "refused", None, "bob@example.org", "mail [192.0.2.1]", "451 4.7.1 greylisted"),
        (3, "refused", "ann@example.com", None, "[192.0.2.1]", "451 4.1.8 Does not resolve"),
        (4, "refused", None, None, "x [192.0.2.1]", "421 4.3.2 Too many open connections."),
    ]


@pytest.mark.parametrize(
    "body", [f"{ID}: to=<bob@example.org>, delay=00:0", f"{ID}: to=<bob@exam", f"{ID}: from=<ann@example.com>, si"]
)
def test_a_line_that_is_cut_off_is_set_aside(body: str) -> None:
    assert fates(read(body)) == {"parsed": 0, "ignored": 0, "quarantined": 1}


@pytest.mark.parametrize(
    "body",
    [
        f"{ID}: done; delay=00:00:00, ntries=2",
        f"{ID}: Milter: no active filter",
        "starting daemon (8.17): SMTP+queueing@00:10:00",
        f"{ID}: <eve@example.org>... User unknown",
    ],
)
def test_known_lines_without_a_delivery_fact_are_ignored(body: str) -> None:
    assert fates(read(body)) == {"parsed": 0, "ignored": 1, "quarantined": 0}


words = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=30)
pieces = st.sampled_from(
    [
        f"Nov 25 02:22:48 mx1 sm-mta[1]: {ID}: ",
        "to=",
        "from=",
        "<a@example.com>",
        ", delay=00:00:01",
        ", stat=",
        "Sent",
        "DSN: ",
        "ruleset=",
        '"',
        ",",
        "\n",
        "\r",
    ]
)


@settings(deadline=None)
@given(st.lists(st.one_of(words, pieces), max_size=40).map("".join).map(str.encode) | st.binary(max_size=400))
def test_any_bytes_are_accounted_for(content: bytes) -> None:
    parsed = parse(content, SyslogEnvelope(LogOptions(year=2030)), SendmailGrammar())
    lines = content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
    assert sum(fates(parsed).values()) == lines
    assert parsed.quarantine.height == fates(parsed)["quarantined"]


locals_ = st.from_regex(r"\A[a-z][a-z0-9._+-]{0,12}\Z") | st.from_regex(r'\A"[a-z ,@:()=>]{1,12}"\Z')
addresses = st.builds(lambda left, right: f"{left}@{right}.example", locals_, st.from_regex(r"\A[a-z]{1,8}\Z"))
lines_ = st.fixed_dictionaries(
    {
        "recipients": st.lists(addresses, min_size=1, max_size=4, unique=True),
        "status": st.sampled_from(["sent", "deferred", "bounced"]),
        "delay_seconds": st.integers(0, 10 * 86_400),
        "relay": st.sampled_from(["mx.example.org. [192.0.2.9]", "[127.0.0.1] [127.0.0.1]"]),
    }
)
STAT = {
    "sent": ("2.0.0", "Sent (ok)"),
    "deferred": ("4.0.0", "Deferred: Connection refused"),
    "bounced": ("5.1.1", "User unknown"),
}


@settings(deadline=None)
@given(st.lists(lines_, min_size=1, max_size=6))
def test_attempts_written_in_this_dialect_are_read_back(lines: list[dict[str, object]]) -> None:
    bodies, expected = [], []
    for number, line in enumerate(lines, 1):
        days, rest = divmod(int(str(line["delay_seconds"])), 86_400)
        clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
        dsn, stat = STAT[str(line["status"])]
        recipients = [str(r) for r in line["recipients"]]  # type: ignore[attr-defined]
        listed = ",".join(f"<{r}>" for r in recipients)
        bodies.append(
            f"{ID}: to={listed}, delay={f'{days}+' if days else ''}{clock}, xdelay=00:00:01, mailer=esmtp, pri=120000,"
            f" relay={line['relay']}, dsn={dsn}, stat={stat}"
        )
        expected += [
            (number, r, line["status"], float(str(line["delay_seconds"])), line["relay"], dsn) for r in recipients
        ]
    columns = ["line_number", "recipient", "status", "delay_seconds", "relay", "dsn"]
    found = read(*bodies).events.select(columns).sort("line_number", "recipient")
    wanted = pl.DataFrame(expected, schema=found.schema, orient="row").sort("line_number", "recipient")
    assert_frame_equal(found, wanted)


@settings(deadline=None)
@given(
    st.just("") | addresses,
    st.integers(1, 500),
    st.text(
        st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp", "Zs"], blacklist_characters="<>"),
        min_size=1,
        max_size=20,
    ),
)
def test_arrivals_written_in_this_dialect_are_read_back(sender: str, count: int, message_id: str) -> None:
    body = (
        f"{ID}: from=<{sender}>, size=1, class=-30, nrcpts={count}, msgid=<{message_id}@x>, bodytype=8BITMIME,"
        " proto=ESMTP, daemon=MTA, relay=mail.example.com [192.0.2.1]"
    )
    columns = ("kind", "sender", "recipient_count", "message_id", "client")
    assert one(body, *columns) == ("arrived", sender, count, f"{message_id}@x", "mail.example.com [192.0.2.1]")


def test_a_quoted_address_cannot_imitate_the_rest_of_the_line() -> None:
    evil = '"x>, delay=00:00:00, stat=Sent"@example.org'
    body = f"{ID}: to=<{evil}>, delay=00:00:09, mailer=local, dsn=5.1.1, stat=User unknown"
    assert one(body, "recipient", "status", "delay_seconds") == (evil.lower(), "bounced", 9.0)


@pytest.mark.parametrize("address", ["jürgen@example.org", "用户@例え.example", "\u0430\u0301nn@example.org"])
def test_what_stands_behind_an_address_in_any_script_is_cut_where_it_stands(address: str) -> None:
    body = (
        f"{ID}: to=<{address}>, ctladdr=<é{address}> (8/0), delay=1+00:00:05, xdelay=00:00:01, mailer=esmtp, pri=9,"
        f" relay=größe.example.org, dsn=4.0.0, stat=Deferred: größe, é"
    )
    assert one(body, "recipient", "original_recipient", "delay_seconds", "relay", "status", "reply") == (
        *(
            ascii_address(address),
            ascii_address(f"é{address}"),
            86_405.0,
            "größe.example.org",
            "deferred",
            "Deferred: größe, é",
        ),
    )
