"""Write the incident file of a new incident from a standby file and a few answers, ready to run, with what to check.

The baseline proposed is whole weeks that end where the day of the window's start begins, as many as wished and as the
standby store holds logs for; where it holds less than a week, whole days; where it holds none of them, none.
"""

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mailtoll.durations import spell_duration
from mailtoll.incident import load_incident
from mailtoll.standby import Standby, first_stamp
from mailtoll.warehouse import written_aside
from sources.addresses import is_remote
from sources.errors import BadInput
from transforms.settings import Interval

_CLAIM = re.compile(r"\s*(?P<low>\d+)\s*(?:-\s*(?P<high>\d+))?\s*")


@dataclass(frozen=True)
class Answers:
    """What is new about an incident; `claims` are texts `WHO; WHAT THEY SAID; LOW-HIGH; UNIT`."""

    id: str
    title: str
    start: str
    end: str
    headline: str
    claims: tuple[str, ...] = ()
    weeks: int = 2


def write_incident(standby: Standby, answers: Answers, path: Path) -> Path:
    """Write the incident file in its place; `BadInput`: an answer will not do, or there is a file already."""
    if path.exists():
        raise BadInput(f"{path} is there already; name another file.")
    with written_aside(path, is_restricted=False) as aside:
        aside.write_text(_text(standby, answers, path.absolute().parent), encoding="utf-8")
        try:
            load_incident(aside)
        except BadInput as error:
            raise BadInput(str(error).replace(str(aside), f"the new {path.name}")) from None
    return path


def propose_baseline(window_start: datetime, weeks: int, zone: str, first: datetime | None) -> Interval | None:
    """Return ordinary time before a window, as far as logs reach back to their `first` stamp; None: they do not."""
    local = window_start.astimezone(ZoneInfo(zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    days = weeks * 7
    if first:
        held = int((midnight - first) / timedelta(days=1))
        days = min(days, held - held % 7 if held >= 7 else held)
    if days < 1 or first is None:
        return None
    return Interval((midnight - timedelta(days=days)).astimezone(UTC), midnight.astimezone(UTC))


def _text(standby: Standby, answers: Answers, folder: Path) -> str:
    base = standby.path.absolute().parent
    logs = [log.model_dump(exclude_defaults=True) | {"uri": _seen_from(folder, base, log.uri)} for log in standby.logs]
    customers = standby.customers.model_dump(exclude_none=True)
    if "uri" in customers:
        customers["uri"] = _seen_from(folder, base, customers["uri"])
    unit, threshold, messages, count = _words(answers.headline, 4, "headline", "UNIT THRESHOLD MESSAGES COUNT")
    thresholds = [spell_duration(seconds) for seconds in standby.thresholds]
    if threshold not in thresholds:
        thresholds.append(threshold)
    lines = [
        "# Written by `mailtoll new-incident`. Check what is disputed before the first run: the grid that these",
        "# choices declare is fingerprinted, and every later change of it is told in the report.",
        f"id: {answers.id}",
        f"title: {_plain(answers.title)}",
        f"timezone: {standby.timezone}",
        "# Where the logs come from. Those that the standby store holds are taken from there, already parsed.",
        f"standby: {_plain(os.path.relpath(standby.path.absolute(), folder))}",
        "logs:",
        *(f"  - {_plain(log)}" for log in logs),
        f"customers: {_plain(customers)}",
        "# Messages that arrived within [start, end) are counted. `window: detect` lets the logs say it.",
        f"window: {{start: {answers.start}, end: {answers.end}}}",
        *_baseline_lines(standby, answers),
        f"local_domains: {_plain(list(standby.local_domains))}",
        f"bulk_senders: {_plain(list(standby.bulk_senders))}",
        f"thresholds: [{', '.join(thresholds)}]",
        "# One cell of the grid: the figure that the report opens with.",
        f"headline: {{unit: {unit}, threshold: {threshold}, messages: {messages}, count: {count}}}",
        "# What was said in public, and how it is read in numbers, both ends inclusive.",
        "claims:" if answers.claims else "claims: []",
        *(f"  - {_plain(_claim(text))}" for text in answers.claims),
    ]
    return "\n".join(lines) + "\n"


def _baseline_lines(standby: Standby, answers: Answers) -> list[str]:
    try:
        start = datetime.fromisoformat(answers.start)
    except ValueError:
        return []  # loading the file says what is wrong with the window
    if start.tzinfo is None:
        return []
    span = propose_baseline(start, answers.weeks, standby.timezone, first_stamp(standby))
    if span is None:
        return ["# The store holds no whole day before the window: there is no ordinary time to compare with."]
    return [
        "# Ordinary time to compare with. Make sure that nothing was wrong in it, and that no holiday makes it odd.",
        f"baseline: {{start: {_instant(span.start)}, end: {_instant(span.end)}}}",
    ]


def _claim(text: str) -> dict[str, Any]:
    who, said, numbers, unit = _words(text, 4, "claim", "WHO; WHAT THEY SAID; LOW-HIGH; UNIT", ";")
    read = _CLAIM.fullmatch(numbers)
    if not read:
        raise BadInput(f"claim {text!r}: {numbers!r} is no range; write it in digits, such as 2000-9999 or 20000.")
    return {"who": who, "said": said, "low": int(read["low"]), "high": int(read["high"] or read["low"]), "unit": unit}


def _words(text: str, number: int, what: str, form: str, between: str | None = None) -> list[str]:
    words = [word.strip() for word in text.split(between)]
    if len(words) != number or not all(words):
        raise BadInput(f"{what} {text!r} will not do; write it as {form}.")
    return words


def _seen_from(folder: Path, base: Path, uri: str) -> str:
    """Return a path that was relative to `base` as it is relative to `folder`; other addresses as they are."""
    if is_remote(uri) or os.path.isabs(os.path.expanduser(uri)):
        return uri
    return os.path.relpath(base / uri, folder)


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(value: Any) -> str:
    """Return a value as YAML on one line: JSON is YAML too."""
    return json.dumps(value, ensure_ascii=False)
