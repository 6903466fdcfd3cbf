"""Simulate an outage with known truth: a provider's week, a mailing house's flood, and what operators do about it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from tests.simulate import traffic
from tests.simulate.addressing import Addressing
from tests.simulate.customers import LOCAL_DOMAINS, make_customers
from tests.simulate.fate import Stores, settle
from tests.simulate.operators import operate
from tests.simulate.outage import Message, Outage, instant, unix


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
    hostile: bool = False,
    groups: int = 0,
) -> Outage:
    """Return an outage of `messages` messages arriving over `days` days at `hosts` servers.

    `cut_off` is an ISO instant, Unix seconds, or `"flood"` (half an hour after the mailing house has stopped): the
    logs end there, with mail still queued. Without it they go on until the last message has met its fate. `lists`:
    messages to several recipients, an alias beside its mailbox, both segments. `tags`: recipients with a `+tag`.
    `unattempted`: that many of the messages that arrived last before the cut-off have not been tried once, so that
    the log does not name their recipients. `hostile`: quoted and non-ASCII addresses, and subjects that imitate log
    lines. `operators`: deletions, requeues and holds while the flood is on. `groups`: so many addresses that no record
    knows and that lead to several mailboxes each.
    """
    rng = np.random.default_rng(seed)
    begin, lifetime = unix(start), int(lifetime_hours * 3600)
    stop = begin + days * traffic.DAY
    noon = traffic.next_day(begin, timezone, max(1, round(days * 0.5))) + 8 * traffic.HOUR
    flood_end = noon + int(flood_hours * traffic.HOUR)
    span = traffic.Flood(noon, flood_end, flood_end + int(flood_hours * traffic.HOUR * 0.8)) if flood else None
    window = (traffic.next_day(noon, timezone, 0), traffic.next_day(noon, timezone, 2))
    change_on = instant(window[0]).astimezone(ZoneInfo(timezone)).date() + timedelta(days=1)
    records = make_customers(rng, accounts=accounts or max(40, messages // 60), change_on=change_on, hostile=hostile)
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
    addressing = Addressing(
        rng, records, lists=lists, tags=tags, unmatched_share=unmatched_share, hostile=hostile, groups=groups
    )
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


def _cut(cut_off: str | int | None, flood: traffic.Flood | None) -> int | None:
    if cut_off == "flood":
        if flood is None:
            raise ValueError("cut_off='flood' needs a flood")
        return flood.end + 1800
    return unix(cut_off) if isinstance(cut_off, str) else cut_off


def _attempted(messages: list[Message], end: int, unattempted: int) -> list[Message]:
    """Keep what arrived before `end`; all but the last `unattempted` of it have been tried before `end`.

    Those name no alias: a queue listing tells the mailbox alone, so nobody could know what was written.
    """
    kept = [m for m in messages if m.arrived_at < end and m.attempts[0] < end]
    for message in kept[len(kept) - unattempted :] if unattempted else []:
        message.attempts = [end + 60]
        message.filtered_at = end + 60
        message.held = message.requeued = message.deleted_at = message.expired_at = None
        message.recipients = list({r.final.lower(): r for r in message.recipients}.values())
        for recipient in message.recipients:
            recipient.written, recipient.is_alias = recipient.final, False
            recipient.end, recipient.result = end + 60, "sent"
    return kept


def _last_instant(message: Message) -> int:
    held = message.held[1] or message.held[0] if message.held else 0
    return max(message.attempts[-1], held, message.deleted_at or 0, message.expired_at or 0)
