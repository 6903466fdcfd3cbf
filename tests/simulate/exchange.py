"""How Exchange would have logged the outage: message tracking, one CSV per host and span of time, in UTC."""

from dataclasses import dataclass
from hashlib import md5

from tests.simulate.exchange_rows import columns, csv_row
from tests.simulate.line import Desk, Line
from tests.simulate.outage import Message, Outage, Recipient, instant
from tests.simulate.steps import Step, as_written, distinct, steps

INTERNAL = "Intra-Organization SMTP Send Connector"


@dataclass(frozen=True)
class ExchangeOptions:
    """How these servers are set up: the share of messages that are handed to the next host before delivery.

    `hosts` are those that are Exchange (none named: all). They hand mail to one another only: what another server would
    log of it is not written.
    """

    relayed_share: float = 0.15
    has_shadow_copies: bool = True
    hosts: tuple[str, ...] = ()


class ExchangeLog:
    """Writes down an outage; each line's text is a CSV row without its stamp, in the order of the host's columns."""

    def __init__(self, outage: Outage, options: ExchangeOptions) -> None:
        self.outage, self.options = outage, options
        self.desk = Desk(outage.hosts, outage.log_end)
        self.hosts = options.hosts or outage.hosts
        for message in outage.messages:
            if message.host in self.hosts:
                self._message(message)

    @property
    def lines(self) -> dict[str, list[Line]]:
        """Return the lines written, by host."""
        return self.desk.lines

    def _row(self, host: str, at: int, message: Message, source: str, event: str, **values: object) -> None:
        number = self.outage.hosts.index(host)
        row: dict[str, object] = {
            "server-hostname": host,
            "server-ip": f"198.51.100.{100 + number}",
            "source": source,
            "event-id": event,
            "internal-message-id": 29_519_319_990_000 + message.number + number * 7_000_000,
            "message-id": f"<{message.message_id}>",
            "network-message-id": _guid(message.message_id),
            "total-bytes": message.size,
            "message-subject": _subject(message),
            "sender-address": message.sender or "<>",
            "return-path": message.sender or "<>",
            "directionality": "Incoming",
            "custom-data": "S:DeliveryPriority=Normal;S:AccountForest=officemail.example",
            **{key.replace("_", "-"): value for key, value in values.items()},
        }
        self.desk.write(host, at, "exchange", number, csv_row(row, columns(number)))

    def _message(self, message: Message) -> None:
        end, host = self.outage.log_end, message.host
        is_open = any(r.end is None or r.end >= end for r in message.recipients)
        self.desk.begin(0.0 if is_open else message.fraction)
        next_host = self.hosts[(self.hosts.index(host) + 1) % len(self.hosts)]
        is_relayed = next_host != host and message.number % 100 < self.options.relayed_share * 100
        for step in steps(message, end):
            if step.kind == "accept":
                self._accept(message, step, next_host)
            elif step.kind == "try":
                if is_relayed and step.at == message.attempts[0]:
                    self._relay(message, step, host, next_host)
                    host = next_host
                self._try(message, host, step)
            elif step.kind in ("expire", "delete"):
                source = "QUEUE" if step.kind == "expire" else "ADMIN"
                status = (
                    "550 4.4.7 QUEUE.Expired; message expired" if step.kind == "expire" else "Removed by an operator"
                )
                self._fail(message, host, step.at, step.done, source, status)

    def _accept(self, message: Message, step: Step, next_host: str) -> None:
        host, at = message.host, step.at
        everyone = as_written(step.left)
        counted = {"recipient_address": ";".join(everyone), "recipient_count": len(everyone)}
        name, _, address = message.client.partition("[")
        if message.sender.lower().endswith("officemail.example"):
            context = "MDB:1, Mailbox:2, Event:3, MessageClass:IPM.Note, CreationTime:2030, ClientType:User"
            self._row(host, at, message, "STOREDRIVER", "SUBMIT", source_context=context, recipient_count="")
            self._row(host, at, message, "STOREDRIVER", "RECEIVE", **counted, directionality="Originating")
        else:
            connector = f"{host}\\Default {host}"
            client = {"client_ip": address.rstrip("]"), "client_hostname": name, "connector_id": connector}
            context = "08DC1DB12C345BE5;2030-01-01T00:00:00.000Z;0"
            self._row(
                host, at, message, "SMTP", "RECEIVE", **client, **counted, source_context=context, message_info="0cA: "
            )
        if self.options.has_shadow_copies and message.number % 3 == 0 and next_host != host:
            self._row(next_host, at, message, "SMTP", "HARECEIVE", **counted)
        if message.number % 5 == 0:
            self._row(host, at, message, "AGENT", "AGENTINFO", **counted)

    def _resolve(self, message: Message, host: str, at: int) -> None:
        members: dict[str, list[str]] = {}
        for recipient in message.recipients:
            if recipient.is_alias:
                members.setdefault(recipient.written, []).append(recipient.final)
        for written, boxes in members.items():
            if len(boxes) == 1:
                self._stand_in(message, host, at, "RESOLVE" if message.number % 4 else "EXPAND", written, boxes)
            elif message.number % 3:
                self._stand_in(message, host, at, "EXPAND", written, boxes)
            else:  # forwarded to a list that holds another
                first, second = f"list.{written}", f"inner.{written}"
                self._stand_in(message, host, at, "REDIRECT", written, [first])
                self._stand_in(message, host, at, "EXPAND", first, [second, boxes[0]])
                self._stand_in(message, host, at, "EXPAND", second, boxes[1:])

    def _stand_in(self, message: Message, host: str, at: int, event: str, written: str, others: list[str]) -> None:
        both = {"recipient_address": ";".join(others), "related_recipient_address": written}
        self._row(host, at, message, "ROUTING", event, recipient_count=len(others), **both)

    def _relay(self, message: Message, step: Step, host: str, next_host: str) -> None:
        at = step.at
        self._resolve(message, host, at)
        whom = distinct(message)
        named = {"recipient_address": ";".join(r.final for r in whom), "recipient_count": len(whom)}
        status = ";".join("250 2.1.5 Recipient OK" for _ in whom)
        self._row(host, at, message, "SMTP", "SEND", **named, connector_id=INTERNAL, recipient_status=status)
        self._row(next_host, at, message, "SMTP", "RECEIVE", **named, connector_id=f"{next_host}\\Default {next_host}")

    def _try(self, message: Message, host: str, step: Step) -> None:
        at = step.at
        if step.at == message.attempts[0] and host == message.host:
            self._resolve(message, host, at)
        sent = [r for r in step.done if r.result == "sent"]
        local, remote = [r for r in sent if r.is_local], [r for r in sent if not r.is_local]
        info = f"{instant(message.arrived_at):%Y-%m-%dT%H:%M:%S}.000Z;SRV={host}:TOTAL-HUB={at - message.arrived_at}"
        if local:
            named = {"recipient_address": ";".join(r.final for r in local), "recipient_count": len(local)}
            self._row(host, at, message, "STOREDRIVER", "DELIVER", **named, message_info=info)
            twins = [
                r for r in message.recipients if r.is_alias and any(r.final.lower() == d.final.lower() for d in local)
            ]
            for twin in twins:
                if twin not in local:
                    again = {"recipient_address": twin.final, "related_recipient_address": twin.written}
                    self._row(host, at, message, "STOREDRIVER", "DUPLICATEDELIVER", recipient_count=1, **again)
        if remote:
            named = {"recipient_address": ";".join(r.final for r in remote), "recipient_count": len(remote)}
            status = ";".join("250 2.1.5 Recipient OK" for _ in remote)
            event = "SENDEXTERNAL" if message.number % 2 else "SEND"
            self._row(host, at, message, "SMTP", event, **named, connector_id="Outbound", recipient_status=status)
        for result, status in (
            ("unknown", "550 5.1.1 RESOLVER.ADR.RecipNotFound; not found"),
            ("refused", "550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized"),
        ):
            failed = [r for r in step.done if r.result == result]
            if failed:
                source = "ROUTING" if result == "unknown" else "STOREDRIVER"
                self._fail(message, host, at, failed, source, status)
        for recipient in step.left:
            source = "STOREDRIVER" if recipient.is_local else "SMTP"
            named = {"recipient_address": recipient.final, "recipient_count": 1}
            status = {
                "full": "452 4.2.2 STOREDRV.Deliver; mailbox full",
                "greylisted": "450 4.7.1 Greylisted",
                "store": "432 4.3.2 STOREDRV.Storage; mailbox server is too busy",
            }[recipient.reason]
            self._row(host, at, message, source, "DEFER", **named, recipient_status=status)

    def _fail(self, message: Message, host: str, at: int, failed: list[Recipient], source: str, status: str) -> None:
        named = {"recipient_address": ";".join(r.final for r in failed), "recipient_count": len(failed)}
        statuses = ";".join(f"'{status}'" if len(failed) > 1 else status for _ in failed)
        self._row(host, at, message, source, "FAIL", **named, recipient_status=statuses)
        if message.sender and source != "ADMIN":
            notice = f"<{_guid(f'{at} {message.number}')}@{host}>"
            own = {"message_id": notice, "sender_address": "<>", "return_path": "<>", "recipient_count": 1}
            own |= {"recipient_address": message.sender, "reference": f"<{message.message_id}>"}
            own |= {"message_subject": "Undeliverable", "network_message_id": _guid(notice)}
            self._row(host, at, message, "DSN", "DSN", **own)
            self._row(host, at, message, "SMTP", "SENDEXTERNAL", **own, recipient_status="250 2.1.5 Recipient OK")


def _guid(text: str) -> str:
    digest = md5(text.encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def _subject(message: Message) -> str:
    if message.subject:
        return message.subject
    return 'Re: 50% off, "now", DELIVER' if message.number % 40 == 0 else f"Note {message.number}"
