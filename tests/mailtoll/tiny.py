"""A tiny incident that passes every gate: one Postfix host with a content filter, and what can become of its mail.

Times are minutes after 2030-05-01 00:00 UTC. The window is the first two hours, the logs are complete up to hour six.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2030, 5, 1, tzinfo=UTC)
RECORDS = """account_id,customer_id,segment,mailbox,address,valid_from,valid_to
A1,C1,residential,ann@example.com,ann@example.com,,
A1,C1,residential,ann@example.com,sales@example.com,,
B1,C2,business,bob@example.com,bob@example.com,,
B2,C2,business,carl@example.com,carl@example.com,,
D1,C4,residential,dora@example.com,dora@example.com,,
"""
INCIDENT = """id: tiny
title: A tiny outage
timezone: Pacific/Auckland
logs: [{uri: "*.log", format: postfix}]
queue_snapshots: [queue.json]
customers: {uri: customers.csv}
window: {start: 2030-05-01T00:00:00Z, end: 2030-05-01T02:00:00Z}
as_of: 2030-05-01T06:00:00Z
local_domains: [example.com]
bulk_senders: ["*@mailhouse.example"]
thresholds: [15m, 1h, 4h]
headline: {unit: account, threshold: 1h, messages: excluding_bulk, count: late}
gates: {silence_minutes: 100000, unmatched_share: 1, unmatched_share_warn: 1}
"""


def at(minute: float) -> str:
    """The stamp of a line."""
    return (START + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%S.000000+00:00")


def line(minute: float, service: str, text: str) -> str:
    """One log line."""
    return f"{at(minute)} mx1 postfix/{service}[1]: {text}"


def begun(queue_id: str, minute: float, message_id: str, sender: str, recipients: int = 1) -> list[str]:
    """A queue file that smtpd opens."""
    return [
        line(minute, "smtpd", f"{queue_id}: client=localhost[127.0.0.1]"),
        line(minute, "cleanup", f"{queue_id}: message-id=<{message_id}>"),
        line(minute, "qmgr", f"{queue_id}: from=<{sender}>, size=900, nrcpt={recipients} (queue active)"),
    ]


def tried(queue_id: str, minute: float, to: str, since: float, outcome: str, dsn: str = "2.0.0") -> str:
    """One attempt; `to` is what the line says after `to=`, `since` the minute of the queue file's arrival."""
    delay = round((minute - since) * 60)
    relay = "relay=127.0.0.1[127.0.0.1]:10024, " if "queued as" in outcome else "relay=store[192.0.2.1]:24, "
    text = f"{queue_id}: to={to}, {relay}delay={delay}, delays={delay}/0/0/0, dsn={dsn}, status={outcome}"
    return line(minute, "smtp", text)


def removed(queue_id: str, minute: float, service: str = "qmgr") -> str:
    """A queue file's end."""
    return line(minute, service, f"{queue_id}: removed")


def filtered(first: str, second: str, minute: float, message_id: str, sender: str, to: list[str]) -> list[str]:
    """Both queue files of a message that passes the filter at once; the second is left open."""
    given = [tried(first, minute, f"<{t}>", minute, f"sent (250 2.0.0 Ok: queued as {second})") for t in to]
    return [
        *begun(first, minute, message_id, sender, len(to)),
        *begun(second, minute, message_id, sender, len(to)),
        *given,
        removed(first, minute),
    ]


def day_one() -> list[str]:
    """Late mail for ann, mail on time for ann and bob together, bulk for bob, carl's requeued, bob's deleted."""
    return [
        *filtered("AA0001", "AA0002", 10, "late@example.net", "friend@example.net", ["ann@example.com"]),
        tried("AA0002", 40, "<ann@example.com>", 10, "deferred (host said: 451 try later)", "4.3.0"),
        tried("AA0002", 90, "<ann@example.com>", 10, "sent (250 stored)"),
        removed("AA0002", 90),
        *filtered(
            "BB0001", "BB0002", 12, "two@example.net", "friend@example.net", ["sales@example.com", "bob@example.com"]
        ),
        tried("BB0002", 13, "<ann@example.com>, orig_to=<sales@example.com>", 12, "sent (250 stored)"),
        tried("BB0002", 13, "<bob@example.com>", 12, "sent (250 stored)"),
        removed("BB0002", 13),
        *filtered("CC0001", "CC0002", 14, "promo@mailhouse.example", "news@mailhouse.example", ["bob@example.com"]),
        tried("CC0002", 134, "<bob@example.com>", 14, "sent (250 stored)"),
        removed("CC0002", 134),
        *filtered("DD0001", "DD0002", 16, "again@example.net", "friend@example.net", ["carl@example.com"]),
        line(70, "postsuper", "DD0002: requeued"),
        line(71, "pickup", "DD0003: uid=102 from=<friend@example.net> orig_id=DD0002"),
        line(71, "cleanup", "DD0003: message-id=<again@example.net>"),
        line(71, "qmgr", "DD0003: from=<friend@example.net>, size=900, nrcpt=1 (queue active)"),
        *begun("DD0004", 71, "again@example.net", "friend@example.net"),
        tried("DD0003", 71, "<carl@example.com>", 71, "sent (250 2.0.0 Ok: queued as DD0004)"),
        removed("DD0003", 71),
        tried("DD0004", 80, "<carl@example.com>", 71, "sent (250 stored)"),
        removed("DD0004", 80),
        *filtered("EE0001", "EE0002", 18, "gone@example.net", "friend@example.net", ["bob@example.com"]),
        removed("EE0002", 60, "postsuper"),
        *filtered("FF0001", "FF0002", 20, "nobody@example.net", "friend@example.net", ["nobody@example.com"]),
        tried("FF0002", 20, "<nobody@example.com>", 20, "bounced (550 5.1.1 User unknown)", "5.1.1"),
        removed("FF0002", 20),
    ]


def day_two() -> list[str]:
    """More late mail, this time for bob: the later log."""
    return [
        *filtered("AB0001", "AB0002", 100, "later@example.net", "friend@example.net", ["bob@example.com"]),
        tried("AB0002", 300, "<bob@example.com>", 100, "sent (250 stored)"),
        removed("AB0002", 300),
    ]


def dora_waits() -> list[str]:
    """Mail for dora, which is still queued; the listing says so."""
    return filtered("DE0001", "DE0002", 30, "wait\u202e@example.net", "friend@example.net", ["dora@example.com"])


def listing() -> str:
    """What `postqueue -j` says of it."""
    entry = {
        "queue_name": "deferred",
        "queue_id": "DE0002",
        "arrival_time": int((START + timedelta(minutes=30)).timestamp()),
        "message_size": 900,
        "sender": "friend@example.net",
        "recipients": [{"address": "dora@example.com", "delay_reason": "connection refused"}],
    }
    return json.dumps(entry) + "\n"


def write(folder: Path, *, later: bool = False, records: str = RECORDS, incident: str = INCIDENT) -> Path:
    """Write the incident's files into `folder`, `later` with the log of the second day; return the incident file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "day1.log").write_text("\n".join([*day_one(), *dora_waits()]) + "\n", encoding="utf-8")
    if later:
        (folder / "day2.log").write_text("\n".join(day_two()) + "\n", encoding="utf-8")
    (folder / "queue.json").write_text(listing(), encoding="utf-8")
    (folder / "customers.csv").write_text(records, encoding="utf-8")
    path = folder / "incident.yaml"
    path.write_text(incident, encoding="utf-8")
    return path
