"""The summary as a page, as plain text and on paper: the same said three times, each complete by itself."""

import json
import re
import struct
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pypdfium2
import pytest

from reports.executive import executive_files, executive_summary
from reports.executive_text import WIDTH, executive_text
from reports.impact_json import impact_json
from reports.pictures import pictures
from reports.publication import Publication
from reports.typeset import executive_pdf
from tests.reports import publication_fixture as fixture
from tests.reports.pages import blocks, read, words_in
from tests.reports.test_page import EDGES, HOSTILE

NAMED = {"cause": "A mailing house sent 12 offers at once.", "next_update": datetime(2030, 11, 6, 8, tzinfo=UTC)}


def _figures(text: str) -> set[str]:
    return set(re.findall(r"\d[\d,.:]*\d|\d", text))


def _on_paper(pdf: bytes) -> tuple[int, str]:
    """Return how many sheets there are, and the words on them."""
    sheets = pypdfium2.PdfDocument(pdf)
    return len(sheets), " ".join(" ".join(sheet.get_textpage().get_text_range() for sheet in sheets).split())


def _without_title(p: Publication) -> str:
    return read(executive_summary(p)).text.replace(f"{p.title}: summary", "")


@pytest.mark.parametrize(
    "p",
    [fixture.publication(**NAMED), fixture.refused(), fixture.publication(claims=())],
    ids=["full", "refused", "bare"],
)
def test_page_text_and_paper_hold_the_same_figures(p: Publication) -> None:
    page = _figures(_without_title(p))
    assert _figures(executive_text(p)) == page
    assert _figures(_on_paper(executive_pdf(p, ()))[1]) == page


@pytest.mark.parametrize(
    "p",
    [fixture.publication(**NAMED), fixture.refused(), *(edge(fixture.publication(**NAMED)) for edge in EDGES.values())],
    ids=["full", "refused", *EDGES],
)
def test_the_plain_text_says_all_that_the_page_says_and_nothing_else(p: Publication) -> None:
    said = executive_text(p).split("\n\n")
    assert len(said) > 8
    assert sorted(map(words_in, said)) == sorted(map(words_in, blocks(executive_summary(p))))


def test_the_figures_are_those_of_impact_json() -> None:
    p = fixture.publication()
    impact = json.loads(impact_json(p))
    headline = impact["headline"]
    chosen = {name: headline[name] for name in ("unit", "threshold_seconds", "messages", "count")}
    cells = [c for c in impact["cells"] if chosen.items() <= c.items() and c["segment"] != "unmatched"]
    wanted = {f"{c['measured']:,}" for c in cells} | {f"{headline['lower']:,}", f"{headline['upper']:,}"}
    for words in (_without_title(p), executive_text(p), _on_paper(executive_pdf(p, pictures(p)))[1]):
        assert wanted <= _figures(words)
        assert f"{headline['measured']:,} accounts" in " ".join(words.lower().split())


@pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES.keys())
def test_each_edge_case_fits_on_one_sheet(edge) -> None:  # type: ignore[no-untyped-def]
    p = edge(fixture.publication(**NAMED))
    sheets, words = _on_paper(executive_pdf(p, pictures(p)))
    assert sheets == 1
    assert "6 Nov 2030 21:00 NZDT" in words
    assert not re.search(r"\bNone\b|\bnan\b|\binf\b", words)


def test_ten_claims_and_a_letter_that_no_font_has_still_make_one_sheet() -> None:
    claim = fixture.claims()[0]
    many = tuple(replace(claim, who=f"Speaker {n}", said=HOSTILE) for n in range(10))
    sheets, words = _on_paper(executive_files(fixture.publication(claims=many, title="Fl\ue000od"))["summary.pdf"])
    assert sheets == 1
    assert all(f"Speaker {n} said" in words for n in range(10))
    assert "alert(1)" in words


def test_paper_is_tagged_for_screen_readers_and_repeats_to_the_byte() -> None:
    p = fixture.publication()
    files = executive_files(p)
    assert b"pdfuaid:part" in files["summary.pdf"]
    assert executive_files(p) == files


def test_pictures_lie_beside_the_page_which_says_everything_without_them() -> None:
    p = fixture.publication()
    files = executive_files(p)
    images = [given for tag, given in read(files["summary.html"].decode()).tags if tag == "img"]
    assert [i["src"] for i in images] == ["summary-claims.png", "summary-waiting.png"]
    assert {str(i["src"]) for i in images} == {name for name in files if name.endswith(".png")}
    for image in images:
        content = files[str(image["src"])]
        assert content.startswith(b"\x89PNG")
        assert struct.unpack(">I", content[16:20]) == (1200,)
    assert "Radio Example said “20,000 users”, 20,000 mailboxes" in str(images[0]["alt"])
    assert "counted were at least 11,533 and up to 11,661 accounts" in str(images[0]["alt"])
    assert re.search(r"at most \d\d\d,\d\d\d at 1 Nov 2030", str(images[1]["alt"]))
    blocked = read(executive_summary(p)).text
    assert blocked.split() == read(files["summary.html"].decode()).text.split()


def test_the_waiting_is_shown_around_the_window_and_up_to_its_peak() -> None:
    p = fixture.publication(minutes=fixture.minutes(days=30))
    window = p.settings.window
    (shown,) = (picture.content for picture in pictures(p) if picture.kind == "waiting")
    third = pytest.approx(1 / 3, abs=0.02)
    assert (shown["window"]["from"], 1 - shown["window"]["to"]) == (third, third)
    assert max(step["all"] for step in shown["steps"]) > 0.8
    assert p.minutes is not None
    early = window.start - 4 * (window.end - window.start)
    risen = p.minutes.with_columns(backlog=pl.when(pl.col("start_at") == early).then(10**7).otherwise("backlog"))
    (shown,) = (x.content for x in pictures(replace(p, minutes=risen)) if x.kind == "waiting")
    assert shown["steps"][0]["all"] == 1.0


def test_a_refusal_shows_no_picture() -> None:
    assert set(executive_files(fixture.refused())) == {"summary.html", "summary.txt", "summary.pdf"}


def test_cause_and_next_update_are_said_where_they_are_known() -> None:
    known = " ".join(executive_text(fixture.publication(**NAMED)).split())
    assert "CAUSE A mailing house sent 12 offers at once. WHAT IS STILL UNKNOWN" in known
    assert "NEXT UPDATE 6 Nov 2030 21:00 NZDT. Incident" in known
    unknown = " ".join(executive_text(fixture.publication()).split())
    assert "CAUSE Not stated so far." in unknown
    assert "NEXT UPDATE No time is set for it." in unknown
    final = " ".join(executive_text(fixture.publication(status="final")).split())
    assert "NEXT UPDATE No further one is planned: these figures are final." in final


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
