"""How Sendmail would have logged the outage: one `from=` line, then `to=` lines, through syslog."""

from dataclasses import dataclass
from itertools import groupby

from tests.simulate.line import Desk, Line
from tests.simulate.noise import seconds_of_noise
from tests.simulate.outage import Message, Outage, Recipient, instant
from tests.simulate.steps import Step, as_written, steps

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"
NOISE = (
    "NOQUEUE: connect from [203.0.113.77]",
    "STARTTLS=server, relay=[203.0.113.77], version=TLSv1.2, verify=NO, cipher=ECDHE-RSA-AES256, bits=256/256",
    "{id}: [203.0.113.77] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA",
    "{id}: ruleset=check_rcpt, arg1=<x@elsewhere.example>, relay=[203.0.113.77], reject=550 5.7.1"
    " <x@elsewhere.example>... Relaying denied",
    "{id}: from=<spam@elsewhere.example>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=[203.0.113.77]",
    "{id}: lost input channel from [203.0.113.77] to MTA after rcpt",
    "{id}: Milter: no active filter",
)


@dataclass(frozen=True)
class SendmailOptions:
    """How this Sendmail is set up.

    `aliases_by`: an alias is found in the virtual user table (`to=` shows the address as written) or in the aliases
    file (`to=` shows the mailbox, `ctladdr=` the alias); `both`: one on every other host. `with_done`: the log level at
    which the end of a message is logged. `is_local_store`: delivery by the local mailer, which shows the bare local
    part behind an alias of the same domain; else by LMTP.
    """

    aliases_by: str = "both"
    with_done: bool = False
    is_local_store: bool = False


