"""A change of the headline is split among its causes, and the shares add up to the whole."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.spec.tables import BOB, arrived, event_frame, queued, record, record_frame, removed, sent, settings, whole
from transforms.vintage import CAUSES, Figures, headline_figures, split_change

FIGURES = st.dictionaries(st.sampled_from(["all", "business", "residential"]), st.integers(0, 50))


def test_each_cause_has_the_difference_that_its_swap_makes() -> None:
    counted = {
        frozenset({"code"}): {"all": 12},
        frozenset({"code", "definition"}): {"all": 7},
        frozenset({"code", "definition", "records"}): {"all": 8},
    }
    steps = split_change({"all": 10}, {"all": 20}, CAUSES, counted.__getitem__)
    assert [(step.causes, step.difference()) for step in steps] == [
        (("code",), 2),
        (("definition",), -5),
        (("records",), 1),
        (("logs",), 12),
    ]


def test_one_cause_alone_has_it_all_and_nothing_is_counted_again() -> None:
    def never(_: frozenset[str]) -> Figures:
        pytest.fail("nothing had to be counted")

    (step,) = split_change({"all": 3}, {"all": 5}, ["records"], never)
    assert (step.causes, step.difference()) == (("records",), 2)


def test_causes_between_which_nothing_can_be_counted_are_told_together() -> None:
    steps = split_change({"all": 3}, {"all": 9}, CAUSES, lambda swapped: {"all": 4} if len(swapped) == 2 else None)
    assert [(step.causes, step.difference()) for step in steps] == [
        (("code", "definition"), 1),
        (("records", "logs"), 5),
    ]


def test_without_any_cause_equal_figures_give_no_step_and_others_one_that_names_none() -> None:
    assert split_change({"all": 3}, {"all": 3}, [], lambda _: None) == ()
    (step,) = split_change({"all": 3}, {"all": 4}, [], lambda _: None)
    assert (step.causes, step.difference()) == ((), 1)


def test_a_segment_that_only_one_side_knows_counts_nothing_on_the_other() -> None:
    (step,) = split_change({"all": 1}, {"all": 3, "business": 2}, ["records"], lambda _: None)
    assert (step.difference("business"), step.difference("residential")) == (2, 0)


@given(
    old=FIGURES,
    new=FIGURES,
    changed=st.sets(st.sampled_from(CAUSES), min_size=1),
    between=st.lists(st.none() | FIGURES, min_size=3, max_size=3),
)
def test_shares_add_up_exactly(old: Figures, new: Figures, changed: set[str], between: list[Figures | None]) -> None:
    steps = split_change(old, new, changed, lambda swapped: between[len(swapped) - 1])
    for segment in {*old, *new, "all"}:
        assert sum(step.difference(segment) for step in steps) == new.get(segment, 0) - old.get(segment, 0)
    told = [cause for step in steps for cause in step.causes]
    assert told == [cause for cause in CAUSES if cause in changed], (
        "each changed cause is told once, in the fixed order"
    )


def test_the_headline_is_counted_alone_by_segment(tmp_path: Path) -> None:
    bulk = [arrived("C", 0), queued("C", 0, "a@mailhouse.example"), sent("C", 600, BOB), removed("C", 600)]
    lines = [*whole("A", 0, 60, "ann@example.com"), *whole("B", 0, 59, BOB), *bulk]
    event_frame(lines).write_parquet(tmp_path / "events.parquet")
    records = record_frame([record("ann@example.com"), record(BOB, account="B1", segment="business")])
    figures = headline_figures([tmp_path / "events.parquet"], records, settings())
    assert figures == {"all": 2, "residential": 1, "business": 1}, "ann at exactly a minute, bob by bulk mail"
