"""Drawn logs: queue files that go the ways the definitions know, with lines lost, ids used again and hosts mixed."""

from collections.abc import Iterator
from datetime import date
from itertools import count

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.spec.tables import Row, arrived, attempt, line, listed, queued, record, removed

WRITTEN = {  # address as written: what it is rewritten to
    "ann@example.com": "ann@example.com",
    "sales@example.com": "ann@example.com",
    "info@example.com": "bob@example.com",
    "bob@example.com": "bob@example.com",
    "bob+tag@example.com": "bob+tag@example.com",
    "nobody@example.com": "nobody@example.com",
    "old@example.com": "nobody@example.com",
    "away@example.com": "away@example.org",
    "out@example.org": "out@example.org",
}
RECORDS = [
    record("ann@example.com"),
    record("sales@example.com", "ann@example.com"),
    record("bob@example.com", account="B1", segment="business"),
]
# As above until midnight in Auckland, the start of the window; then two mailboxes are one account's.
CHANGING = [
    record("ann@example.com"),
    record("sales@example.com", "ann@example.com", valid_to=date(2030, 5, 1)),
    record("sales@example.com", "bob@example.com", account="A1", valid_from=date(2030, 5, 2)),
    record("bob@example.com", account="B1", customer="CA1", segment="business", valid_to=date(2030, 5, 1)),
    record("bob@example.com", account="A1", valid_from=date(2030, 5, 2)),
]
_SENDERS = ("sender@example.net", "promo@mailhouse.example", "")


@st.composite
def logs(draw: DrawFn) -> list[Row]:
    """Draw the lines of some messages, in the order of their stamps, without some that were lost."""
    rows: list[Row] = []
    ids = (f"A{n:02X}" if n % 4 else f"4Zbcdfghjkz{n}" for n in count(1))
    for number in range(draw(st.integers(1, 4))):
        rows += _message(draw, number, ids)
    rows.sort(key=lambda row: row["at"])
    _use_again(draw, rows)
    if draw(st.booleans()):
        kept = draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
        rows = [row for row, keeps in zip(rows, kept, strict=True) if keeps or row["at"] % 3]
    return rows


def _use_again(draw: DrawFn, rows: list[Row]) -> None:
    """Give some short ids to later queue files of the same host, once the earlier one is over."""
    spans: dict[str, tuple[str, int, int]] = {}
    for row in rows:
        host, first, _ = spans.get(row["queue_id"], (row["host"], row["at"], 0))
        spans[row["queue_id"]] = (host, first, row["at"])
    for late in sorted(spans):
        host, first, last = spans[late]
        over = [i for i, (h, _, end) in spans.items() if h == host and end < first and i[0] == late[0] == "A"]
        if over and draw(st.sampled_from((False, True))):
            early = draw(st.sampled_from(sorted(over)))
            spans[early] = (host, spans[early][1], last)
            del spans[late]
            for row in rows:
                for column in ("queue_id", "related_queue_id"):
                    if row.get(column) == late:
                        row[column] = early


def _message(draw: DrawFn, number: int, ids: Iterator[str]) -> list[Row]:
    at = draw(st.integers(-20, 300))
    addresses = draw(st.lists(st.sampled_from(sorted(WRITTEN)), min_size=1, max_size=3, unique=True))
    message_id = draw(st.sampled_from([None, f"m{number}@example.net", "same@example.net"]))
    common = {"message_id": message_id, "sender": draw(st.sampled_from(_SENDERS)), "ids": ids}
    client = draw(st.sampled_from([None, "mail.example.net[192.0.2.1]"]))
    return _leg(draw, at, addresses, common, None, 0, client)


