"""The page of quality checks: each of them, what was found, and nobody's name."""

from dataclasses import replace

import polars as pl
import pytest

from expectations.gx import Count, run_counts
from reports.analyst import analyst_report
from reports.publication import Publication
from reports.quality import quality_page
from tests.reports import publication_fixture as fixture
from tests.reports.pages import read
from tests.reports.test_page import HOSTILE


def _said(p: Publication) -> str:
    return " ".join(read(quality_page(p)).text.split())


@pytest.mark.parametrize("p", [fixture.publication(), fixture.refused()], ids=["published", "refused"])
def test_each_check_is_there_with_what_was_seen_and_allowed(p: Publication) -> None:
    text = _said(p)
    assert p.gates is not None
    for gate in p.gates.iter_rows(named=True):
        assert f"Observed {gate['observed']} Allowed {gate['limit']}" in text
    assert text.count("Remedy ask for the records") == 2, "among what did not hold, and in its group"
    assert text.count("Remedy") == 2, "only what did not hold needs one"


def test_great_expectations_itself_is_quoted() -> None:
    counted = run_counts(
        [Count("holes", "log files", "fail", {"mx1": 0, "mx2": 3}, 1, "the most is 3", "at most 1", "Look.")]
    )
    text = _said(fixture.publication(gates=counted))
    assert "Observed the most is 3: mx2 Allowed at most 1 Remedy Look." in text
    asked = "ExpectColumnPairValuesAToBeGreaterThanB(column_A='maximum', column_B='value', or_equal=True)"
    assert f"Asked {asked}: 2 compared, 1 in breach" in text


def test_a_run_without_checks_says_so() -> None:
    assert "No check ran." in _said(fixture.publication(gates=None))


def test_no_address_no_account_and_no_markup_reaches_it() -> None:
    p = fixture.publication()
    assert p.gates is not None
    leak = pl.lit(f"ACC000007 and jo@mail.example.com {HOSTILE}")
    page = read(quality_page(replace(p, title=HOSTILE, gates=p.gates.with_columns(observed=leak, remedy=leak))))
    assert "jo@mail" not in page.text
    assert "ACC000007" not in page.text
    assert "<script>alert(1)" in page.text
    assert sum(tag == "script" for tag, _ in page.tags) == 1


def test_the_report_leads_to_it() -> None:
    for p in (fixture.publication(), fixture.refused()):
        assert "quality.html" in read(analyst_report(p)).links
