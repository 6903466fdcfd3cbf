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

import numpy as np
import polars as pl

from expectations.tables import INSTANT
from transforms.clock import Clock, read_zoned
from transforms.dialect import OPENED, LogOptions, Opened
from transforms.foreign import headless
from transforms.spans import ABSENT, Mask, Places, Spans
from transforms.stamps import YEARLESS_WIDTH, begins_run
from transforms.syslog_structured import looks_journal, looks_rfc5424, open_journal, open_rfc5424
from transforms.syslog_tags import read_tags

_BLANK, _LESS, _GREATER, _DASH, _T = (ord(mark) for mark in " <>-T")
_MOST_PRIORITY_DIGITS = 3


class SyslogEnvelope:
    """Opens syslog lines of every spelling; carries the year and the repeated hour from chunk to chunk."""

    def __init__(self, options: LogOptions) -> None:
        self._clock = Clock(
            options.timezone, options.year if options.year is not None else 1970, options.is_second_pass
        )
        self._spellings = (
            (_looks_yearless, self._open_yearless),
            (_looks_zoned, _open_zoned),
            (looks_rfc5424, open_rfc5424),
            (looks_journal, open_journal),
        )

    def open(self, raw: pl.DataFrame) -> Opened:
        """Open one chunk; `aside` holds the lines that begin like no spelling of syslog and are not understood."""
        left, rows, numbers = _bare(Spans.of(raw["text"])), np.arange(raw.height), raw["line_number"].to_numpy()
        frames = []
        for looks_so, opener in self._spellings:
            is_open = looks_so(left)
            if is_open.any():
                is_open[is_open], opened = opener(left.take(is_open))
                frames.append(opened.insert_column(0, pl.Series("line_number", numbers[rows[is_open]])))
                left, rows = left.take(~is_open), rows[~is_open]
        lines = pl.concat(frames) if frames else pl.DataFrame(schema=OPENED)
        if len(frames) > 1:
            lines = lines.sort("line_number")
        return Opened(lines, headless(raw[rows]))

    def _open_yearless(self, text: Spans) -> tuple[Mask, pl.DataFrame]:
        """Cut off `Nov 25 02:22:48 `, and read each run of equal stamps once."""
        end = text.start + YEARLESS_WIDTH
        is_new = begins_run(text)
        odd = np.flatnonzero((text.bytes_at(end) != _BLANK) | (end >= text.end))
        if len(odd):
            end[odd] = _first_blank(text.take(odd).after(YEARLESS_WIDTH - 1))
            # Each odd stamp is read for itself, as its end may lie behind the bytes that were compared.
            is_new[odd] = True
            is_new[odd[odd < len(text) - 1] + 1] = True
        stamps = text.cut(text.start, end).take(is_new)
        is_unpadded = stamps.byte(5) == _BLANK
        if is_unpadded.any():
            stamps = Spans.of(stamps.series().str.replace("^([A-Z][a-z]{2}) ([1-9] )", "$1  $2"))
        instants = self._clock.read_yearless(stamps)
        run = np.cumsum(is_new) - 1
        is_stamped = instants.is_not_null().to_numpy()[run] & (end < text.end)
        return _tagged(text, is_stamped, instants.gather(run), end)


def _looks_yearless(text: Spans) -> Mask:
    return text.byte(3) == _BLANK


def _looks_zoned(text: Spans) -> Mask:
    return (text.byte(4) == _DASH) & (text.byte(10) == _T)


def _open_zoned(text: Spans) -> tuple[Mask, pl.DataFrame]:
    """Cut off `2026-11-25T02:22:48.123456+13:00 `."""
    end = _first_blank(text)
    instants = read_zoned(text.cut(text.start, end))
    return _tagged(text, instants.is_not_null().to_numpy() & (end < text.end), instants, end)


def _tagged(text: Spans, is_stamped: Mask, instants: pl.Series, end: Places) -> tuple[Mask, pl.DataFrame]:
    """Read `host program[pid]: text` behind a stamp; a line that holds no host is not opened."""
    rest = text.cut(end + 1, text.end)
    if not is_stamped.all():
        rest, instants = rest.take(is_stamped), instants.filter(pl.Series(is_stamped))
    has_host, tags = read_tags(rest)
    frame = tags.insert_column(0, instants.cast(INSTANT).alias("logged_at"))
    if has_host.all():
        return is_stamped, frame
    is_open = is_stamped.copy()
    is_open[is_stamped] = has_host
    return is_open, frame.filter(pl.Series(has_host))


def _bare(text: Spans) -> Spans:
    """Take the `<priority>` off."""
    is_number = text.byte() == _LESS
    if not is_number.any():
        return text
    skip = np.zeros(len(text), np.int64)
    for digits in range(1, _MOST_PRIORITY_DIGITS + 1):
        is_number &= (text.byte(digits) - np.uint8(ord("0"))) < 10
        skip[is_number & (text.byte(digits + 1) == _GREATER) & (text.lengths > digits + 1)] = digits + 2
    return text.cut(text.start + skip, text.end)


def _first_blank(text: Spans) -> Places:
    """Return where the first blank of each string is, its end if it has none."""
    at = text.find(" ")
    return np.where(at == ABSENT, text.end, at)
