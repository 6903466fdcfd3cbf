"""What looks like a plain queue file, and is one or is none: all its lines are there, from `client=` to `removed`."""

from tests.spec.tables import (
    ANN,
    BOB,
    SALES,
    TWO,
    Case,
    Row,
    arrived,
    bounced,
    deferred,
    line,
    queued,
    record,
    removed,
    sent,
)

FILTER = {"relay": "127.0.0.1[127.0.0.1]:10024"}


def told(
    queue_id: str, at: float, *attempts: Row, recipients: int = 1, client: str = "mail.example.net[192.0.2.1]"
) -> list[Row]:
    """A queue file with every line that Postfix writes of it; it ends with the last of the attempts."""
    return [
        arrived(queue_id, at, client=client),
        line("named", queue_id, at, message_id=f"{queue_id[0]}@example.net"),
        queued(queue_id, at, recipients=recipients),
        *attempts,
        removed(queue_id, max(row["at"] for row in attempts)),
    ]


PLAIN = [
    Case(
        "told in full: put off, then delivered; another is refused as unknown, a third for another reason",
        [
            *told("A1", 0, deferred("A1", 5, ANN), deferred("A1", 30, ANN), sent("A1", 90, ANN)),
            *told("B1", 0, bounced("B1", 90, BOB, dsn="5.1.1")),
            *told("C1", 0, bounced("C1", 90, BOB, dsn="5.2.2")),
        ],
        ("delivered 90", "rejected_recipient 90", "lost 90"),
        {"delivery late 60": 1, "delivery late_or_lost 60": 2, "account late_or_lost 60": 2},
    ),
    Case(
        "told in full, for somebody elsewhere and for somebody here",
        [*told("A1", 0, sent("A1", 90, "you@example.net"), sent("A1", 90, ANN), recipients=2)],
        ("delivered 90",),
        {"delivery late 60": 1, "address late 60": 1},
    ),
    Case(
        "told in full, and the id is used again",
        [*told("A1", 0, sent("A1", 90, ANN)), *told("A1", 200, sent("A1", 210, ANN))],
        ("delivered 90", "delivered 10"),
        {"delivery late 60": 1},
    ),
    Case(
        "told in full, to an alias and to its mailbox",
        [*told("A1", 0, sent("A1", 90, ANN, SALES), sent("A1", 95, ANN), recipients=2)],
        ("delivered 90",),
        {"delivery late 60": 1, "address late 60": 1},
        records=(*TWO, record(SALES, ANN)),
    ),
    Case(
        "told in full, twice, on both sides of a filter",
        [*told("A1", 0, sent("A1", 70, ANN, next="A2", **FILTER)), *told("A2", 70, sent("A2", 75, ANN))],
        ("delivered 75",),
        {"message late 60": 1, "delivery late 60": 1},
    ),
    Case(
        "told in full, and what came back from the machine itself bears the same Message-ID",
        [
            *told("A1", 0, sent("A1", 70, ANN)),
            *told("A2", 70, sent("A2", 75, ANN), client="localhost[127.0.0.1]"),
        ],
        ("delivered 75",),
        {"message late 60": 1, "delivery late 60": 1},
    ),
    Case(
        "told in full, and sent to a next hop that hands most mail back",
        [
            *told("A1", 0, sent("A1", 70, ANN, next="A2", **FILTER)),
            *told("A2", 70, sent("A2", 75, ANN)),
            *told("B1", 0, sent("B1", 70, BOB, next="B2", **FILTER)),
            *told("B2", 70, sent("B2", 75, BOB)),
            *told("C1", 0, sent("C1", 70, BOB, **FILTER)),
        ],
        ("delivered 75", "delivered 75", "unresolved 7200"),
        {"delivery late 60": 2},
    ),
    Case(
        "told in full, and an end tells of an arrival long before",
        [*told("A1", 200, sent("A1", 210, ANN, delay=150))],
        ("delivered 10",),
        {"delivery late 60": 0},
    ),
    Case(
        "told in full but for a recipient that was put off, and went without a word",
        [*told("A1", 0, deferred("A1", 5, BOB), sent("A1", 90, ANN), recipients=1)],
        ("delivered 90", "unresolved 7200"),
        {"delivery late 60": 1},
    ),
]
