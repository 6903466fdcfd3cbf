"""Who writes to whom: one message's sender, recipients, and what it calls itself."""

import numpy as np

from tests.simulate import traffic
from tests.simulate.customers import LOCAL_DOMAINS
from tests.simulate.outage import Message, Recipient, Record


class Addressing:
    """Draws senders and recipients."""

    def __init__(
        self,
        rng: np.random.Generator,
        records: list[Record],
        *,
        lists: bool,
        tags: bool,
        unmatched_share: float,
        hostile: bool,
        groups: int,
    ) -> None:
        self.rng, self.lists, self.tags, self.unmatched_share = rng, lists, tags, unmatched_share
        self.hostile = hostile
        self.records = records
        self.mailbox_of = {r.address: r.mailbox for r in records}
        self.addresses = sorted(self.mailbox_of)
        self.aliases_of: dict[str, list[str]] = {}
        for record in records:
            if record.address != record.mailbox:
                self.aliases_of.setdefault(record.mailbox, []).append(record.address)
        popularity = rng.pareto(1.6, len(self.addresses)) + 0.4
        self.cumulative = np.cumsum(popularity) / popularity.sum()
        self.members = {f"team{n}@{LOCAL_DOMAINS[0]}": self._members(2 + n % 4) for n in range(groups)}

    def _members(self, wanted: int) -> list[str]:
        """Draw mailboxes of one domain; no record knows the group's own address."""
        boxes = sorted({r.mailbox for r in self.records if r.mailbox.endswith(f"@{LOCAL_DOMAINS[0]}")})
        return [str(box) for box in self.rng.choice(boxes, wanted, replace=False)]

    def message(self, number: int, host: str, arrived: int, is_bulk: bool) -> Message:
        """Return one message, addressed and not yet tried."""
        rng = self.rng
        sender = traffic.bulk_sender(rng, number) if is_bulk else traffic.ordinary_sender(rng, self.records)
        recipients = self._recipients(is_bulk)
        subject = ""
        if self.hostile and not is_bulk and rng.random() < 0.1:
            sender, subject = traffic.hostile_sender(number), traffic.hostile_subject(recipients[0].final, number)
        domain = sender.rpartition("@")[2].lower() or "mailer.example.net"
        identity = f"{number:x}.{arrived}.{int(rng.integers(1 << 30)):08x}@{domain}"
        client = f"mta{number % 7}.{domain}[192.0.2.{1 + number % 250}]"
        size = int(rng.integers(600, 90_000))
        message = Message(number, host, client, sender, identity, size, arrived, recipients)
        message.subject = subject
        message.fraction = int(rng.integers(0, 500_000)) / 1e6
        return message

    def _recipients(self, is_bulk: bool) -> list[Recipient]:
        rng = self.rng
        if not is_bulk and rng.random() < 0.13:
            return [self._remote()]
        wanted = 1 + (int(rng.geometric(0.5)) if self.lists and rng.random() < 0.18 else 0)
        chosen: dict[str, Recipient] = {}
        for _ in range(min(wanted, 9)):
            recipient = self._remote() if not is_bulk and wanted > 1 and rng.random() < 0.08 else self._local()
            if any(r.is_alias and recipient.is_alias and r.final == recipient.final for r in chosen.values()):
                continue  # two aliases and not their mailbox: which of them was "the address" is anyone's guess
            chosen.setdefault(recipient.written.lower(), recipient)
            others = self.aliases_of.get(recipient.final.lower(), [])
            if self.lists and others and not recipient.is_alias and rng.random() < 0.06:
                alias = others[0]
                chosen.setdefault(alias, Recipient(alias, recipient.final.lower(), True, is_alias=True))
        if self.members and rng.random() < 0.05:
            group = str(rng.choice(sorted(self.members)))
            return [*chosen.values(), *(Recipient(group, box, True, is_alias=True) for box in self.members[group])]
        return list(chosen.values())

    def _remote(self) -> Recipient:
        address = f"friend{int(self.rng.integers(900))}@remote{int(self.rng.integers(8))}.example.org"
        return Recipient(address, address, False)

    def _local(self) -> Recipient:
        rng = self.rng
        if rng.random() < self.unmatched_share:
            ghost = f"ghost{int(rng.integers(40))}@{LOCAL_DOMAINS[0]}"
            return Recipient(ghost, ghost, True)
        address = self.addresses[min(int(np.searchsorted(self.cumulative, rng.random())), len(self.addresses) - 1)]
        mailbox = self.mailbox_of[address]
        written = traffic.spelled(rng, address)
        if self.tags and address == mailbox and rng.random() < 0.02:
            written = written.replace("@", "+news@")
        is_alias = address != mailbox
        return Recipient(written, mailbox if is_alias else written, True, is_alias=is_alias)
