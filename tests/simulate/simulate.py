"""Simulate an outage with known truth: a provider's week, a mailing house's flood, and what operators do about it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from tests.simulate import traffic
from tests.simulate.customers import LOCAL_DOMAINS, make_customers
from tests.simulate.fate import Stores, settle
from tests.simulate.operators import operate
from tests.simulate.outage import Message, Outage, Recipient, Record, instant, unix


def simulate(
    seed: int,
    *,
    messages: int = 40_000,
    days: int = 7,
    hosts: int = 2,
    accounts: int | None = None,
    start: str = "2030-03-04T00:00:00Z",
    timezone: str = "Pacific/Auckland",
    flood: bool = True,
    flood_hours: float = 10,
    bulk_share: float = 0.3,
    with_filter: bool = False,
    operators: bool = True,
    cut_off: str | int | None = None,
    lifetime_hours: float = 120,
    lists: bool = True,
    tags: bool = False,
    unmatched_share: float = 0.003,
    refusals: bool = True,
    unattempted: int = 0,
) -> Outage:
    """Return an outage of `messages` messages arriving over `days` days at `hosts` servers.

    `cut_off` is an ISO instant, Unix seconds, or `"flood"` (half an hour after the mailing house has stopped): the
    logs end there, with mail still queued. Without it they go on until the last message has met its fate. `lists`:
    messages to several recipients, an alias beside its mailbox, both segments. `tags`: recipients with a `+tag`.
    `unattempted`: that many of the messages that arrived last before the cut-off have not been tried once, so that
    the log does not name their recipients. `operators`: deletions, requeues and holds while the flood is on.
    """
    rng = np.random.default_rng(seed)
    begin, lifetime = unix(start), int(lifetime_hours * 3600)
    stop = begin + days * traffic.DAY
    noon = traffic.next_day(begin, timezone, max(1, round(days * 0.5))) + 8 * traffic.HOUR
    flood_end = noon + int(flood_hours * traffic.HOUR)
    span = traffic.Flood(noon, flood_end, flood_end + int(flood_hours * traffic.HOUR * 0.8)) if flood else None
    window = (traffic.next_day(noon, timezone, 0), traffic.next_day(noon, timezone, 2))
    change_on = instant(window[0]).astimezone(ZoneInfo(timezone)).date() + timedelta(days=1)
    records = make_customers(rng, accounts=accounts or max(40, messages // 60), change_on=change_on)
    bulk = int(messages * bulk_share) if span else int(messages * 0.02)
    ordinary = traffic.arrival_times(rng, messages - bulk, begin, days, timezone)
    edges = min(len(ordinary), 8)
    ordinary[:edges] = ([window[0], window[0] - 1, window[1], window[1] - 1] * 2)[:edges]
    promotions = (
        traffic.flood_times(rng, bulk, span) if span else traffic.arrival_times(rng, bulk, begin, days, timezone)
    )
    arrived = np.concatenate([ordinary, promotions])
    is_bulk = np.concatenate([rng.random(len(ordinary)) < 0.02, np.ones(bulk, bool)])
    order = np.argsort(arrived, kind="stable")
    arrived, is_bulk = arrived[order], is_bulk[order]
    wait = traffic.waits(rng, arrived, span, lifetime)
    names = tuple(f"mx{n + 1}" for n in range(hosts))
    addressing = Addressing(rng, records, lists=lists, tags=tags, unmatched_share=unmatched_share)
    stores = Stores.of(records)
    made: list[Message] = []
    for number, (when, promoted, seconds) in enumerate(
        zip(arrived.tolist(), is_bulk.tolist(), wait.tolist(), strict=True)
    ):
        message = addressing.message(number, names[int(rng.integers(hosts))], when, promoted)
        settle(rng, message, seconds, lifetime, with_filter, stores)
        if refusals and not promoted and rng.random() < 0.01:
            message.refused_at = when - int(rng.integers(60, 2400))
        made.append(message)
    end = _cut(cut_off, span)
    if operators and span:
        operate(rng, made, span)
    if end is not None:
        made = _attempted(made, end, unattempted)
    last = end or max(stop, max(_last_instant(m) for m in made) + 60)
    return Outage(
        seed=seed,
        timezone=timezone,
        hosts=names,
        local_domains=LOCAL_DOMAINS,
        bulk_senders=traffic.BULK_PATTERNS,
        records=records,
        messages=made,
        start=begin,
        stop=stop,
        log_end=last,
        window=window,
        baseline=(begin, window[0]),
        with_filter=with_filter,
        is_cut_off=end is not None,
    )


class Addressing:
    """Draws senders and recipients."""

    def __init__(
        self, rng: np.random.Generator, records: list[Record], *, lists: bool, tags: bool, unmatched_share: float
    ) -> None:
        self.rng, self.lists, self.tags, self.unmatched_share = rng, lists, tags, unmatched_share
        self.records = records
        self.mailbox_of = {r.address: r.mailbox for r in records}
        self.addresses = sorted(self.mailbox_of)
        self.aliases_of: dict[str, list[str]] = {}
        for record in records:
            if record.address != record.mailbox:
                self.aliases_of.setdefault(record.mailbox, []).append(record.address)
        popularity = rng.pareto(1.6, len(self.addresses)) + 0.4
        self.cumulative = np.cumsum(popularity) / popularity.sum()

    def message(self, number: int, host: str, arrived: int, is_bulk: bool) -> Message:
        """Return one message, addressed and not yet tried."""
        rng = self.rng
        sender = traffic.bulk_sender(rng, number) if is_bulk else traffic.ordinary_sender(rng, self.records)
        recipients = self._recipients(is_bulk)
        domain = sender.rpartition("@")[2].lower() or "mailer.example.net"
        identity = f"{number:x}.{arrived}.{int(rng.integers(1 << 30)):08x}@{domain}"
        client = f"mta{number % 7}.{domain}[192.0.2.{1 + number % 250}]"
        size = int(rng.integers(600, 90_000))
        message = Message(number, host, client, sender, identity, size, arrived, recipients)
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
            chosen.setdefault(recipient.written.lower(), recipient)
            others = self.aliases_of.get(recipient.final.lower(), [])
            if self.lists and others and rng.random() < 0.05:
                alias = others[0]
                chosen.setdefault(alias, Recipient(alias, recipient.final.lower(), True, is_alias=True))
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


def _cut(cut_off: str | int | None, flood: traffic.Flood | None) -> int | None:
    if cut_off == "flood":
        if flood is None:
            raise ValueError("cut_off='flood' needs a flood")
        return flood.end + 1800
    return unix(cut_off) if isinstance(cut_off, str) else cut_off


def _attempted(messages: list[Message], end: int, unattempted: int) -> list[Message]:
    """Keep what arrived before `end`; all but the last `unattempted` of it have been tried before `end`."""
    kept = [m for m in messages if m.arrived_at < end and m.attempts[0] < end]
    for message in kept[len(kept) - unattempted :] if unattempted else []:
        message.attempts = [end + 60]
        message.filtered_at = end + 60
        message.held = message.requeued = message.deleted_at = message.expired_at = None
        for recipient in message.recipients:
            recipient.end, recipient.result = end + 60, "sent"
    return kept


def _last_instant(message: Message) -> int:
    held = message.held[1] or message.held[0] if message.held else 0
    return max(message.attempts[-1], held, message.deleted_at or 0, message.expired_at or 0)
