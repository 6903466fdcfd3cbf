"""One spelling for each mail domain: lower case, and international names in their ASCII form (`xn--…`).

Logs mostly write the ASCII form, people write the other; both must find the same mailbox.
"""

import idna
import polars as pl


def ascii_domain(domain: str) -> str:
    """Return `domain` in lower case and ASCII; a name that IDNA 2008 does not allow is only put in lower case."""
    lowered = domain.strip().lower()
    if lowered.isascii():
        return lowered
    try:
        return idna.encode(lowered, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return lowered


def ascii_domains(addresses: pl.Series) -> pl.Series:
    """Return addresses with their domains in one spelling; those that are all ASCII stay as they are."""
    if addresses.null_count() == len(addresses):
        return addresses
    foreign = addresses.filter(addresses.str.len_bytes() != addresses.str.len_chars()).unique()
    return addresses.replace({a: ascii_address(a) for a in foreign}) if len(foreign) else addresses


def ascii_address(address: str) -> str:
    """Return `address` with its domain in one spelling, where it has one."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{ascii_domain(domain)}" if at else address
