"""How Postfix would have logged the outage: every queue file of every message, on every host."""

from tests.simulate.outage import Message, Outage
from tests.simulate.postfix_desk import PostfixDesk
from tests.simulate.postfix_queue import Entry, Leg, PostfixOptions, listed
from tests.simulate.postfix_words import deferral, final

FILTER = "127.0.0.1[127.0.0.1]:10024"


class PostfixLog(PostfixDesk):
    """Writes down an outage; `lines` by host unsorted, `waiting` by host what `postqueue -j` would list at the end."""

    def __init__(self, outage: Outage, options: PostfixOptions) -> None:
        super().__init__(outage, options)
        self.waiting: dict[str, list[dict[str, object]]] = {host: [] for host in outage.hosts}
        self.counts: dict[tuple[str, int, str], int] = {}
        for message in outage.messages:
            self._message(message)
        for (host, at, what), count in self.counts.items():
            self.desk.begin(0.99)
            self.say(host, at, "postsuper", f"{what}: {count} message{'s' if count > 1 else ''}")

    def _message(self, message: Message) -> None:
        end = self.outage.log_end
        is_open = any(r.end is None or r.end >= end for r in message.recipients)
        self.desk.begin(0.0 if is_open else message.fraction)
        self.id_fraction = self.desk.fraction if self.options.long_ids else message.fraction
        if message.refused_at is not None:
            self.refuse(message)
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
        self.say(host, at, "smtpd", f"connect from {message.client}")
        self.say(host, at, "smtpd", f"{queue_id}: client={message.client}")
        self.say(host, at, "cleanup", f"{queue_id}: message-id=<{message.message_id}>")
        if message.subject:
            checked = f"from=<{message.sender}> to=<{message.recipients[0].written}> proto=ESMTP helo=<x>"
            header = f"{queue_id}: warning: header Subject: {message.subject} from {message.client}; {checked}"
            self.say(host, at, "cleanup", header)
        self.activate(leg, at)
        said = f"ehlo=1 mail=1 rcpt={len(entries)} data=1 quit=1 commands={4 + len(entries)}"
        self.say(host, at, "smtpd", f"disconnect from {message.client} {said}")
        return leg

    def _try(self, message: Message, leg: Leg, at: int) -> Leg:
        if leg.tries:
            self.activate(leg, at)
        leg.tries += 1
        if not leg.is_filtered:
            if at < message.filtered_at:
                for entry in leg.entries:
                    reply = "connect to 127.0.0.1[127.0.0.1]:10024: Connection refused"
                    self.result(leg, at, entry, "smtp", "none", "4.4.1", "deferred", reply)
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
        self.say(host, at, "smtpd", f"connect from {client}")
        self.say(host, at, "smtpd", f"{queue_id}: client={client}{forwarded}")
        self.say(host, at, "cleanup", f"{queue_id}: message-id=<{message.message_id}>")
        self.activate(next_leg, at)
        said = f"ehlo=1 mail=1 rcpt={next_leg.total} data=1 quit=1 commands={4 + next_leg.total}"
        self.say(host, at, "smtpd", f"disconnect from {client} {said}")
        proxied = "from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 " if has_xforward else ""
        for entry in leg.entries:
            self.result(leg, at, entry, "smtp", FILTER, "2.0.0", "sent", f"250 2.0.0 {proxied}Ok: queued as {queue_id}")
        self.remove(leg, at)
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
                dsn, status, reply = final(recipient, entry.to, address, relay, message)
                self.result(leg, at, entry, service, relay, dsn, status, reply)
                is_bounced |= status == "bounced"
                continue
            left.append(entry)
            if recipient.reason == "store" and is_suspended:
                reply = f"delivery temporarily suspended: lost connection with {address} while sending RCPT TO"
                self.result(leg, at, entry, "error", "none", "4.4.2", "deferred", reply)
            else:
                tried, dsn, reply = deferral(recipient, entry.to, address, relay)
                self.result(leg, at, entry, service, tried, dsn, "deferred", reply)
        leg.entries = left
        if left and any(r.result == "expired" and r.end == at for entry in left for r in entry.whom):
            self.say(leg.host, at, "qmgr", f"{leg.queue_id}: from=<{leg.sender}>, status=expired, returned to sender")
            leg.entries, is_bounced = [], True
        if is_bounced and leg.sender:
            self.notify(leg, at)
        if not leg.entries:
            self.remove(leg, at)

    def _operator(self, leg: Leg, at: int, words: str, summary: str) -> None:
        self.say(leg.host, at, "postsuper", f"{leg.queue_id}: {words}")
        self.counts[leg.host, at, summary] = self.counts.get((leg.host, at, summary), 0) + 1
        if words == "removed":
            leg.entries = []

    def _pickup(self, message: Message, leg: Leg, at: int) -> Leg:
        queue_id = self.ids[leg.host].take(at, self.id_fraction)
        self.say(leg.host, at, "pickup", f"{queue_id}: uid=102 from=<{leg.sender}> orig_id={leg.queue_id}")
        self.say(leg.host, at, "cleanup", f"{queue_id}: message-id=<{message.message_id}>")
        is_filtered = not self.outage.with_filter
        again = Leg(
            leg.host, queue_id, leg.born, leg.entries, leg.sender, leg.size + 117, is_filtered, is_requeued=True
        )
        self.activate(again, at)
        return again

    def _list(self, message: Message, leg: Leg, end: int, is_held: bool) -> None:
        if leg.entries:
            self.waiting[leg.host].append(listed(leg, is_held=is_held, is_tried=message.attempts[0] < end))
