"""One spelling for customer records, where that is safe: no two different things can become one.

Spaces around a value go, mailbox and address are put in lower case with their domain in ASCII, an empty text is no
value, a row that stands twice word for word is kept once.
"""

import polars as pl

from expectations.tables import CUSTOMER_RECORDS
from sources.domains import ascii_domain


def conformed(raw: pl.DataFrame) -> pl.DataFrame:
    """Return records in their declared types and one spelling; `raw` has texts, and dates for the days of validity."""
    texts = ("account_id", "customer_id", "segment", "mailbox", "address")
    stripped = raw.with_columns(pl.col(texts).str.strip_chars().replace("", None))
    spelled = stripped.with_columns(_one_spelling(stripped[name]) for name in ("mailbox", "address"))
    return CUSTOMER_RECORDS.conform(spelled).unique(maintain_order=True)


def _one_spelling(addresses: pl.Series) -> pl.Series:
    """Return addresses in lower case; a domain with other than ASCII letters is put in its ASCII form."""
    lowered = addresses.str.to_lowercase()
    foreign = lowered.filter(lowered.str.contains(r"[^\x00-\x7F]")).unique().drop_nulls()
    if foreign.is_empty():
        return lowered
    return lowered.replace({a: _ascii_address(a) for a in foreign})


def _ascii_address(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{ascii_domain(domain)}" if at else address
