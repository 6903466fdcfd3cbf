"""Behind a syslog stamp: the host, the program that wrote the line, and what it wrote.

Rules
- `host program[pid]: text`; the pid may be absent, and its colon too. Host names are compared in lower case.
- What stands before the first `: ` is a program only if it holds no blank; otherwise the whole is text of no program
  (`last message repeated 3 times`).
- `<facility.level>` may precede the host (BSD).

A log has few hosts and few programs: both columns are categories, so that whoever groups by them compares numbers.
"""

import numpy as np
import polars as pl

from transforms.names import distinct
from transforms.spans import ABSENT, Mask, Places, Spans

_PID_WITHOUT_COLON = r"^([^\[]+\[[0-9]+\] )"
_BSD_FACILITY = r"^(<[^ >]*> )"
# Bytes of `[pid]:`.
_LONGEST_PID = 16
_BLANK, _LESS, _CLOSING = ord(" "), ord("<"), ord("]")


def read_tags(rest: Spans) -> tuple[Mask, pl.DataFrame]:
    """Say which lines name a host; give `host`, `service` and `text` of every line (void where there is no host)."""
    rest = _skip(rest, rest.byte() == _LESS, _BSD_FACILITY)
    space, host = _hosts(rest)
    body = rest.cut(np.where(space == ABSENT, rest.end, space + 1), rest.end)
    bracket = body.find("[")
    colon = _colon_behind_pid(body, bracket)
    names, number = distinct(body.cut(body.start, np.where(colon == ABSENT, body.start, bracket)))
    odd = np.flatnonzero((colon == ABSENT) | names.str.contains("[: ]").to_numpy()[number])
    if len(odd):
        colon[odd] = body.take(odd).find(": ")
        names, number = distinct(body.cut(body.start, _end_of_program(bracket, colon)))
    is_no_program = names.str.contains(" ", literal=True)
    is_untagged = (colon == ABSENT) | is_no_program.to_numpy()[number]
    text = body.cut(np.where(is_untagged, body.start, colon + 2), body.end)
    lacks_colon = ~is_untagged & (_end_of_program(bracket, colon) < colon) & (body.bytes_at(colon - 1) != _CLOSING)
    if lacks_colon.any():
        whole = _skip(body, lacks_colon, _PID_WITHOUT_COLON)
        text = body.cut(np.where(whole.start > body.start, whole.start, text.start), body.end)
    service = names.zip_with(~is_no_program, pl.Series([""])).cast(pl.Categorical).gather(number)
    return space > rest.start, pl.DataFrame({"host": host, "service": service, "text": text.series()})


def _end_of_program(bracket: Places, colon: Places) -> Places:
    return np.where((bracket != ABSENT) & (bracket < colon), bracket, colon)


def _colon_behind_pid(body: Spans, bracket: Places) -> Places:
    """Return where the colon of `[pid]: ` is, for the first bracket of each line; `ABSENT` where that is no pid."""
    colon = body.cut(bracket, body.end).find_byte(":", _LONGEST_PID)
    is_so = (bracket != ABSENT) & (body.bytes_at(colon - 1) == _CLOSING) & (body.bytes_at(colon + 1) == _BLANK)
    return np.where(is_so, colon, ABSENT)


def _hosts(rest: Spans) -> tuple[Places, pl.Series]:
    """Return where each host ends, and the hosts; in most logs all lines name the same one."""
    first = rest.cut(rest.start[:1], rest.end[:1])
    end = first.find(" ")
    if len(rest) and end[0] != ABSENT:
        written = rest.block[first.start[0] : end[0] + 1].tobytes()
        if rest.begins_with(written).all():
            host = first.cut(first.start, end).series().str.to_lowercase().cast(pl.Categorical)
            return rest.start + len(written) - 1, host.new_from_index(0, len(rest))
    space = rest.find(" ")
    names, number = distinct(rest.cut(rest.start, space))
    return space, names.str.to_lowercase().cast(pl.Categorical).gather(number)


def _skip(text: Spans, where: Mask, pattern: str) -> Spans:
    """Take off what a pattern's group matches at the beginning of some strings."""
    rows = np.flatnonzero(where)
    if not len(rows):
        return text
    start = text.start.copy()
    start[rows] += text.take(rows).series().str.extract(pattern, 1).str.len_bytes().fill_null(0).to_numpy()
    return text.cut(start, text.end)
