"""Who is hit: addresses, mailboxes, accounts, customers, segments, and whose mail it was."""

from datetime import date

from tests.spec.tables import ANN, BOB, SALES, Case, arrived, record, removed, sent, whole

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
        {"delivery late 60": 2, "delivery late 60 residential": 2, "address late 60": 2, "mailbox late 60": 1},
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
