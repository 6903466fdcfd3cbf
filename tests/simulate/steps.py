"""The life of a message as a list of steps, the same for every server without a content filter."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from tests.simulate.outage import Message, Recipient

Kind = Literal["refuse", "accept", "try", "expire", "delete", "hold", "release"]


@dataclass(slots=True)
class Step:
    """What happens at one instant: `done` recipients meet their fate at it, `left` ones go on waiting."""

    at: int
    kind: Kind
    done: list[Recipient] = field(default_factory=list)
    left: list[Recipient] = field(default_factory=list)


def steps(message: Message, end: int) -> Iterator[Step]:
    """Yield the steps of a message before `end`, in order. Recipients are those the server tells apart.

    `expire` follows the `try` of the same instant and ends whoever is left.
    """
    recipients = distinct(message)
    if message.refused_at is not None and message.refused_at < end:
        yield Step(message.refused_at, "refuse")
    yield Step(message.arrived_at, "accept", left=list(message.recipients))
    events: list[tuple[int, int, Kind]] = [(at, 1, "try") for at in message.attempts]
    if message.held:
        events.append((message.held[0], 0, "hold"))
        if message.held[1] is not None:
            events.append((message.held[1], 0, "release"))
    if message.deleted_at is not None:
        events.append((message.deleted_at, 2, "delete"))
    left = recipients
    for at, _, kind in sorted(events):
        if at >= end:
            return
        if kind == "delete":
            yield Step(at, kind, done=left)
            return
        if kind == "try":
            done = [r for r in left if r.end is not None and r.end <= at and r.result in ("sent", "unknown", "refused")]
            left = [r for r in left if r not in done]
            yield Step(at, kind, done, left)
            if left and all(r.result == "expired" and r.end == at for r in left):
                yield Step(at, "expire", done=left)
                return
        else:
            yield Step(at, kind, left=left)


def as_written(recipients: Iterable[Recipient]) -> list[str]:
    """Return the addresses that the sender wrote, each once: members of a group share theirs."""
    return list(dict.fromkeys(r.written for r in recipients))


def distinct(message: Message) -> list[Recipient]:
    """Return the recipients after the server has dropped an alias whose mailbox is named as well."""
    chosen: dict[str, Recipient] = {}
    for recipient in message.recipients:
        former = chosen.get(recipient.final.lower())
        if former is None or (former.is_alias and not recipient.is_alias):
            chosen[recipient.final.lower()] = recipient
    return list(chosen.values())
