"""Where the logging itself says that lines are missing: rsyslog and journald drop lines just when mail floods.

Sources of the wording: rsyslog `imuxsock.c`, systemd `journald-rate-limit.c`, sysklogd's repetition notice. The marks
widen the bounds; they never change what is measured.
"""

import polars as pl

from expectations.tables import FINDINGS

_MARKS = (
    ("imuxsock", r"imuxsock(?:\[pid [0-9]+\])?:? lost ([0-9]+) messages", "rsyslog dropped lines: its rate limit was reached"),
    ("imuxsock", r"imuxsock.*begin to drop messages()", "rsyslog began to drop lines: its rate limit was reached"),
    ("Suppressed", r"^Suppressed ([0-9]+) messages", "journald dropped lines: its rate limit was reached"),
    ("message repeated", r"^(?:last message|message) repeated ([0-9]+) times", "syslog folded repeated lines into one"),
)
_TEXT = pl.col("text")


def find_loss_marks(lines: pl.DataFrame, source_id: str) -> pl.DataFrame:
    """Return FINDINGS rows for the marks among opened lines (columns of OPENED) of one file."""
    found = []
    for literal, pattern, detail in _MARKS:
        marked = lines.filter(_TEXT.str.contains(literal, literal=True)).filter(_TEXT.str.contains(pattern))
        if marked.height:
            found.append(
                marked.select(
                    pl.lit("loss_mark").alias("code"),
                    "host",
                    pl.lit(source_id).alias("source_id"),
                    pl.col("logged_at").alias("start_at"),
                    pl.col("logged_at").alias("end_at"),
                    _TEXT.str.extract(pattern).cast(pl.Int64, strict=False).alias("lines"),
                    pl.lit(detail).alias("detail"),
                )
            )
    return FINDINGS.conform(pl.concat(found)) if found else FINDINGS.empty()
