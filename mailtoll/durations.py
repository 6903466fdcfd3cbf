"""Durations as people write them in an incident file: a whole number and its unit (10s, 15m, 1h, 1d, 1h30m)."""

import re

_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:(?P<d>\d{1,6})d)?(?:(?P<h>\d{1,6})h)?(?:(?P<m>\d{1,6})m)?(?:(?P<s>\d{1,9})s)?")


def parse_duration(text: object) -> int:
    """Return the seconds that `text` says; `ValueError`, worded for the user, where it says none or zero."""
    found = _DURATION.fullmatch(str(text).strip()) if isinstance(text, str) else None
    seconds = sum(int(n) * _SECONDS[unit] for unit, n in found.groupdict().items() if n) if found else 0
    if not seconds:
        raise ValueError(
            f"{text!r} is not a duration; write a whole number above 0 and its unit, such as 90s, 15m, 1h or 1d"
        )
    return seconds


def spell_duration(seconds: int) -> str:
    """Return the shortest spelling that `parse_duration` reads back: 5400 gives 1h30m."""
    parts = []
    for unit, size in _SECONDS.items():
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
