"""What operators do while the flood is on: delete promotions, requeue, hold and release."""

import numpy as np

from tests.simulate.outage import Message
from tests.simulate.traffic import Flood


def operate(rng: np.random.Generator, messages: list[Message], flood: Flood) -> None:
    """Change the fate of some of the messages that wait when the operators step in, two thirds into the flood."""
    at = flood.start + (flood.end - flood.start) * 2 // 3
    waiting = [m for m in messages if m.attempts[0] < at and m.attempts[-1] > at + 200 and m.filtered_at < at]
    dealt = rng.permutation(len(waiting)).tolist()
    bulk = [i for i in dealt if "mailhouse" in waiting[i].sender.lower()]
    deleted = set(bulk[: len(bulk) // 8])
    rest = [i for i in dealt if i not in deleted]
    share = len(rest) // 12
    for index in deleted:
        _delete(waiting[index], at)
    for index in rest[:share]:
        _requeue(waiting[index], at + 7, at + 9 + int(rng.integers(0, 50)))
    for place, index in enumerate(rest[share : 2 * share]):
        _hold(waiting[index], at + 120, None if place % 3 == 0 else at + 5400)


def _delete(message: Message, at: int) -> None:
    message.deleted_at, message.expired_at = at, None
    message.attempts = [t for t in message.attempts if t < at]
    for recipient in message.recipients:
        if recipient.end is None or recipient.end >= at:
            recipient.end, recipient.result = at, "deleted"


def _requeue(message: Message, ends: int, begins: int) -> None:
    message.requeued = (ends, begins)
    _move(message, ends, begins + 3)


def _hold(message: Message, since: int, until: int | None) -> None:
    message.held = (since, until)
    if until is not None:
        _move(message, since, until + 17)
        return
    message.expired_at = None
    message.attempts = [t for t in message.attempts if t < since]
    for recipient in message.recipients:
        if recipient.end is not None and recipient.end >= since:
            recipient.end, recipient.result = None, "waiting"


def _move(message: Message, since: int, until: int) -> None:
    """Nothing is tried between `since` and `until`: what was due then is tried at `until`."""
    message.attempts = sorted({until if since <= t < until else t for t in message.attempts})
    for recipient in message.recipients:
        if recipient.end is not None and since <= recipient.end < until:
            recipient.end = until
    if message.expired_at is not None and since <= message.expired_at < until:
        message.expired_at = until
