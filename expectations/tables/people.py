"""What each account went through, and what redress would cost."""

import polars as pl

from expectations.tables.declaration import Column, Table

MEASURES = ("late", "lost", "hours", "days", "longest")
"""What redress may go by; `transforms/redress.py` says how each is taken."""

_HARM = (
    Column("late_deliveries", pl.Int64, "late by the headline's threshold and choice of messages", minimum=0),
    Column("lost_deliveries", pl.Int64, "lost", minimum=0),
    Column("pending_deliveries", pl.Int64, "still queued at as of", minimum=0),
    Column("longest_delay_seconds", pl.Float64, "longest delay", unit="s", minimum=0),
)

ACCOUNTS = Table(
    name="accounts",
    grain="one row per account with at least one delivery in the window",
    key=("account_id", "segment"),
    columns=(
        Column("account_id", pl.String, "account"),
        Column("customer_id", pl.String, "customer"),
        Column("segment", pl.String, "segment"),
        Column("mailboxes", pl.Int64, "its mailboxes that had mail in the window", minimum=1),
        Column("deliveries", pl.Int64, "deliveries in the window", minimum=1),
        *_HARM,
        Column("is_affected", pl.Boolean, "counts in the headline"),
    ),
)

CARE_LIST = Table(
    name="care_list",
    grain="one row per account with a late, lost or waiting message, those that were harmed most first",
    key=("account_id",),
    columns=(
        Column("place", pl.Int64, "its turn to be written to", minimum=1),
        Column("account_id", pl.String, "account"),
        Column("customer_id", pl.String, "customer"),
        Column("segment", pl.String, "segment, or both where it changed in the window"),
        *_HARM,
        Column("down_seconds", pl.Float64, "time in which a message was overdue", unit="s", minimum=0),
        Column("what_happened", pl.String, "the same in words"),
        Column("letter", pl.String, "what a letter to it may say"),
    ),
    note="Sorted by lost messages, then time down, then the longest delay, then late messages.",
)

REDRESS = Table(
    name="redress",
    grain="one row per what-if scheme, segment and cut: the accounts that it would pay there, and what they would cost",
    key=("scheme", "segment", "cut"),
    columns=(
        Column("scheme", pl.String, "name of the scheme in the policy"),
        Column(
            "segment", pl.String, "`all` or a segment; an account that was in two counts in each, and once in `all`"
        ),
        Column("measure", pl.String, "what the cut is on", allowed=MEASURES),
        Column("cut", pl.Float64, "measure from which this is paid; accounts are counted at the highest they reach"),
        Column("pay", pl.Float64, "paid to each, or for each unit of the measure begun", minimum=0),
        Column("is_each", pl.Boolean, "`pay` is for each unit of the measure begun"),
        Column("accounts", pl.Int64, "accounts paid at this cut", minimum=0),
        Column("cost", pl.Float64, "what they would be paid", minimum=0),
        Column("just_under", pl.Int64, "accounts that lack less than a tenth of the cut, or one", minimum=0),
    ),
)
