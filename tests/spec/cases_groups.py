"""Groups, forwards and aliases: who stands in for whom, and what the sender wrote."""

from tests.spec.tables import (
    ANN,
    BOB,
    SALES,
    Case,
    Row,
    arrived,
    attempt,
    bounced,
    deferred,
    line,
    record,
    removed,
    sent,
    whole,
)

M, CAT = "m@example.net", "cat@example.com"
TEAM, SUB, INFO, LOOP = (f"{name}@example.com" for name in ("team", "sub", "info", "loop"))
THREE = (record(ANN), record(BOB, account="B1", segment="business"), record(CAT, account="D1"))


def exchange(at: float, *named: str) -> list[Row]:
    """Exchange receives a message for these addresses."""
    told = [
        line("accepted", M, at, host="", recipient=address, recipient_place=place)
        for place, address in enumerate(named, start=1)
    ]
    return _in_one_line([line("arrived", M, at, host="", message_id=M, recipient_count=len(named)), *told])


def stand_in(at: float, written: str, *others: str) -> list[Row]:
    """EXPAND, RESOLVE or REDIRECT: the others stand in for `written` from here on; it may stay among them."""
    return _in_one_line(
        [
            line(
                "accepted",
                M,
                at,
                host="",
                recipient=other,
                recipient_place=place,
                original_recipient=written if other != written else None,
            )
            for place, other in enumerate(others, start=1)
        ]
    )


def _in_one_line(rows: list[Row]) -> list[Row]:
    """Rows that one line of the log gave; its number is its time."""
    return [{**row, "line_number": round(row["at"] * 10) + 1000} for row in rows]


def delivered(at: float, *to: str) -> list[Row]:
    """DELIVER names the mailbox alone."""
    return [sent(M, at, address, host="") for address in to]


