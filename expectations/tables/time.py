"""How long it lasted for whom: hours, uptime, scales of regulators, curves of delay."""

import polars as pl

from expectations.tables.declaration import INSTANT, Column, Table
from expectations.tables.grid import ANY_SEGMENT, COUNTS, WHICH_MESSAGES

HOURS = Table(
    name="hours",
    grain="one row per unit, threshold, messages, count and segment: how long people were down",
    key=("unit", "threshold_seconds", "messages", "count", "segment"),
    columns=(
        Column("unit", pl.String, "whose time", allowed=("account", "mailbox")),
        Column(
            "threshold_seconds",
            pl.Int64,
            "down while a message is older than this and undelivered",
            unit="s",
            minimum=0,
        ),
        WHICH_MESSAGES,
        Column("count", pl.String, "which outcomes; lost mail counts until it was lost", allowed=COUNTS),
        Column("segment", pl.String, "`all` or a segment of the records"),
        Column("people", pl.Int64, "accounts or mailboxes with mail at least this late", minimum=0),
        Column(
            "measured_seconds", pl.Float64, "time down, added up over them; overlaps count once", unit="s", minimum=0
        ),
        Column("lower_seconds", pl.Float64, "of it, what the log itself proves", unit="s", minimum=0),
        Column("upper_seconds", pl.Float64, "with unresolved mail and unmatched recipients", unit="s", minimum=0),
    ),
    visibility="public",
    note="Mail that arrived in the window, followed to its end or as of. A delay of exactly D has no time down.",
)

DOWNTIME = Table(
    name="downtime",
    grain="one row per unit, person, segment and span in which it was down, by the headline's definition",
    key=("unit", "entity_id", "segment", "start_at"),
    columns=(
        Column("unit", pl.String, "what the person is", allowed=("account", "mailbox")),
        Column("entity_id", pl.String, "the account's id or the mailbox"),
        Column("segment", pl.String, "segment of the mail that waited"),
        Column("start_at", INSTANT, "its oldest undelivered message reached the threshold"),
        Column("end_at", INSTANT, "nothing that old waited any more; as of, where something still does"),
    ),
)

UPTIME = Table(
    name="uptime",
    grain="one row per segment and length of time: user-uptime in the worst such time of the incident's window",
    key=("segment", "window_seconds"),
    columns=(
        Column("segment", pl.String, "`all` or a segment of the records"),
        Column(
            "window_seconds",
            pl.Int64,
            "length of the time looked at; the longest is the whole window",
            unit="s",
            minimum=1,
        ),
        Column("accounts", pl.Int64, "accounts that had mail in the window", minimum=0),
        Column("worst_start_at", INSTANT, "start of the worst such time", is_nullable=True),
        Column("down_seconds", pl.Float64, "time down in it, over all accounts", unit="s", minimum=0),
        Column(
            "uptime_share",
            pl.Float64,
            "share of the accounts' time in which they were up; null: no account",
            is_nullable=True,
            minimum=0,
        ),
    ),
    visibility="public",
    note="Hauer et al., Meaningful Availability, NSDI 2020; at the headline's threshold.",
)

SCALES = Table(
    name="scales",
    grain="one row per illustrative regulator's scale and criterion",
    key=("scale", "criterion"),
    columns=(
        Column("scale", pl.String, "whose scale"),
        Column("criterion", pl.String, "what it asks, in words"),
        Column("observed", pl.Float64, "what was measured; null: mail logs can't tell", is_nullable=True, minimum=0),
        Column(
            "threshold",
            pl.Float64,
            "from where the criterion is met; null: it names no figure",
            is_nullable=True,
            minimum=0,
        ),
        Column("unit", pl.String, "unit of both"),
        Column(
            "is_met", pl.Boolean, "whether it would be met, were e-mail in scope; null: no figure", is_nullable=True
        ),
        Column("source", pl.String, "where the scale is written"),
        Column("caveat", pl.String, "why it may not apply"),
    ),
    visibility="public",
)

SURVIVAL = Table(
    name="survival",
    grain="one row per segment, messages and delay: what became of mail of the window by then, pending mail censored",
    key=("segment", "messages", "delay_seconds"),
    columns=(
        ANY_SEGMENT,
        WHICH_MESSAGES,
        Column("delay_seconds", pl.Float64, "time since first arrival", unit="s", minimum=0),
        Column("at_risk", pl.Int64, "deliveries known to have waited at least this long", minimum=0),
        Column("waiting_share", pl.Float64, "share that waits at least this long (Kaplan-Meier)", minimum=0),
        Column("delivered_share", pl.Float64, "share delivered sooner (Aalen-Johansen)", minimum=0),
        Column("lost_share", pl.Float64, "share lost sooner (Aalen-Johansen)", minimum=0),
        Column(
            "naive_waiting_share", pl.Float64, "the same of delivered mail alone: misleads", is_nullable=True, minimum=0
        ),
    ),
    visibility="public",
    note="Waiting, delivered and lost add up to one.",
)
