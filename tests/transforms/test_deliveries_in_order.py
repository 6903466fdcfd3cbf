"""Deliveries are read a share at a time: whatever the shares, every delivery once, by arrival and then by key."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from expectations.tables import DELIVERIES
from transforms import impact

START = datetime(2030, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("most_shares", [2, 60])
@pytest.mark.parametrize("rows_in_share", [1, 2, 3, 100])
@pytest.mark.parametrize("seconds", [[], [5], [7, 7, 7, 7], [3, 1, 2, 1, 9, 1, 4]])
def test_shares_of_any_size_give_every_delivery_once_and_in_order(
    seconds: list[int], rows_in_share: int, most_shares: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impact, "_ROWS_IN_SHARE", rows_in_share)
    monkeypatch.setattr(impact, "_MOST_SHARES", most_shares)
    rows = {
        "message_key": [f"m{number}" for number in range(len(seconds))],
        "arrived_at": [START + timedelta(seconds=second) for second in seconds],
    }
    table = DELIVERIES.conform(pl.DataFrame(rows, schema_overrides={"message_key": pl.String}))
    with impact.workspace() as db:
        db.register("frame", table.to_arrow())
        db.execute("CREATE TABLE deliveries AS FROM frame")
        found = impact.deliveries_in_order(db).collect()
    assert found.equals(table.sort("arrived_at", "message_key"))
