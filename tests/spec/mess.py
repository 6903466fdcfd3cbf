"""Drawn logs: queue files that go the ways the definitions know, with lines lost, ids used again and hosts mixed."""

from collections.abc import Iterator
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
    return _leg(draw, at, addresses, common, None, depth=0)


def _leg(draw: DrawFn, at: int, addresses: list[str], common: Row, former: str | None, depth: int) -> list[Row]:
    """One queue file and what follows from it."""
    queue_id, host = next(common["ids"]), draw(st.sampled_from(["mx1", "mx1", "mx2"]))
    is_filter = depth < 2 and draw(st.booleans())
    expands = not is_filter or draw(st.booleans())
    rows = [
        arrived(queue_id, at, former, host=host),
        line("named", queue_id, at, message_id=common["message_id"], host=host),
        queued(queue_id, at, common["sender"], len(addresses), host=host),
    ]
    tell = draw(st.sampled_from(["", "", "accepted"]))
    rows += [line(tell, queue_id, at, recipient=a, host=host) for a in addresses if tell]
    end, waiting = at, []
    next_leg = _leg(draw, at + 40, addresses, common, None, depth + 1) if is_filter else []
    for written in addresses:
        to = WRITTEN.get(written, written) if expands else written
        by = written if to != written else None
        end = max(end, at + draw(st.integers(0, 90)))
        if draw(st.booleans()):
            rows.append(attempt("deferred", queue_id, at + 1, to, by, host=host, delay=1.0))
        fate = draw(st.sampled_from(["sent", "sent", "sent", "bounced", "discarded", "waits"]))
        if fate == "waits":
            waiting.append(to)
        elif fate == "sent" and next_leg:
            end = max(end, next_leg[0]["at"])
            rows.append(
                attempt("sent", queue_id, end, to, by, host=host, next=next_leg[0]["queue_id"], delay=float(end - at))
            )
        else:
            dsn = draw(st.sampled_from(["5.1.1", "5.2.2"])) if fate == "bounced" else None
            rows.append(attempt(fate, queue_id, end, to, by, host=host, dsn=dsn, delay=float(end - at)))
    rows += next_leg
    rows += _ending(draw, end, queue_id, host, at, waiting, common, depth)
    return rows


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
        again = _leg(draw, end + 60, waiting, common, queue_id, depth + 1)
        return [line("requeued", queue_id, end + 59, host=host), *again]
    return []
