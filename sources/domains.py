"""One spelling for each mail domain: lower case, and international names in their ASCII form (`xn--…`).

Logs mostly write the ASCII form, people write the other; both must find the same mailbox.
"""

import idna


def ascii_domain(domain: str) -> str:
    """Return `domain` in lower case and ASCII; a name that IDNA 2008 does not allow is only put in lower case."""
    lowered = domain.strip().lower()
    if lowered.isascii():
        return lowered
    try:
        return idna.encode(lowered, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return lowered
