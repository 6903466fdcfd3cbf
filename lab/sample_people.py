"""The customers of the sample: accounts of one mailbox or several, some mailboxes with an alias."""

import numpy as np
import polars as pl

DOMAIN = "officemail.example"
BUSINESS_SHARE = 0.14
"""Of accounts; they hold more mailboxes each."""
ALIAS_SHARE = 0.15
MISSING_SHARE = 0.004
"""Mailboxes opened since the records were drawn: their mail is counted, whose it is stays open."""


def customer_records(mailboxes: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return one row per address, as the public contract has it; mailbox number n is `m<n>`, its alias `a<n>`."""
    is_business = rng.random(mailboxes) < BUSINESS_SHARE
    held = np.where(is_business, rng.geometric(0.3, mailboxes), 1 + (rng.random(mailboxes) < 0.18))
    account = np.repeat(np.arange(mailboxes), held)[:mailboxes]
    customer = np.where(rng.random(mailboxes) < 0.06, np.maximum(0, np.arange(mailboxes) - 1), np.arange(mailboxes))
    boxes = pl.DataFrame(
        {
            "account_id": [f"A{n:06d}" for n in account],
            "customer_id": [f"C{n:06d}" for n in customer[account]],
            "segment": np.where(is_business[account], "business", "residential"),
            "mailbox": [f"m{n}@{DOMAIN}" for n in range(mailboxes)],
        }
    )
    has_alias = rng.random(mailboxes) < ALIAS_SHARE
    aliases = boxes.filter(pl.Series(has_alias)).with_columns(address=pl.col("mailbox").str.replace("^m", "a"))
    rows = pl.concat([boxes.with_columns(address="mailbox"), aliases]).sort("account_id", "mailbox", "address")
    missing = boxes.filter(pl.Series(rng.random(mailboxes) < MISSING_SHARE))
    return rows.join(missing, on="mailbox", how="anti", maintain_order="left").with_columns(
        valid_from=pl.lit("2020-01-01"), valid_to=pl.lit("")
    )
