"""A Postfix's set-up, and its queue files: who still waits in each, and what `postqueue -j` says of it."""

from dataclasses import dataclass, field
from typing import Literal

from tests.simulate.outage import Recipient


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


def listed(leg: Leg, *, is_held: bool, is_tried: bool) -> dict[str, object]:
    """Return a queue file as one object of `postqueue -j`."""
    return {
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
