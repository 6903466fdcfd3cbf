"""What a claim means beside the declared definitions, and the sentence that may be printed."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.tables import CELLS
from tests.spec.tables import settings
from transforms.claims import Claim, read_claims, specification_curve

HOUR, QUARTER = 3600, 900


def cells(*rows: tuple[str, int, str, str, int, int]) -> pl.DataFrame:
    """Cells for segment `all` as unit, threshold, messages, count, lower (= measured), upper; each also by segment."""
    table: list[dict[str, Any]] = []
    for unit, threshold, messages, count, lower, upper in rows:
        choices = {"unit": unit, "threshold_seconds": threshold, "messages": messages, "count": count}
        table += [
            {**choices, "segment": "all", "measured": lower, "lower": lower, "upper": upper, "baseline": None},
            {**choices, "segment": "business", "measured": 5000, "lower": 5000, "upper": 5000, "baseline": None},
        ]
    return pl.DataFrame(table, schema=dict(CELLS.schema))


def reading(claim: Claim, grid: pl.DataFrame) -> Any:
    (found,) = read_claims([claim], grid, settings(thresholds=(HOUR, QUARTER)))
    return found


def claim(low: int, high: int, unit: str = "mailbox", said: str = "many users") -> Claim:
    return Claim("Radio", said, low, high, unit)


GRID = cells(
    ("mailbox", QUARTER, "all", "late", 20_400, 20_400),
    ("mailbox", QUARTER, "excluding_bulk", "late", 4_210, 4_210),
    ("mailbox", HOUR, "all", "late", 9_100, 9_400),
    ("account", HOUR, "all", "late", 5_000, 5_000),
)


@pytest.mark.parametrize(
    ("low", "high", "agreeing"),
    [(9_399, 9_399, 1), (9_400, 10_000, 1), (9_401, 10_000, 0), (1, 9_100, 2), (1, 9_099, 1), (0, 99_999, 3)],
)
def test_a_definition_agrees_when_its_bounds_meet_the_claims_range(low: int, high: int, agreeing: int) -> None:
    found = reading(claim(low, high), GRID)
    assert (found.consistent_definitions, found.definitions) == (agreeing, 3)


def test_the_sentence_for_some() -> None:
    found = reading(claim(4_000, 9_999, said="several\nthousand users"), GRID)
    assert found.sentence == (
        "“several thousand users” fits 2 of 3 definitions counted in mailboxes, the headline’s own among them: at least"
        " one message 1 hour late or more, which hit between 9,100 and 9,400 mailboxes."
    )
    assert found.nearest == {
        "unit": "mailbox", "threshold_seconds": HOUR, "messages": "all", "count": "late", "measured": 9_100,
        "lower": 9_100, "upper": 9_400, "baseline": None, "gap": 0,
    }  # fmt: skip


def test_the_sentence_for_one() -> None:
    assert reading(claim(4_000, 5_000), GRID).sentence == (
        "“many users” fits 1 of 3 definitions counted in mailboxes: at least one ordinary message 15 minutes late or"
        " more, which hit 4,210 mailboxes."
    )


def test_the_sentence_for_none_says_by_how_much() -> None:
    too_high = reading(claim(30_000, 40_000), GRID)
    assert too_high.nearest["gap"] == 9_600
    assert too_high.sentence == (
        "“many users” fits none of the 3 definitions counted in mailboxes; the nearest is: at least one message 15"
        " minutes late or more, which hit 20,400 mailboxes. The claim is too high by at least 9,600."
    )
    too_low = reading(claim(0, 3_000), GRID)
    assert too_low.nearest["gap"] == -1_210
    assert too_low.sentence.endswith("which hit 4,210 mailboxes. The claim is too low by at least 1,210.")


def test_the_sentence_for_all_and_for_the_only_one() -> None:
    assert reading(claim(0, 99_999), GRID).sentence.startswith(
        "“many users” fits all 3 definitions counted in mailboxes"
    )
    assert reading(claim(0, 99_999, "account"), GRID).sentence == (
        "“many users” fits the only definition counted in accounts, the headline’s own: at least one message 1 hour"
        " late or more, which hit 5,000 accounts."
    )
    assert reading(claim(0, 10, "account"), GRID).sentence == (
        "“many users” does not fit the only definition counted in accounts: at least one message 1 hour late or more,"
        " which hit 5,000 accounts. The claim is too low by at least 4,990."
    )


def test_mail_itself_is_counted_in_other_words() -> None:
    grid = cells(("delivery", 86_400, "excluding_bulk", "late_or_lost", 1, 1), ("message", 90, "all", "late", 0, 0))
    assert reading(claim(1, 1, "delivery"), grid).sentence == (
        "“many users” fits the only definition counted in deliveries: ordinary deliveries 1 day late or more, or lost,"
        " of which there was 1."
    )
    assert reading(claim(0, 1, "message"), grid).sentence.endswith(
        ": messages 90 seconds late or more, of which there were none."
    )


def test_one_and_none_in_heads() -> None:
    grid = cells(("address", 60, "all", "late", 1, 1), ("customer", 60, "all", "late", 0, 0))
    assert reading(claim(1, 1, "address"), grid).sentence.endswith("1 minute late or more, which hit 1 address.")
    assert reading(claim(0, 1, "customer"), grid).sentence.endswith("which hit no customers.")


def test_a_refused_run_compares_with_nothing() -> None:
    found = reading(claim(1, 2), CELLS.empty())
    assert (found.consistent_definitions, found.definitions, found.nearest) == (0, 0, None)
    assert found.sentence == "“many users” can’t be compared with anything: nothing was counted in mailboxes."


def test_of_two_thresholds_as_near_the_shorter_is_named() -> None:
    grid = cells(("mailbox", HOUR - 60, "all", "late", 7, 7), ("mailbox", HOUR + 60, "all", "late", 7, 7))
    assert reading(claim(7, 7), grid).nearest["threshold_seconds"] == HOUR - 60


def test_of_equals_the_headlines_choices_are_named() -> None:
    rows = [("mailbox", HOUR, m, c, 7, 7) for m in ("all", "excluding_bulk") for c in ("late", "late_or_lost")]
    found = reading(claim(7, 7), cells(*reversed(rows)))
    assert (found.nearest["messages"], found.nearest["count"]) == ("all", "late")


def test_the_specification_curve_is_sorted_and_has_no_segments() -> None:
    curve = specification_curve(GRID)
    assert curve["measured"].to_list() == [4_210, 5_000, 9_100, 20_400]
    assert curve["rank"].to_list() == [1, 2, 3, 4]
    assert curve.columns == [
        "rank", "unit", "threshold_seconds", "messages", "count", "measured", "lower", "upper", "baseline",
    ]  # fmt: skip


@given(
    low=st.integers(0, 50),
    width=st.integers(0, 50),
    grid=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1, max_size=8),
)
def test_agreement_gap_and_sentence_never_contradict(low: int, width: int, grid: list[tuple[int, int]]) -> None:
    rows = [("mailbox", 60 * n, "all", "late", lower, lower + more) for n, (lower, more) in enumerate(grid, start=1)]
    found = reading(claim(low, low + width), cells(*rows))
    meets = [lower <= low + width and low <= lower + more for lower, more in grid]
    assert found.consistent_definitions == sum(meets)
    assert (found.nearest["gap"] == 0) == any(meets)
    assert ("too high" in found.sentence or "too low" in found.sentence) == (not any(meets))
    smallest = min(max(0, low - lower - more, lower - low - width) for lower, more in grid)
    assert abs(found.nearest["gap"]) == smallest
