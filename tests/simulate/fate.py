"""Settle what becomes of one message: when it is tried, when each recipient is done, and how."""

import zlib
from dataclasses import dataclass

import numpy as np

from tests.simulate.outage import Message, Record

BACKOFF = (300, 600, 1200, 2400, 4000)
PARTITIONS = 4


@dataclass(frozen=True)
class Stores:
    """Mailboxes with a trouble of their own: `unknown` do not exist at the store, `full` are full now and then."""

    unknown: frozenset[str]
    full: frozenset[str]

    @classmethod
    def of(cls, records: list[Record]) -> "Stores":
        """Choose about one mailbox in a hundred and twenty for each trouble, and at least one."""
        boxes = sorted({r.mailbox for r in records}, key=lambda box: zlib.crc32(box.encode()))
        share = max(1, len(boxes) // 120)
        return cls(frozenset(boxes[:share]), frozenset(boxes[share : 2 * share]))


def settle(
    rng: np.random.Generator, message: Message, wait: int, lifetime: int, with_filter: bool, stores: Stores
) -> None:
    """Fill in attempts, ends and results. `wait`: seconds from arrival for which the store won't take it."""
    first = message.arrived_at + int(rng.integers(0, 3))
    stuck = rng.random(PARTITIONS) < 0.85 if wait else np.zeros(PARTITIONS, bool)
    ready: list[int | None] = []
    for recipient in message.recipients:
        mailbox = untagged(recipient.final)
        box = zlib.crc32(mailbox.encode())
        if not recipient.is_local:
            is_greylisted = rng.random() < 0.25
            recipient.reason = "greylisted"
            ready.append(message.arrived_at + int(rng.integers(200, 1500)) if is_greylisted else first)
        elif mailbox in stores.unknown or (mailbox.startswith("ghost") and box % 4 == 0):
            recipient.result = "unknown"
            ready.append(first)
        elif mailbox in stores.full:
            recipient.reason = "full"
            full_until = _full_until(message.arrived_at, box)
            ready.append(full_until)
        else:
            ready.append(message.arrived_at + wait if stuck[box % PARTITIONS] else first)
            if rng.random() < 0.0015:
                recipient.result = "refused"
    _share_fate(message, ready)
    message.attempts = _attempts(rng, message, first, ready, lifetime)
    for recipient, at in zip(message.recipients, ready, strict=True):
        recipient.end = next((t for t in message.attempts if at is not None and t >= at), None)
        if recipient.end is None or recipient.end - message.arrived_at >= lifetime:
            recipient.end, recipient.result = message.attempts[-1], "expired"
            message.expired_at = message.attempts[-1]
        elif recipient.result == "waiting":
            recipient.result = "sent"
    done = max(r.end or 0 for r in message.recipients)
    message.attempts = [t for t in message.attempts if t <= done]
    if any(r.result in ("unknown", "refused", "expired") for r in message.recipients) and _is_local(message.sender):
        message.sender = f"user{message.number % 400}@remote{message.number % 8}.example.org"
    first_end = min(r.end or done for r in message.recipients)
    waits_for_filter = with_filter and wait > 0 and first_end != message.expired_at and rng.random() < 0.2
    message.filtered_at = first_end if waits_for_filter else message.attempts[0]


def untagged(address: str) -> str:
    """Return an address in lower case without its `+tag`."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _is_local(sender: str) -> bool:
    return sender.lower().endswith("officemail.example")


def _full_until(arrived: int, box: int) -> int | None:
    """Return when a mailbox that fills up every few days has room again; None: its owner never looks."""
    if box % 3 == 0:
        return None
    period = 2 * 86400 + box % 90_000
    return arrived - arrived % period + period if arrived % period > period // 2 else arrived


def _share_fate(message: Message, ready: list[int | None]) -> None:
    """An alias and its mailbox, both named, are one delivery: give both the same fate."""
    first: dict[str, int] = {}
    for index, recipient in enumerate(message.recipients):
        twin = first.setdefault(untagged(recipient.final), index)
        if twin != index:
            ready[index] = ready[twin]
            recipient.result, recipient.reason = message.recipients[twin].result, message.recipients[twin].reason


def _attempts(
    rng: np.random.Generator, message: Message, first: int, ready: list[int | None], lifetime: int
) -> list[int]:
    limit = message.arrived_at + lifetime
    known = [t for t in ready if t is not None]
    last = limit if len(known) < len(ready) else max([first, *known])
    times, step, now = {first}, 0, first
    while now < min(last, limit):
        now += BACKOFF[min(step, len(BACKOFF) - 1)] + int(rng.integers(0, 30))
        times.add(now)
        step += 1
    waits_at_store = [
        t for t, r in zip(ready, message.recipients, strict=True) if t is not None and r.reason == "store" and t < limit
    ]
    return sorted(times.union(t for t in waits_at_store if t >= first))
