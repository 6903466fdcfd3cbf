"""What an outage is, as its maker knows it: messages, what became of each recipient, and who owns which mailbox.

Nothing here knows of a log. Instants are whole Unix seconds, so that every spelling of a log can carry them.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime


@dataclass(frozen=True)
class Record:
    """One row of the customer records: an address, the mailbox it leads to, and who holds it when."""

    account_id: str
    customer_id: str
    segment: str
    mailbox: str
    address: str
    valid_from: date
    valid_to: date | None = None


@dataclass(slots=True)
class Recipient:
    """One recipient of one message.

    `written` is the address as the sender wrote it, `final` the one the server delivers to after expanding an alias.
    `end` is the instant of the final outcome (None: never), `result` one of sent, unknown (refused at once: no
    such mailbox), refused (bounced although accepted), expired, deleted, waiting. `reason` says why an attempt before
    `end` failed: store, full, greylisted.
    """

    written: str
    final: str
    is_local: bool
    is_alias: bool = False
    end: int | None = None
    result: str = "waiting"
    reason: str = "store"


@dataclass(slots=True)
class Message:
    """One message from acceptance to the end of its last recipient.

    `attempts` are the instants at which the server tried whoever was still waiting; `filtered_at` is the attempt at
    which the content filter took it, where there is one. `held` is (from, until or None), `requeued` (old queue file
    ends, new one begins). `refused_at`: our server turned it away with a 4xx at that instant, before it was accepted.
    `subject` is set where it is hostile; `fraction` is the part of a second at which its lines are stamped.
    """

    number: int
    host: str
    client: str
    sender: str
    message_id: str
    size: int
    arrived_at: int
    recipients: list[Recipient]
    attempts: list[int] = field(default_factory=list)
    filtered_at: int = 0
    held: tuple[int, int | None] | None = None
    requeued: tuple[int, int] | None = None
    deleted_at: int | None = None
    expired_at: int | None = None
    refused_at: int | None = None
    subject: str = ""
    fraction: float = 0.0


@dataclass
class Outage:
    """A simulated outage and its truth.

    `start` and `stop` bound the arrivals; `log_end` is the instant before which every log ends, and the `as_of` of
    the incident file. `window` and `baseline` are (start, end) in Unix seconds.
    """

    seed: int
    timezone: str
    hosts: tuple[str, ...]
    local_domains: tuple[str, ...]
    bulk_senders: tuple[str, ...]
    records: list[Record]
    messages: list[Message]
    start: int
    stop: int
    log_end: int
    window: tuple[int, int]
    baseline: tuple[int, int]
    with_filter: bool
    is_cut_off: bool
    thresholds: tuple[int, ...] = (900, 3600, 14400, 86400)


def instant(seconds: int) -> datetime:
    """Return Unix seconds as a UTC instant."""
    return datetime.fromtimestamp(seconds, UTC)


def unix(text: str) -> int:
    """Return the Unix seconds of an ISO 8601 instant such as `2030-03-04T00:00:00Z`."""
    return int(datetime.fromisoformat(text).timestamp())
