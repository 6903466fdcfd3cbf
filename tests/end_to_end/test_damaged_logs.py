"""Whatever is taken from the logs or the records, the truth stays within the bounds, and they say something.

Two hundred damaged outages, each compared cell by cell with the truth of the whole: twenty seeds in five set-ups, and
ten kinds of damage. A width is the mean over the account's cells of upper minus lower, as a share of all accounts.
"""

from collections.abc import Callable

import numpy as np
import pytest

from tests.end_to_end.damaged import Garble, Spoilt, Trial, trials
from tests.simulate.damage import CutHour, DeleteLines, journald_mark
from tests.simulate.outage import Outage

SEEDS = range(20)


def lines_deleted(share: float) -> Callable[[Outage, int], Spoilt]:
    """Take away a share of all lines, at random."""
    return lambda outage, seed: Spoilt((DeleteLines(share, seed),))


def hour_cut(*, in_flood: bool, is_marked: bool = False) -> Callable[[Outage, int], Spoilt]:
    """Take away what one host wrote in an hour of the window, or of the flood."""

    def spoil(outage: Outage, seed: int) -> Spoilt:
        rng = np.random.default_rng([seed, 1])
        first = outage.window[0] + 8 * 3600 * in_flood
        last = first + 8 * 3600 if in_flood else outage.window[1] - 3600
        mark = journald_mark if is_marked else None
        return Spoilt((CutHour(outage.hosts[seed % 2], int(rng.integers(first, last)), mark=mark),))

    return spoil


def records_removed(share: float) -> Callable[[Outage, int], Spoilt]:
    """Take away a share of the customer records."""
    return lambda outage, seed: Spoilt(
        kept=(np.random.default_rng([seed, 2]).random(len(outage.records)) >= share).tolist()
    )


def lines_torn(share: float) -> Callable[[Outage, int], Spoilt]:
    """Cut a share of all lines short, so that they cannot be read."""
    return lambda outage, seed: Spoilt((Garble(share, seed),))


@pytest.mark.parametrize(
    ("damage", "spoil", "widest"),
    [
        ("0.1 % of the lines deleted", lines_deleted(0.001), 0.15),
        ("1 % of the lines deleted", lines_deleted(0.01), 0.20),
        ("5 % of the lines deleted", lines_deleted(0.05), 0.45),
        ("20 % of the lines deleted", lines_deleted(0.2), 0.90),
        ("an hour of one host cut out", hour_cut(in_flood=False), 0.30),
        ("an hour of the flood cut out", hour_cut(in_flood=True), 0.60),
        ("an hour of the flood cut out, and the logger says so", hour_cut(in_flood=True, is_marked=True), 0.90),
        ("2 % of the records removed", records_removed(0.02), 0.20),
        ("10 % of the records removed", records_removed(0.1), 0.25),
        ("1 % of the lines cut short", lines_torn(0.01), 0.90),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_truth_lies_within_the_bounds(
    damage: str, spoil: Callable[[Outage, int], Spoilt], widest: float, record_property: Callable[[str, object], None]
) -> None:
    found: list[Trial] = list(trials(SEEDS, spoil))
    width = float(np.mean([trial.width for trial in found]))
    record_property("mean width", f"{damage}: {width:.1%} of all accounts")
    print(f"{damage}: mean width {width:.1%} of all accounts in {len(found)} trials")
    assert [violation for trial in found for violation in trial.violations] == []
    assert width < widest
