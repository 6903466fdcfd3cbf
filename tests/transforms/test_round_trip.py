"""Facts that are written down in any dialect are read back as they were: invented mail, rendered here, parsed there.

The renderers below share no code with the project. Each says of a message: it arrived from a sender, for so many
recipients; then how each attempt went. A row of these facts is what must come back, and no line may be left over.
"""

import csv
import io
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulate.line import Line
from tests.simulate.outage import unix
from tests.simulate.syslog import Spelling, spell
from tests.transforms.dialects import fates
from tests.transforms.test_any_bytes import read

AT = unix("2030-03-04T08:00:00Z")
DSN = {"sent": "2.0.0", "deferred": "4.4.2", "bounced": "5.1.1"}


class Attempt(NamedTuple):
    """One recipient tried; `delay` in whole seconds since the arrival."""

    recipient: str
    written: str | None
    status: str
    delay: int


class Mail(NamedTuple):
    """One message in one queue file."""

    number: int
    sender: str
    message_id: str
    attempts: list[Attempt]


def addresses(letters: str) -> st.SearchStrategy[str]:
    local = st.text(letters, max_size=8)  # behind a letter: Exim takes `|x` for a command and `/x` for a file
    return st.builds("a{}@{}.example".format, local, st.sampled_from(["a", "b.c", "xn--mnchen-3ya"]))


PLAIN = "abcxyz0189.+_=-'/{}~&#$%*?^!|`"
ODD = PLAIN + "éяß本"
MAIL = st.lists(
    st.builds(
        Mail,
        st.integers(0, 0xFFFFF),
        st.one_of(st.just(""), addresses("abcxyz09.+=-")),
        st.from_regex(r"[A-Za-z0-9.$+=-]{1,20}@[a-z0-9.-]{1,12}", fullmatch=True),
        st.lists(
            st.builds(
                Attempt,
                addresses(ODD),
                st.one_of(st.none(), addresses(PLAIN).map("x".__add__)),  # another than the recipient
                st.sampled_from(sorted(DSN)),
                st.integers(0, 400_000),
            ),
            min_size=1,
            max_size=4,
        ),
    ),
    min_size=1,
    max_size=5,
    unique_by=(lambda mail: mail.number, lambda mail: mail.message_id),
)
SAID = {
    "sent": "250 2.0.0 Ok: stored",
    "deferred": "451 4.4.2 try again, status=sent (x)",
    "bounced": "550 5.1.1 => no",
}


def postfix(mail: Mail) -> Iterator[tuple[str, str]]:
    name = f"4{mail.number:09X}"
    yield "smtpd", f"{name}: client=mx.example.org[192.0.2.7]"
    yield "cleanup", f"{name}: message-id=<{mail.message_id}>"
    yield "qmgr", f"{name}: from=<{mail.sender}>, size=999, nrcpt={len(mail.attempts)} (queue active)"
    for tried in mail.attempts:
        written = f"orig_to=<{tried.written}>, " if tried.written else ""
        yield (
            "lmtp",
            f"{name}: to=<{tried.recipient}>, {written}relay=store[198.51.100.1]:24, delay={tried.delay},"
            f" delays={tried.delay}/0/0/0, dsn={DSN[tried.status]}, status={tried.status} ({SAID[tried.status]})",
        )
    yield "qmgr", f"{name}: removed"


def postfix_in(spelling: Spelling) -> Callable[[list[Mail]], str]:
    def render(mails: list[Mail]) -> str:
        said = [Line(AT, f"postfix/{service}", 812, text) for mail in mails for service, text in postfix(mail)]
        return "".join(f"{line}\n" for line in spell(said, "mx1", spelling))

    return render


def exim(stamp: str) -> Callable[[list[Mail]], str]:
    def of_one(mail: Mail) -> Iterator[str]:
        name = f"24VDzs-{mail.number:06X}-00"
        everyone = " ".join(tried.recipient for tried in mail.attempts)
        client = "H=mx.example.org [192.0.2.7] P=esmtp"
        yield f"{name} <= {mail.sender or '<>'} {client} S=999 id={mail.message_id} for {everyone}"
        for tried in mail.attempts:
            whom = f"{tried.recipient} <{tried.written}>" if tried.written else tried.recipient
            said, place = SAID[tried.status], "R=store T=lmtp H=store [198.51.100.1]"
            error = f"LMTP error from remote mail server after RCPT TO:<{tried.recipient}>: {said}"
            days, seconds = divmod(tried.delay, 86400)
            span = (f"{days}d" if days else "") + f"{seconds // 3600}h{seconds // 60 % 60}m{seconds % 60}s"
            yield {
                "sent": f'{name} => {whom} {place} C="{said}" QT={span} DT=0s',
                "deferred": f"{name} == {whom} R=store T=lmtp defer (-44) H=store [198.51.100.1]: {error}",
                "bounced": f"{name} ** {whom} {place}: {error}",
            }[tried.status]
        yield f"{name} Completed"

    return lambda mails: "".join(f"{stamp} {line}\n" for mail in mails for line in of_one(mail))


