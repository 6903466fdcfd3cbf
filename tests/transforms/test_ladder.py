"""Who stands on which rung, from everybody on the records down to those who lost mail.

The window of these tables begins at midnight of Thursday, 2 May 2030, in Auckland; times are seconds after it.
"""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from expectations.ladder import gates_on_ladder
from expectations.refusal import reasons
from expectations.tables import CELLS, DELIVERIES, LADDER
from reports.ladder import WORKING_HOURS
from tests.spec.mess import RECORDS, logs
from tests.spec.tables import (
    ANN,
    BOB,
    START,
    Row,
    arrived,
    bounced,
    deferred,
    event_frame,
    record,
    record_frame,
    removed,
    settings,
    whole,
)
from transforms import impact
from transforms.ladder import pin
from transforms.settings import Definition, Settings

HOUR, DAY = 3600, 86400
WEEK = {"window": (0, 7 * DAY), "as_of": 8 * DAY}
CARL, DORA = "carl@example.com", "dora@example.com"
HEADLINE = Definition("mailbox", 60, "all", "late")
ZONE = ZoneInfo("Pacific/Auckland")


def climb(rows: list[Row], records: list[Row], chosen: Settings) -> dict[str, pl.DataFrame]:
    """Return LADDER, CELLS and DELIVERIES of some log lines."""
    with TemporaryDirectory() as folder, impact.workspace() as db:
        path = Path(folder) / "events.parquet"
        event_frame(rows).write_parquet(path)
        impact.stitch(db, [path], record_frame(records), chosen)
        impact.count(db, record_frame(records), chosen)
        return {t.name: impact.table(db, t.name, t) for t in (LADDER, CELLS, DELIVERIES)}


def on(ladder: pl.DataFrame, rung: str, seconds: int | None = None, **place: str) -> int:
    """Return how many stand on a rung: accounts, all messages, all segments, unless `place` says otherwise."""
    wanted = {"unit": "account", "messages": "all", "segment": "all"} | place
    found = ladder.filter(pl.col("threshold_seconds").eq_missing(seconds), rung=rung, **wanted)
    assert found.height == 1
    return int(found["measured"][0])


FOUR = [
    record(ANN, account="A1"),
    record(BOB, account="B1"),
    record(CARL, account="C1"),
    record(DORA, account="D1", valid_to=date(2030, 5, 1)),
]


def test_provisioned_active_and_exposed_part_ways() -> None:
    """Ann has mail in the window, Bob before it, Carl never, and Dora left the day before it."""
    mail = [*whole("A1", 10, 20, ANN), *whole("B1", -9000, -8990, BOB), *whole("D1", -9000, -8990, DORA)]
    ladder = climb(mail, FOUR, settings())["ladder"]
    assert [on(ladder, rung) for rung in ("provisioned", "active", "exposed")] == [3, 2, 1]


def test_whoever_has_bulk_mail_alone_is_provisioned_and_no_more_where_bulk_is_left_out() -> None:
    mail = whole("A1", 10, 3610, ANN, "promo@mailhouse.example")
    ladder = climb(mail, FOUR, settings())["ladder"]
    rungs = [("provisioned", None), ("active", None), ("exposed", None), ("late", 3600)]
    assert [on(ladder, rung, seconds) for rung, seconds in rungs] == [3, 1, 1, 1]
    assert [on(ladder, r, s, messages="excluding_bulk") for r, s in rungs] == [3, 0, 0, 0]


def test_late_is_reached_at_exactly_the_threshold_and_lost_is_a_rung_of_its_own() -> None:
    mail = [
        *whole("A1", 0, 60, ANN),
        *whole("B1", 0, 59, BOB),
        *[arrived("C1", 0), bounced("C1", 900, CARL, dsn="5.7.1"), removed("C1", 900)],
    ]
    ladder = climb(mail, FOUR, settings())["ladder"]
    assert [on(ladder, "late", 60), on(ladder, "late", 3600), on(ladder, "lost")] == [1, 0, 1]


