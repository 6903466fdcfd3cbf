"""What a mail server writes about a message of the big log: one wording for each kind of server."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

START = datetime(2030, 3, 4, tzinfo=UTC)
DAY = 86400
_EPOCH = int(START.timestamp())
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Mail(NamedTuple):
    """One message: `second` counts from START, `who` is its sender's number, `boxes` its recipients'."""

    second: int
    number: int
    sender: str
    who: int
    boxes: list[int]


class Wording(Protocol):
    """Texts are whole lines. Those written later begin with a mark in place of their stamp: `head` is then `@@`."""

    @property
    def file(self) -> str:
        """The log's usual name."""

    @property
    def bytes_per_message(self) -> int:
        """How much is written about a message, on average."""

    def head(self, second: int, host: str) -> str:
        """Return what opens a line."""

    def opened(self, head: str, mail: Mail) -> str:
        """Return the lines of an arrival."""

    def attempt(self, head: str, mail: Mail, delay: int, *, is_sent: bool) -> str:
        """Return the lines of an attempt to deliver, `delay` seconds after the arrival."""

    def other(self, head: str, mail: Mail) -> str:
        """Return a line that has nothing to do with mail."""


@dataclass(frozen=True)
class Postfix:
    """Short queue ids, RFC 3164; about eight lines per message and 130 bytes per line."""

    file: str = "mail.log"
    bytes_per_message: int = 1396

    def head(self, second: int, host: str) -> str:
        """Return `Mar  4 08:00:00 mx1 `."""
        day = START.day + second // DAY
        return f"Mar {day:2d} {second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d} {host} "

    def opened(self, head: str, mail: Mail) -> str:
        """Return connection, client, Message-ID, sender and farewell."""
        who, name, pid = mail.who, self._name(mail), 1100 + mail.number % 40
        client = f"mta{who % 7}.r{who % 9}.example.org[192.0.2.{who % 250}]"
        count = len(mail.boxes)
        return (
            f"{head}postfix/smtpd[{pid}]: connect from {client}\n"
            f"{head}postfix/smtpd[{pid}]: {name}: client={client}\n"
            f"{head}postfix/cleanup[{pid}]: {name}: message-id=<{_message_id(mail)}>\n"
            f"{self._active(head, mail, name)}"
            f"{head}postfix/smtpd[{pid}]: disconnect from {client} ehlo=2 starttls=1 mail=1"
            f" rcpt={count} data=1 quit=1 commands={6 + count}\n"
        )

    def attempt(self, head: str, mail: Mail, delay: int, *, is_sent: bool) -> str:
        """Return a line for each recipient, before it that the queue file is active again, after the last its end."""
        name, store = self._name(mail), mail.number % 3
        relay = f"store{store}[198.51.100.{store}]"
        parts = f"delay={delay}, delays={delay}/0.01/0.02/0.03" if delay else "delay=0.06, delays=0.03/0/0.01/0.02"
        end = (
            "dsn=2.0.0, status=sent (250 2.0.0 Ok: stored)\n"
            if is_sent
            else f"dsn=4.4.2, status=deferred (host {relay} said: 451 4.3.0 Busy)\n"
        )
        text = self._active(head, mail, name) if delay else ""
        for box in mail.boxes:
            text += (
                f"{head}postfix/lmtp[1400]: {name}: to=<u{box}@officemail.example>, relay={relay}:24, {parts}, {end}"
            )
        return text + (f"{head}postfix/qmgr[812]: {name}: removed\n" if is_sent else "")

    def other(self, head: str, mail: Mail) -> str:
        """Return a login to Dovecot."""
        who = mail.who
        return f"{head}dovecot[640]: imap-login: Login: user=<u{who}>, method=PLAIN, rip=203.0.113.5, mpid={who}, TLS\n"

    def _name(self, mail: Mail) -> str:
        # No two live queue files may have one id: the microsecond differs in each round of the inodes.
        inode_round = mail.number // 0xFFFFF
        return f"{(mail.number * 7919 + inode_round) % 0xFFFFF:05X}{0x200000 + mail.number % 0xFFFFF:X}"

    def _active(self, head: str, mail: Mail, name: str) -> str:
        size, count = 1000 + mail.who * 7, len(mail.boxes)
        return f"{head}postfix/qmgr[812]: {name}: from=<{mail.sender}>, size={size}, nrcpt={count} (queue active)\n"


@dataclass(frozen=True)
class Exim:
    """Main log in UTC with old message ids; about five lines per message and 150 bytes per line."""

    file: str = "mainlog"
    bytes_per_message: int = 764

    def head(self, second: int, host: str) -> str:
        """Return `2030-03-04 08:00:00 `: the log names no host."""
        day = START.day + second // DAY
        return f"2030-03-{day:02d} {second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d} "

    def opened(self, head: str, mail: Mail) -> str:
        """Return the arrival, which names the recipients."""
        who = mail.who
        whom = " ".join(f"u{box}@officemail.example" for box in mail.boxes)
        return (
            f"{head}{self._name(mail)} <= {mail.sender} H=mta{who % 7}.r{who % 9}.example.org [192.0.2.{who % 250}]"
            f" P=esmtps X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=no S={1000 + who * 7}"
            f" id={_message_id(mail)} for {whom}\n"
        )

    def attempt(self, head: str, mail: Mail, delay: int, *, is_sent: bool) -> str:
        """Return a line for each recipient, and after the last the message's end."""
        name, store = self._name(mail), mail.number % 3
        relay = f"H=store{store} [198.51.100.{store}]"
        text, arrow = "", "=>"
        for box in mail.boxes:
            to = f"u{box}@officemail.example"
            if is_sent:
                said = f'C="250 2.0.0 Ok: stored" QT={_span(delay)} DT=0s'
                text += f"{head}{name} {arrow} {to} R=store T=lmtp {relay} {said}\n"
                arrow = "->"
            else:
                text += (
                    f"{head}{name} == {to} R=store T=lmtp defer (-44) {relay}:"
                    f" LMTP error from remote mail server after RCPT TO:<{to}>: 451 4.3.0 Busy\n"
                )
        return text + (f"{head}{name} Completed\n" if is_sent else "")

    def other(self, head: str, mail: Mail) -> str:
        """Return a client whose address has no name."""
        return f"{head}no host name found for IP address 203.0.113.{mail.who % 250}\n"

    def _name(self, mail: Mail) -> str:
        return f"{_base62(_EPOCH + mail.second, 6)}-{_base62(mail.number, 6)}-00"


WORDINGS: dict[str, Wording] = {"postfix": Postfix(), "exim": Exim()}


def _message_id(mail: Mail) -> str:
    return f"{mail.number:x}.{mail.second}@r{mail.who % 9}.example.org"


def _span(seconds: int) -> str:
    """Return a duration as Exim prints it: `2h3m45s`, `0s`."""
    parts = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
    text = "".join(
        f"{seconds // size % limit}{unit}"
        for (size, unit), limit in zip(parts, (7, 24, 60, 60), strict=True)
        if seconds // size % limit
    )
    return text or "0s"


def _base62(number: int, width: int) -> str:
    text = ""
    for _ in range(width):
        number, rest = divmod(number, 62)
        text = _DIGITS[rest] + text
    return text
