"""The syslog envelope: five spellings of when, where and which program.

| spelling | a line begins |
| --- | --- |
| RFC 3164 (also rsyslog's and postlogd's files) | `Nov 25 02:22:48 mx1 postfix/smtpd[812]: ` |
| RFC 3339 | `2026-11-25T02:22:48.123456+13:00 mx1 postfix/smtpd[812]: ` |
| RFC 5424 | `<22>1 2026-11-25T02:22:48.123456Z mx1 postfix/smtpd 812 - - ` |
| journald JSON (`journalctl -o json`) | `{"__REALTIME_TIMESTAMP": …, "_HOSTNAME": …, "SYSLOG_IDENTIFIER": …` |

Each of the first three may follow a `<priority>`. One file may mix them. A line that begins like none is foreign text
or damaged (`foreign.py`). A day below 10 may lack its leading blank; a fraction may follow the seconds.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from expectations.tables import INSTANT
from transforms.clock import Clock, read_zoned
from transforms.dialect import OPENED, LogOptions, Opened
from transforms.foreign import headless
from transforms.spans import ABSENT, Mask, Places, Spans
from transforms.stamps import YEARLESS_WIDTH, begins_run
from transforms.syslog_structured import open_journal, open_rfc5424
from transforms.syslog_tags import read_tags

_BLANK, _DOT, _LESS, _GREATER, _DASH = (ord(mark) for mark in " .<>-")
_MOST_PRIORITY_DIGITS = 3


class _Stamped(NamedTuple):
    """Lines after their stamp: which lines bear one, and for those the instant and what follows."""

    is_stamped: Mask
    logged_at: pl.Series
    rest: Spans


class SyslogEnvelope:
    """Opens syslog lines of every spelling; carries the year and the repeated hour from chunk to chunk."""

    def __init__(self, options: LogOptions) -> None:
        self._clock = Clock(options.timezone, options.year if options.year is not None else 1970)

    def open(self, raw: pl.DataFrame) -> Opened:
        """Open one chunk; `aside` holds the damaged lines that begin like no spelling of syslog."""
        text, rows = Spans.of(raw["text"]), np.arange(raw.height)
        frames = []
        for opener in (self._open_yearless, _open_zoned, open_rfc5424, open_journal):
            if not len(rows):
                break
            is_open, opened = opener(_bare(text))
            if is_open.any():
                frames.append(opened.insert_column(0, raw["line_number"].gather(rows[is_open])))
            text, rows = (text, rows) if not is_open.any() else (text.take(~is_open), rows[~is_open])
        lines = pl.concat(frames) if frames else pl.DataFrame(schema=OPENED)
        if len(frames) > 1:
            lines = lines.sort("line_number")
        return Opened(lines, headless(raw[rows] if len(rows) else raw.clear()))

    def _open_yearless(self, text: Spans) -> tuple[Mask, pl.DataFrame]:
        return _tagged(*self._read_yearless(text))

    def _read_yearless(self, text: Spans) -> _Stamped:
        """Cut off `Nov 25 02:22:48`, and read each run of equal stamps once."""
        is_unpadded = (text.byte(5) == _BLANK) & (text.byte(3) == _BLANK)
        end = text.start + YEARLESS_WIDTH - is_unpadded
        is_odd = is_unpadded | (text.bytes_at(end) == _DOT)
        odd = np.flatnonzero(is_odd)
        if len(odd):
            end[odd] = _first(text.take(odd).cut(end[odd], text.end[odd]), " ")
        is_new = begins_run(text, YEARLESS_WIDTH) | is_odd
        is_new[1:] |= is_odd[:-1]
        stamps = text.cut(text.start, end).take(is_new)
        if is_unpadded.any():
            stamps = Spans.of(stamps.series().str.replace("^([A-Z][a-z]{2}) ([1-9] )", "$1  $2"))
        logged_at = self._clock.read_yearless(stamps)
        run = np.cumsum(is_new) - 1
        is_stamped = logged_at.is_not_null().to_numpy()[run] & (text.bytes_at(end) == _BLANK) & (end < text.end)
        return _stamped(text, is_stamped, logged_at.gather(run), end)


def _open_zoned(text: Spans) -> tuple[Mask, pl.DataFrame]:
    """Cut off `2026-11-25T02:22:48.123456+13:00`."""
    is_candidate = (text.byte(4) == _DASH) & (text.byte(7) == _DASH) & (text.byte(10) == ord("T"))
    if not is_candidate.any():
        return is_candidate, pl.DataFrame()
    end = text.find(" ")
    stamps = text.cut(text.start, np.where(is_candidate, end, text.start))
    logged_at = read_zoned(stamps)
    return _tagged(*_stamped(text, logged_at.is_not_null().to_numpy() & (end != ABSENT), logged_at, end))


def _stamped(text: Spans, is_stamped: Mask, logged_at: pl.Series, end: Places) -> _Stamped:
    rest = text.cut(end + 1, text.end)
    if is_stamped.all():
        return _Stamped(is_stamped, logged_at, rest)
    return _Stamped(is_stamped, logged_at.filter(pl.Series(is_stamped)), rest.take(is_stamped))


def _tagged(is_stamped: Mask, logged_at: pl.Series, rest: Spans) -> tuple[Mask, pl.DataFrame]:
    """Read `host program[pid]: text`; a line that holds no host is not opened."""
    has_host, tags = read_tags(rest)
    frame = tags.insert_column(0, logged_at.cast(INSTANT).alias("logged_at"))
    if has_host.all():
        return is_stamped, frame
    is_open = is_stamped.copy()
    is_open[is_stamped] = has_host
    return is_open, frame.filter(pl.Series(has_host))


def _bare(text: Spans) -> Spans:
    """Take the `<priority>` off."""
    if not (text.byte() == _LESS).any():
        return text
    skip = np.zeros(len(text), np.int64)
    is_number = (text.byte() == _LESS) & (text.lengths > 1)
    for digits in range(1, _MOST_PRIORITY_DIGITS + 1):
        is_number &= (text.byte(digits) - np.uint8(ord("0"))) < 10
        skip[is_number & (text.byte(digits + 1) == _GREATER) & (text.lengths > digits + 1)] = digits + 2
    return text.cut(text.start + skip, text.end)


def _first(text: Spans, mark: str) -> Places:
    """Return where `mark` first occurs, the string's end where it does not."""
    at = text.find(mark)
    return np.where(at == ABSENT, text.end, at)
