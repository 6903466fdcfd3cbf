"""Customer records of the simulated provider: accounts, mailboxes, aliases, and what changes during the incident."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from tests.simulate.outage import Record

LOCAL_DOMAINS = ("officemail.example", "post.officemail.example")
OPENED = date(2020, 1, 1)


def make_customers(rng: np.random.Generator, *, accounts: int, change_on: date, hostile: bool = False) -> list[Record]:
    """Return records: about a third business (1-6 mailboxes), the rest residential (1-2).

    On `change_on`, in the middle of the incident's window, some mailboxes change hands (old owner until the day
    before), one of them to the other segment, and some accounts change their segment. Some closed long ago.
    `hostile` adds addresses with a quoted local part.
    """
    records: list[Record] = []
    for number in range(accounts):
        is_business = rng.random() < 0.35
        segment = "business" if is_business else "residential"
        customer = f"C{max(0, number - 1) if rng.random() < 0.12 else number:05d}"
        mailboxes = int(rng.integers(1, 7)) if is_business else int(rng.integers(1, 3))
        for box in range(mailboxes):
            domain = LOCAL_DOMAINS[1] if rng.random() < 0.1 else LOCAL_DOMAINS[0]
            mailbox = f"{segment[0]}{number}.{box}@{domain}"
            owned = Record(f"A{number:05d}", customer, segment, mailbox, mailbox, OPENED)
            records.append(owned)
            if rng.random() < 0.25:
                records.append(replace(owned, address=f"{'sales' if is_business else 'family'}{number}.{box}@{domain}"))
            if rng.random() < 0.03:
                records.append(replace(owned, address=f"o'brien{number}.{box}@{LOCAL_DOMAINS[0]}"))
            if hostile and rng.random() < 0.05:
                records.append(replace(owned, address=f'"first, last{number}.{box}"@{domain}'))
    return _with_changes(records, change_on)


def _with_changes(records: list[Record], change_on: date) -> list[Record]:
    boxes = sorted({r.mailbox for r in records}, key=lambda m: (len(m), m))
    day_before = change_on - timedelta(days=1)
    handed = {m: i for i, m in enumerate(boxes[3 :: max(7, len(boxes) // 6)][:6])}
    aliased = {r.mailbox for r in records if r.address != r.mailbox}
    single = [m for m in boxes if m not in aliased]
    closed = set(single[5 :: max(11, len(single) // 4)][: min(4, len(boxes) // 150)]) - set(handed)
    taken = {r.account_id for r in records if r.mailbox in handed or r.mailbox in closed}
    upgraded = set([a for a in sorted({r.account_id for r in records}) if a not in taken][2::97][:3])
    changed: list[Record] = []
    for record in records:
        other = "business" if record.segment == "residential" else "residential"
        if record.mailbox in handed:
            turn = handed[record.mailbox]
            segment = other if turn % 2 else record.segment
            changed.append(replace(record, valid_to=day_before))
            changed.append(
                replace(
                    record, account_id=f"N{turn:05d}", customer_id=f"D{turn:05d}", segment=segment, valid_from=change_on
                )
            )
        elif record.mailbox in closed:
            changed.append(replace(record, valid_to=date(2025, 6, 30)))
        elif record.account_id in upgraded:
            changed.append(replace(record, valid_to=day_before))
            changed.append(replace(record, segment=other, valid_from=change_on))
        else:
            changed.append(record)
    return changed
