"""How Postfix would have logged the outage: every queue file of every message, on every host."""

from dataclasses import dataclass, field
from typing import Literal

from tests.simulate.line import Desk, Line
from tests.simulate.outage import Message, Outage, Recipient
from tests.simulate.queue_ids import QueueIds

BASE_PID = {"smtpd": 1100, "cleanup": 1200, "qmgr": 812, "smtp": 1300, "lmtp": 1400, "relay/smtp": 1450, "error": 1500}
BASE_PID |= {"bounce": 1600, "pickup": 1700, "postsuper": 22000, "virtual": 1800}
FILTER = "127.0.0.1[127.0.0.1]:10024"


@dataclass(frozen=True)
class PostfixOptions:
    """How this Postfix is set up.

    `aliases`: where a content filter is in use, are aliases expanded `before` or `after` it. `filter_on_next_host`:
    the filter hands its mail to the next host rather than back. `store`: the service that delivers to mailboxes.
    """

    long_ids: bool = False
    reuse_share: float = 0.02
    aliases: Literal["before", "after"] = "after"
    filter_on_next_host: bool = False
    store: Literal["lmtp", "relay/smtp", "virtual"] = "lmtp"
    syslog_name: str = "postfix"


@dataclass(slots=True)
class Entry:
    """One recipient of one queue file: whom it stands for, and how it is named there."""

    whom: list[Recipient]
    to: str
    original: str | None


@dataclass(slots=True)
class Leg:
    """One queue file. `born` is the instant from which its delay counts."""

    host: str
    queue_id: str
    born: int
    entries: list[Entry]
    sender: str
    size: int
    is_filtered: bool
    is_requeued: bool = False
    tries: int = 0
    total: int = field(default=0)

    def __post_init__(self) -> None:
        self.total = len(self.entries)


