"""The explanation as plain text, at most 100 characters wide, fit to be pasted into a mail."""

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from expectations.tables import COUNTS, FAULT_CLASSES, MESSAGES, UNITS
from mailtoll.durations import spell_duration
from mailtoll.explain_facts import Line, Told
from mailtoll.explain_rules import counts, end_of, link_of, reached, rule_of
from mailtoll.explain_subject import shown
from reports import words
from reports.faults import WHO
from transforms.settings import Definition, Settings

WIDTH = 100
_LABEL = 12
ReadLine = Callable[[Line], tuple[str, str | None]]
"""Return where a line stands (`file:line`), and its text; None where the copy is gone."""


def wrapped(text: str, indent: int = 0, hanging: int = 0) -> str:
    """Return text broken at spaces, and within words that are too long."""
    first, later = " " * indent, " " * (indent + hanging)
    lines = textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False)
    return "\n".join(lines) or first


def stamp(at: datetime | None, zone: str) -> str:
    """Return an instant in the incident's zone, to the second."""
    if at is None:
        return "–"
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %Y %H:%M:%S} {words.zone_name(at, zone)}"


def delivery_text(told: Told, number: int, of: int, settings: Settings, *, decides: bool, read: ReadLine) -> str:
    """Return one delivery with its verdict, its rule, its legs and its log lines."""
    row, zone = told.row, settings.timezone
    is_open = row["ended_at"] is None
    waited = f"{row['delay_seconds']:g} s ({words.duration(row['delay_seconds'])})"
    title = f"DELIVERY {number} of {of}: {row['outcome'].replace('_', ' ')}, {words.duration(row['delay_seconds'])}"
    to = shown(row["address"]) + (
        f", which leads to {shown(row['mailbox'])}" if row["mailbox"] and row["mailbox"] != row["address"] else ""
    )
    sender = shown(row["sender"]) if row["sender"] else "unknown" if row["sender"] is None else "<> (the null sender)"
    ended = (
        f"not up to as of; waiting for at least {waited}"
        if is_open
        else f"{stamp(row['ended_at'], zone)}, after {waited}"
    )
    parts = [
        title + (" · decides the headline" if decides else ""),
        _field("Message-ID", shown(row["message_id"]) or "not logged"),
        _field("From", sender + (" (a bulk sender)" if row["is_bulk"] else "")),
        _field("To", to),
        *(
            [_field("Account", f"{shown(row['account_id'])}, segment {shown(row['segment'])}")]
            if row["account_id"]
            else []
        ),
        _field("Arrived", stamp(row["arrived_at"], zone)),
        _field("Ended", ended),
        _field("Counts as", reached(row, settings)),
        _field("Rule", rule_of(told)),
        *([_field("Fault", _kept(told.fault))] if told.fault else []),
        *_legs(told, zone),
        *_lines(told, read),
    ]
    return "\n".join(parts)


def _kept(fault: Mapping[str, Any]) -> str:
    """Return who kept the mail, the longest first; the fault may be another's, who ended it."""
    kept = sorted(((fault[f"{who}_seconds"], who) for who in FAULT_CLASSES), reverse=True)
    spans = ", ".join(f"{words.duration(seconds)} by {WHO[who]}" for seconds, who in kept if seconds)
    return f"{WHO[fault['fault']]} ({fault['direction']} mail; kept {spans or 'by nobody'})"


def grid_text(cells: pl.DataFrame, settings: Settings) -> str:
    """Return which cells of the grid a subject's own mail counts in: definitions down, thresholds across.

    `yes` counts and is proven by the logs, `yes*` counts though the log alone does not prove it, `may` is in the
    upper bound only; deliveries and messages are counted instead.
    """
    thresholds = settings.thresholds_seconds
    head = f"{'':38}" + "".join(f"{'≥ ' + spell_duration(t):>10}" for t in thresholds)
    rows = []
    of_all = cells.filter(segment="all")
    for unit, messages, count in product(UNITS, MESSAGES, COUNTS):
        row = of_all.filter(unit=unit, messages=messages, count=count)
        by_threshold = {cell["threshold_seconds"]: cell for cell in row.iter_rows(named=True)}
        label = f"{unit}, {words.messages(messages)}, {words.count_word(count)}"
        rows.append(f"  {label:36}" + "".join(f"{_mark(unit, by_threshold.get(t)):>10}" for t in thresholds))
    return "\n".join([head, *rows])


