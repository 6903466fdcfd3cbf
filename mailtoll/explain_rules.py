"""The rules in words: what decided a delivery's outcome, what ties two legs, and why an account is in the headline."""

from typing import Any

from mailtoll.durations import spell_duration
from mailtoll.explain_facts import Leg, Told
from mailtoll.explain_subject import shown
from reports.words import duration
from transforms.settings import Definition, Settings

_LINKS = {
    "reply": "the reply in leg {former} names this queue file: a hand-over, not a delivery",
    "former_id": "its own arrival line names leg {former}",
    "message_id": "same Message-ID as leg {former}, handed in by the machine itself",
}
_ENDS = {
    "removed": "done",
    "requeued": "requeued by an operator: it goes on under a new id",
    "deleted": "deleted by an operator or a rule",
    "ended": "ended; the log does not say by whom",
}


def rule_of(told: Told) -> str:
    """Return in one sentence which rule decided the outcome of a delivery, and on what evidence."""
    outcome, seen = told.row["outcome"], told.decided
    code = f" (status {shown(seen['dsn'])})" if seen.get("dsn") else ""
    if not seen:
        return f"{outcome}: the ladder gives no single line for it."
    match outcome:
        case "delivered":
            return f"Delivered: a line says sent{code}, and it names no queue file that carries the message on."
        case "rejected_recipient":
            return f"Not an impact: accepted, then refused at once as an unknown mailbox{code}."
        case "pending" if seen["is_listed"]:
            return f"Pending: queue file {shown(seen['queue_id'])} is in the queue listing, still waiting at as of."
        case "pending":
            return "Pending: no line ends it up to as of; its delay is a lower limit."
        case "lost":
            return _lost(seen, code)
    return _unresolved(seen)


def _lost(seen: dict[str, Any], code: str) -> str:
    queue_id = shown(seen["queue_id"])
    if not seen["is_handed_on"] and seen["status"] == "bounced":
        return f"Lost: refused for good after it had been accepted{code}, and not at once as an unknown mailbox."
    if (not seen["is_handed_on"] and seen["status"] == "expired") or seen["expired_at"] is not None:
        return f"Lost: given up after the longest time that queue file {queue_id} may wait, and returned."
    if not seen["is_handed_on"] and seen["status"] == "discarded":
        return f"Lost: discarded by a rule{code}; nothing was stored."
    return f"Lost: queue file {queue_id} was {_ENDS.get(seen['end_kind'], 'ended')}, with no delivery before."


def _unresolved(seen: dict[str, Any]) -> str:
    if seen["status"] == "sent" and not seen["is_handed_on"]:
        return (
            "Unresolved: handed to a next hop that hands mail back to us, and the next queue file is not in the logs."
        )
    if seen["ended_at"] is not None:
        return f"Unresolved: queue file {shown(seen['queue_id'])} ended, and no line says how for this recipient."
    if seen["status"] == "forwarded":
        return "Unresolved: passed on inside the platform, and the log does not show where it went."
    return "Unresolved: the queue listing does not hold it, and no line ends it."


def link_of(leg: Leg) -> str:
    """Return what ties a leg to the one before it, or how it began."""
    if leg.link and leg.former:
        return _LINKS[leg.link].format(former=leg.former)
    return (
        "first arrival" if leg.has_arrival_line else "first arrival; its line is not in the logs, so stamp less delay"
    )


def end_of(leg: Leg) -> str:
    """Return how a leg ended."""
    return "open" if leg.ended_at is None else _ENDS.get(str(leg.end_kind), "ended")


def reached(row: dict[str, Any], settings: Settings) -> str:
    """Return which thresholds a delivery's delay reaches, or why it can be late at none."""
    if row["outcome"] not in ("delivered", "pending"):
        return "never late: only what was delivered or still waits can be"
    late = [spell_duration(t) for t in settings.thresholds_seconds if row["delay_seconds"] >= t]
    return f"late at {', '.join(late)}" if late else f"in time: under {spell_duration(settings.thresholds_seconds[0])}"


def counts(row: dict[str, Any], definition: Definition) -> bool:
    """Say whether one delivery makes its people count under a definition."""
    is_late = row["outcome"] in ("delivered", "pending") and row["delay_seconds"] >= definition.threshold_seconds
    is_lost = row["outcome"] == "lost" and definition.count == "late_or_lost"
    return (is_late or is_lost) and not (row["is_bulk"] and definition.messages == "excluding_bulk")


def why_not(rows: list[dict[str, Any]], definition: Definition) -> str:
    """Return why none of the deliveries of the window makes its people count under a definition."""
    if not rows:
        return "nothing arrived for it in the window."
    of_choice = [r for r in rows if not (r["is_bulk"] and definition.messages == "excluding_bulk")]
    if not of_choice:
        return f"all {len(rows):,} deliveries of the window are from bulk senders, which the headline leaves out."
    timed = [r["delay_seconds"] for r in of_choice if r["outcome"] in ("delivered", "pending")]
    if not timed:
        return "none of its mail was delivered or still waits; what was lost or refused is not late."
    longest = duration(max(timed))
    return f"its longest delay that can count is {longest}, under {spell_duration(definition.threshold_seconds)}."