def test_a_customer_with_accounts_in_both_segments_stands_in_each_and_once_in_all() -> None:
    records = [record(ANN, customer="C"), record(BOB, account="B1", customer="C", segment="business")]
    ladder = climb([*whole("A1", 0, 60, ANN), *whole("B1", 0, 60, BOB)], records, settings())["ladder"]
    for rung, seconds in (("provisioned", None), ("active", None), ("exposed", None), ("late", 60)):
        by_segment = [on(ladder, rung, seconds, unit="customer", segment=s) for s in ("all", "business", "residential")]
        assert by_segment == [1, 1, 1], rung
        assert on(ladder, rung, seconds) == 2


def test_a_mailbox_that_changed_hands_in_the_window_is_one_mailbox_and_two_accounts() -> None:
    records = [
        record(ANN, account="A1", valid_to=date(2030, 5, 2)),
        record(ANN, account="B1", segment="business", valid_from=date(2030, 5, 3)),
    ]
    mail = [*whole("A1", 0, 60, ANN), *whole("A2", DAY, DAY + 60, ANN)]
    ladder = climb(mail, records, settings(**WEEK))["ladder"]
    for rung, seconds in (("provisioned", None), ("active", None), ("exposed", None), ("late", 60)):
        assert (on(ladder, rung, seconds, unit="mailbox"), on(ladder, rung, seconds)) == (1, 2)


WAITS = [  # arrival, end, is it in working hours?
    (7 * HOUR, 8 * HOUR - 1, False),
    (7 * HOUR, 8 * HOUR, False),  # over as they begin
    (7 * HOUR, 8 * HOUR + 1, True),
    (12 * HOUR, 12 * HOUR + 60, True),
    (18 * HOUR - 1, 18 * HOUR + 300, True),
    (18 * HOUR, 18 * HOUR + 300, False),  # begins as they end
    (18 * HOUR, DAY + 8 * HOUR, False),
    (18 * HOUR, DAY + 8 * HOUR + 1, True),  # until Friday morning
    (DAY + 17 * HOUR, DAY + 19 * HOUR, True),
    (DAY + 18 * HOUR, 4 * DAY + 8 * HOUR, False),  # the whole weekend
    (DAY + 18 * HOUR, 4 * DAY + 8 * HOUR + 1, True),  # until Monday morning
    (2 * DAY + 9 * HOUR, 3 * DAY + 17 * HOUR, False),  # Saturday to Sunday
    (3 * DAY + 12 * HOUR, 4 * DAY + 12 * HOUR, True),
]


@pytest.mark.parametrize(("start", "end", "is_working"), WAITS)
def test_a_wait_is_in_working_hours_when_it_begins_in_them_or_goes_on_into_them(
    start: int, end: int, is_working: bool
) -> None:
    ladder = climb(whole("A1", start, end, ANN), FOUR, settings(**WEEK))["ladder"]
    assert on(ladder, "late", 60) == 1
    assert on(ladder, "late_in_working_hours", 60) == int(is_working)


@pytest.mark.parametrize(("as_of", "is_working"), [(4 * DAY + 8 * HOUR, False), (4 * DAY + 8 * HOUR + 1, True)])
def test_pending_mail_waits_until_as_of(as_of: int, is_working: bool) -> None:
    mail = [arrived("A1", DAY + 20 * HOUR), deferred("A1", DAY + 20 * HOUR + 5, ANN)]
    ladder = climb(mail, FOUR, settings(window=(0, 2 * DAY), as_of=as_of))["ladder"]
    assert (on(ladder, "late", 3600), on(ladder, "late_in_working_hours", 3600)) == (1, int(is_working))


def test_only_the_wait_that_is_long_enough_counts_in_working_hours() -> None:
    """An hour late at night, a minute late at noon: in working hours it is a minute."""
    mail = [*whole("A1", 2 * HOUR, 3 * HOUR, ANN), *whole("A2", 12 * HOUR, 12 * HOUR + 60, ANN)]
    ladder = climb(mail, FOUR, settings(**WEEK))["ladder"]
    assert [on(ladder, "late", s) for s in (60, 3600)] == [1, 1]
    assert [on(ladder, "late_in_working_hours", s) for s in (60, 3600)] == [1, 0]


