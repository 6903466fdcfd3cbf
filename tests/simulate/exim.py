"""How Exim would have logged the outage: its main log, one per host, with no host name in it."""

from dataclasses import dataclass

from tests.simulate.line import Desk, Line
from tests.simulate.outage import Message, Outage, Recipient
from tests.simulate.steps import Step, as_written, steps

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class EximOptions:
    """How this Exim is set up: new message ids (4.97 and later), offset after the stamp, `[pid]`, milliseconds.

    `names_recipients` is the log selector `received_recipients`. `is_local_store`: delivery by a local transport,
    which logs the local part alone; else by LMTP to a store.
    """

    new_ids: bool = False
    with_zone: bool = False
    with_pid: bool = False
    with_millis: bool = False
    names_recipients: bool = True
    is_local_store: bool = False


class EximLog:
    """Writes down an outage; `lines` by host unsorted."""

    def __init__(self, outage: Outage, options: EximOptions) -> None:
        self.outage, self.options = outage, options
        self.desk = Desk(outage.hosts, outage.log_end)
        self.given = 0
        for message in outage.messages:
            self._message(message)

    @property
    def lines(self) -> dict[str, list[Line]]:
        """Return the lines written, by host."""
        return self.desk.lines

    def _say(self, host: str, at: int, text: str) -> None:
        self.desk.write(host, at, "exim", 2000 + at % 900, text)

    def _id(self, at: int) -> str:
        self.given += 1
        microsecond = round(self.desk.fraction * 1e6)
        if self.options.new_ids:
            return f"{_base62(at, 6)}-{_base62(2000 + self.given, 11)}-{_base62(microsecond // 5, 4)}"
        return f"{_base62(at, 6)}-{_base62(2000 + self.given, 6)}-{_base62(microsecond // 500, 2)}"

    def _message(self, message: Message) -> None:
        end, host = self.outage.log_end, message.host
        is_open = any(r.end is None or r.end >= end for r in message.recipients)
        self.desk.begin(0.0 if is_open else message.fraction)
        name, _, address = message.client.partition("[")
        client = f"H={name} [{address}"
        queue_id = ""
        for step in steps(message, end):
            at = step.at
            if step.kind == "refuse":
                rcpt = message.recipients[0].written
                refusal = f"{client} F=<{message.sender}> temporarily rejected RCPT <{rcpt}>: try again later"
                self._say(host, at, refusal)
            elif step.kind == "accept":
                queue_id = self._id(at)
                who = " ".join(as_written(step.left))
                named = f" for {who}" if self.options.names_recipients else ""
                self._say(
                    host,
                    at,
                    f"{queue_id} <= {message.sender or '<>'} {client} P=esmtps X=TLS1.3:TLS_AES_256:256 CV=no"
                    f' S={message.size} id={message.message_id} T="{_subject(message)}"{named}',
                )
            elif step.kind == "try":
                self._try(message, queue_id, step)
            elif step.kind == "expire":
                for recipient in step.done:
                    self._say(host, at, f"{queue_id} ** {self._whom(recipient, False)}: retry timeout exceeded")
                self._complete(message, queue_id, at, is_bounced=True)
            elif step.kind == "delete":
                self._say(host, at, f"{queue_id} removed by root")
                self._complete(message, queue_id, at, is_bounced=False)
            else:
                self._say(host, at, f"{queue_id} {'frozen' if step.kind == 'hold' else 'unfrozen'} by root")

    def _whom(self, recipient: Recipient, is_delivered: bool) -> str:
        final = recipient.final
        if recipient.is_local and is_delivered and self.options.is_local_store:
            return f"{final.rpartition('@')[0]} <{recipient.written}>"
        return f"{final} <{recipient.written}>" if recipient.is_alias else final

    def _try(self, message: Message, queue_id: str, step: Step) -> None:
        host, at, waited = message.host, step.at, step.at - message.arrived_at
        arrows: dict[tuple[bool, str], str] = {}
        is_bounced = False
        for recipient in step.done:
            route, hop = self._route(recipient, message.number)
            if recipient.result == "sent":
                key = (recipient.is_local, recipient.final.rpartition("@")[2])
                arrow = arrows.get(key, "=>") if not (recipient.is_local and self.options.is_local_store) else "=>"
                arrows[key] = "->"
                said = f' C="250 2.0.0 Ok: queued as {message.number:X}"' if hop else ""
                place = f"{hop}{' X=TLS1.2:ECDHE:256 CV=no' if hop and not recipient.is_local else ''}{said}"
                whom = self._whom(recipient, True)
                self._say(host, at, f"{queue_id} {arrow} {whom} {route}{place} QT={span(waited)} DT=0s")
            else:
                is_bounced = True
                whom = self._whom(recipient, False)
                if recipient.result == "unknown" and (message.number % 3 == 0 or not hop):
                    self._say(host, at, f"{queue_id} ** {whom}: Unrouteable address")
                    continue
                code = "550 5.1.1 No such mailbox" if recipient.result == "unknown" else "550 5.7.1 Content rejected"
                stage = f"RCPT TO:<{recipient.final}>" if recipient.result == "unknown" else "end of data"
                error = f"SMTP error from remote mail server after {stage}: {code}"
                self._say(host, at, f"{queue_id} ** {whom} {route}{hop}: {error}")
        for recipient in step.left:
            route, hop = self._route(recipient, message.number)
            self._say(host, at, f"{queue_id} == {self._whom(recipient, False)} {route} {_deferral(recipient, hop, at)}")
        if not step.left:
            self._complete(message, queue_id, at, is_bounced)
        elif is_bounced:
            self._notify(message, queue_id, at)

    def _route(self, recipient: Recipient, number: int) -> tuple[str, str]:
        if recipient.is_local and self.options.is_local_store:
            return "R=localuser T=local_delivery", ""
        if recipient.is_local:
            store = number % 3 + 1
            hop = f" H=store{store}.officemail.example [198.51.100.{10 + store}]"
            return "R=virtual_user T=lmtp_store", hop
        return "R=dnslookup T=remote_smtp", f" H=mx.{recipient.final.rpartition('@')[2]} [203.0.113.{number % 9}]"

    def _complete(self, message: Message, queue_id: str, at: int, is_bounced: bool) -> None:
        if is_bounced:
            self._notify(message, queue_id, at)
        self._say(message.host, at, f"{queue_id} Completed QT={span(at - message.arrived_at)}")

    def _notify(self, message: Message, queue_id: str, at: int) -> None:
        if not message.sender:
            return
        notice, host = self._id(at), message.host
        named = f" for {message.sender}" if self.options.names_recipients else ""
        hop = f"H=mx.{message.sender.rpartition('@')[2]} [203.0.113.9]"
        self._say(host, at, f"{notice} <= <> R={queue_id} U=exim P=local S={message.size // 2 + 2000}{named}")
        self._say(host, at, f'{notice} => {message.sender} R=dnslookup T=remote_smtp {hop} C="250 OK" QT=0s DT=0s')
        self._say(host, at, f"{notice} Completed QT=0s")


