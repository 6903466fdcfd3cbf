"""What a sample of lines shows of the server that wrote them."""

import polars as pl
import pytest

from transforms.detect import detect

POSTFIX = "Nov 25 02:22:48 mx1 postfix/smtpd[812]: connect from mail.example.com[192.0.2.1]"
SENDMAIL = "Nov 25 02:22:48 mx1 sm-mta[812]: u31FFPtp032300: from=<ann@example.com>, size=1, class=0, nrcpts=1"
DOVECOT = "Nov 25 02:22:48 mx1 dovecot: imap-login: Login: user=<bob>"
CRON = "Nov 25 02:22:48 mx1 CRON[9]: (root) CMD (run-parts /etc/cron.hourly)"
EXIM = "2030-11-25 02:22:48 1aBcDe-000abc-XX <= ann@example.com H=x [192.0.2.1] P=smtp S=1"
EXCHANGE = (
    "2030-11-25T02:22:48.123Z,,,,EX1,,,SMTP,RECEIVE,1,<a@example.com>,bob@example.org,,1,1,,,hello,ann@example.com,,"
)


@pytest.mark.parametrize(
    ("line", "envelope", "dialect"),
    [
        (POSTFIX, "syslog", "postfix"),
        ("2030-11-25T02:22:48.1+13:00 mx1 postfix-in/smtpd[812]: connect from x[192.0.2.1]", "syslog", "postfix"),
        ("2030-11-25T02:22:48.1+13:00 mx1 mail/qmgr[812]: 4ABC: removed", "syslog", "postfix"),
        ("<22>1 2030-11-25T02:22:48Z mx1 postfix/qmgr 812 - - 4ABC: removed", "syslog", "postfix"),
        ("<22>1 2030-11-25T02:22:48Z mx1 postfix 812 - - 4ABC: removed", "syslog", "postfix"),
        ('{"_HOSTNAME":"mx1","SYSLOG_IDENTIFIER":"postfix/qmgr","MESSAGE":"4ABC: removed"}', "syslog", "postfix"),
        ("Nov 25 02:22:48 mx1 postfix/qmgr[812]: 4ABC: removed", "syslog", "postfix"),
        (SENDMAIL, "syslog", "sendmail"),
        ("Nov 25 02:22:48 mx1 exim[812]: 1aBcDe-000abc-XX Completed", "syslog", "exim"),
        (EXIM, "exim", "exim"),
        ("2030-11-25 02:22:48.123 +0100 [812] 1aBcDe-0000000abcd-1XyZ Completed", "exim", "exim"),
        ("2030-11-25 02:22:48 Start queue run: pid=1", "exim", "exim"),
        (EXCHANGE, "exchange", "exchange"),
        ("2030-11-25T02:22:48.123Z,RECEIVE,SMTP,<a@example.com>", "exchange", "exchange"),
        ("\ufeff#Fields: date-time,event-id,message-id", "exchange", "exchange"),
    ],
)
def test_each_spelling(line: str, envelope: str, dialect: str) -> None:
    found = detect(pl.Series([line]))
    assert (found.envelope, found.dialects, found.has_mail) == (envelope, (dialect,), True)


def test_two_servers_and_noise_in_one_file_are_counted_apart() -> None:
    found = detect(pl.Series([CRON, DOVECOT, POSTFIX, SENDMAIL, POSTFIX, CRON]))
    assert found.envelope == "syslog"
    assert found.counts == {"postfix": 2, "sendmail": 1, "exim": 0, "exchange": 0}
    assert found.dialects == ("postfix", "sendmail")


def test_a_line_that_quotes_another_dialect_does_not_sway() -> None:
    found = detect(pl.Series([EXIM, EXIM, f"2030-11-25 02:22:48 1aBcDe-000abc-XX DKIM: {POSTFIX}"]))
    assert (found.envelope, found.counts["postfix"], found.counts["exim"]) == ("exim", 0, 3)


@pytest.mark.parametrize(
    ("lines", "envelope"),
    [
        ([CRON, DOVECOT], "syslog"),
        (["2030-11-25 02:22:48 something else"], "exim"),
        ([], "syslog"),
        (["", "hello"], "syslog"),
    ],
)
def test_a_file_without_mail_says_so(lines: list[str], envelope: str) -> None:
    found = detect(pl.Series(lines, dtype=pl.String))
    assert (found.has_mail, found.dialects, found.envelope) == (False, (), envelope)
