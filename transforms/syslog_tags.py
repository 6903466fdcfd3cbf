"""Behind a syslog stamp: the host, the program that wrote the line, and what it wrote.

Rules
- `host program[pid]: text`; the pid may be absent, and its colon too. Host names are compared in lower case.
- What stands before the first `: ` is a program only if it holds no blank; otherwise the whole is text of no program
  (`last message repeated 3 times`).
- `<facility.level>` may precede the host (BSD).

A log has few hosts and few programs: both columns are categories, so that whoever groups by them compares numbers.
"""

from dataclasses import dataclass
from types import ModuleType

import numpy as np
import polars as pl

from transforms.compiled import kernels
from transforms.names import distinct
from transforms.spans import ABSENT, Mask, Places, Spans

_PID_WITHOUT_COLON = r"^([^\[]+\[[0-9]+\] )"
_BSD_FACILITY = r"^(<[^ >]*> )"
# Bytes of `[pid]:`.
_LONGEST_PID = 16
# Hosts and programs that are told apart in one chunk; lines of further ones are read more slowly.
_MOST_NAMES = 64
_BLANK, _LESS, _CLOSING = ord(" "), ord("<"), ord("]")


@dataclass(frozen=True)
class _Tags:
    """Of each line: whether it names a host, which one, the program that wrote it, and what it wrote."""

    has_host: Mask
    host: pl.Series
    service: pl.Series
    text: Spans


def read_tags(rest: Spans) -> tuple[Mask, pl.DataFrame]:
    """Say which lines name a host; give `host`, `service` and `text` of every line (void where there is no host)."""
    loops = kernels()
    tags = _read(rest) if loops is None else _read_plain(rest, loops)
    columns = {"host": tags.host, "service": tags.service, "text": tags.text.series()}
    return tags.has_host, pl.DataFrame(columns)


def _read_plain(rest: Spans, loops: ModuleType) -> _Tags:
    """Read `host program[pid]: ` by machine code, and all else as ever."""
    begin, host, program = np.empty(len(rest), np.int64), *np.empty((2, len(rest)), np.int32)
    hosts, programs = np.empty((2, _MOST_NAMES, 2), np.int64)
    counts = loops.read_tags(rest.block, rest.start, rest.end, begin, host, program, hosts, programs)
    odd = np.flatnonzero(begin < 0)
    if len(odd) == len(rest):
        return _read(rest)
    tags = _Tags(
        np.ones(len(rest), bool),
        _names(rest, hosts[: counts[0]]).str.to_lowercase().cast(pl.Categorical).gather(host),
        _names(rest, programs[: counts[1]]).cast(pl.Categorical).gather(program),
        rest.cut(begin, rest.end),
    )
    if not len(odd):
        return tags
    others = _read(rest.take(odd))
    from_others = np.arange(len(rest))
    from_others[odd] = len(rest) + np.arange(len(odd))
    tags.has_host[odd] = others.has_host
    tags.text.start[odd], tags.text.end[odd] = others.text.start, others.text.end
    host_of, service_of = (pl.concat(both).gather(from_others) for both in _both(tags, others))
    return _Tags(tags.has_host, host_of, service_of, tags.text)


def _both(*tags: _Tags) -> tuple[list[pl.Series], list[pl.Series]]:
    return [t.host for t in tags], [t.service for t in tags]


def _names(rest: Spans, places: Places) -> pl.Series:
    return rest.cut(places[:, 0].copy(), places.sum(axis=1)).series()


def _read(rest: Spans) -> _Tags:
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
    return _Tags(space > rest.start, host, service, text)


def _end_of_program(bracket: Places, colon: Places) -> Places:
    return np.where((bracket != ABSENT) & (bracket < colon), bracket, colon)


def _colon_behind_pid(body: Spans, bracket: Places) -> Places:
    """Return where the colon of `[pid]: ` is, for the first bracket of each line; `ABSENT` where that is no pid."""
    colon = body.cut(bracket, body.end).find_byte(":", _LONGEST_PID)
    is_pid = (bracket != ABSENT) & (body.bytes_at(colon - 1) == _CLOSING)
    has_blank = (colon + 1 < body.end) & (body.bytes_at(colon + 1) == _BLANK)
    return np.where(is_pid & has_blank, colon, ABSENT)


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
