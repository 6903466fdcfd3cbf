"""When it began and ended, declared and detected."""

import polars as pl

from expectations.tables.declaration import INSTANT, Column, Table
from expectations.tables.grid import ANY_SEGMENT

WINDOWS = Table(
    name="windows",
    grain="one row per window that was declared or that some penalty detects",
    key=("source", "penalty"),
    columns=(
        Column("source", pl.String, "where it comes from", allowed=("declared", "detected")),
        Column(
            "penalty",
            pl.Float64,
            "price of a change point, in noise variances times log n; null: declared",
            is_nullable=True,
            minimum=0,
        ),
        Column("is_used", pl.Boolean, "the window of this run's figures"),
        Column("is_default", pl.Boolean, "found with the penalty that was fixed beforehand"),
        Column("change_points", pl.Int64, "changes of level found in all; null: declared", is_nullable=True, minimum=0),
        Column("start_at", INSTANT, "start; null: nothing stands out", is_nullable=True),
        Column("end_at", INSTANT, "end, exclusive", is_nullable=True),
    ),
    visibility="public",
)

WINDOW_FIGURES = Table(
    name="window_figures",
    grain="one row per window of `windows` and segment: the headline under it",
    key=("source", "penalty", "segment"),
    columns=(
        Column("source", pl.String, "where the window comes from", allowed=("declared", "detected")),
        Column("penalty", pl.Float64, "as in `windows`", is_nullable=True, minimum=0),
        ANY_SEGMENT,
        Column("measured", pl.Int64, "the headline's definition, counted in it", minimum=0),
    ),
    visibility="public",
)

LATE_SHARE = Table(
    name="late_share",
    grain="one row per step of about equally many deliveries: how many were late, and the level found there",
    key=("start_at",),
    columns=(
        Column("start_at", INSTANT, "first arrival of the step"),
        Column("end_at", INSTANT, "start of the next step"),
        Column("deliveries", pl.Int64, "deliveries that arrived in it and can be judged", minimum=1),
        Column("late", pl.Int64, "of them late by the headline's threshold, or lost", minimum=0),
        Column("level_share", pl.Float64, "late share between the change points around it", minimum=0),
        Column("is_disturbed", pl.Boolean, "that level stands out from ordinary time"),
    ),
    visibility="public",
)
