"""The grid of the contract, its bounds, and the ladder and ordinary windows beside it."""

import polars as pl

from expectations.tables.declaration import INSTANT, Column, Table

UNITS = ("delivery", "message", "address", "mailbox", "account", "customer")

UNITS_OF_THE_RECORDS = ("mailbox", "account", "customer")

MESSAGES = ("all", "excluding_bulk")

COUNTS = ("late", "late_or_lost")

BOUND_CAUSES = (
    "pending",
    "unresolved",
    "arrival",
    "unmatched",
    "nameless",
    "unread_lines",
    "gaps",
    "loss_marks",
    "unseen",
)

RUNGS = ("provisioned", "active", "exposed", "late", "late_in_working_hours", "lost")

WHICH_MESSAGES = Column("messages", pl.String, "which messages", allowed=MESSAGES)

ANY_SEGMENT = Column("segment", pl.String, "`all`, a segment or `unmatched`")

_CELL = (
    Column("unit", pl.String, "what is counted", allowed=UNITS),
    Column("threshold_seconds", pl.Int64, "late is a delay of at least this", unit="s", minimum=0),
    WHICH_MESSAGES,
    Column("count", pl.String, "which outcomes", allowed=COUNTS),
    Column("segment", pl.String, "`all`, a segment of the records, or `unmatched`"),
)

_CELL_KEY = tuple(column.name for column in _CELL)

CELLS = Table(
    name="cells",
    grain="one row per definition and segment: the full grid of the contract",
    key=_CELL_KEY,
    columns=(
        *_CELL,
        Column("measured", pl.Int64, "what the logs show", minimum=0),
        Column("lower", pl.Int64, "what the logs prove", minimum=0),
        Column("upper", pl.Int64, "lower plus all that might be", minimum=0),
        Column("baseline", pl.Float64, "mean over ordinary windows of the same length", is_nullable=True, minimum=0),
    ),
    visibility="public",
)

BOUNDS = Table(
    name="bounds",
    grain="one row per cell and cause: what the cause adds to the upper bound, after the causes before it",
    key=(*_CELL_KEY, "place"),
    columns=(
        *_CELL,
        Column("place", pl.Int64, "the cause's turn", minimum=1),
        Column("cause", pl.String, "what is not known", allowed=BOUND_CAUSES),
        Column("width", pl.Int64, "units that it may add", minimum=0),
    ),
    visibility="public",
    note="The widths of a cell add up to its `upper` minus its `measured`.",
)

NARROWER = Table(
    name="narrower",
    grain="one row per cell and assumption: the bounds for whoever makes it",
    key=(*_CELL_KEY, "place"),
    columns=(
        *_CELL,
        Column("place", pl.Int64, "the assumption's turn", minimum=1),
        Column("assumption", pl.String, "its name; `all_of_these` makes every one"),
        Column("sentence", pl.String, "what is assumed"),
        Column("lower", pl.Int64, "at least so many", minimum=0),
        Column("upper", pl.Int64, "at most so many", minimum=0),
    ),
    visibility="public",
    note="Each range lies within the cell's bounds and holds its `measured`. No log can tell whether one holds.",
)

LADDER = Table(
    name="ladder",
    grain="one row per unit, messages, segment and rung: from everybody on the records down to who lost mail",
    key=("unit", "messages", "segment", "step"),
    columns=(
        Column("unit", pl.String, "what is counted", allowed=UNITS_OF_THE_RECORDS),
        WHICH_MESSAGES,
        Column("segment", pl.String, "`all` or a segment of the records"),
        Column("step", pl.Int64, "place on the ladder, from 1 down", minimum=1),
        Column("rung", pl.String, "what they have in common", allowed=RUNGS),
        Column(
            "threshold_seconds",
            pl.Int64,
            "late is a delay of at least this; null: the rung knows no delay",
            unit="s",
            is_nullable=True,
            minimum=0,
        ),
        Column("measured", pl.Int64, "how many stand on it", minimum=0),
    ),
    visibility="public",
    note="Provisioned and active people are those on the records on a day of the window.",
)

ORDINARY = Table(
    name="ordinary",
    grain="one row per ordinary window and segment: the headline's definition, counted in it",
    key=("start_at", "segment"),
    columns=(
        Column("start_at", INSTANT, "start of the ordinary window"),
        Column("end_at", INSTANT, "its end, exclusive"),
        Column("segment", pl.String, "`all`, a segment of the records, or `unmatched`"),
        Column("measured", pl.Int64, "what the logs show", minimum=0),
    ),
    visibility="public",
    note="Their mean is the headline's `baseline` in `cells`; windows may overlap where only days can be moved.",
)
