"""The words of logging daemons that say lines are missing, and words that only look so."""

from datetime import UTC, datetime

import polars as pl
import pytest

from transforms.dialect import OPENED
from transforms.loss_marks import find_loss_marks

AT = datetime(2030, 3, 7, 8, tzinfo=UTC)
REACHED = "its rate limit was reached"


def marks(service: str, text: str) -> list[tuple[object, ...]]:
    line = {"line_number": 1, "logged_at": AT, "host": "mx1", "service": service, "text": text}
    lines = pl.DataFrame([{name: line.get(name) for name in OPENED}], schema=OPENED)
    return find_loss_marks(lines, "0" * 16).select("code", "host", "start_at", "end_at", "lines", "detail").rows()


@pytest.mark.parametrize(
    ("service", "text", "lines", "detail"),
    [
        ("rsyslogd", "imuxsock lost 4711 messages from pid 812 due to rate-limiting", 4711, "rsyslog dropped lines"),
        (
            "rsyslogd",
            "imuxsock[pid 812]: 17 messages lost due to rate-limiting (20 allowed)",
            17,
            "rsyslog dropped lines",
        ),
        ("rsyslogd", "imjournal: 99 messages lost due to rate-limiting", 99, "rsyslog dropped lines"),
        ("rsyslogd", "imuxsock begins, begin to drop messages due to rate-limiting", None, "rsyslog began to drop"),
        ("systemd-journald", "Suppressed 12 messages from postfix.service", 12, "journald dropped lines"),
        ("postfix/smtpd", "message repeated 3 times: [ connect from x]", 3, "syslog folded repeated lines into one"),
        ("", "last message repeated 5 times", 5, "syslog folded repeated lines into one"),
    ],
)
def test_a_mark_is_a_finding_with_its_instant_and_number(
    service: str, text: str, lines: int | None, detail: str
) -> None:
    found = marks(service, text)
    assert [row[:5] for row in found] == [("loss_mark", "mx1", AT, AT, lines)]
    assert str(found[0][5]).startswith(detail)


@pytest.mark.parametrize(
    ("service", "text"),
    [
        ("postfix/smtpd", "imuxsock lost 4711 messages from pid 812 due to rate-limiting"),
        ("postfix/cleanup", "4ABCDEF012: message-id=<Suppressed 12 messages>"),
        ("postfix/smtpd", "Suppressed 12 messages from postfix.service"),
        ("postfix/smtpd", "the last message repeated 5 times"),
        ("rsyslogd", "action 'action-1-builtin:omfile' resumed"),
        ("systemd-journald", "Journal started"),
    ],
)
def test_what_a_client_or_another_program_says_is_none(service: str, text: str) -> None:
    assert marks(service, text) == []
