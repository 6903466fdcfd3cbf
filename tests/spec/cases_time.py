"""When is a delivery late, and when is it in the window?"""

from tests.spec.tables import ANN, BOB, Case, arrived, removed, sent, whole

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
        "stamps finer than a second decide, as Postfix rounds the logged delay",
        [arrived("A1", 0.1), sent("A1", 59.7, ANN, delay=60), removed("A1", 59.7)],
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
