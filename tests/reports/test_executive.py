"""The summary and its plain-text twin say the same."""

import re
from dataclasses import replace

import pytest

from reports.executive import executive_summary
from reports.executive_text import WIDTH, executive_text
from reports.publication import Publication
from tests.reports import publication_fixture as fixture
from tests.reports.pages import read


def _figures(text: str) -> set[str]:
    return set(re.findall(r"\d[\d,.:]*\d|\d", text))


@pytest.mark.parametrize("p", [fixture.publication(), fixture.refused(), fixture.publication(claims=())])
def test_the_twin_holds_the_same_figures(p: Publication) -> None:
    html = read(executive_summary(p)).text.replace(f"{p.title}: summary", "")
    assert _figures(executive_text(p)) == _figures(html)


def test_the_twin_stays_within_its_lines_and_holds_no_address() -> None:
    p = replace(fixture.publication(), title="Mail of jo@mail.example.com is late, " * 4)
    text = executive_text(p)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "@" not in text


def test_a_claim_is_set_against_the_count_in_its_own_unit() -> None:
    text = " ".join(executive_text(fixture.publication()).split())
    lower = "Example Telecom said “several thousand users”. That is lower than our count of mailboxes: at least 15,073"
    assert lower in text
    assert "Radio Example said “20,000 users”. That is higher than our count of mailboxes" in text


def _said_of(claim: fixture.Claim) -> str:
    return " ".join(executive_text(fixture.publication(claims=(claim,))).split())


def test_bounds_decide_the_verdict_at_their_edges() -> None:
    claim = fixture.claims()[0]
    for edge in (15_073, 15_240):
        assert "That agrees with our count" in _said_of(replace(claim, low=edge, high=edge))
    below = _said_of(replace(claim, low=1, high=15_072))
    above = _said_of(replace(claim, low=15_241, high=99_999))
    assert "That is lower than our count" in below
    assert "That is higher than our count" in above


def test_a_short_ordinary_time_gives_only_a_lower_limit() -> None:
    p = fixture.publication()
    window = p.settings.placebo_windows[0]
    short = replace(window, end=window.start + (window.end - window.start) / 4)
    text = " ".join(executive_text(replace(p, settings=replace(p.settings, placebo_windows=(short,)))).split())
    assert "An ordinary time of only 12 hours, shorter than the window, has at least 156 accounts." in text