def span(seconds: int) -> str:
    """Return a duration as Exim prints it: `3d5h20m15s`, `45s`, `0s`."""
    parts = ((604800, "w"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
    text = ""
    for size, unit in parts:
        count, seconds = divmod(seconds, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def _base62(number: int, width: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number, 62)
        text = DIGITS[rest] + text
    return text.rjust(width, "0")


def _subject(message: Message) -> str:
    if message.subject:
        return message.subject.replace('"', r"\"")
    if message.number % 50 == 0:
        return r"Re: => x@officemail.example \"now\" Completed"
    return f"Note {message.number}"


def _deferral(recipient: Recipient, hop: str, at: int) -> str:
    if recipient.reason == "full":
        if not hop:
            return "defer (-22): mailbox is full (MTA-imposed quota exceeded while writing to tmp/1)"
        error = f"SMTP error from remote mail server after RCPT TO:<{recipient.final}>: 452 4.2.2 Mailbox full"
        return f"defer (-44){hop}: {error}"
    if recipient.reason == "greylisted":
        error = f"SMTP error from remote mail server after RCPT TO:<{recipient.final}>: 450 4.7.1 Greylisted"
        return f"defer (-44){hop}: {error}"
    if at % 2:
        return f"defer (-54): retry time not reached for any host for '{recipient.final.rpartition('@')[2]}'"
    return f"defer (110): Connection timed out{hop}"
