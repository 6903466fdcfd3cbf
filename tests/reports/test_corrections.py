"""The report tells which records were corrected, and withholds whose they are."""

import polars as pl

from expectations.tables import CORRECTIONS
from reports.analyst import analyst_report
from reports.evidence import corrections_table
from tests.reports.pages import read
from tests.reports.publication_fixture import publication


def test_corrections_are_listed_without_addresses() -> None:
    row = {
        "correction": 1,
        "selected_by": "account_id, address",
        "action": "set",
        "columns": "segment",
        "records": 3,
        "reason": "ann@example.com asked for it",
        "who": "J. Doe",
    }
    told = publication(corrections=CORRECTIONS.conform(pl.DataFrame([row])))
    text = read(analyst_report(told)).text
    assert "account id, address" in text
    assert "[address withheld] asked for it" in text
    assert "ann@example.com" not in text
    assert corrections_table(publication()) is None