@pytest.mark.parametrize(("end", "is_working"), [("18:59:59", False), ("19:00:01", True)])
def test_office_hours_keep_to_the_clock_on_the_wall_when_it_is_moved(end: str, is_working: bool) -> None:
    """On Sunday, 29 September 2030, Auckland's clocks go forward: Monday 08:00 is then 19:00 UTC, not 20:00."""
    start, stop = (
        int((datetime.fromisoformat(f"2030-09-29T{at}+00:00") - START).total_seconds()) for at in ("06:00:00", end)
    )
    chosen = settings(window=(start - HOUR, start + DAY), as_of=start + 2 * DAY)
    ladder = climb(whole("A1", start, stop, ANN), FOUR, chosen)["ladder"]
    assert (on(ladder, "late", 3600), on(ladder, "late_in_working_hours", 3600)) == (1, int(is_working))


@pytest.mark.parametrize(("timezone", "is_working"), [("Pacific/Auckland", False), ("UTC", True)])
def test_office_hours_are_those_of_the_incidents_zone(timezone: str, is_working: bool) -> None:
    ladder = climb(whole("A1", 0, 60, ANN), FOUR, settings(timezone=timezone, **WEEK))["ladder"]
    assert on(ladder, "late_in_working_hours", 60) == int(is_working)


def test_the_report_names_the_working_hours_that_were_counted() -> None:
    with impact.workspace() as db:
        impact.declare(db, record_frame(FOUR), settings())
        db.execute(DELIVERIES_ARE_NONE)
        impact.run_files(db, ["80_people.sql"])
        last, opens, closes = db.sql("SELECT last_weekday, opens, closes FROM working_hours").fetchall()[0]
    name = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[last - 1]
    assert f"Monday to {name}, {opens:%H:%M} to {closes:%H:%M}" == WORKING_HOURS


DELIVERIES_ARE_NONE = """
CREATE TABLE deliveries (
    segment VARCHAR, mailbox VARCHAR, account_id VARCHAR, customer_id VARCHAR, is_bulk BOOLEAN, outcome VARCHAR,
    delay_seconds DOUBLE, arrived_at TIMESTAMPTZ, ended_at TIMESTAMPTZ
)
"""


def test_without_mail_and_without_records_every_rung_is_there_and_empty() -> None:
    ladder = climb([], [], settings())["ladder"]
    rungs = 4 + 2 * 2
    assert ladder.height == 3 * 2 * rungs
    assert ladder["measured"].sum() == 0
    with_records = climb([], FOUR, settings())["ladder"]
    assert with_records.filter(pl.col("measured") > 0)["rung"].unique().to_list() == ["provisioned"]


@hypothesis_settings(max_examples=15, deadline=None)
@given(rows=logs())
def test_on_drawn_logs_the_ladder_agrees_with_the_grid_and_with_a_plain_count(rows: list[Row]) -> None:
    chosen = settings(window=(-7 * HOUR, 3600), thresholds=(1, 40), as_of=9 * HOUR)
    found = climb(rows, RECORDS, chosen)
    assert reasons(gates_on_ladder(found["ladder"], found["cells"])) == []
    for messages in ("all", "excluding_bulk"):
        for seconds in chosen.thresholds_seconds:
            plain = {
                row["mailbox"]
                for row in found["deliveries"].iter_rows(named=True)
                if row["mailbox"] and _counts(row, messages, seconds, chosen) and _is_working(row, chosen)
            }
            place = {"unit": "mailbox", "messages": messages}
            assert on(found["ladder"], "late_in_working_hours", seconds, **place) == len(plain)


def _counts(row: dict[str, Any], messages: str, seconds: int, chosen: Settings) -> bool:
    is_late = row["outcome"] in ("delivered", "pending") and row["delay_seconds"] >= seconds
    is_inside = chosen.window.start <= row["arrived_at"] < chosen.window.end
    return is_late and is_inside and (messages == "all" or not row["is_bulk"])


