"""Whom a question is about: an account, a mailbox, or an address as somebody wrote it, in any case of letters."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import polars as pl

from sources.errors import BadInput

Kind = Literal["account", "mailbox", "address"]


@dataclass(frozen=True)
class Subject:
    """The one asked for.

    `name` is the account id or the address as the records spell it. `names` are the addresses that lead there (lower
    case), `mailboxes` its mailboxes, `holders` one (account, customer, segment) each. `asked` is set where an alias
    was asked for, whose mailbox is explained. An `address` is in no record: nobody's, as far as the records know.
    """

    kind: Kind
    name: str
    names: tuple[str, ...]
    mailboxes: tuple[str, ...] = ()
    holders: tuple[tuple[str, str, str], ...] = ()
    asked: str = ""

    def condition(self) -> tuple[str, list[str]]:
        """Return the SQL condition that its rows of `deliveries` meet, and the condition's parameters."""
        if self.kind == "account":
            return "account_id = ?", [self.name]
        if self.kind == "mailbox":
            return "mailbox = ?", [self.name]
        return "(mailbox_or_address = ? OR address = ?)", [self.name, self.name]


def find_subject(records: pl.DataFrame, asked: str) -> Subject:
    """Find in the CUSTOMER_RECORDS whom `asked` names; what is in no record is taken for an address.

    `BadInput`: it can be neither, as it has no @ and no account bears that id.
    """
    wanted = asked.strip()
    lower = wanted.lower()
    accounts = records["account_id"].drop_nulls().unique().sort().to_list()
    alike = [wanted] if wanted in accounts else [a for a in accounts if a.lower() == lower]
    if len(alike) == 1:
        return _of_rows("account", alike[0], records.filter(account_id=alike[0]))
    if alike:
        raise BadInput(
            f"{shown(asked)} may be any of the accounts {', '.join(map(shown, alike))}; spell it as one of them."
        )
    if "@" not in wanted:
        raise BadInput(_unknown_account(records, wanted, accounts))
    if records.filter(mailbox=lower).height:
        return _of_rows("mailbox", lower, records.filter(mailbox=lower))
    leads_to = records.filter(pl.col("address") == lower)["mailbox"].drop_nulls().unique().sort().to_list()
    if len(leads_to) == 1:
        found = _of_rows("mailbox", leads_to[0], records.filter(mailbox=leads_to[0]))
        return Subject(found.kind, found.name, found.names, found.mailboxes, found.holders, asked=lower)
    if leads_to:
        raise BadInput(
            f"{shown(asked)} led to {len(leads_to)} mailboxes in turn ({', '.join(map(shown, leads_to))}); ask for one."
        )
    return Subject("address", lower, (lower,))


def shown(text: str | None) -> str:
    """Return text fit for a terminal: what does not print, or turns the reading direction, is shown as its code."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text or "")


def _of_rows(kind: Kind, name: str, rows: pl.DataFrame) -> Subject:
    mailboxes = rows["mailbox"].drop_nulls().unique().sort().to_list()
    names = sorted({*mailboxes, *rows["address"].drop_nulls().to_list()})
    holders = rows.select("account_id", "customer_id", "segment").unique().sort(pl.all()).rows()
    return Subject(kind, name, tuple(names), tuple(mailboxes), tuple(holders))


def _unknown_account(records: pl.DataFrame, wanted: str, accounts: list[str]) -> str:
    said = f"{shown(wanted)!s} is no account id in this run's customer records, and no address"
    theirs = records.filter(pl.col("customer_id").str.to_lowercase() == wanted.lower())["account_id"].drop_nulls()
    if len(theirs):
        listed = ", ".join(map(shown, theirs.unique().sort().head(10).to_list()))
        return f"{said}; it is a customer's id: ask for one of the customer's accounts ({listed})."
    close = get_close_matches(wanted, accounts, 3)
    hint = f"did you mean {' or '.join(map(shown, close))}?" if close else "write an account id or a whole address."
    return f"{said}; {hint}"
