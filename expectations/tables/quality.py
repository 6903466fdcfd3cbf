"""What was found amiss, what the log does not show, and what the gates made of it."""

import polars as pl

from expectations.tables.declaration import INSTANT, Column, Table
from expectations.tables.logs import LINE_NUMBER, SOURCE_ID

FINDINGS = Table(
    name="findings",
    grain="one row per thing in the logs that a reader of the figures must know",
    key=("code", "host", "start_at", "detail"),
    columns=(
        Column(
            "code",
            pl.String,
            "what was found",
            allowed=(
                "log_hole",
                "loss_mark",
                "truncated_file",
                "clock_step",
                "clock_set_back",
                "joined_pieces",
                "wrong_zone",
                "wrong_year",
                "edited_stamp",
                "mixed_file",
                "empty_file",
            ),
        ),
        Column("host", pl.String, "host concerned", is_nullable=True),
        Column("source_id", pl.String, "file concerned", is_nullable=True),
        Column("start_at", INSTANT, "from", is_nullable=True),
        Column("end_at", INSTANT, "until", is_nullable=True),
        Column("lines", pl.Int64, "lines known to be missing, where the log says", unit="lines", is_nullable=True),
        Column("detail", pl.String, "one sentence; no address"),
    ),
    visibility="public",
)

LOSSES = Table(
    name="losses",
    grain="one row per host and hour of arrival: lines that queue files must have left, and those that are missing",
    key=("host", "hour_at"),
    columns=(
        Column("host", pl.String, "mail server"),
        Column("hour_at", INSTANT, "start of the hour"),
        Column("lines_per_recipient", pl.Float64, "lines about mail, per recipient of a queue file", minimum=0),
        Column("files", pl.Int64, "queue files", minimum=0),
        Column("lines_expected", pl.Int64, "lines that they must have left", unit="lines", minimum=0),
        Column("lines_missing", pl.Int64, "of them missing", unit="lines", minimum=0),
        Column("pairs_expected", pl.Int64, "pairs of lines written together", minimum=0),
        Column("pairs_missing", pl.Int64, "of them missing, both", minimum=0),
        Column("files_to_end", pl.Int64, "queue files that must have ended", minimum=0),
        Column("finals", pl.Int64, "recipients whose end is logged", minimum=0),
        Column("deletions", pl.Int64, "queue files that an operator deleted", minimum=0),
        Column("recipients_counted", pl.Int64, "recipients of queue files that count them", minimum=0),
        Column("recipients_unnamed", pl.Int64, "of them named by no end", minimum=0),
        Column("recipients_uncounted", pl.Int64, "recipients named in queue files whose count is missing", minimum=0),
        Column("files_counted", pl.Int64, "queue files that count their recipients", minimum=0),
        Column("first_half_only", pl.Int64, "queue files with a beginning and no end", minimum=0),
        Column("second_half_only", pl.Int64, "queue files with an end and no beginning", minimum=0),
        Column("both_halves", pl.Int64, "queue files with both", minimum=0),
    ),
    visibility="public",
)

SILENCES = Table(
    name="silences",
    grain="one row per time of ten minutes or more without a fact from a host, in which queue files must have written",
    key=("host", "start_at"),
    columns=(
        Column("host", pl.String, "mail server"),
        Column("start_at", INSTANT, "from"),
        Column("end_at", INSTANT, "until"),
        Column(
            "files", pl.Int64, "queue files that began in it, by later lines, or were not heard of after it", minimum=1
        ),
    ),
    visibility="public",
)

UNREAD = Table(
    name="unread",
    grain="one row per quarantined line: when it must have been written",
    key=("source_id", "line_number"),
    columns=(
        SOURCE_ID,
        LINE_NUMBER,
        Column("from_at", INSTANT, "stamp of a line before it; null: none", is_nullable=True),
        Column("until_at", INSTANT, "stamp of a line after it; null: none", is_nullable=True),
    ),
    visibility="public",
)

GATES = Table(
    name="gates",
    grain="one row per check that ran",
    key=("gate", "subject"),
    columns=(
        Column("gate", pl.String, "name of the check"),
        Column("subject", pl.String, "table or file it looked at"),
        Column("severity", pl.String, "what a breach means", allowed=("fail", "warn")),
        Column("is_passed", pl.Boolean, "whether it held"),
        Column("observed", pl.String, "what was seen"),
        Column("limit", pl.String, "what is allowed, and whether that is the default"),
        Column("remedy", pl.String, "what to do about it"),
        Column(
            "expectation", pl.String, "Great Expectations' class and its arguments; null: not asked", is_nullable=True
        ),
        Column(
            "compared", pl.Int64, "values that it compared; null: it does not count them", minimum=0, is_nullable=True
        ),
        Column("breaching", pl.Int64, "of them in breach", minimum=0, is_nullable=True),
    ),
    visibility="public",
)