class SendmailLog:
    """Writes down an outage; `lines` by host unsorted.

    Mail by local senders is handed over by the submission program.
    """

    def __init__(self, outage: Outage, options: SendmailOptions) -> None:
        self.outage, self.options = outage, options
        self.desk = Desk(outage.hosts, outage.log_end)
        self.given = 0
        for message in outage.messages:
            self._message(message)

    @property
    def lines(self) -> dict[str, list[Line]]:
        """Return the lines written, by host."""
        return self.desk.lines

    def _say(self, host: str, at: int, text: str, service: str = "sm-mta") -> None:
        self.desk.write(host, at, service, 4000 + at % 900, text)

    def _id(self, at: int) -> str:
        self.given += 1
        moment = instant(at)
        stamp = (moment.year - 1900, moment.month - 1, moment.day, moment.hour, moment.minute, moment.second)
        sequence = DIGITS[self.given // 60 % 60] + DIGITS[self.given % 60]
        return "".join(DIGITS[part % 60] for part in stamp) + sequence + f"{self.given % 1_000_000:06d}"

    def _message(self, message: Message) -> None:
        end, host = self.outage.log_end, message.host
        is_open = any(r.end is None or r.end >= end for r in message.recipients)
        self.desk.begin(0.0 if is_open else message.fraction)
        leg = ("", message.arrived_at)
        tries = 0
        for step in steps(message, end):
            if step.kind == "refuse":
                self._refuse(message, step.at)
            elif step.kind == "accept":
                is_submitted = message.sender.lower().endswith("officemail.example") and message.attempts[0] < end
                leg = self._submit(message, step) if is_submitted else (self._receive(message, step.at), step.at)
            elif step.kind == "try":
                tries += 1
                self._try(message, *leg, step)
                if not step.left and self.options.with_done:
                    self._say(host, step.at, f"{leg[0]}: done; delay={clock(step.at - leg[1])}, ntries={tries}")
            elif step.kind in ("expire", "delete"):
                self._notify(message, leg[0], step.at, "return to sender: Cannot send message for 5 days")
                if self.options.with_done:
                    self._say(host, step.at, f"{leg[0]}: done; delay={clock(step.at - leg[1])}, ntries={tries}")

    def _receive(self, message: Message, at: int, relay: str | None = None) -> str:
        queue_id = self._id(at)
        client = relay or message.client.replace("[", " [")
        named = len(as_written(message.recipients))
        self._say(
            message.host,
            at,
            f"{queue_id}: from=<{message.sender}>, size={message.size}, class={-60 if message.number % 11 == 0 else 0},"
            f" nrcpts={named}, msgid=<{message.message_id}>, proto=ESMTP, daemon=MTA, relay={client}",
        )
        return queue_id

    def _submit(self, message: Message, step: Step) -> tuple[str, int]:
        """The submission program takes the message at its arrival and hands it to the server at the first attempt."""
        first, at, host = self._id(step.at), message.attempts[0], message.host
        self._say(
            host,
            step.at,
            f"{first}: from={message.sender}, size={message.size - 200}, class=0, nrcpts={len(as_written(step.left))},"
            f" msgid=<{message.message_id}>, relay=user@localhost",
            "sendmail",
        )
        second = self._receive(message, at, "localhost [127.0.0.1]")
        waited = clock(at - step.at)
        for written in as_written(step.left):
            self._say(
                host,
                at,
                f"{first}: to={written}, ctladdr={message.sender} (1000/1000), delay={waited},"
                f" xdelay=00:00:00, mailer=relay, pri=30{message.size % 900:03d}, relay=[127.0.0.1] [127.0.0.1],"
                f" dsn=2.0.0, stat=Sent ({second} Message accepted for delivery)",
                "sendmail",
            )
        return second, at

    def _refuse(self, message: Message, at: int) -> None:
        queue_id, rcpt, client = self._id(at), message.recipients[0].written, message.client.replace("[", " [")
        self._say(
            message.host,
            at,
            f"{queue_id}: ruleset=check_rcpt, arg1=<{rcpt}>, relay={client},"
            f" reject=451 4.7.1 <{rcpt}>... try again later",
        )
        self._say(
            message.host,
            at,
            f"{queue_id}: from=<{message.sender}>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay={client}",
        )

    def _try(self, message: Message, queue_id: str, born: int, step: Step) -> None:
        told = [(self._words(message, r, is_done=True), r) for r in step.done]
        told += [(self._words(message, r, is_done=False), r) for r in step.left]
        is_bounced = False
        for words, group in groupby(sorted(told, key=lambda pair: pair[0]), key=lambda pair: pair[0]):
            by_table: list[Recipient] = []
            by_alias: dict[str, list[str]] = {}
            for _, recipient in group:
                if recipient.is_alias and self._in_aliases_file(message.host):
                    local, _, domain = recipient.final.rpartition("@")
                    is_bare = self.options.is_local_store and recipient.written.endswith(f"@{domain}")
                    to = local if is_bare else f"<{recipient.final}>"
                    by_alias.setdefault(recipient.written, []).append(to)
                else:
                    by_table.append(recipient)
            for written, finals in by_alias.items():
                self._to(message, queue_id, born, step.at, f"{','.join(finals)}, ctladdr=<{written}> (8/0)", words)
            if by_table:
                to = ",".join(f"<{r.written}>" for r in by_table)
                self._to(message, queue_id, born, step.at, to, words)
            is_bounced |= "dsn=5" in words[1]
        if is_bounced:
            why = "User unknown" if any(r.result == "unknown" for r in step.done) else "Service unavailable"
            self._notify(message, queue_id, step.at, f"DSN: {why}")
        waited = step.at - born
        is_warned = message.sender and not message.sender.lower().endswith("officemail.example")
        if step.left and is_warned and 14400 <= waited < 18500:
            notice = self._id(step.at)
            said = f"{queue_id}: {notice}: sender notify: Warning: could not send message for past 4 hours"
            self._say(message.host, step.at, said)
            self._send_notice(message, notice, step.at)

    def _in_aliases_file(self, host: str) -> bool:
        if self.options.aliases_by == "both":
            return self.outage.hosts.index(host) % 2 == 1
        return self.options.aliases_by == "file"

    def _to(self, message: Message, queue_id: str, born: int, at: int, to: str, words: tuple[str, str]) -> None:
        hop, stat = words
        self._say(
            message.host,
            at,
            f"{queue_id}: to={to}, delay={clock(at - born)}, xdelay=00:00:00, {hop.split(',')[0]},"
            f" pri={120000 + message.size},{hop.partition(',')[2]}, {stat}",
        )

    def _words(self, message: Message, recipient: Recipient, *, is_done: bool) -> tuple[str, str]:
        if recipient.is_local:
            store = message.number % 3 + 1
            host = f"store{store}.officemail.example."
            hop = f"mailer=lmtp, relay={host} [198.51.100.{10 + store}]"
            if self.options.is_local_store:
                hop = "mailer=local, relay=local"
        else:
            host = f"mx.{recipient.final.rpartition('@')[2]}."
            hop = f"mailer=esmtp, relay={host} [203.0.113.{message.number % 9}]"
        if not is_done:
            return hop, {
                "full": "dsn=4.2.2, stat=Deferred: 452 4.2.2 Mailbox full",
                "greylisted": "dsn=4.7.1, stat=Deferred: 450 4.7.1 Greylisted, try again in 300 seconds",
                "store": f"dsn=4.0.0, stat=Deferred: Connection timed out with {host}",
            }[recipient.reason]
        return hop, {
            "sent": f"dsn=2.0.0, stat=Sent (ok: message {message.number} accepted)",
            "unknown": "dsn=5.1.1, stat=User unknown",
            "refused": "dsn=5.7.1, stat=Service unavailable",
        }[recipient.result]

    def _notify(self, message: Message, queue_id: str, at: int, why: str) -> None:
        notice = self._id(at)
        self._say(message.host, at, f"{queue_id}: {notice}: {why}")
        self._send_notice(message, notice, at)

    def _send_notice(self, message: Message, notice: str, at: int) -> None:
        to = f"<{message.sender}>" if message.sender else "postmaster"
        mailer = "esmtp" if message.sender else "local"
        self._say(
            message.host,
            at,
            f"{notice}: to={to}, delay=00:00:00, xdelay=00:00:00, mailer={mailer}, pri=32000, dsn=2.0.0, stat=Sent",
        )


def sendmail_noise(outage: Outage, host: str) -> list[Line]:
    """Return lines of Sendmail that state no fact about mail; the last one is at `log_end`."""
    times = seconds_of_noise(outage, host, 300)
    said = [
        Line(at + 0.5, "sm-mta", 7000, NOISE[place % len(NOISE)].format(id=f"z00{place % 9}AAaa{place:06d}"))
        for place, at in enumerate(times)
    ]
    return [*said, Line(float(outage.log_end), "CRON", 9999, "(root) CMD (/usr/local/bin/end-of-log)")]


def clock(seconds: int) -> str:
    """Return a duration as Sendmail prints it: `HH:MM:SS`, or `D+HH:MM:SS` from one day on."""
    days, rest = divmod(seconds, 86400)
    text = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days}+{text}" if days else text
