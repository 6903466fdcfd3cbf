"""How the gates say what they saw: numbers, shares, instants and lists in plain English, with no address in them."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from transforms.gate_limits import GateLimits

NAMED_AT_MOST = 5  # a reader acts on the first few; the count says how many there are in all


def number(value: float) -> str:
    """Return a whole number with thousands separators."""
    return f"{int(value):,}"


def counted(value: float, noun: str, rest: str = "") -> str:
    """Return `1 row`, `2 addresses`, `1,000 deliveries without an end`: `noun` is the singular, `rest` follows it."""
    words = noun if int(value) == 1 else _plural(noun)
    return f"{number(value)} {words} {rest}".rstrip()


def share(value: float) -> str:
    """Return a share of 0..1 in per cent, exact enough to tell it from a limit next to it."""
    return f"{value * 100:.4g} %"


def listed(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    shown = ", ".join(names[:NAMED_AT_MOST])
    more = len(names) - NAMED_AT_MOST
    return f"{shown} and {number(more)} more" if more > 0 else shown


def moment(at: datetime, timezone: str) -> str:
    """Return an instant in the incident's zone, to the minute, with the zone's name: `1 Nov 2030 03:00 NZDT`."""
    local = at.astimezone(ZoneInfo(timezone))
    return f"{local.day} {local:%b %Y %H:%M %Z}"


def span(start: datetime, end: datetime, timezone: str) -> str:
    """Return `from … to …` in the incident's zone."""
    return f"from {moment(start, timezone)} to {moment(end, timezone)}"


def minutes(value: float) -> str:
    """Return a length of time as people say it: seconds, minutes, hours or days."""
    if value < 1:
        return counted(round(value * 60), "second")
    if value < 120:
        return counted(round(value), "minute")
    if value < 48 * 60:
        return f"{value / 60:.3g} hours"
    return f"{value / 1440:.3g} days"


def file_name(uri: str, parts: int = 1) -> str:
    """Return the last parts of a path or URI; of a URI without its query, which may hold a secret."""
    path = re.split(r"[?#]", uri, maxsplit=1)[0] if "://" in uri else uri
    return "/".join(path.rstrip("/").split("/")[-parts:])


def distinct_names(uris: Sequence[str]) -> list[str]:
    """Return a name for each file that no other has: its last part, else with its folder, else with its place."""
    often = Counter(file_name(uri) for uri in uris)
    names = [file_name(uri, 1 if often[file_name(uri)] == 1 else 2) for uri in uris]
    often = Counter(names)
    return [name if often[name] == 1 else f"{name} (file {place})" for place, name in enumerate(names, start=1)]


def allowed(text: str, limits: GateLimits, name: str) -> str:
    """Return what a limit allows, and whether the incident file changed it."""
    return f"{text} ({'changed by the incident file' if name in limits.changed() else 'default'})"


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch")) else f"{noun}s"
