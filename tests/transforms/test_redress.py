"""What redress would cost: who reaches which cut, who narrowly misses it, and what all of it comes to."""

import polars as pl
import pytest

from transforms.redress import Cut, Scheme, redress

HOUR, DAY = 3600.0, 86400.0
# account, segments, late, lost, longest wait, time down
HARMED = pl.DataFrame(
    [
        ("A1", ["business"], 1, 0, 2 * HOUR, 1 * HOUR),
        ("A2", ["business"], 4, 1, 9 * HOUR, 7.5 * HOUR),
        ("A3", ["residential"], 2, 0, 30 * HOUR, 25 * HOUR),
        ("A4", ["business", "residential"], 3, 0, 8 * HOUR, 8 * HOUR),
        ("A5", ["residential"], 0, 1, 0.0, 0.0),
    ],
    schema={
        "account_id": pl.String,
        "segments": pl.List(pl.String),
        "late_deliveries": pl.Int64,
        "lost_deliveries": pl.Int64,
        "longest_delay_seconds": pl.Float64,
        "down_seconds": pl.Float64,
    },
    orient="row",
)
FLAT = Scheme("Flat", "late", (Cut(1, 10),))
BY_HOURS = Scheme("By hours", "hours", (Cut(1, 5), Cut(8, 20), Cut(24, 50)))
BY_DAY = Scheme("By day", "days", (Cut(0, 2.5, is_each=True, most=4),))


@pytest.mark.parametrize(
    ("scheme", "rows"),
    [  # segment, from, accounts, cost, just under
        (FLAT, [("all", 1, 4, 40, 0), ("business", 1, 3, 30, 0), ("residential", 1, 2, 20, 0)]),
        (
            Scheme("Many", "late", (Cut(4, 10),)),
            [("all", 4, 1, 10, 1), ("business", 4, 1, 10, 1), ("residential", 4, 0, 0, 1)],
        ),
        (
            BY_HOURS,
            [
                ("all", 1, 2, 10, 0),
                ("all", 8, 1, 20, 1),  # A2 lacks half an hour of eight
                ("all", 24, 1, 50, 0),
                ("business", 1, 2, 10, 0),
                ("business", 8, 1, 20, 1),
                ("business", 24, 0, 0, 0),
                ("residential", 1, 0, 0, 0),
                ("residential", 8, 1, 20, 0),
                ("residential", 24, 1, 50, 0),
            ],
        ),
        (
            BY_DAY,
            [("all", 0, 4, 11.5, 0), ("business", 0, 3, 7.5, 0), ("residential", 0, 2, 6.5, 0)],
        ),  # A3: 2 days, at most 4
        (Scheme("Firms", "lost", (Cut(1, 7),), ("business",)), [("all", 1, 1, 7, 0), ("business", 1, 1, 7, 0)]),
        (
            Scheme("Longest", "longest", (Cut(10, 1),)),
            [("all", 10, 1, 1, 1), ("business", 10, 0, 0, 1), ("residential", 10, 1, 1, 0)],
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Scheme) else "",
)
def test_a_scheme_pays_the_highest_cut_that_an_account_reaches(scheme: Scheme, rows: list[tuple[object, ...]]) -> None:
    table = redress(HARMED, [scheme])
    assert table.select("segment", "cut", "accounts", "cost", "just_under").rows() == rows


def test_nobody_harmed_costs_nothing() -> None:
    assert redress(HARMED.clear(), [FLAT])["cost"].to_list() == [0]
    assert redress(HARMED, []).is_empty()
