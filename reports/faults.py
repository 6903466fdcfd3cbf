"""Whose fault late mail was: the headline’s mail by who kept it, and what is left without the faults of others."""

from reports import page_table, words
from reports.page_table import Entry, PageTable
from reports.publication import Publication

WHO = {
    "any": "anybody: the headline’s mail",
    "ours": "ours: without recipients and other servers",
    "our_queue": "our queue",
    "our_store": "our store",
    "our_policy": "a rule or operator of ours",
    "recipient": "the recipient’s mailbox, full or unknown",
    "remote": "another server",
}
"""Faults in the order shown, in plain words."""
_FROM = {"any": "anywhere", "inbound": "outside", "internal": "our own customers"}


def faults_table(p: Publication) -> PageTable | None:
    """Return late mail by fault, segment and direction; None where there was none."""
    if p.fault_shares is None or p.fault_shares.is_empty():
        return None
    places = {fault: place for place, fault in enumerate(WHO)}
    found = sorted(
        p.fault_shares.iter_rows(named=True),
        key=lambda r: (r["segment"] != "all", r["segment"], list(_FROM).index(r["direction"]), places[r["fault"]]),
    )
    rows = tuple(_row(row) for row in found)
    heads = ("segment", "from", "fault", "deliveries", "mailboxes", "accounts")
    return PageTable("faults-table", f"Mail {words.short_definition(p.headline)}, by whose fault it was", heads, rows)


def _row(row: dict[str, object]) -> tuple[Entry, ...]:
    counts = (page_table.count(row[unit]) for unit in ("deliveries", "mailboxes", "accounts"))  # type: ignore[arg-type]
    return (
        page_table.text(row["segment"]),
        page_table.text(_FROM[str(row["direction"])]),
        page_table.text(WHO[str(row["fault"])]),
        *counts,
    )
