"""Who writes to whom, and when: arrivals over the week, the flood, and how long each message will have to wait."""

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from tests.simulate.outage import Record, instant

HOUR, DAY = 3600, 86400
BY_HOUR = np.array([2, 1, 1, 1, 1, 2, 4, 7, 11, 13, 13, 12, 11, 12, 12, 11, 10, 8, 7, 6, 6, 5, 4, 3], float)
BULK_PATTERNS = ("*@mail.mailhouse.example", "promo-*@offers.example")
EDGES = (900, 3600, 14400, 86400)


@dataclass(frozen=True)
class Flood:
    """When the mailing house sends, and until when its backlog is felt."""

    start: int
    end: int
    drained: int


def arrival_times(rng: np.random.Generator, count: int, start: int, days: int, zone: str) -> np.ndarray:
    """Return `count` sorted instants over `days`, following the local hour of the day and a quieter weekend."""
    starts = start + HOUR * np.arange(days * 24)
    local = [instant(int(s)).astimezone(ZoneInfo(zone)) for s in starts]
    weight = np.array([BY_HOUR[moment.hour] * (0.45 if moment.weekday() >= 5 else 1.0) for moment in local])
    per_hour = rng.multinomial(count, weight / weight.sum())
    times = np.repeat(starts, per_hour) + rng.integers(0, HOUR, count)
    return np.sort(times)


def flood_times(rng: np.random.Generator, count: int, flood: Flood) -> np.ndarray:
    """Return `count` sorted instants of the mailing house's messages: two thirds in the first third of its run."""
    length = flood.end - flood.start
    early = rng.random(count) < 0.66
    offset = np.where(early, rng.random(count) * length / 3, rng.random(count) * length)
    return np.sort(flood.start + offset.astype(np.int64))


def waits(rng: np.random.Generator, arrived: np.ndarray, flood: Flood | None, lifetime: int) -> np.ndarray:
    """Return the seconds for which the store will not take each message: 0 for most, minutes to days in a flood."""
    count = len(arrived)
    wait = np.where(rng.random(count) < 0.008, rng.integers(200, 2600, count), 0)
    if flood is None:
        return wait
    during = (arrived >= flood.start) & (arrived < flood.end)
    fading = np.clip((flood.drained - arrived) / max(1, flood.drained - flood.end), 0, 1) * (arrived >= flood.end)
    hit = rng.random(count) < np.where(during, 0.8, 0.7 * fading)
    tail = np.minimum(np.exp(rng.normal(np.log(2600), 1.7, count)), lifetime * 0.9).astype(np.int64)
    edge = np.array(EDGES)[rng.integers(0, len(EDGES), count)] - rng.integers(0, 2, count)
    edge = np.where(edge < lifetime, edge, 3600)
    return np.where(hit, np.where(rng.random(count) < 0.02, edge, np.maximum(tail, 20)), wait)


def bulk_sender(rng: np.random.Generator, number: int) -> str:
    """Return the varying envelope sender of one promotion."""
    kind = rng.random()
    if kind < 0.2:
        return f"promo-{number % 97}@offers.example"
    if kind < 0.3:
        return f"Bounce+{number}@Mail.Mailhouse.Example"
    return f"bounce-{number}@mail.mailhouse.example"


def ordinary_sender(rng: np.random.Generator, records: list[Record]) -> str:
    """Return an envelope sender: mostly remote, some local customers, some null."""
    kind = rng.random()
    if kind < 0.02:
        return ""
    if kind < 0.17:
        return records[int(rng.integers(len(records)))].mailbox
    if kind < 0.19:
        return f"Mixed.Case{int(rng.integers(50))}@Remote{int(rng.integers(8))}.Example.ORG"
    return f"user{int(rng.integers(400))}@remote{int(rng.integers(8))}.example.org"


def hostile_sender(number: int) -> str:
    """Return an envelope sender that is hard to read."""
    local = ('"odd one"', '"a,b"', '"c>d"', "jürgen", '"=> e"', "x=y", "o'hara", '"to=<f>, status=sent ("')[number % 8]
    return f"{local}@remote{number % 8}.example.org"


def hostile_subject(victim: str, number: int) -> str:
    """Return a subject that imitates a log line about another message."""
    return (
        f"to=<{victim}>, relay=x[192.0.2.9]:25, delay=99999, delays=99999/0/0/0, dsn=2.0.0, status=sent (250 ok)",
        f"ABCDEF0123: to=<{victim}>, relay=none, delay=7, dsn=5.1.1, status=bounced (no)",
        f"<script>alert({number})</script> => {victim} R=a T=b",
        "removed",
    )[number % 4]


def spelled(rng: np.random.Generator, address: str) -> str:
    """Return an address as senders type it: now and then in capitals or with a tag."""
    kind = rng.random()
    if kind < 0.03:
        local, domain = address.split("@")
        return f"{local.title()}@{domain.upper() if kind < 0.01 else domain.title()}"
    return address


def next_day(start: int, zone: str, days: int) -> int:
    """Return local midnight `days` days after the local day of `start`, in Unix seconds."""
    local = instant(start).astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return int((local + timedelta(days=days)).replace(tzinfo=ZoneInfo(zone)).timestamp())