GROUPS = [
    Case(
        "a group that the records don't know is nobody; its members are, by the group's address",
        [*exchange(0, TEAM), *stand_in(1, TEAM, ANN, BOB), *delivered(90, ANN, BOB)],
        ("delivered 90", "delivered 90"),
        {"delivery late 60": 2, "delivery late 60 unmatched": 0, "address late 60": 1, "account late 60": 2},
    ),
    Case(
        "a group of which a member waits",
        [*exchange(0, TEAM), *stand_in(1, TEAM, ANN, BOB), *delivered(9, ANN)],
        ("delivered 9", "pending 7200"),
        {"delivery late 60": 1, "delivery late 60 business": 1, "address late 60": 1},
    ),
    Case(
        "a forward to another mailbox",
        [*exchange(0, "zed@example.com"), *stand_in(1, "zed@example.com", ANN), *delivered(90, ANN)],
        ("delivered 90",),
        {"delivery late 60": 1, "delivery late 60 unmatched": 0, "address late 60": 1},
    ),
    Case(
        "a forward to a group that holds another: what the sender wrote is one address",
        [
            *exchange(0, "zed@example.com"),
            *stand_in(1, "zed@example.com", TEAM),
            *stand_in(2, TEAM, SUB, ANN),
            *stand_in(3, SUB, BOB, CAT),
            *delivered(90, ANN, BOB),
        ],
        ("delivered 90", "delivered 90", "pending 7200"),
        {"delivery late 60": 3, "delivery late 60 unmatched": 0, "address late 60": 1, "account late 60": 3},
        records=THREE,
    ),
    Case(
        "a member of a group who was written to as well has the address that was written",
        [*exchange(0, TEAM, ANN), *stand_in(1, TEAM, ANN, BOB), *delivered(90, ANN, BOB), *whole("A1", 0, 90, ANN)],
        ("delivered 90", "delivered 90", "delivered 90"),
        {"delivery late 60": 3, "address late 60": 2},
    ),
    Case(
        "a mailbox that keeps a copy of what it forwards still waits",
        [*exchange(0, BOB), *stand_in(1, BOB, BOB, ANN), *delivered(90, ANN)],
        ("pending 7200", "delivered 90"),
        {"delivery late 60": 2, "address late 60": 1, "account late 60": 2},
    ),
    Case(
        "a member of a group, written to as well, keeps a copy of what it forwards and is full on the next server",
        [
            *exchange(0, TEAM, BOB),
            *stand_in(1, TEAM, BOB),
            *stand_in(2, BOB, "bob@example.org"),
            attempt("forwarded", M, 3, BOB, host=""),
            line("accepted", M, 3, host="", recipient=BOB, source_id="f2"),
            bounced(M, 9, BOB, host="", dsn="5.2.2", source_id="f2"),
        ],
        ("lost 9",),
        {"delivery late 60": 0, "delivery late_or_lost 60": 1},
    ),
    Case(
        "a forward to somebody outside leaves nobody here",
        [*exchange(0, ANN), *stand_in(1, ANN, "ann@example.org")],
        (),
        {"delivery late 60": 0},
    ),
    Case(
        "groups that hold each other end",
        [*exchange(0, TEAM), *stand_in(1, TEAM, LOOP, ANN), *stand_in(2, LOOP, TEAM), *delivered(90, ANN)],
        ("delivered 90",),
        {"delivery late 60": 1, "delivery late 60 unmatched": 0},
    ),
    Case(
        "the next server is told of the mailbox alone: what was written is known from the first",
        [
            *exchange(0, TEAM),
            *stand_in(1, TEAM, ANN),
            line("accepted", M, 2, host="", recipient=ANN),
            *delivered(90, ANN),
            *whole("A1", 0, 90, ANN, written=TEAM),
        ],
        ("delivered 90", "delivered 90"),
        {"delivery late 60": 2, "address late 60": 1},
    ),
    Case(
        "the next server is told of the mailbox at the same moment, in a file that begins before",
        [
            line("accepted", "other@example.net", -900, host="", recipient="x@example.org", source_id="f2"),
            *exchange(0, TEAM, BOB),
            *[{**row, "line_number": 1001} for row in stand_in(0, TEAM, ANN, BOB)],
            line("accepted", M, 0, host="", recipient=ANN, source_id="f2"),
            line("accepted", M, 0, host="", recipient=BOB, source_id="f2"),
            *[{**row, "source_id": "f2"} for row in delivered(90, ANN, BOB)],
            *whole("A1", 0, 90, ANN, written=TEAM),
        ],
        ("delivered 90", "delivered 90", "delivered 90"),
        {"delivery late 60": 3, "address late 60": 2},
    ),
    Case(
        "two aliases of one mailbox in one message: the first in the list, here in a message that comes alone too",
        [
            *exchange(0, SALES, INFO),
            *stand_in(1, SALES, ANN),
            *stand_in(2, INFO, ANN),
            *delivered(90, ANN),
            arrived("A1", 0),
            sent("A1", 90, ANN, SALES),
            removed("A1", 90),
        ],
        ("delivered 90", "delivered 90"),
        {"delivery late 60": 2, "address late 60": 1, "mailbox late 60": 1},
        records=(record(ANN), record(SALES, ANN), record(INFO, ANN)),
    ),
    Case(
        "an alias that the records know and one that they don't, told by two servers whose files lie over one another",
        [
            line("accepted", "other@example.net", -900, host="", recipient="x@example.org", source_id="f2"),
            *exchange(0, SALES, "hidden@example.com"),
            *[{**row, "line_number": 1001} for row in stand_in(0, "hidden@example.com", ANN)],
            line("accepted", M, 1, host="", recipient=ANN, source_id="f2"),
            sent(M, 90, ANN, host="", source_id="f2"),
            *whole("A1", 0, 90, ANN, written=SALES),
        ],
        ("delivered 90", "delivered 90"),
        {"delivery late 60": 2, "address late 60": 1},
        records=(record(ANN), record(SALES, ANN)),
    ),
    Case(
        "two aliases of one mailbox, one of them tried: the first in the list, whichever it was tried by",
        [
            arrived("A1", 0, recipient_count=2),
            *_in_one_line(
                [
                    line("accepted", "A1", 0, recipient=SALES, recipient_place=1),
                    line("accepted", "A1", 0, recipient=INFO, recipient_place=2),
                ]
            ),
            sent("A1", 90, ANN, INFO),
            removed("A1", 90),
            arrived("A2", 0),
            sent("A2", 90, ANN, SALES),
            removed("A2", 90),
        ],
        ("delivered 90", "delivered 90"),
        {"delivery late 60": 2, "address late 60": 1, "mailbox late 60": 1},
        records=(record(ANN), record(SALES, ANN), record(INFO, ANN)),
    ),
    Case(
        "an alias was sent and its mailbox put off and requeued: the first copy counts",
        [
            arrived("A1", 0),
            sent("A1", 1, ANN, SALES),
            deferred("A1", 1, ANN),
            line("requeued", "A1", 40),
            arrived("B1", 41, former="A1"),
            sent("B1", 90, ANN),
            removed("B1", 90),
        ],
        ("delivered 1",),
        {"delivery late 60": 0},
        records=(record(ANN), record(SALES, ANN)),
    ),
]