class PostfixLog:
    """Writes down an outage; `lines` by host unsorted, `waiting` by host what `postqueue -j` would list at the end."""

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
        self.waiting: dict[str, list[dict[str, object]]] = {host: [] for host in outage.hosts}
        self.id_fraction = 0.0
        self.counts: dict[tuple[str, int, str], int] = {}
        for message in outage.messages:
            self._message(message)
        for (host, at, what), count in self.counts.items():
            self.desk.begin(0.99)
            self._say(host, at, "postsuper", f"{what}: {count} message{'s' if count > 1 else ''}")

    @property
    def lines(self) -> dict[str, list[Line]]:
        """Return the lines written, by host."""
        return self.desk.lines

    def _say(self, host: str, at: int, service: str, text: str) -> None:
        pid = BASE_PID[service] + (at // 3600 % 40 if service != "qmgr" else 0) * 3
        self.desk.write(host, at, f"{self.options.syslog_name}/{service}", pid, text)

    def _message(self, message: Message) -> None:
        end = self.outage.log_end
        is_open = any(r.end is None or r.end >= end for r in message.recipients)
        self.desk.begin(0.0 if is_open else message.fraction)
        self.id_fraction = self.desk.fraction if self.options.long_ids else message.fraction
        if message.refused_at is not None:
            self._refuse(message)
        leg = self._accept(message)
        events = [(t, 2, "try") for t in message.attempts]
        if message.requeued:
            events += [(message.requeued[0], 0, "requeue"), (message.requeued[1], 1, "pickup")]
        if message.held:
            events.append((message.held[0], 0, "hold"))
            if message.held[1] is not None:
                events.append((message.held[1], 1, "release"))
        if message.deleted_at is not None:
            events.append((message.deleted_at, 3, "delete"))
        is_held = False
        for at, _, what in sorted(events):
            if at >= end:
                break
            if what == "try":
                leg = self._try(message, leg, at)
            elif what == "requeue":
                self._operator(leg, at, "requeued", "Requeued")
            elif what == "pickup":
                leg = self._pickup(message, leg, at)
            elif what == "delete":
                self._operator(leg, at, "removed", "Deleted")
            else:
                is_held = what == "hold"
                self._operator(
                    leg,
                    at,
                    *(
                        ("placed on hold", "Placed on hold")
                        if is_held
                        else ("released from hold", "Released from hold")
                    ),
                )
        self._list(message, leg, end, is_held)

    def _accept(self, message: Message) -> Leg:
        is_after = self.outage.with_filter and self.options.aliases == "after"
        entries = [
            Entry([r], r.written, None) if is_after else Entry([r], r.final, r.written if r.is_alias else None)
            for r in message.recipients
        ]
        host, at = message.host, message.arrived_at
        queue_id = self.ids[host].take(at, self.id_fraction)
        leg = Leg(host, queue_id, at, entries, message.sender, message.size, not self.outage.with_filter)
        self._say(host, at, "smtpd", f"connect from {message.client}")
        self._say(host, at, "smtpd", f"{queue_id}: client={message.client}")
        self._say(host, at, "cleanup", f"{queue_id}: message-id=<{message.message_id}>")
        self._activate(leg, at)
        said = f"ehlo=1 mail=1 rcpt={len(entries)} data=1 quit=1 commands={4 + len(entries)}"
        self._say(host, at, "smtpd", f"disconnect from {message.client} {said}")
        return leg

    def _refuse(self, message: Message) -> None:
        recipient, at = message.recipients[0].written, message.refused_at or 0
        self._say(message.host, at, "smtpd", f"connect from {message.client}")
        self._say(
            message.host,
            at,
            "smtpd",
            f"NOQUEUE: reject: RCPT from {message.client}: 450 4.3.2 <{recipient}>: Recipient address rejected: Service"
            f" is unavailable; from=<{message.sender}> to=<{recipient}> proto=ESMTP"
            f" helo=<{message.client.partition('[')[0]}>",
        )
        self._say(
            message.host, at, "smtpd", f"disconnect from {message.client} ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4"
        )

    def _activate(self, leg: Leg, at: int) -> None:
        self._say(
            leg.host,
            at,
            "qmgr",
            f"{leg.queue_id}: from=<{leg.sender}>, size={leg.size}, nrcpt={leg.total} (queue active)",
        )

    def _try(self, message: Message, leg: Leg, at: int) -> Leg:
        if leg.tries:
            self._activate(leg, at)
        leg.tries += 1
        if not leg.is_filtered:
            if at < message.filtered_at:
                for entry in leg.entries:
                    reply = "connect to 127.0.0.1[127.0.0.1]:10024: Connection refused"
                    self._result(leg, at, entry, "smtp", "none", "4.4.1", "deferred", reply)
                return leg
            leg = self._filter(message, leg, at)
        self._deliver(message, leg, at)
        return leg

    def _filter(self, message: Message, leg: Leg, at: int) -> Leg:
        merged: dict[str, Entry] = {}
        keeps_alias = self.options.aliases == "after" and not leg.is_requeued
        for entry in leg.entries:
            for recipient in entry.whom:
                original = recipient.written if keeps_alias and recipient.is_alias else None
                key = f"{recipient.final.lower()} {original}"
                merged.setdefault(key, Entry([], recipient.final, original)).whom.append(recipient)
        hosts = self.outage.hosts
        host = hosts[(hosts.index(leg.host) + 1) % len(hosts)] if self.options.filter_on_next_host else leg.host
        queue_id = self.ids[host].take(at, self.id_fraction)
        next_leg = Leg(host, queue_id, at, list(merged.values()), leg.sender, leg.size + 411, True, tries=1)
        has_xforward = hosts.index(host) % 2 == 0
        client = "localhost[127.0.0.1]"
        forwarded = f", orig_queue_id={leg.queue_id}, orig_client={message.client}" if has_xforward else ""
        self._say(host, at, "smtpd", f"connect from {client}")
        self._say(host, at, "smtpd", f"{queue_id}: client={client}{forwarded}")
        self._say(host, at, "cleanup", f"{queue_id}: message-id=<{message.message_id}>")
        self._activate(next_leg, at)
        said = f"ehlo=1 mail=1 rcpt={next_leg.total} data=1 quit=1 commands={4 + next_leg.total}"
        self._say(host, at, "smtpd", f"disconnect from {client} {said}")
        proxied = "from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 " if has_xforward else ""
        for entry in leg.entries:
            self._result(
                leg, at, entry, "smtp", FILTER, "2.0.0", "sent", f"250 2.0.0 {proxied}Ok: queued as {queue_id}"
            )
        self._remove(leg, at)
        return next_leg

    def _deliver(self, message: Message, leg: Leg, at: int) -> None:
        store: str = self.options.store
        left, is_bounced = [], False
        is_suspended = message.number % 3 == 0 and at > message.attempts[0]
        for entry in leg.entries:
            recipient = entry.whom[0]
            number = message.number % 3 + 1
            if recipient.is_local:
                address = f"store{number}.officemail.example[198.51.100.{10 + number}]"
                service = store
                relay = "virtual" if store == "virtual" else f"{address}:{24 if store == 'lmtp' else 25}"
            else:
                address = f"mx.{recipient.final.rpartition('@')[2]}[203.0.113.{number}]"
                service = "smtp"
                relay = f"{address}:25"
            is_due = recipient.end is not None and at >= recipient.end
            if is_due and recipient.result in ("sent", "unknown", "refused"):
                dsn, status, reply = _final(recipient, entry.to, address, relay, message)
                self._result(leg, at, entry, service, relay, dsn, status, reply)
                is_bounced |= status == "bounced"
                continue
            left.append(entry)
            if recipient.reason == "store" and is_suspended:
                reply = f"delivery temporarily suspended: lost connection with {address} while sending RCPT TO"
                self._result(leg, at, entry, "error", "none", "4.4.2", "deferred", reply)
            else:
                tried, dsn, reply = _deferral(recipient, entry.to, address, relay)
                self._result(leg, at, entry, service, tried, dsn, "deferred", reply)
        leg.entries = left
        if left and any(r.result == "expired" and r.end == at for entry in left for r in entry.whom):
            self._say(leg.host, at, "qmgr", f"{leg.queue_id}: from=<{leg.sender}>, status=expired, returned to sender")
            leg.entries, is_bounced = [], True
        if is_bounced and leg.sender:
            self._notify(leg, at)
        if not leg.entries:
            self._remove(leg, at)

    def _result(
        self, leg: Leg, at: int, entry: Entry, service: str, relay: str, dsn: str, status: str, reply: str
    ) -> None:
        original = f" orig_to=<{entry.original}>," if entry.original else ""
        self._say(
            leg.host,
            at,
            service,
            f"{leg.queue_id}: to=<{entry.to}>,{original} relay={relay},"
            f" {_delays(at - leg.born, leg.tries + leg.is_requeued)}, dsn={dsn}, status={status} ({reply})",
        )

    def _notify(self, leg: Leg, at: int) -> None:
        notice = self.ids[leg.host].take(at, self.id_fraction)
        relay = f"mx.{leg.sender.rpartition('@')[2]}[203.0.113.9]:25"
        self._say(leg.host, at, "cleanup", f"{notice}: message-id=<{at}.{notice}@{leg.host}.officemail.example>")
        self._say(leg.host, at, "bounce", f"{leg.queue_id}: sender non-delivery notification: {notice}")
        self._say(leg.host, at, "qmgr", f"{notice}: from=<>, size={leg.size // 2 + 2000}, nrcpt=1 (queue active)")
        self._say(
            leg.host,
            at,
            "smtp",
            f"{notice}: to=<{leg.sender}>, relay={relay}, delay=0.35, delays=0.01/0/0.21/0.13, dsn=2.0.0, status=sent"
            f" (250 2.0.0 Ok: queued as {at % 0xFFFFF:05X}2A{at % 0xFFF:03X})",
        )
        self._say(leg.host, at, "qmgr", f"{notice}: removed")

    def _remove(self, leg: Leg, at: int) -> None:
        self._say(leg.host, at, "qmgr", f"{leg.queue_id}: removed")
        self.ids[leg.host].free(at, leg.queue_id)
        leg.entries = []

    def _operator(self, leg: Leg, at: int, words: str, summary: str) -> None:
        self._say(leg.host, at, "postsuper", f"{leg.queue_id}: {words}")
        self.counts[leg.host, at, summary] = self.counts.get((leg.host, at, summary), 0) + 1
        if words == "removed":
            leg.entries = []

    def _pickup(self, message: Message, leg: Leg, at: int) -> Leg:
        queue_id = self.ids[leg.host].take(at, self.id_fraction)
        self._say(leg.host, at, "pickup", f"{queue_id}: uid=102 from=<{leg.sender}> orig_id={leg.queue_id}")
        self._say(leg.host, at, "cleanup", f"{queue_id}: message-id=<{message.message_id}>")
        is_filtered = not self.outage.with_filter
        again = Leg(
            leg.host, queue_id, leg.born, leg.entries, leg.sender, leg.size + 117, is_filtered, is_requeued=True
        )
        self._activate(again, at)
        return again

    def _list(self, message: Message, leg: Leg, end: int, is_held: bool) -> None:
        if not leg.entries:
            return
        is_tried = message.attempts[0] < end
        self.waiting[leg.host].append(
            {
                "queue_name": "hold" if is_held else "deferred" if is_tried else "active",
                "queue_id": leg.queue_id,
                "arrival_time": leg.born,
                "message_size": leg.size,
                "forced_expire": False,
                "sender": leg.sender or "MAILER-DAEMON",
                "recipients": [
                    {"address": e.to, "delay_reason": "connection timed out"} if is_tried else {"address": e.to}
                    for e in leg.entries
                ],
            }
        )


def _delays(delay: int, tries: int) -> str:
    if delay == 0:
        return "delay=0.06, delays=0.03/0.01/0.01/0.01"
    if tries > 1:
        return f"delay={delay}, delays={delay}/0.02/0.01/0.03"
    return f"delay={delay}, delays=0.05/{delay}/0.01/0.02"


def _final(recipient: Recipient, to: str, address: str, relay: str, message: Message) -> tuple[str, str, str]:
    if recipient.result == "unknown":
        return (
            "5.1.1",
            "bounced",
            f"host {address} said: 550 5.1.1 <{to}> User doesn't exist: {to} (in reply to RCPT TO command)",
        )
    if recipient.result == "refused":
        return "5.7.1", "bounced", f"host {address} said: 550 5.7.1 Content rejected (in reply to end of DATA command)"
    if not recipient.is_local:
        return (
            "2.0.0",
            "sent",
            f"250 2.0.0 Ok: queued as {message.number * 7919 % 0xFFFFF:05X}3F{message.number % 0xFFF:03X}",
        )
    if relay == "virtual":
        return "2.0.0", "sent", "delivered to maildir"
    return "2.0.0", "sent", f"250 2.0.0 <{to}> eH{message.number:06d}Yw Saved"


def _deferral(recipient: Recipient, to: str, address: str, relay: str) -> tuple[str, str, str]:
    if recipient.reason == "full":
        said = "452 4.2.2 Mailbox full" if relay != "virtual" else "mailbox is full"
        return relay, "4.2.2", f"host {address} said: {said} (in reply to RCPT TO command)"
    if recipient.reason == "greylisted":
        said = f"450 4.7.1 <{to}>: Recipient address rejected: Greylisted, see http://postgrey.example/help"
        return relay, "4.7.1", f"host {address} said: {said} (in reply to RCPT TO command)"
    return relay, "4.4.2", f"conversation with {address} timed out while sending RCPT TO"
