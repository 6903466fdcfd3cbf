"""The definitions, case by case. Every counter must give these figures; a stranger should be able to read them.

A case is a few log lines, a few customer records and what must come of them: `deliveries` lists every delivery that
arrived in the window as "outcome delay-in-seconds"; `cells` names cells of the grid as "unit count threshold", then
`excluding_bulk` and the segment where they aren't `all`.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.spec.tables import (
    Row,
    arrived,
    attempt,
    bounced,
    deferred,
    line,
    listed,
    queued,
    record,
    removed,
    sent,
    whole,
)

ANN, BOB, SALES = "ann@example.com", "bob@example.com", "sales@example.com"
TWO = (record(ANN), record(BOB, account="B1", segment="business"))


@dataclass(frozen=True)
class Case:
    """One named case."""

    name: str
    events: list[Row]
    deliveries: tuple[str, ...]
    cells: dict[str, int] = field(default_factory=dict)
    records: tuple[Row, ...] = TWO
    settings: dict[str, Any] = field(default_factory=dict)


THRESHOLD = [
    Case(
        "late at exactly D",
        whole("A1", 0, 60, ANN),
        ("delivered 60",),
        {"account late 60": 1, "account late 60 residential": 1, "account late 60 business": 0, "account late 3600": 0},
    ),
    Case("one second before D is not late", whole("A1", 0, 59, ANN), ("delivered 59",), {"account late 60": 0}),
    Case(
        "the logged delay decides between whole seconds",
        [arrived("A1", 0), sent("A1", 60, ANN, delay=59.6), removed("A1", 60)],
        ("delivered 59.6",),
        {"mailbox late 60": 0},
    ),
    Case(
        "a logged delay that contradicts the stamps is not believed",
        [arrived("A1", 0), sent("A1", 60, ANN, delay=3.0), removed("A1", 60)],
        ("delivered 60",),
        {"mailbox late 60": 1},
    ),
    Case(
        "an arrival that was cut off is the stamp minus the logged delay",
        [sent("A1", 100, ANN, delay=70.5), removed("A1", 100)],
        ("delivered 70.5",),
        {"mailbox late 60": 1},
    ),
]

WINDOW = [
    Case(
        "the window's start belongs to it, its end does not",
        [*whole("A1", 0, 60, ANN), *whole("A2", -1, 60, ANN), *whole("A3", 3600, 3700, BOB)],
        ("delivered 60",),
        {"delivery late 60": 1, "message late 60": 1, "mailbox late 60": 1},
    ),
    Case(
        "delivered after the window, but arrived in it",
        whole("A1", 3599, 3599 + 3600, ANN),
        ("delivered 3600",),
        {"account late 3600": 1},
    ),
]

PEOPLE = [
    Case(
        "an alias and its mailbox, both named, are one delivery",
        [arrived("A1", 0), sent("A1", 90, ANN), sent("A1", 95, ANN, SALES), removed("A1", 95)],
        ("delivered 90",),
        {"delivery late 60": 1, "message late 60": 1, "mailbox late 60": 1, "address late 60": 1},
        records=(record(ANN), record(SALES, ANN)),
    ),
    Case(
        "two aliases of one mailbox in two messages are two addresses and one mailbox",
        [arrived("A1", 0), sent("A1", 90, ANN, SALES), removed("A1", 90), *whole("A2", 0, 90, ANN)],
        ("delivered 90", "delivered 90"),
        {"delivery late 60": 2, "address late 60": 2, "mailbox late 60": 1, "account late 60": 1},
        records=(record(ANN), record(SALES, ANN)),
    ),
    Case(
        "two accounts of one customer",
        [*whole("A1", 0, 60, ANN), *whole("A2", 0, 60, BOB)],
        ("delivered 60", "delivered 60"),
        {"account late 60": 2, "customer late 60": 1},
        records=(record(ANN, account="A1", customer="C"), record(BOB, account="B1", customer="C", segment="business")),
    ),
    Case(
        "a message to both segments counts in each, and once in all",
        [arrived("A1", 0), sent("A1", 60, ANN), sent("A1", 60, BOB), removed("A1", 60)],
        ("delivered 60", "delivered 60"),
        {"message late 60": 1, "message late 60 residential": 1, "message late 60 business": 1, "delivery late 60": 2},
    ),
    Case(
        # 12:00 UTC on 1 May is midnight in Auckland: the first message arrives on 1 May there, the second on the 2nd.
        "a mailbox that changed hands during the window goes by the day of arrival in the incident's zone",
        [*whole("A1", -1, 99, ANN), *whole("A2", 0, 100, ANN), *whole("A3", 1, 102, ANN)],
        ("delivered 100", "delivered 100", "delivered 101"),
        {"mailbox late 60": 1, "account late 60": 2, "account late 60 residential": 1, "account late 60 business": 1},
        records=(
            record(ANN, account="A1", valid_to=date(2030, 5, 1)),
            record(ANN, account="B1", segment="business", valid_from=date(2030, 5, 2)),
        ),
        settings={"window": (-1, 3600)},
    ),
    Case(
        "an address that no record knows on the day is unmatched, and in all where units don't need records",
        [*whole("A1", 0, 60, ANN), *whole("A2", 0, 60, "nobody@example.com")],
        ("delivered 60", "delivered 60"),
        {
            "delivery late 60": 2,
            "delivery late 60 unmatched": 1,
            "message late 60 unmatched": 1,
            "address late 60": 2,
            "address late 60 unmatched": 1,
            "mailbox late 60": 1,
            "account late 60": 1,
        },
        records=(record(ANN), record("nobody@example.com", account="Z1", valid_to=date(2030, 4, 30))),
    ),
    Case(
        "a tagged address leads to the mailbox without the tag, and is an address of its own",
        [*whole("A1", 0, 60, "ann+news@example.com"), *whole("A2", 0, 60, ANN)],
        ("delivered 60", "delivered 60"),
        {"mailbox late 60": 1, "address late 60": 2, "address late 60 unmatched": 0},
    ),
    Case(
        "outbound mail is not counted, and neither is an alias that leads out",
        [
            *whole("A1", 0, 60, "ann@example.org"),
            arrived("A2", 0),
            sent("A2", 60, "ann@example.org", SALES),
            removed("A2", 60),
        ],
        (),
        {"delivery late 60": 0, "message late 60": 0},
    ),
    Case(
        "a mailbox outside the local domains is local where a local address leads to it",
        [arrived("A1", 0), sent("A1", 60, "ann@store.invalid", SALES), removed("A1", 60)],
        ("delivered 60",),
        {"mailbox late 60": 1, "address late 60": 1},
        records=(record("ann@store.invalid"), record(SALES, "ann@store.invalid")),
    ),
    Case(
        "bulk and ordinary mail to one account: late by the one, not by the other",
        [*whole("A1", 0, 60, ANN, "promo@mailhouse.example"), *whole("A2", 0, 59, ANN)],
        ("delivered 60", "delivered 59"),
        {"account late 60": 1, "account late 60 excluding_bulk": 0, "delivery late 60 excluding_bulk": 0},
    ),
    Case(
        "a dot in a bulk pattern is a dot, and the null sender is not bulk",
        [*whole("A1", 0, 60, ANN, "promo@mailhouse-example"), *whole("A2", 0, 60, ANN, "")],
        ("delivered 60", "delivered 60"),
        {"delivery late 60 excluding_bulk": 2},
    ),
]

LEGS = [
    Case(
        "re-injection by a filter is one message, and its wait counts from the first arrival",
        [
            arrived("A1", 0),
            arrived("B1", 70),
            sent("A1", 70, ANN, next="B1"),
            removed("A1", 70),
            sent("B1", 71, ANN),
            removed("B1", 71),
        ],
        ("delivered 71",),
        {"delivery late 60": 1, "message late 60": 1},
    ),
    Case(
        "an alias expanded only after the filter",
        [
            arrived("A1", 0),
            arrived("B1", 70),
            sent("A1", 70, SALES, next="B1"),
            removed("A1", 70),
            sent("B1", 71, ANN, SALES),
            removed("B1", 71),
        ],
        ("delivered 71",),
        {"delivery late 60": 1, "address late 60": 1, "mailbox late 60": 1},
    ),
    Case(
        "aliases merged after the filter: the finished leg accounts for both",
        [
            arrived("A1", 0),
            sent("A1", 70, SALES, next="B1"),
            sent("A1", 70, "info@example.com", next="B1"),
            removed("A1", 70),
            arrived("B1", 69),
            queued("B1", 69, recipients=1),
            sent("B1", 71, ANN, SALES),
            removed("B1", 71),
        ],
        ("delivered 71",),
        {"delivery late 60": 1, "delivery late 60 unmatched": 0},
    ),
    Case(
        "a next leg that names a queue file the logs don't know is a delivery",
        [arrived("A1", 0), sent("A1", 70, ANN, next="F00D"), removed("A1", 70)],
        ("delivered 70",),
        {"delivery late 60": 1},
    ),
    Case(
        "handed to a filter and not yet attempted behind it is pending",
        [arrived("A1", 0), arrived("B1", 70), sent("A1", 70, ANN, next="B1"), removed("A1", 70)],
        ("pending 7200",),
        {"delivery late 60": 1, "delivery late 3600": 1},
    ),
    Case(
        "an expansion behind `forwarded as` is one delivery for each mailbox",
        [
            arrived("A1", 0),
            attempt("forwarded", "A1", 5, SALES, next="B1"),
            removed("A1", 5),
            arrived("B1", 5),
            sent("B1", 60, ANN, SALES),
            sent("B1", 61, BOB, SALES),
            removed("B1", 61),
        ],
        ("delivered 60", "delivered 61"),
        {"delivery late 60": 2, "message late 60": 1, "address late 60": 1, "mailbox late 60": 2},
    ),
    Case(
        "requeued, filtered again and delivered: four queue files, one message",
        [
            arrived("A1", 0),
            sent("A1", 1, ANN, next="B1"),
            removed("A1", 1),
            arrived("B1", 1),
            deferred("B1", 30, ANN),
            line("requeued", "B1", 40),
            arrived("C1", 41, former="B1"),
            sent("C1", 42, ANN, next="D1"),
            removed("C1", 42),
            arrived("D1", 42),
            sent("D1", 60, ANN),
            removed("D1", 60),
        ],
        ("delivered 60",),
        {"delivery late 60": 1, "message late 60": 1},
    ),
    Case(
        "requeued and not attempted since: waits in the new queue file",
        [arrived("A1", 0), deferred("A1", 30, ANN), line("requeued", "A1", 40), arrived("B1", 41, former="A1")],
        ("pending 7200",),
    ),
    Case(
        "a short id used again is another message",
        [*whole("A1", 0, 60, ANN), *whole("A1", 300, 310, BOB)],
        ("delivered 60", "delivered 10"),
        {"message late 60": 1, "delivery late 60": 1, "mailbox late 60": 1},
    ),
    Case(
        "a short id used again, its first end lost: an arrival begins a new message",
        [arrived("A1", 0), sent("A1", 60, ANN), *whole("A1", 300, 310, BOB)],
        ("delivered 60", "delivered 10"),
        {"message late 60": 1},
    ),
    Case(
        "a next leg with an id used again is the lifetime of that moment",
        [
            *whole("B1", 0, 10, BOB),
            arrived("A1", 100),
            arrived("B1", 170),
            sent("A1", 170, ANN, next="B1"),
            removed("A1", 170),
            sent("B1", 171, ANN),
            removed("B1", 171),
            *whole("B1", 900, 901, BOB),
        ],
        ("delivered 10", "delivered 71", "delivered 1"),
        {"message late 60": 1},
    ),
    Case(
        "the same id on two hosts is two messages",
        [*whole("A1", 0, 60, ANN), *whole("A1", 0, 10, BOB, host="mx2")],
        ("delivered 60", "delivered 10"),
        {"message late 60": 1},
    ),
    Case(
        "the next leg may be on another host",
        [arrived("A1", 0), sent("A1", 70, ANN, next="B1"), removed("A1", 70), *whole("B1", 70, 75, ANN, host="mx2")],
        ("delivered 75",),
        {"message late 60": 1, "delivery late 60": 1},
    ),
    Case(
        "a Message-ID that contradicts is no next leg",
        [
            arrived("A1", 0),
            line("named", "A1", 0, message_id="a@example.net"),
            sent("A1", 70, ANN, next="B1"),
            removed("A1", 70),
            *whole("B1", 70, 75, ANN, host="mx2"),
            line("named", "B1", 70, message_id="b@example.net", host="mx2"),
        ],
        ("delivered 70", "delivered 5"),
        {"message late 60": 1},
    ),
    Case(
        "the same lines read from two files are counted once",
        [*whole("A1", 0, 60, ANN), *whole("A1", 0, 60, ANN, source_id="f2")],
        ("delivered 60",),
        {"delivery late 60": 1, "message late 60": 1},
    ),
    Case(
        "a notice of non-delivery is not a message",
        [
            arrived("A1", 0),
            bounced("A1", 70, ANN, dsn="5.2.2"),
            arrived("B1", 70),
            line("notified", "A1", 70, related_queue_id="B1"),
            removed("A1", 70),
            sent("B1", 200, BOB),
            removed("B1", 200),
        ],
        ("lost 70",),
        {"delivery late_or_lost 60": 1, "delivery late 60": 0},
    ),
]

ENDS = [
    Case(
        "refused at once as an unknown mailbox is no impact",
        [arrived("A1", 0), bounced("A1", 90, ANN, dsn="5.1.1"), removed("A1", 90)],
        ("rejected_recipient 90",),
        {"delivery late_or_lost 60": 0, "delivery late 60": 0},
    ),
    Case(
        "the reply may say so where the code doesn't",
        [arrived("A1", 0), bounced("A1", 90, ANN, dsn="5.0.0", reply="550 User unknown"), removed("A1", 90)],
        ("rejected_recipient 90",),
    ),
    Case(
        "refused as unknown after a deferral is lost",
        [arrived("A1", 0), deferred("A1", 30, ANN), bounced("A1", 90, ANN, dsn="5.1.1"), removed("A1", 90)],
        ("lost 90",),
        {"delivery late_or_lost 60": 1, "delivery late_or_lost 3600": 1},
    ),
    Case(
        "refused for another reason is lost, however quickly",
        [arrived("A1", 0), bounced("A1", 1, ANN, dsn="5.7.1"), removed("A1", 1)],
        ("lost 1",),
        {"account late 60": 0, "account late_or_lost 60": 1, "account late_or_lost 3600": 1},
    ),
    Case(
        "deleted by an operator is lost, not delayed",
        [arrived("A1", 0), deferred("A1", 30, ANN), line("deleted", "A1", 900)],
        ("lost 900",),
        {"account late 60": 0, "account late_or_lost 60": 1},
    ),
    Case(
        "deleted behind the filter, before any attempt there",
        [
            arrived("A1", 0),
            sent("A1", 1, ANN, next="B1"),
            removed("A1", 1),
            arrived("B1", 1),
            line("deleted", "B1", 900),
        ],
        ("lost 900",),
    ),
    Case(
        "expired is lost for who still waited, not for who was served",
        [
            arrived("A1", 0),
            queued("A1", 0, recipients=2),
            sent("A1", 70, ANN),
            deferred("A1", 70, BOB),
            line("expired", "A1", 3000),
            removed("A1", 3000),
        ],
        ("delivered 70", "lost 3000"),
        {"account late 60": 1, "account late_or_lost 60": 2},
    ),
    Case(
        "discarded is lost though the log says sent elsewhere",
        [arrived("A1", 0), attempt("discarded", "A1", 5, ANN), removed("A1", 5)],
        ("lost 5",),
    ),
    Case(
        "still waiting when the logs end is pending, and late once it has waited that long",
        [
            arrived("A1", 0),
            deferred("A1", 30, ANN),
            arrived("A2", 7140 - 3600, host="mx2"),
            deferred("A2", 7150, BOB, host="mx2"),
        ],
        ("pending 7200", "pending 3660"),
        {"account late 3600": 2, "account late 60": 2},
    ),
    Case(
        "pending one second short of D is not late",
        [arrived("A1", 3541), deferred("A1", 3590, ANN)],
        ("pending 59",),
        {"account late 60": 0},
        settings={"as_of": 3600},
    ),
    Case(
        "in the queue listing: pending, and listed by its recipient alone",
        [arrived("A1", 0), listed("A1", 7200, 0, ANN), *whole("A2", 10, 20, BOB)],
        ("pending 7200", "delivered 10"),
        {"account late 60": 1},
    ),
    Case(
        "not in the queue listing though never ended: unresolved, in no cell",
        [
            arrived("A1", 0),
            deferred("A1", 30, ANN),
            arrived("A2", 0),
            deferred("A2", 30, BOB),
            listed("A2", 7200, 0, BOB),
        ],
        ("unresolved 7200", "pending 7200"),
        {"account late 60": 1, "account late_or_lost 60": 1},
    ),
    Case(
        "missed by the listing, but active within ten seconds of it: pending",
        [
            arrived("A1", 0),
            deferred("A1", 7190, ANN),
            arrived("A2", 0),
            deferred("A2", 30, BOB),
            listed("A2", 7200, 0, BOB),
        ],
        ("pending 7200", "pending 7200"),
    ),
    Case(
        "known from the queue listing alone",
        [listed("A1", 7200, 100, ANN)],
        ("pending 7100",),
        {"account late 3600": 1},
    ),
    Case(
        "ended without a word for its recipient: unresolved",
        [arrived("A1", 0), deferred("A1", 30, ANN), removed("A1", 40)],
        ("unresolved 7200",),
        {"account late 60": 0, "account late_or_lost 60": 0},
    ),
    Case(
        "named at arrival and never attempted is pending",
        [arrived("A1", 0), line("accepted", "A1", 0, recipient=ANN)],
        ("pending 7200",),
    ),
    Case(
        "named at arrival by an alias, delivered to the mailbox: one delivery",
        [arrived("A1", 0), line("accepted", "A1", 0, recipient=SALES), sent("A1", 60, ANN, SALES), removed("A1", 60)],
        ("delivered 60",),
        {"delivery late 60": 1, "address late 60": 1},
    ),
    Case("nothing at all", [], (), {"account late 60": 0, "delivery late 60 unmatched": 0}),
]

CASES = (*THRESHOLD, *WINDOW, *PEOPLE, *LEGS, *ENDS)
