"""How long people were down: unions of waits, case by case, and against a slow count second by second."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from expectations.tables import DELIVERIES
from tests.spec.tables import START, settings
from transforms.hours import Downtime, measure_hours
from transforms.settings import Settings

MINUTE, HOUR, DAY = 60, 3600, 86400
SEGMENTS = ("business", "residential")


def mail(account: str, at: float, delay: float, outcome: str = "delivered", **values: Any) -> dict[str, Any]:
    """One delivery to an account's only mailbox: it arrives `at` seconds after the window's start."""
    arrived = START + timedelta(seconds=at)
    mailbox = f"{account.lower()}@example.com"
    row = {
        "account_id": account,
        "mailbox": mailbox,
        "mailbox_or_address": mailbox,
        "segment": "residential",
        "sender": "sender@example.net",
        "is_bulk": False,
        "arrived_at": arrived,
        "outcome": outcome,
        "delay_seconds": delay,
        "proven_delay_seconds": delay,
    }
    return {**row, **values}


def table(*rows: dict[str, Any]) -> pl.LazyFrame:
    """The rows as DELIVERIES."""
    return DELIVERIES.conform(
        pl.DataFrame(
            list(rows), schema_overrides={n: DELIVERIES.schema[n] for n in ("arrived_at", "account_id", "mailbox")}
        )
        if rows
        else DELIVERIES.empty()
    ).lazy()


def measured(*rows: dict[str, Any], chosen: Settings | None = None) -> Downtime:
    return measure_hours(table(*rows), SEGMENTS, chosen or settings())


def cell(found: Downtime, **key: Any) -> dict[str, Any]:
    """One row of HOURS: by default accounts, all mail, late, every segment, one minute."""
    chosen = {"unit": "account", "threshold_seconds": MINUTE, "messages": "all", "count": "late", "segment": "all"}
    return found.hours.filter(**(chosen | key)).row(0, named=True)


def seconds(found: Downtime, **key: Any) -> float:
    down: float = cell(found, **key)["measured_seconds"]
    return down


@pytest.mark.parametrize(("delay", "down"), [(59, 0), (60, 0), (61, 1), (600, 540)])
def test_a_person_is_down_from_arrival_plus_d_to_the_end(delay: float, down: float) -> None:
    row = cell(measured(mail("A1", 0, delay)))
    assert (row["measured_seconds"], row["people"]) == (down, delay >= MINUTE)  # late at exactly D, as heads are


def test_mail_that_waits_at_the_same_time_counts_once() -> None:
    # 60-600 and 160-900 overlap; 1060-1100 stands alone; 360-400 lies inside the first.
    rows = [mail("A1", 0, 600), mail("A1", 100, 800), mail("A1", 1000, 100), mail("A1", 300, 100)]
    found = measured(*rows)
    assert seconds(found) == 840 + 40
    spans = found.spans.filter(unit="account")
    assert [(s - START).total_seconds() for s in spans["start_at"]] == [60, 1060]
    assert [(s - START).total_seconds() for s in spans["end_at"]] == [900, 1100]


def test_two_people_add_up_and_two_mailboxes_of_one_account_do_not() -> None:
    second = {"mailbox": "second@example.com", "mailbox_or_address": "second@example.com"}
    found = measured(mail("A1", 0, 660), mail("A1", 0, 660, **second), mail("B1", 0, 360))
    assert seconds(found) == 600 + 300
    assert seconds(found, unit="mailbox") == 600 + 600 + 300
    assert (cell(found)["people"], cell(found, unit="mailbox")["people"]) == (2, 3)


def test_pending_mail_counts_up_to_as_of_and_what_the_log_proves_is_the_lower_bound() -> None:
    found = measured(mail("A1", 3000, 4200, "pending", proven_delay_seconds=1000))
    row = cell(found)
    assert (row["lower_seconds"], row["measured_seconds"], row["upper_seconds"]) == (940, 4140, 4140)


def test_lost_mail_counts_until_it_was_lost_and_only_with_late_or_lost() -> None:
    found = measured(mail("A1", 0, 600, "lost"))
    assert (seconds(found), seconds(found, count="late_or_lost")) == (0, 540)


def test_unresolved_mail_and_strangers_widen_only_the_upper_bound() -> None:
    nobody: dict[str, Any] = {
        "account_id": None,
        "mailbox": None,
        "segment": "unmatched",
        "mailbox_or_address": "ghost@example.com",
    }
    nameless = nobody | {"mailbox_or_address": None, "segment": None}
    rows = [
        mail("A1", 0, 160),
        mail("A1", 0, 260, "unresolved", proven_delay_seconds=0),
        mail("X", 0, 360, **nobody),
        mail("X", 100, 360, **nobody),
        mail("X", 0, 60 + 7, **nameless),
        mail("X", 0, 60 + 7, **nameless),
    ]
    for segment, own in (("residential", 200), ("business", 0), ("all", 200)):
        row = cell(measured(*rows), segment=segment)
        known = 100 if own else 0
        assert (row["measured_seconds"], row["lower_seconds"]) == (known, known)
        assert row["upper_seconds"] == own + 400 + 7 + 7, segment
        assert row["people"] == bool(own)


def test_bulk_mail_is_left_out_on_request_and_an_unknown_sender_proves_nothing_then() -> None:
    rows = [mail("A1", 0, 660, is_bulk=True), mail("A1", 0, 360), mail("A1", 0, 460, sender=None)]
    found = measured(*rows)
    assert seconds(found) == 600
    row = cell(found, messages="excluding_bulk")
    assert (row["lower_seconds"], row["measured_seconds"]) == (300, 400)


def test_an_account_that_changed_its_segment_counts_in_each_and_once_in_all() -> None:
    found = measured(mail("A1", 0, 660), mail("A1", 300, 660, segment="business"))
    assert [seconds(found, segment=s) for s in ("residential", "business", "all")] == [600, 600, 900]
    assert [cell(found, segment=s)["people"] for s in ("residential", "business", "all")] == [1, 1, 1]


def test_only_mail_that_arrived_in_the_window_counts_however_long_it_waits() -> None:
    rows = [mail("A1", -1, 5000), mail("B1", 3599, 3601), mail("C1", 3600, 3600)]
    assert seconds(measured(*rows)) == 3541


def test_every_threshold_segment_and_choice_has_its_row_even_without_mail() -> None:
    hours = measured().hours
    assert len(hours) == 2 * 2 * 2 * 2 * 3
    assert hours["measured_seconds"].sum() == 0
    assert hours.select("unit", "threshold_seconds", "messages", "count", "segment").is_unique().all()


def test_heads_and_hours_rank_the_other_way_round() -> None:
    """20,000 accounts x 45 minutes is less than 3,000 x 2 days."""
    chosen = settings(window=(0, DAY), as_of=4 * DAY, thresholds=(15 * MINUTE, HOUR))
    many = pl.concat([_spread("N", 20_000, 60 * MINUTE), _spread("F", 3_000, 2 * DAY + 15 * MINUTE, "business")])
    found = measure_hours(many.lazy(), SEGMENTS, chosen)
    wide = cell(found, segment="residential", threshold_seconds=15 * MINUTE)
    deep = cell(found, segment="business", threshold_seconds=15 * MINUTE)
    assert (wide["people"], wide["measured_seconds"] / HOUR) == (20_000, 15_000)
    assert (deep["people"], deep["measured_seconds"] / HOUR) == (3_000, 144_000)


def _spread(letter: str, accounts: int, delay: float, segment: str = "residential") -> pl.DataFrame:
    one = table(mail(letter, 0, delay, segment=segment)).collect()
    ids = pl.format(letter + "{}", pl.int_range(pl.len()))
    return pl.concat([one] * accounts).with_columns(ids.alias("account_id"), ids.alias("mailbox"))


WAITS = st.lists(
    st.tuples(
        st.sampled_from(["A1", "B1", "C1"]),
        st.integers(0, 300),
        st.integers(0, 400),
        st.sampled_from(["delivered", "pending", "lost", "unresolved", "rejected_recipient"]),
        st.booleans(),
        st.sampled_from(SEGMENTS),
    ),
    max_size=12,
)


@hypothesis_settings(deadline=None)
@given(WAITS)
def test_it_equals_a_count_second_by_second(waits: list[tuple[str, int, int, str, bool, str]]) -> None:
    chosen = settings(window=(0, 250), as_of=1000, thresholds=(60, 100))
    rows = [mail(a, at, delay, o, is_bulk=b, segment=s) for a, at, delay, o, b, s in waits]
    found = measured(*rows, chosen=chosen)
    for threshold in (60, 100):
        for messages in ("all", "excluding_bulk"):
            for count, outcomes in (
                ("late", ("delivered", "pending")),
                ("late_or_lost", ("delivered", "pending", "lost")),
            ):
                for segment in ("all", *SEGMENTS):
                    counted = [
                        (account, at, delay)
                        for account, at, delay, outcome, is_bulk, of in waits
                        if at < 250
                        and outcome in outcomes
                        and not (messages != "all" and is_bulk)
                        and segment in ("all", of)
                    ]
                    late = {account for account, _, delay in counted if delay >= threshold}
                    down = {
                        (account, second)
                        for account, at, delay in counted
                        for second in range(at + threshold, at + delay)
                    }
                    row = cell(found, threshold_seconds=threshold, messages=messages, count=count, segment=segment)
                    assert row["measured_seconds"] == len(down)
                    assert row["people"] == len(late)
                    assert row["lower_seconds"] <= row["measured_seconds"] <= row["upper_seconds"]
