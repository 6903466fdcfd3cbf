"""What must come out: every delivery, every outcome, every cell of the grid, counted naively from the outage itself.

Written from the contract alone; imports nothing from the project's own counters, on purpose.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from tests.simulate.outage import Message, Outage, Recipient, Record, instant

UNITS = ("delivery", "message", "address", "mailbox", "account", "customer")
LOGGED_UNITS = ("delivery", "message", "address")
Cell = tuple[str, int, str, str, str]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one mailbox in a local domain, as of an instant.

    `address` is what the sender wrote, lower case; where an alias and its mailbox were both named, the mailbox's own
    name. Open deliveries have no `ended_at` and a `delay` up to the instant. Unmatched ones have no mailbox.
    """

    message: int
    message_id: str
    host: str
    sender: str
    address: str
    mailbox: str | None
    account_id: str | None
    customer_id: str | None
    segment: str
    arrived_at: int
    ended_at: int | None
    outcome: str
    delay: int
    is_bulk: bool


def truth_deliveries(
    outage: Outage, as_of: int | None = None, bulk: Sequence[str] | None = None, records: Iterable[Record] | None = None
) -> list[Delivery]:
    """Return every delivery of the outage as of `as_of` (default: where the logs end), in order of arrival.

    Messages that arrive at `as_of` or later do not exist yet. `bulk` are the patterns of bulk senders, `records` the
    customer records; both default to the outage's own.
    """
    now = outage.log_end if as_of is None else as_of
    patterns = [p.lower() for p in (outage.bulk_senders if bulk is None else bulk)]
    owners: dict[str, list[Record]] = defaultdict(list)
    for record in outage.records if records is None else records:
        owners[record.address.lower()].append(record)
    zone = ZoneInfo(outage.timezone)
    found: list[Delivery] = []
    for message in outage.messages:
        if message.arrived_at < now:
            is_bulk = any(fnmatchcase(message.sender.lower(), p) for p in patterns)
            found.extend(_deliveries_of(message, now, is_bulk, owners, zone, outage.local_domains))
    return found


def truth_outcomes(outage: Outage, as_of: int | None = None) -> dict[str, int]:
    """Return the outcomes over the whole log, with their `total`, as the contract's `deliveries` states them."""
    counted = Counter(d.outcome for d in truth_deliveries(outage, as_of))
    names = ("delivered", "lost", "rejected_recipient", "pending", "unresolved")
    return {"total": counted.total(), **{name: counted[name] for name in names}}


def truth_cells(
    outage: Outage,
    window: tuple[int, int] | None = None,
    thresholds: Sequence[int] | None = None,
    as_of: int | None = None,
    bulk: Sequence[str] | None = None,
    records: Iterable[Record] | None = None,
) -> dict[Cell, int]:
    """Return the full grid, keyed (unit, threshold in seconds, messages, count, segment).

    Every segment of the records is there, `all`, and `unmatched` for delivery, message and address; zeros included.
    """
    start, end = outage.window if window is None else window
    known = list(outage.records if records is None else records)
    inside = [d for d in truth_deliveries(outage, as_of, bulk, known) if start <= d.arrived_at < end]
    segments = sorted({r.segment for r in known})
    cells: dict[Cell, int] = {}
    for threshold in outage.thresholds if thresholds is None else thresholds:
        for messages in ("all", "excluding_bulk"):
            chosen = [d for d in inside if messages == "all" or not d.is_bulk]
            late = [d for d in chosen if d.outcome in ("delivered", "pending") and d.delay >= threshold]
            lost = [d for d in chosen if d.outcome == "lost"]
            for count, affected in (("late", late), ("late_or_lost", late + lost)):
                for unit in UNITS:
                    names = ["all", *segments, *(["unmatched"] if unit in LOGGED_UNITS else [])]
                    seen = _heads(unit, affected)
                    for segment in names:
                        cells[unit, threshold, messages, count, segment] = len(seen[segment])
    return cells


def truth_refusals(outage: Outage) -> list[tuple[str, str, str, int, int]]:
    """Return (client, sender, recipient, refused at, accepted at) of what our server turned away with a 4xx first."""
    return [
        (m.client, m.sender.lower(), m.recipients[0].written.lower(), m.refused_at, m.arrived_at)
        for m in outage.messages
        if m.refused_at is not None and m.arrived_at < outage.log_end
    ]


def direction(outage: Outage, message: Message, recipient: Recipient) -> str:
    """Return inbound, internal or outbound, by the domains of sender and recipient; a null sender is a stranger."""
    if recipient.written.lower().rpartition("@")[2] not in outage.local_domains:
        return "outbound"
    return "internal" if message.sender.lower().rpartition("@")[2] in outage.local_domains else "inbound"


def _heads(unit: str, affected: list[Delivery]) -> dict[str, set[object]]:
    heads: dict[str, set[object]] = defaultdict(set)
    for index, delivery in enumerate(affected):
        identity: object = {
            "delivery": index,
            "message": delivery.message,
            "address": delivery.address,
            "mailbox": delivery.mailbox,
            "account": delivery.account_id,
            "customer": delivery.customer_id,
        }[unit]
        if identity is not None:
            heads["all"].add(identity)
            heads[delivery.segment].add(identity)
    return heads


def _deliveries_of(
    message: Message,
    now: int,
    is_bulk: bool,
    owners: dict[str, list[Record]],
    zone: ZoneInfo,
    local_domains: tuple[str, ...],
) -> list[Delivery]:
    day = instant(message.arrived_at).astimezone(zone).date()
    merged: dict[str, tuple[str, Record | None, Recipient]] = {}
    for recipient in message.recipients:
        address = recipient.written.lower()
        if address.rpartition("@")[2] not in local_domains:
            continue
        final = recipient.final.lower()
        record = _valid(owners, final, day) or _valid(owners, _untagged(final), day) or _valid(owners, address, day)
        key = record.mailbox.lower() if record else address
        if key not in merged or (address == key and merged[key][0] != key):
            merged[key] = (address, record, recipient)
    return [_delivery(message, now, is_bulk, *parts) for parts in merged.values()]


def _valid(owners: dict[str, list[Record]], address: str, day: object) -> Record | None:
    for record in owners.get(address, []):
        if record.valid_from <= day and (record.valid_to is None or day <= record.valid_to):  # type: ignore[operator]
            return record
    return None


def _untagged(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _delivery(
    message: Message, now: int, is_bulk: bool, address: str, record: Record | None, recipient: Recipient
) -> Delivery:
    is_open = recipient.end is None or recipient.end >= now
    settled = {"sent": "delivered", "unknown": "rejected_recipient"}.get(recipient.result, "lost")
    ended_at = None if is_open else recipient.end
    return Delivery(
        message=message.number,
        message_id=message.message_id,
        host=message.host,
        sender=message.sender.lower(),
        address=address,
        mailbox=record.mailbox.lower() if record else None,
        account_id=record.account_id if record else None,
        customer_id=record.customer_id if record else None,
        segment=record.segment if record else "unmatched",
        arrived_at=message.arrived_at,
        ended_at=ended_at,
        outcome="pending" if is_open else settled,
        delay=(now if ended_at is None else ended_at) - message.arrived_at,
        is_bulk=is_bulk,
    )