def sendmail_in(spelling: Spelling) -> Callable[[list[Mail]], str]:
    stat = {"sent": "Sent (ok)", "deferred": "Deferred: 451 4.4.2 try again", "bounced": "User unknown"}

    def of_one(mail: Mail) -> Iterator[str]:
        name = f"u24800{mail.number:08d}"
        size = f"size=999, class=0, nrcpts={len(mail.attempts)}, msgid=<{mail.message_id}>, proto=ESMTP, daemon=MTA"
        yield f"{name}: from=<{mail.sender}>, {size}, relay=mx.example.org [192.0.2.7]"
        for tried in mail.attempts:
            alias = f", ctladdr=<{tried.written}> (8/0)" if tried.written else ""
            days, seconds = divmod(tried.delay, 86400)
            clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
            yield (
                f"{name}: to=<{tried.recipient}>{alias}, delay={f'{days}+' if days else ''}{clock}, xdelay=00:00:00,"
                f" mailer=esmtp, pri=120000, relay=store.example. [198.51.100.1], dsn={DSN[tried.status]},"
                f" stat={stat[tried.status]}"
            )

    def render(mails: list[Mail]) -> str:
        said = [Line(AT, "sm-mta", 812, text) for mail in mails for text in of_one(mail)]
        return "".join(f"{line}\n" for line in spell(said, "mx1", spelling))

    return render


def exchange(mails: list[Mail]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    text.write(
        "#Fields: date-time,event-id,source,recipient-count,recipient-status,message-id,server-hostname,"
        "related-recipient-address,recipient-address,sender-address\r\n"
    )
    names = {"sent": ("DELIVER", "STOREDRIVER"), "deferred": ("DEFER", "STOREDRIVER"), "bounced": ("FAIL", "ROUTING")}
    for mail in mails:
        of_mail = (f"<{mail.message_id}>", "mx1")
        sender, everyone = mail.sender or "<>", ";".join(tried.recipient for tried in mail.attempts)
        at = "2030-03-04T08:00:00.000Z"
        rows.writerow([at, "RECEIVE", "SMTP", len(mail.attempts), "", *of_mail, "", everyone, sender])
        for tried in mail.attempts:
            status = "" if tried.status == "sent" else SAID[tried.status]
            rows.writerow([at, *names[tried.status], 1, status, *of_mail, "", tried.recipient, sender])
    return text.getvalue()


DIALECTS: dict[str, tuple[Callable[[list[Mail]], str], str]] = {
    **{
        f"Postfix, {name}": (postfix_in(name), "syslog")
        for name in ("rfc3164", "rfc3339", "rfc5424", "journald", "postlogd")
    },
    "Exim": (exim("2030-03-04 08:00:00"), "exim"),
    "Exim, zone and pid": (exim("2030-03-04 09:00:00.000 +0100 [812]"), "exim"),
    **{f"Sendmail, {name}": (sendmail_in(name), "syslog") for name in ("rfc3164", "rfc5424")},
    "Exchange": (exchange, "exchange"),
}
KNOWS_ALIASES, KNOWS_DELAYS = ("Postfix", "Exim", "Sendmail"), ("Postfix", "Sendmail")


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=8, deadline=None)
@given(mails=MAIL)
def test_what_is_written_down_is_read_back(dialect: str, mails: list[Mail]) -> None:
    render, likely = DIALECTS[dialect]
    parsed = read(render(mails).encode(), likely)
    assert fates(parsed)["quarantined"] == 0, parsed.quarantine["text"].to_list()
    tried = parsed.events.filter(kind="attempted").sort("line_number")
    assert tried["status"].to_list() == [t.status for mail in mails for t in mail.attempts]
    assert tried["recipient"].to_list() == [t.recipient for mail in mails for t in mail.attempts]
    if dialect.startswith(KNOWS_ALIASES):
        assert tried["original_recipient"].to_list() == [t.written for mail in mails for t in mail.attempts]
    if dialect.startswith(KNOWS_DELAYS):
        assert tried["delay_seconds"].to_list() == [t.delay for mail in mails for t in mail.attempts]
    about = parsed.events.filter(kind="attempted", status="bounced")["dsn"].to_list()
    assert about == ["5.1.1"] * len(about)
    named = parsed.events.drop_nulls("message_id").sort("line_number")["message_id"].unique(maintain_order=True)
    assert named.to_list() == [mail.message_id for mail in mails]
    senders = parsed.events.filter(kind="queued" if dialect.startswith("Postfix") else "arrived").sort("line_number")
    assert senders["sender"].to_list() == [mail.sender for mail in mails]
    assert senders["recipient_count"].to_list() == [len(mail.attempts) for mail in mails]
    assert set(parsed.events["logged_at"].dt.strftime("%F %T")) == {"2030-03-04 08:00:00"}
