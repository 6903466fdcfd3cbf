"""Which waits make whom somebody down: one row per wait, in order of person and arrival."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from tests.spec.tables import START, settings
from tests.transforms.test_hours import mail, table
from transforms.waits import Waits, late_mail, waits_of

SEGMENTS = ("business", "residential")
LEAST, WINDOW = min(settings().thresholds_seconds), settings().window
LENGTH = int((WINDOW.end - WINDOW.start).total_seconds())
STRANGER: dict[str, Any] = {"account_id": None, "mailbox": None, "segment": None}


def waits(*rows: dict[str, Any], unit: str = "account") -> Waits:
    return waits_of(late_mail(table(*rows), settings()), unit, SEGMENTS)


def people(found: Waits) -> list[tuple[str | None, str, bool]]:
    """Of each wait: who, in which segment they are counted, and whether the row serves `all` too."""
    names = [found.parts[part] for part in found.part]
    return sorted(
        zip(found.entity_id.cast(pl.String).to_list(), names, map(bool, found.is_also_all), strict=True), key=str
    )


@pytest.mark.parametrize(
    ("at", "delay", "outcome", "is_wait"),
    [
        (0, LEAST, "delivered", True),
        (0, LEAST - 1, "delivered", False),
        (-1, LEAST, "delivered", False),
        (LENGTH - 1, LEAST, "pending", True),
        (LENGTH, LEAST, "pending", False),
        (0, LEAST, "lost", True),
        (0, LEAST, "unresolved", True),
        (0, LEAST, "rejected_recipient", False),
    ],
)
def test_mail_of_the_window_that_waited_the_least_threshold_counts(
    at: int, delay: int, outcome: str, is_wait: bool
) -> None:
    assert len(waits(mail("A", at, delay, outcome)).person) == is_wait


def test_a_wait_runs_from_arrival_to_its_end_in_milliseconds() -> None:
    found = waits(mail("A", 60, LEAST + 0.5, proven_delay_seconds=1.0))
    begin = int((START + timedelta(seconds=60)).timestamp() * 1000)
    assert (found.arrived[0], found.until[0]) == (begin, begin + LEAST * 1000 + 500)
    assert found.proven_until[0] == begin + 1000


def test_two_mailboxes_of_one_account_are_one_account_and_two_mailboxes() -> None:
    both = [mail("A", 0, LEAST), mail("A", 1, LEAST, mailbox="b@example.com")]
    assert len(set(waits(*both).person)) == 1
    assert len(set(waits(*both, unit="mailbox").person)) == 2


def test_an_account_in_one_segment_serves_all_with_the_same_row() -> None:
    assert people(waits(mail("A", 0, LEAST))) == [("A", "residential", True)]


def test_an_account_that_changed_its_segment_stands_in_each_and_once_more_in_all() -> None:
    found = waits(mail("A", 0, LEAST), mail("A", 1, LEAST, segment="business"))
    assert people(found) == [
        ("A", "all", False),
        ("A", "all", False),
        ("A", "business", False),
        ("A", "residential", False),
    ]
    assert len(set(found.person)) == 3


def test_a_stranger_is_one_person_by_address_and_another_one_for_each_recipient_never_named() -> None:
    named = mail("A", 0, LEAST, **STRANGER) | {"mailbox_or_address": "ghost@example.com"}
    nameless = named | {"mailbox_or_address": None}
    found = waits(named, named, nameless, nameless)
    assert people(found) == [(None, "unmatched", True)] * 4
    assert len(set(found.person)) == 3


@pytest.mark.parametrize(
    ("messages", "count", "chosen"),
    [
        ("all", "late", 3),
        ("all", "late_or_lost", 4),
        ("excluding_bulk", "late", 2),
        ("excluding_bulk", "late_or_lost", 3),
    ],
)
def test_a_choice_leaves_out_bulk_mail_or_what_was_lost(messages: str, count: str, chosen: int) -> None:
    rows = [mail("A", 0, LEAST), mail("B", 0, LEAST, "lost"), mail("C", 0, LEAST, "unresolved")]
    found = waits(*rows, mail("D", 0, LEAST, is_bulk=True))
    assert found.chosen(messages, count).sum() == chosen
