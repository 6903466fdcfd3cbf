"""One spelling for customer records, where that is safe: no two different things can become one.

Spaces around a value go, mailbox and address are put in lower case with their domain in ASCII, an empty text is no
value, a row that stands twice word for word is kept once.
"""

import polars as pl

from expectations.tables import CUSTOMER_RECORDS
from sources.domains import ascii_domains


def conformed(raw: pl.DataFrame) -> pl.DataFrame:
    """Return records in their declared types and one spelling; `raw` has texts, and dates for the days of validity."""
    texts = ("account_id", "customer_id", "segment", "mailbox", "address")
    stripped = raw.with_columns(pl.col(texts).str.strip_chars().replace("", None))
    spelled = stripped.with_columns(ascii_domains(stripped[name].str.to_lowercase()) for name in ("mailbox", "address"))
    return CUSTOMER_RECORDS.conform(spelled).unique(maintain_order=True)
