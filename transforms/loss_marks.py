"""Where the logging itself says that lines are missing: rsyslog and journald drop lines just when mail floods.

Sources of the wording: rsyslog `imuxsock.c` and `ratelimit.c`, systemd `journald-rate-limit.c`, sysklogd's repetition
notice. Only the logging daemons' own lines count, as a mail line may quote what a client said. The marks widen the
bounds; they never change what is measured.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from expectations.tables import FINDINGS
from transforms.spans import Mask, first_letters, first_words


class _Mark(NamedTuple):
    """A daemon's words for lines that it dropped; the pattern's group is their number, where it tells it."""

    services: str
    pattern: str
    detail: str


_RSYSLOG = "rsyslog|^$"
_MARKS = (
    _Mark(
        _RSYSLOG,
        r"\bim[a-z]+(?:\[pid [^\]]*\])?:? lost ([0-9]+) messages",
        "rsyslog dropped lines: its rate limit was reached",
    ),
    _Mark(
        _RSYSLOG,
        r"\bim[a-z]+(?:\[pid [^\]]*\])?:? ([0-9]+) messages lost",
        "rsyslog dropped lines: its rate limit was reached",
    ),
    _Mark(_RSYSLOG, r"imuxsock.*begin to drop messages()", "rsyslog began to drop lines: its rate limit was reached"),
    _Mark(
        "journal",
        r"^Suppressed ([0-9]+) messages",
        "journald dropped lines: its rate limit was reached",
    ),
)
# Any program's line may be folded: `last message repeated 3 times`, or under its name
# `message repeated 3 times: [ … ]`.
_REPEATED = r"^(?:last message|message) repeated ([0-9]+) times"
_FOLDED = "syslog folded repeated lines into one"


def find_loss_marks(lines: pl.DataFrame, source_id: str) -> pl.DataFrame:
    """Return FINDINGS rows for the marks among opened lines (columns of OPENED) of one file."""
    found = [_folded(lines)]
    service = lines["service"].cast(pl.Categorical)
    names = service.unique()
    for services in dict.fromkeys(mark.services for mark in _MARKS):
        daemons = names.filter(names.cast(pl.String).str.contains(services)).to_physical()
        written = lines[np.flatnonzero(np.isin(service.to_physical().to_numpy(), daemons.to_numpy()))]
        if len(daemons) and written.height:
            found += [_marked(written, m.pattern, m.detail) for m in _MARKS if m.services == services]
    return FINDINGS.conform(pl.concat(found).with_columns(pl.lit(source_id).alias("source_id")))


def _folded(lines: pl.DataFrame) -> pl.DataFrame:
    first = first_words(lines["text"])
    may_be: Mask = (first == first_letters("last")) | (first == first_letters("message"))
    return _marked(lines[np.flatnonzero(may_be)], _REPEATED, _FOLDED)


def _marked(lines: pl.DataFrame, pattern: str, detail: str) -> pl.DataFrame:
    at, text = pl.col("logged_at"), pl.col("text")
    return lines.filter(text.str.contains(pattern)).select(
        pl.lit("loss_mark").alias("code"),
        pl.col("host").cast(pl.String),
        at.alias("start_at"),
        at.alias("end_at"),
        text.str.extract(pattern).cast(pl.Int64, strict=False).alias("lines"),
        pl.lit(detail).alias("detail"),
    )
