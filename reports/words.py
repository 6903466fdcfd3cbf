"""How figures are said: numbers, durations, instants and definitions in plain words."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from reports.cells import Cell
from transforms.settings import Definition

_UNITS = {
    "delivery": ("delivery", "deliveries"),
    "message": ("message", "messages"),
    "address": ("address", "addresses"),
    "mailbox": ("mailbox", "mailboxes"),
    "account": ("account", "accounts"),
    "customer": ("customer", "customers"),
}
_THIN = "\u202f"
"""A narrow space at which no line breaks."""
_STEPS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_SHORT = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def number(value: float | None) -> str:
    """Return a figure with thousands separators and a real minus sign; a mean under 100 keeps one decimal.

    None is said as an en dash.
    """
    if value is None:
        return "–"
    rounded = round(float(value), 1 if abs(value) < 100 else 0)
    text = f"{abs(rounded):,.0f}" if rounded == int(rounded) else f"{abs(rounded):,.1f}"
    return f"−{text}" if rounded < 0 else text


def percent(part: float | None, whole: float | None) -> str:
    """Return a share as people say it; an en dash where there is no whole to take it of."""
    if part is None or not whole:
        return "–"
    share = 100 * part / whole
    if 0 < share < 1 or 99 < share < 100:
        return (
            f"{share:.1f}{_THIN}%"
            if 0.05 <= share < 99.95
            else (f"under 0.1{_THIN}%" if share < 1 else f"over 99.9{_THIN}%")
        )
    return f"{share:.0f}{_THIN}%"


def duration(seconds: float | None) -> str:
    """Return a span as people say it: `1 hour`, `15 minutes`, `2 days 4 hours`, `0.4 seconds`."""
    if seconds is None:
        return "–"
    if seconds < 10 and seconds != int(seconds):
        return f"{seconds:.1f} seconds"
    return " ".join(f"{n} {word}" + ("" if n == 1 else "s") for n, word in _two_parts(seconds, _STEPS))


def short_duration(seconds: float | None) -> str:
    """Return a span for an axis or a table: `1 h`, `15 min`, `2 d 4 h`, `0.4 s`."""
    if seconds is None:
        return "–"
    if seconds < 10 and seconds != int(seconds):
        return f"{seconds:.1f} s" if seconds >= 0.1 else f"{seconds:.2g} s"
    return " ".join(f"{n} {word}" for n, word in _two_parts(seconds, _SHORT))


def instant(at: datetime | None, zone: str, with_zone: bool = True) -> str:
    """Return an instant in the incident's zone: `31 Oct 2012 13:00 NZDT`; seconds only where it has some."""
    if at is None:
        return "–"
    local = at.astimezone(ZoneInfo(zone))
    clock = local.strftime("%H:%M" if local.second == 0 else "%H:%M:%S")
    said = f"{local.day} {local.strftime('%b %Y')} {clock}"
    return f"{said} {zone_name(at, zone)}" if with_zone else said


def span(start: datetime, end: datetime, zone: str) -> str:
    """Return `from … to …` with what both ends share said once."""
    first, last = start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))
    if first.date() == last.date() and first.utcoffset() == last.utcoffset():
        clock = "%H:%M" if first.second == last.second == 0 else "%H:%M:%S"
        day = f"{first.day} {first.strftime('%b %Y')}"
        return f"{first.strftime(clock)} to {last.strftime(clock)} {zone_name(end, zone)} on {day}"
    return f"{instant(start, zone)} to {instant(end, zone)}"


def zone_name(at: datetime, zone: str) -> str:
    """Return the zone's abbreviation at that instant, or its offset where it has none (`UTC+13`)."""
    local = at.astimezone(ZoneInfo(zone))
    name = local.tzname() or ""
    if name and name[0].isalpha():
        return name
    minutes = int((local.utcoffset() or timedelta()).total_seconds() // 60)
    sign, (hours, rest) = ("+" if minutes >= 0 else "−"), divmod(abs(minutes), 60)
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")


def sentence(text: str) -> str:
    """Return text with its first letter large, the rest as it is."""
    return text[:1].upper() + text[1:]


def units(unit: str, count: float = 2) -> str:
    """Return the unit's word, singular for exactly one."""
    one, many = _UNITS.get(unit, (unit, unit))
    return one if count == 1 else many


def definition(d: Definition, count: float = 2) -> str:
    """Return a definition as the rest of a sentence that begins with a figure.

    `accounts had at least one message that took 1 hour or more to arrive, or was still waiting after that long`
    """
    is_of_mail = d.unit in ("delivery", "message")
    were = "were" if is_of_mail and count != 1 else "was"
    ends = {
        "late": f", or {were} still waiting after that long",
        "late_or_lost": f", {were} still waiting after that long, or {were} lost",
    }
    took = f"took {duration(d.threshold_seconds)} or more to arrive{ends[d.count]}"
    return (
        f"{units(d.unit, count)} {took}"
        if is_of_mail
        else f"{units(d.unit, count)} had at least one message that {took}"
    )


def short_definition(d: Definition) -> str:
    """Return a definition as a label: `accounts · late ≥ 1 h · without bulk`."""
    return " · ".join(
        (units(d.unit), f"{count_word(d.count)} ≥ {short_duration(d.threshold_seconds)}", messages(d.messages))
    )


def count_word(count: str) -> str:
    """Return which outcomes count, as a label."""
    return {"late": "late", "late_or_lost": "late or lost"}.get(count, count)


def messages(choice: str) -> str:
    """Return which messages count, as a label."""
    return {"all": "all mail", "excluding_bulk": "without bulk"}.get(choice, choice)


def bounds(c: Cell) -> str:
    """Return a figure's range in words: `exactly 5`, `at least 5`, `at least 5 and up to 9`."""
    if c.is_exact:
        return f"exactly {number(c.measured)}"
    return f"at least {number(c.lower)} and up to {number(c.upper)}"


def _two_parts(seconds: float, steps: tuple[tuple[int, str], ...]) -> list[tuple[int, str]]:
    left = round(seconds)
    parts: list[tuple[int, str]] = []
    for size, word in steps:
        count, left = divmod(left, size)
        if count or parts:
            parts.append((count, word))
    return [(count, word) for count, word in parts[:2] if count] or [(0, steps[-1][1])]