def _is_working(row: dict[str, Any], chosen: Settings) -> bool:
    """Look at each local day of the wait."""
    start, end = row["arrived_at"], row["ended_at"] or chosen.as_of
    day = start.astimezone(ZONE).date()
    while day <= end.astimezone(ZONE).date():
        opens, closes = (datetime.combine(day, time(hour), ZONE).astimezone(UTC) for hour in (8, 18))
        if day.isoweekday() <= 5 and start < closes and (start >= opens or end > opens):
            return True
        day += timedelta(days=1)
    return False


@pytest.mark.parametrize(
    ("change", "gate"),
    [
        ({"rung": "late", "unit": "mailbox"}, "differ"),
        ({"rung": "exposed", "unit": "account"}, "broke it"),
        ({"rung": "lost", "unit": "customer"}, "broke it"),
        ({"rung": "late_in_working_hours", "unit": "customer"}, "broke it"),
    ],
)
def test_a_rung_that_contradicts_the_others_refuses_publication(change: dict[str, str], gate: str) -> None:
    found = climb(whole("A1", 0, 60, ANN), FOUR, settings())
    assert reasons(gates_on_ladder(found["ladder"], found["cells"])) == []
    is_hit = (pl.col("rung") == change["rung"]) & (pl.col("unit") == change["unit"])
    wrong = found["ladder"].with_columns(measured=pl.when(is_hit).then(pl.col("measured") + 9).otherwise("measured"))
    assert any(gate in reason for reason in reasons(gates_on_ladder(wrong, found["cells"])))
    assert reasons(gates_on_ladder(found["ladder"].clear(), found["cells"].clear()))


def rungs(**counts: int) -> pl.DataFrame:
    """A ladder of mailboxes, bulk mail counted: rung and count, `late_60` for late at a minute; none without bulk."""
    rows = []
    for step, (name, measured) in enumerate(counts.items(), start=1):
        rung, _, seconds = name.rpartition("_") if name[-1].isdigit() else (name, "", "")
        row = {"rung": rung, "threshold_seconds": int(seconds) if seconds else None, "step": step, "measured": measured}
        rows += [row | {"messages": m, "unit": "mailbox", "segment": "all"} for m in ("all", "excluding_bulk")]
    bulk = pl.col("messages") == "excluding_bulk"
    frame = LADDER.conform(pl.DataFrame(rows, infer_schema_length=None))
    return frame.with_columns(measured=pl.when(bulk).then(pl.col("measured") // 2).otherwise("measured"))


LONG = rungs(provisioned=900, active=800, exposed=500, late_60=300, late_3600=100, lost=20)


@pytest.mark.parametrize(
    ("low", "high", "stands_at"),
    [
        (700, 760, ("active", "all", 40, 0)),  # too low for the nearest: the gap is to the claim's upper end
        (300, 300, ("late", "all", 0, 1)),
        (900, 900, ("provisioned", "all", 0, 1)),
        (5000, 9000, ("provisioned", "all", 4100, 0)),
        (250, 550, ("late", "all", 0, 5)),  # of five that fit, the headline's own
        (15, 20, ("lost", "all", 0, 1)),
        (148, 151, ("late", "excluding_bulk", 0, 1)),
        (0, 0, ("lost", "excluding_bulk", 10, 0)),
    ],
)
def test_a_claim_stands_on_the_rung_nearest_to_it(low: int, high: int, stands_at: tuple[str, str, int, int]) -> None:
    found = pin(low, high, "mailbox", LONG, HEADLINE)
    assert found is not None
    assert (found.rung, found.messages, abs(found.gap), found.fitting) == stands_at
    assert found.rungs == LONG.height


def test_a_claim_that_misses_says_on_which_side() -> None:
    assert pin(1000, 1000, "mailbox", LONG, HEADLINE).gap == 100  # type: ignore[union-attr]
    assert pin(3, 5, "mailbox", LONG, HEADLINE).gap == -5  # type: ignore[union-attr]


def test_messages_and_unknown_units_have_no_ladder() -> None:
    assert pin(1, 2, "message", LONG, HEADLINE) is None
    assert pin(1, 2, "mailbox", LADDER.empty(), HEADLINE) is None
