"""Who owns which mailbox, and what was corrected in that."""

import polars as pl

from expectations.tables.declaration import Column, Table

CUSTOMER_RECORDS = Table(
    name="customer_records",
    grain="one row per address, mailbox and span of validity",
    key=("address", "mailbox", "valid_from"),
    columns=(
        Column("account_id", pl.String, "what is billed"),
        Column("customer_id", pl.String, "person or firm behind the account"),
        Column("segment", pl.String, "`business`, `residential` or what the records say"),
        Column("mailbox", pl.String, "where mail is stored, lower case"),
        Column("address", pl.String, "address that leads there, lower case; the mailbox's own name is one"),
        Column("valid_from", pl.Date, "first day, in the incident's time zone", is_nullable=True),
        Column("valid_to", pl.Date, "last day, inclusive; empty: still valid", is_nullable=True),
    ),
)

CORRECTIONS = Table(
    name="corrections",
    grain="one row per correction that was made to the customer records before anything was counted",
    key=("correction",),
    columns=(
        Column("correction", pl.Int64, "number of the entry in the file of corrections", minimum=1),
        Column("selected_by", pl.String, "columns whose values say which records are meant"),
        Column("action", pl.String, "what was done with them", allowed=("set", "remove")),
        Column("columns", pl.String, "columns that were given new values", is_nullable=True),
        Column("records", pl.Int64, "records that it met, as many as it expected", unit="records", minimum=0),
        Column("reason", pl.String, "why, as written"),
        Column("who", pl.String, "who answers for it, as written"),
    ),
)
