"""Lines that their envelope cannot open: foreign text, which carries no fact, or a log line that was damaged.

Programs break a message over several lines, people write notes into logs, other programs' output gets in between.
Such a line is known to carry no delivery fact. It is damaged, and set aside, when it is no text at all or shows the
remains of a log line: a time of day or another clock's stamp, a program's pid, a message id before a delivery mark,
an envelope address or a delivery status. A whole file in a format that is not known shows them on every line.

Syslog is stricter, as it writes a head before every line of every program: without one, a line is not understood,
but for comments, rules, continued lines, and fragments too short to hold any fact.
"""

import polars as pl

# Control characters (tab apart), and U+FFFD, which stands for bytes that are not UTF-8.
NO_TEXT = r"[\x00-\x08\x0b-\x1f\x{FFFD}]"
REMAINS = (
    r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:[^0-9]|$).*\S|^@[0-9a-f]{16,}|^[0-9]{9,10}[. ]|^[0-9]+/[0-9]+/[0-9]+ |\[[0-9]+\]: "
    r"|\b(?:to|from)=<|\bstatus=|\bstat="
    r"|(?:^| )[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4} (?:<=|=>|->|>>|==|\*\*|Completed)"
)
# What other programs write so often into logs that its times are no remains.
_QUOTED = r"^(?:#|<<<|>>>|\s)"
# The shortest fact, with its queue id, is longer.
_FRAGMENT_CHARACTERS = 12
_RULE = r"^[*=-]{3}"
_TEXT = pl.col("text")


def damaged(unopened: pl.DataFrame) -> pl.DataFrame:
    """Give `line_number, reason` of the lines (columns of RAW) that are no foreign text."""
    is_quoted = _TEXT.str.contains(_QUOTED)
    reason = (
        pl.when(_TEXT.str.contains(NO_TEXT))
        .then(pl.lit("not text, and not a line of this log"))
        .when(~is_quoted & _TEXT.str.contains(REMAINS))
        .then(pl.lit("the remains of a log line, without its head"))
    )
    return unopened.select("line_number", reason.alias("reason")).drop_nulls("reason")


def headless(unopened: pl.DataFrame) -> pl.DataFrame:
    """Give `line_number, reason` of the lines (columns of RAW) of a syslog file that are not understood."""
    is_note = _TEXT.str.contains(_QUOTED) | _TEXT.str.contains(_RULE) | (_TEXT.str.len_chars() < _FRAGMENT_CHARACTERS)
    reason = (
        pl.when(_TEXT.str.contains(NO_TEXT))
        .then(pl.lit("not text, and not a line of this log"))
        .when(~is_note)
        .then(pl.lit("no syslog head: a stamp, a host and a program were expected"))
    )
    return unopened.select("line_number", reason.alias("reason")).drop_nulls("reason")