def _leg(
    draw: DrawFn, at: int, addresses: list[str], common: Row, former: str | None, depth: int, client: str | None
) -> list[Row]:
    """One queue file and what follows from it."""
    queue_id, host = next(common["ids"]), draw(st.sampled_from(["mx1", "mx1", "mx2"]))
    is_filter = depth < 2 and draw(st.booleans())
    expands = not is_filter or draw(st.booleans())
    rows = [
        arrived(queue_id, at, former, host=host, client=client),
        line("named", queue_id, at, message_id=common["message_id"], host=host),
        queued(queue_id, at, common["sender"], len(addresses), host=host),
    ]
    tell = draw(st.sampled_from(["", "", "accepted"]))
    rows += [
        line(tell, queue_id, at, recipient=a, host=host, recipient_place=n) for n, a in enumerate(addresses) if tell
    ]
    tells_of_stand_ins = bool(tell) and expands and draw(st.booleans())
    if tells_of_stand_ins:
        rows += _stand_ins(draw, queue_id, at, addresses, host)
    end, waiting = at, []
    behind, reply = _behind_filter(draw, at + 40, addresses, common, queue_id, depth) if is_filter else ([], None)
    for written in addresses:
        to = WRITTEN.get(written, written) if expands else written
        by = written if to != written and not tells_of_stand_ins else None
        end = max(end, at + draw(st.integers(0, 90)))
        if draw(st.booleans()):
            rows.append(attempt("deferred", queue_id, at + 1, to, by, host=host, delay=1.0))
        fate = draw(st.sampled_from(["sent", "sent", "sent", "bounced", "discarded", "waits"]))
        if fate == "waits":
            waiting.append(to)
        elif fate == "sent" and behind:
            end = max(end, behind[0]["at"])
            rows.append(attempt("sent", queue_id, end, to, by, host=host, next=reply, delay=float(end - at)))
        else:
            dsn = draw(st.sampled_from(["5.1.1", "5.2.2"])) if fate == "bounced" else None
            rows.append(attempt(fate, queue_id, end, to, by, host=host, dsn=dsn, delay=float(end - at)))
    if draw(st.integers(0, 5)) == 0:
        rows += _notice(draw, end, queue_id, host, common)
    rows += behind
    rows += _ending(draw, end, queue_id, host, at, waiting, common, depth)
    return rows


def _stand_ins(draw: DrawFn, queue_id: str, at: int, addresses: list[str], host: str) -> list[Row]:
    """Who stands in for whom, as Exchange tells it: for a member of a group, by the group, or with a copy kept."""
    rows: list[Row] = []
    for written in addresses:
        to, way = WRITTEN.get(written, written), draw(st.sampled_from(["", "", "list", "copy", "circle"]))
        pairs: list[tuple[str, str | None]] = [(to, written)]
        if way == "list":
            pairs = [("list@example.com", written), (to, "list@example.com")]
        elif way == "copy":
            pairs += [(written, None)]
        elif way == "circle":
            pairs += [(written, to)]
        when = at + draw(st.integers(0, 2))
        rows += [
            line("accepted", queue_id, when, recipient=one, original_recipient=by, host=host, recipient_place=n)
            for n, (one, by) in enumerate(pairs)
            if one != by
        ]
    return rows


def _behind_filter(
    draw: DrawFn, at: int, addresses: list[str], common: Row, former: str, depth: int
) -> tuple[list[Row], str | None]:
    """What a filter sends back, whole or each recipient's for itself, and the queue id that its reply names."""
    parts = draw(st.sampled_from([[addresses], [addresses], [[a] for a in addresses]]))
    named = draw(st.sampled_from([None, None, former]))
    legs = [_leg(draw, at, part, common, named, depth + 1, "localhost[127.0.0.1]") for part in parts]
    reply = draw(st.sampled_from(legs))[0]["queue_id"]
    return [row for leg in legs for row in leg], reply if draw(st.integers(0, 4)) else None


def _notice(draw: DrawFn, at: int, queue_id: str, host: str, common: Row) -> list[Row]:
    """A non-delivery notice that the server itself writes to the sender."""
    own = next(common["ids"])
    told = line("notified", queue_id, at, related_queue_id=own, host=host)
    to = draw(st.sampled_from(["sender@example.net", "ann@example.com"]))
    return [
        told,
        arrived(own, at, host=host),
        queued(own, at, "", host=host),
        attempt("sent", own, at + 70, to, host=host, delay=70.0),
        removed(own, at + 70, host=host),
    ]


def _ending(
    draw: DrawFn, end: int, queue_id: str, host: str, at: int, waiting: list[str], common: Row, depth: int
) -> list[Row]:
    if not waiting:
        return [removed(queue_id, end, host=host)] if draw(st.integers(0, 5)) else []
    way = draw(st.sampled_from(["", "listed", "deleted", "expired", "requeued"]))
    if way == "listed":
        return [listed(queue_id, 7200, at, to) for to in waiting]
    if way == "expired":
        return [line("expired", queue_id, end + 200, host=host), removed(queue_id, end + 200, host=host)]
    if way == "deleted":
        return [line("deleted", queue_id, end + 50, host=host)]
    if way == "requeued" and depth < 3:
        again = _leg(draw, end + 60, waiting, common, queue_id, depth + 1, None)
        return [line("requeued", queue_id, end + 59, host=host), *again]
    return []
