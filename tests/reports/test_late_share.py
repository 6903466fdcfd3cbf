"""The late share by time and the windows that it suggests, as the page shows them."""

from datetime import timedelta

import polars as pl
import pytest

from expectations.tables import LATE_SHARE
from reports.analyst import analyst_report
from reports.beside import windows_table
from reports.charts.late_share import late_share_chart
from tests.reports.publication_fixture import START, publication, windows


def steps(n: int) -> pl.DataFrame:
    """So many steps of ten minutes with 20 deliveries each; in the second half, half of them are late."""
    row = pl.int_range(n)
    is_late = row >= n // 2
    return LATE_SHARE.conform(
        pl.select(
            start_at=pl.lit(START) + pl.duration(minutes=10 * row),
            end_at=pl.lit(START) + pl.duration(minutes=10 * (row + 1)),
            deliveries=pl.lit(20).repeat_by(n).explode(empty_as_null=True),
            late=pl.when(is_late).then(10).otherwise(0),
            level_share=pl.when(is_late).then(0.5).otherwise(0.0),
            is_disturbed=is_late,
        )
    )


@pytest.mark.parametrize("n", [8, 1000])
def test_every_delivery_is_in_the_chart_and_its_table_however_many_steps(n: int) -> None:
    chart = late_share_chart(publication(late_share=steps(n)))
    assert chart is not None
    assert len(chart.table.rows) <= 240
    arrived = sum(int(row[1].value) for row in chart.table.rows)
    late = sum(int(row[2].value) for row in chart.table.rows)
    assert (arrived, late) == (20 * n, 10 * n // 2)
    level = chart.figure["data"][1]
    assert level["y"] == [0.0, 0.0, 0.5, 0.5]


def test_a_run_without_it_leaves_the_chart_out() -> None:
    assert late_share_chart(publication(late_share=None)) is None
    assert late_share_chart(publication(late_share=LATE_SHARE.empty())) is None
    assert 'id="late-share"' not in analyst_report(publication(late_share=None))
    assert 'id="late-share"' in analyst_report(publication(late_share=steps(40)))


def test_the_windows_stand_beside_each_other_with_the_headline_under_each() -> None:
    counted = windows().with_columns(measured=pl.Series([314, 317]))
    table = windows_table(publication(windows=counted))
    assert table is not None
    said = [(row[0].text, row[2].value) for row in table.rows]
    assert said == [("declared, used", "314"), ("detected as fixed", "317")]
    assert table.columns[2] == "accounts in it"
    assert table.rows[1][5].text == "1 d 13 h"
    assert timedelta(days=1, hours=13) == counted["end_at"][1] - counted["start_at"][1]
