"""In which year does each file of a year-less log begin, in whatever order the files are given?

Rule: the files of one log cover less than a year. Their spans are laid on the circle of the calendar; the longest
stretch of it that no file covers is the time outside the log, so the log begins where that stretch ends. Files that
begin before that point of the calendar belong to the year after. The year of the log's first line is the declared
one, else the one that brings the log nearest to a known instant.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from transforms.clock import MONTHS

_STAMP = re.compile(rf"^(?:<[0-9]+>)?({'|'.join(MONTHS)}) ([ 0-3][0-9]) ([0-2][0-9]):([0-5][0-9]):([0-6][0-9])")
_LEAP_YEAR = 2000
_YEAR_SECONDS = 366 * 86400


def first_years(edges: Sequence[tuple[str, str]], year: int | None, near: datetime | None) -> list[int]:
    """Return the year of the first line of each file, given the first and last lines of each.

    `year` is that of the log's first line; None: the year that brings the log nearest to `near`, which must then be
    known. A file whose edges carry no such stamp gets the log's own year.
    """
    spans = [(_place(first), _place(last)) for first, last in edges]
    begin = _beginning([(a, b if b is not None else a) for a, b in spans if a is not None])
    if year is None:
        if near is None:
            raise ValueError("either the year of the log's first line or an instant near it must be known")
        year = _nearest_year(begin, near)
    return [year + (1 if first is not None and begin is not None and first < begin else 0) for first, _ in spans]


def is_yearless(line: str) -> bool:
    """Say whether a line bears a stamp that needs its year from elsewhere."""
    return _place(line) is not None


def _place(line: str) -> int | None:
    """Return the place of a line's stamp on the calendar, in seconds from 1 January of a leap year."""
    match = _STAMP.match(line)
    if not match:
        return None
    month, day, hour, minute, second = match.groups()
    try:
        at = datetime(
            _LEAP_YEAR, MONTHS.index(month) + 1, int(day), int(hour), int(minute), min(int(second), 59), tzinfo=UTC
        )
    except ValueError:
        return None
    return int((at - datetime(_LEAP_YEAR, 1, 1, tzinfo=UTC)).total_seconds())


def _beginning(spans: list[tuple[int, int]]) -> int | None:
    """Return where the longest stretch that no span covers ends.

    A span whose end lies before its start goes on over New Year, or pieces were joined out of order: whichever leaves
    the longer stretch.
    """
    if not spans:
        return None
    over_new_year = [p for a, b in spans for p in ([(a, b)] if a <= b else [(a, _YEAR_SECONDS), (0, b)])]
    joined = [(min(span), max(span)) for span in spans]
    return max(_longest_gap(over_new_year), _longest_gap(joined), key=lambda found: found[0])[1]


def _longest_gap(spans: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the length of the longest stretch of the circle that no span covers, and where it ends."""
    pieces = sorted(spans)
    best_gap, begin, reach = -1, pieces[0][0], pieces[0][1]
    for start, end in [*pieces[1:], (pieces[0][0] + _YEAR_SECONDS, 0)]:
        if start - reach > best_gap:
            best_gap, begin = start - reach, start % _YEAR_SECONDS
        reach = max(reach, end)
    return best_gap, begin


def _nearest_year(begin: int | None, near: datetime) -> int:
    near = near.astimezone(UTC)
    if begin is None:
        return near.year
    within = (near - datetime(near.year, 1, 1, tzinfo=UTC)).total_seconds()
    return near.year if begin <= within + 86400 else near.year - 1
