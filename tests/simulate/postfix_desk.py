"""The lines that Postfix writes for one queue file, whatever its part in a message's story."""

from tests.simulate.line import Desk, Line
from tests.simulate.outage import Message, Outage
from tests.simulate.postfix_queue import Entry, Leg, PostfixOptions
from tests.simulate.postfix_words import delays
from tests.simulate.queue_ids import QueueIds

BASE_PID = {"smtpd": 1100, "cleanup": 1200, "qmgr": 812, "smtp": 1300, "lmtp": 1400, "relay/smtp": 1450, "error": 1500}
BASE_PID |= {"bounce": 1600, "pickup": 1700, "postsuper": 22000, "virtual": 1800}


class PostfixDesk:
    """Writes single lines; `id_fraction` is the fraction of a second that goes into the message's queue ids."""

    def __init__(self, outage: Outage, options: PostfixOptions) -> None:
        self.outage, self.options = outage, options
        self.desk = Desk(outage.hosts, outage.log_end)
        self.ids = {
            host: QueueIds(
                is_long=options.long_ids,
                reuse_share=options.reuse_share,
                host_number=number * options.filter_on_next_host,
            )
            for number, host in enumerate(outage.hosts)
        }
        self.id_fraction = 0.0

    @property
    def lines(self) -> dict[str, list[Line]]:
        """Return the lines written, by host."""
        return self.desk.lines

    def say(self, host: str, at: int, service: str, text: str) -> None:
        """Write one line of a service."""
        pid = BASE_PID[service] + (at // 3600 % 40 if service != "qmgr" else 0) * 3
        self.desk.write(host, at, f"{self.options.syslog_name}/{service}", pid, text)

    def refuse(self, message: Message) -> None:
        """Our own temporary refusal of a message that comes again later."""
        recipient, at = message.recipients[0].written, message.refused_at or 0
        self.say(message.host, at, "smtpd", f"connect from {message.client}")
        self.say(
            message.host,
            at,
            "smtpd",
            f"NOQUEUE: reject: RCPT from {message.client}: 450 4.3.2 <{recipient}>: Recipient address rejected: Service"
            f" is unavailable; from=<{message.sender}> to=<{recipient}> proto=ESMTP"
            f" helo=<{message.client.partition('[')[0]}>",
        )
        self.say(
            message.host, at, "smtpd", f"disconnect from {message.client} ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4"
        )

    def activate(self, leg: Leg, at: int) -> None:
        """The queue manager takes a queue file up."""
        self.say(
            leg.host,
            at,
            "qmgr",
            f"{leg.queue_id}: from=<{leg.sender}>, size={leg.size}, nrcpt={leg.total} (queue active)",
        )

    def result(
        self, leg: Leg, at: int, entry: Entry, service: str, relay: str, dsn: str, status: str, reply: str
    ) -> None:
        """One attempt for one recipient."""
        original = f" orig_to=<{entry.original}>," if entry.original else ""
        self.say(
            leg.host,
            at,
            service,
            f"{leg.queue_id}: to=<{entry.to}>,{original} relay={relay},"
            f" {delays(at - leg.born, leg.tries + leg.is_requeued)}, dsn={dsn}, status={status} ({reply})",
        )

    def notify(self, leg: Leg, at: int) -> None:
        """Send a notice of non-delivery to the message's sender."""
        notice = self.ids[leg.host].take(at, self.id_fraction)
        relay = f"mx.{leg.sender.rpartition('@')[2]}[203.0.113.9]:25"
        self.say(leg.host, at, "cleanup", f"{notice}: message-id=<{at}.{notice}@{leg.host}.officemail.example>")
        self.say(leg.host, at, "bounce", f"{leg.queue_id}: sender non-delivery notification: {notice}")
        self.say(leg.host, at, "qmgr", f"{notice}: from=<>, size={leg.size // 2 + 2000}, nrcpt=1 (queue active)")
        self.say(
            leg.host,
            at,
            "smtp",
            f"{notice}: to=<{leg.sender}>, relay={relay}, delay=0.35, delays=0.01/0/0.21/0.13, dsn=2.0.0, status=sent"
            f" (250 2.0.0 Ok: queued as {at % 0xFFFFF:05X}2A{at % 0xFFF:03X})",
        )
        self.say(leg.host, at, "qmgr", f"{notice}: removed")

    def remove(self, leg: Leg, at: int) -> None:
        """The queue file is done with."""
        self.say(leg.host, at, "qmgr", f"{leg.queue_id}: removed")
        self.ids[leg.host].free(at, leg.queue_id)
        leg.entries = []
