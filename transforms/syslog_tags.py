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

from transforms.spans import ABSENT, Mask, Places, Spans

_PID_WITHOUT_COLON = r"^([^\[]+\[[0-9]+\] )"
_BSD_FACILITY = r"^(<[^ >]*> )"
_BLANK, _LESS, _CLOSING = ord(" "), ord("<"), ord("]")


def read_tags(rest: Spans) -> tuple[Mask, pl.DataFrame]:
    """Say which lines name a host; give `host`, `service` and `text` of every line (void where there is no host)."""
    rest = _skip(rest, rest.byte() == _LESS, _BSD_FACILITY)
    space = _end_of_host(rest)
    body = rest.cut(np.where(space == ABSENT, rest.end, space + 1), rest.end)
    colon, bracket = body.find(": "), body.find("[")
    has_pid = (bracket != ABSENT) & (bracket < colon)
    service = category(body.cut(body.start, np.where(has_pid, bracket, colon)).series())
    is_untagged = (colon == ABSENT) | _is_with_blank(service)
    if is_untagged.any():
        service = service.set(pl.Series(is_untagged), "")
    text = body.cut(np.where(is_untagged, body.start, colon + 2), body.end)
    lacks_colon = has_pid & (body.bytes_at(colon - 1) != _CLOSING) & ~is_untagged
    if lacks_colon.any():
        whole = _skip(body, lacks_colon, _PID_WITHOUT_COLON)
        text = body.cut(np.where(whole.start > body.start, whole.start, text.start), body.end)
    return space > rest.start, pl.DataFrame({"host": _hosts(rest, space), "service": service, "text": text.series()})


def category(names: pl.Series) -> pl.Series:
    """Return names that occur again and again as categories."""
    return names.cast(pl.Categorical)


def host_category(names: pl.Series) -> pl.Series:
    """Return host names as categories, in lower case."""
    hosts = category(names)
    written = hosts.unique().cast(pl.String)
    return hosts if (written == written.str.to_lowercase()).all() else category(names.str.to_lowercase())


def _hosts(rest: Spans, space: Places) -> pl.Series:
    width = space - rest.start
    if len(rest) and (width == width[0]).all() and rest.begins_with(_first(rest, int(width[0]))).all():
        return host_category(rest.take(np.array([0])).cut(rest.start[:1], space[:1]).series()).new_from_index(
            0, len(rest)
        )
    return host_category(rest.cut(rest.start, space).series())


def _end_of_host(rest: Spans) -> Places:
    """Return where each host ends; in most logs all lines name the same one."""
    if not len(rest):
        return rest.start
    end = int(rest.take(np.array([0])).find(" ")[0])
    width = end - int(rest.start[0])
    if end != ABSENT and rest.begins_with(_first(rest, width + 1)).all():
        return rest.start + width
    return rest.find(" ")


def _first(rest: Spans, width: int) -> bytes:
    return rest.block[rest.start[0] : rest.start[0] + max(width, 0)].tobytes()


def _is_with_blank(service: pl.Series) -> Mask:
    names = service.unique()
    wrong = names.filter(names.cast(pl.String).str.contains(" ", literal=True)).to_physical()
    return np.isin(service.to_physical().to_numpy(), wrong.to_numpy())


def _skip(text: Spans, where: Mask, pattern: str) -> Spans:
    """Take off what a pattern's group matches at the beginning of some strings."""
    rows = np.flatnonzero(where)
    if not len(rows):
        return text
    start = text.start.copy()
    start[rows] += text.take(rows).series().str.extract(pattern, 1).str.len_bytes().fill_null(0).to_numpy()
    return text.cut(start, text.end)
