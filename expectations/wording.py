"""How the gates say what they saw: numbers, shares, instants and lists in plain English, with no address in them."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from transforms.gate_limits import GateLimits

NAMED_AT_MOST = 5  # a reader acts on the first few; the count says how many there are in all


def number(value: float) -> str:
    """Return a whole number with thousands separators."""
    return f"{int(value):,}"


def counted(value: float, noun: str) -> str:
    """Return `1 row`, `2 rows`, `1,000 deliveries`: `noun` is the singular."""
    if int(value) == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{number(value)} {plural}"


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
    """Return a length of time as people say it: minutes, else hours, else days."""
    if value < 120:
        return counted(round(value), "minute")
    if value < 48 * 60:
        return f"{value / 60:.3g} hours"
    return f"{value / 1440:.3g} days"


def file_name(uri: str) -> str:
    """Return the last part of a path or URI, without a query (which may hold a secret)."""
    return (urlsplit(uri).path or uri).rstrip("/").rpartition("/")[2] or uri


def allowed(text: str, limits: GateLimits, name: str) -> str:
    """Return what a limit allows, and whether the incident file changed it."""
    return f"{text} ({'changed by the incident file' if name in limits.changed() else 'default'})"
