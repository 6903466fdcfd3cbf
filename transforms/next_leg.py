"""Where a next hop's reply names the queue file that it wrote: the thread by which re-injected mail is followed.

A reply is the other server's text, so that what it names is a next leg only if our own logs know it by that name.
"""

import re

import polars as pl

# Postfix `queued as ID`, local(8) `forwarded as ID`, Exim `OK id=ID`, Sendmail `ID Message accepted for delivery`,
# Exchange `<Message-ID> [InternalId=…] Queued mail for delivery`, as its logs know a message by its Message-ID.
_NEXT_LEG = (
    r"(?:queued as |forwarded as |\bid=)(?<named>[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}|[0-9A-Za-z]{5,24})"
    r"(?:[ )>,;\"]|$)"
    r"|(?:^|[ (])(?<first>[0-9A-Za-z]{8,24}) Message accepted for delivery"
    r"|<(?<message_id>[^<> ]+@[^<> ]+)> \[InternalId="
)
# What a reply says that names one: for those who look before they leap.
NAMES_NEXT_LEG = ("queued as ", "forwarded as ", "id=", "Message accepted", "[InternalId=")
MAY_NAME_NEXT_LEG = "|".join(map(re.escape, NAMES_NEXT_LEG))
# RFC 3463 status code behind a reply code, or at the beginning of a status text.
ENHANCED_STATUS = r"(?:^|\b[245][0-9]{2}[ -]|#)([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[^0-9.]|\.?$|\. )"
# Long enough for every rule that reads a reply; a hostile server may send kilobytes.
REPLY_CHARACTERS = 160


def next_leg(reply: pl.Expr) -> pl.Expr:
    """Return the queue file that each reply names, by its id; null where it names none."""
    groups = reply.str.extract_groups(_NEXT_LEG).struct
    return pl.coalesce(groups.field("named"), groups.field("first"), groups.field("message_id"))