def definition_text(definition: Definition) -> str:
    """Return the headline's definition in words: `accounts that had at least one message that took 1 hour or …`."""
    aside = ", bulk mail left out" if definition.messages == "excluding_bulk" else ""
    units = words.units(definition.unit)
    return f"{units} that {words.definition(definition).removeprefix(units).lstrip()}{aside}"


def deciding(deliveries: Sequence[Told], definition: Definition) -> Told | None:
    """Return the delivery that decides: the longest wait of those that count."""
    counted = [told for told in deliveries if counts(told.row, definition)]
    return max(counted, key=lambda told: told.row["delay_seconds"], default=None)


def _mark(unit: str, cell: Mapping[str, int] | None) -> str:
    if cell is None:
        return "–"
    if unit in ("delivery", "message"):
        return f"{cell['measured']:,}" + ("" if cell["measured"] == cell["upper"] else f"–{cell['upper']:,}")
    if cell["measured"]:
        return "yes" if cell["lower"] else "yes*"
    return "may" if cell["upper"] else "no"


def _field(label: str, text: str) -> str:
    return wrapped(f"{label:<{_LABEL}}{text}", 2, _LABEL)


def _legs(told: Told, zone: str) -> Iterator[str]:
    for leg in told.legs:
        label = "Legs" if leg.number == 1 else ""
        span = f"{_clock(leg.arrived_at, told, zone)} → {_clock(leg.ended_at, told, zone)}"
        place = f"{shown(leg.host) or 'queue listing'} {shown(leg.queue_id)}"
        yield _field(label or "\u00a0", f"{leg.number}. {place}, {span}: {link_of(leg)}; {end_of(leg)}").replace(
            "\u00a0", " "
        )


def _clock(at: datetime | None, told: Told, zone: str) -> str:
    if at is None:
        return "…"
    local = at.astimezone(ZoneInfo(zone))
    same_day = local.date() == told.row["arrived_at"].astimezone(ZoneInfo(zone)).date()
    return f"{local:%H:%M:%S}" if same_day else f"{local.day} {local:%b %H:%M:%S}"


def _lines(told: Told, read: ReadLine) -> Iterator[str]:
    aside = f", {told.lines_of_others} about other recipients left out" if told.lines_of_others else ""
    yield _field("Log lines", f"{len(told.lines)}{aside}")
    seen: set[tuple[int, str]] = set()
    for line in told.lines:
        place, text = read(line)
        if text is not None and (line.leg, text) in seen:
            yield f"    {shown(place)} (leg {line.leg}): the same line once more, in an overlapping file"
            continue
        seen.add((line.leg, text or place))
        yield f"    {shown(place)} (leg {line.leg})"
        yield from _broken(_without_others(text, line.others), 6) if text is not None else ["      the copy is gone"]


def _without_others(text: str, others: Sequence[str]) -> str:
    for address in others:
        if address:
            text = re.sub(re.escape(address), "[another recipient]", text, flags=re.IGNORECASE)
    return text


def _broken(text: str, indent: int) -> Iterator[str]:
    """Break a log line after a space, where there is one; its pieces put together are the line, letter for letter."""
    rest, room = shown(text), WIDTH - indent
    while len(rest) > room:
        cut = rest.rfind(" ", room // 2, room) + 1 or room
        yield " " * indent + rest[:cut]
        rest = rest[cut:]
    yield " " * indent + rest
