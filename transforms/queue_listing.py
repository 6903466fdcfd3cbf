"""A queue listing (`postqueue -j`) becomes `snapshot` events: what was still queued, and for whom.

One JSON object per line and queue file (Postfix `showq(8)`): queue_name, queue_id, arrival_time (epoch), sender,
recipients[].address. A listing may repeat or miss a file while the queue moves. It names no host.
"""

import json
from datetime import UTC, datetime
from typing import BinaryIO

import polars as pl

from expectations.tables import EVENTS, QUARANTINE
from sources.domains import ascii_address


def read_queue_listing(
    stream: BinaryIO, source_id: str, uri: str, as_of: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return EVENTS of kind `snapshot`, stamped `as_of`, and the QUARANTINE of lines that are no queue file."""
    events, aside = [], []
    for number, line in enumerate(stream.read().decode(errors="replace").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            file = json.loads(line)
            arrived_at = datetime.fromtimestamp(file["arrival_time"], UTC)
            common = {
                "source_id": source_id,
                "line_number": number,
                "host": "",
                "queue_id": str(file["queue_id"]),
                "kind": "snapshot",
                "logged_at": as_of,
                "sender": str(file.get("sender") or "").lower().replace("mailer-daemon", ""),
                "delay_seconds": max(0.0, (as_of - arrived_at).total_seconds()),
            }
            events += [
                common
                | {"recipient": ascii_address(str(r["address"]).lower()), "reply": (r.get("delay_reason") or None)}
                for r in file["recipients"]
            ]
        except (ValueError, KeyError, TypeError, OverflowError):
            reason = "no queue file in the form of `postqueue -j`"
            aside.append({"source_id": source_id, "uri": uri, "line_number": number, "reason": reason, "text": line})
    return (
        EVENTS.conform(pl.DataFrame(events)) if events else EVENTS.empty(),
        QUARANTINE.conform(pl.DataFrame(aside)) if aside else QUARANTINE.empty(),
    )
