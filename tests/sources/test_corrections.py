"""Corrections of customer records: what they change, and that they fail when the records changed."""

from datetime import date

import polars as pl
import pytest

from sources.corrections import Correction, correct
from sources.errors import BadInput
from tests.expectations.tables import records

TABLE = records(
    ("A1", "business", "ann@example.com", "ann@example.com", 1, None),
    ("A1", "business", "ann@example.com", "info@example.com", 1, None),
    ("A2", "residential", "bob@example.com", "info@example.com", 1, 9),
)


def made(*corrections: Correction) -> tuple[pl.DataFrame, pl.DataFrame]:
    return correct(TABLE, corrections, "corrections.yaml")


def correction(expect: int, select: dict[str, str | None], **sets: str | date | None) -> Correction:
    return Correction(select, sets or None, expect, "ticket 4711", "J. Doe")


def test_values_are_set_and_records_removed_in_order() -> None:
    corrected, told = made(
        correction(2, {"account_id": "A1"}, segment="residential", valid_to=date(2030, 12, 31)),
        correction(1, {"address": "info@example.com", "segment": "residential", "account_id": "A2"}),
        correction(2, {"segment": "residential"}, customer_id=None),
    )
    assert corrected["address"].to_list() == ["ann@example.com", "info@example.com"]
    assert corrected["segment"].unique().to_list() == ["residential"]
    assert corrected["customer_id"].to_list() == [None, None]
    assert told.select("action", "selected_by", "columns", "records").rows() == [
        ("set", "account_id", "segment, valid_to", 2),
        ("remove", "address, segment, account_id", None, 1),
        ("set", "segment", "customer_id", 2),
    ]
    assert "example.com" not in told.write_csv(), "which records are meant is nobody's business"


@pytest.mark.parametrize("expect", [0, 1, 3])
def test_another_number_of_records_than_expected_is_refused(expect: int) -> None:
    with pytest.raises(
        BadInput, match=rf"yaml, correction 1 meets 2 records and expects {expect}: the records have cha"
    ):
        made(correction(expect, {"account_id": "A1"}, segment="residential"))


def test_a_value_that_is_not_given_is_met_by_its_absence() -> None:
    corrected, _ = made(correction(2, {"valid_to": None}))
    assert corrected["account_id"].to_list() == ["A2"]


def test_records_that_a_correction_makes_alike_are_one() -> None:
    corrected, _ = made(
        correction(1, {"address": "ann@example.com"}, address="info@example.com"),
        correction(1, {"account_id": "A2"}),
    )
    assert corrected.height == 1
