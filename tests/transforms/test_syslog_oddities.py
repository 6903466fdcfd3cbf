"""Syslog lines as forwarders and old daemons spell them."""

import pytest

from tests.transforms.dialects import facts, fates, parse
from transforms.dialect import LogOptions
from transforms.postfix import PostfixGrammar
from transforms.syslog import SyslogEnvelope


@pytest.mark.parametrize(
    "line",
    [
        "Nov  5 02:22:48 mx1 postfix/qmgr[812]: 4ABCDEF012: removed",
        "Nov 5 02:22:48 mx1 postfix/qmgr[812]: 4ABCDEF012: removed",
        "Nov  5 02:22:48 <mail.info> mx1 postfix/qmgr[812]: 4ABCDEF012: removed",
        "<22>Nov  5 02:22:48 mx1 postfix/qmgr[812]: 4ABCDEF012: removed",
        "2030-11-05T02:22:48.1+00:00 mx1 postfix/qmgr[812] 4ABCDEF012: removed",
    ],
)
def test_every_spelling_gives_the_same_fact(line: str) -> None:
    parsed = parse([line], SyslogEnvelope(LogOptions(year=2030)), PostfixGrammar())
    assert facts(parsed, "host", "queue_id", "kind") == [("mx1", "4ABCDEF012", "removed")]
    assert parsed.events["logged_at"].dt.strftime("%F %T").to_list() == ["2030-11-05 02:22:48"]


@pytest.mark.parametrize(
    ("line", "fate"),
    [
        ("", "ignored"),
        ("# a note of 02:22:48", "ignored"),
        ("   continued from the line above", "ignored"),
        ("qmgr[812]: 4ABCDEF012: removed", "quarantined"),
        ("22:48 mx1 postfix/qmgr[812]: 4ABCDEF012: removed", "quarantined"),
        ("2030/11/05 02:22:48 mx1 postfix/qmgr: 4ABCDEF012: removed", "quarantined"),
        ("@4000000038d2d4f6250a5c4c delivery 1: success: did_0+0+1/", "quarantined"),
        ("\x00\x00\x00", "quarantined"),
        ("to=<bob@example.org>, relay=x", "quarantined"),
    ],
)
def test_a_line_without_a_head_is_foreign_unless_it_is_damaged(line: str, fate: str) -> None:
    parsed = parse([line], SyslogEnvelope(LogOptions(year=2030)), PostfixGrammar())
    assert fates(parsed) == {"parsed": 0, "ignored": 0, "quarantined": 0} | {fate: 1}


def test_facts_behind_other_programs_lines_belong_to_their_own_lines() -> None:
    other = "Nov 25 02:22:47 mx1 dovecot: imap-login: Login: user=<bob>"
    facts_of = ("4ABCDEF012: client=mail.example.com[192.0.2.1]", "4ABCDEF012: removed")
    lines = [other, other, *(f"Nov 25 02:22:48 mx1 postfix/qmgr[812]: {fact}" for fact in facts_of)]
    parsed = parse(lines, SyslogEnvelope(LogOptions(year=2030)), PostfixGrammar())
    assert facts(parsed, "line_number", "kind") == [(3, "arrived"), (4, "removed")]


def test_a_fact_behind_no_queue_id_gives_nothing() -> None:
    line = "Nov 25 02:22:48 mx1 postfix/smtpd[812]: \x004ABCDEF012: client=mail.example.com[192.0.2.1]"
    parsed = parse([line], SyslogEnvelope(LogOptions(year=2030)), PostfixGrammar())
    assert (facts(parsed, "kind"), fates(parsed)) == ([], {"parsed": 0, "ignored": 1, "quarantined": 0})
