"""Which lines are about one queue file?"""

from tests.spec.tables import ANN, BOB, Case, arrived, deferred, line, queued, removed, sent, whole

LIFETIMES = [
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
        "a short id used again, the second arrival lost: what began after the end is another message",
        [*whole("A1", 0, 5, ANN), sent("A1", 1800, BOB, delay=3.0)],
        ("delivered 5", "delivered 3"),
        {"delivery late 60": 0, "delivery late 3600": 0},
    ),
    Case(
        "an attempt under way while the operator deleted the file belongs to that file",
        [arrived("A1", 0), deferred("A1", 30, ANN), line("deleted", "A1", 40), deferred("A1", 41, ANN, delay=41.0)],
        ("lost 40",),
        {"message late_or_lost 60": 1},
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
        "the same lines read from two files are counted once",
        [*whole("A1", 0, 60, ANN), *whole("A1", 0, 60, ANN, source_id="f2")],
        ("delivered 60",),
        {"delivery late 60": 1, "message late 60": 1},
    ),
    Case(
        "a copy of one line of the arrival's own second, in a file before the log's, begins no message",
        [
            queued("A1", 0, "promo@mailhouse.example", source_id="a copy"),
            *whole("A1", 0, 100, ANN, "promo@mailhouse.example"),
        ],
        ("delivered 100",),
        {"message late 60": 1, "message late 60 excluding_bulk": 0},
    ),
    Case(
        "an id used again at once, of which two files hold the same seconds: the fuller one gives the order",
        [
            *(sent("A1", 60, ANN, source_id="a copy"), removed("A1", 60, source_id="a copy")),
            *(arrived("A1", 60, source_id="a copy"), queued("A1", 60, source_id="a copy")),
            *whole("A1", 0, 60, ANN),
            *whole("A1", 60, 70, BOB),
        ],
        ("delivered 60", "delivered 10"),
        {"message late 60": 1, "delivery late 60": 1},
    ),
    Case(
        "two attempts within one second, told alike, and a second file that tells them too",
        [
            *(
                arrived("A1", 0),
                deferred("A1", 30, ANN),
                deferred("A1", 30, ANN),
                sent("A1", 90, ANN),
                removed("A1", 90),
            ),
            *(deferred("A1", 30, ANN, source_id="f2"), deferred("A1", 30, ANN, source_id="f2")),
            *(sent("A1", 90, ANN, source_id="f2"), removed("A1", 90, source_id="f2")),
        ],
        ("delivered 90",),
        {"message late 60": 1, "delivery late 60": 1},
    ),
    Case(
        "a logger that writes every line twice tells of one message",
        [row for row in [*whole("A1", 0, 60, ANN), *whole("A1", 300, 310, BOB)] for _ in range(2)],
        ("delivered 60", "delivered 10"),
        {"message late 60": 1, "delivery late 60": 1},
    ),
]
