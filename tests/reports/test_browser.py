"""The pages in a real browser: drawn, silent, reachable by keyboard, clean by axe, at every width and on paper."""

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from reports.analyst import analyst_report
from reports.executive import executive_files, executive_summary
from reports.glossary import GLOSSARY
from reports.impact_json import impact_json
from reports.publication import Publication
from reports.quality import quality_page
from tests.reports import publication_fixture as fixture
from tests.reports.conftest import Scheme, open_page
from tests.reports.test_page import HOSTILE

WIDTHS = (1280, 768, 390)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    p = fixture.publication()
    claim = fixture.Claim("=SUM(A1)", HOSTILE, 1, 2, "mailbox", 1, 2, None, HOSTILE)
    assert p.inputs is not None
    hostile = replace(p, title=HOSTILE, claims=(claim,), inputs=p.inputs.with_columns(uri=pl.lit("=HYPERLINK(1)")))
    pages = {
        "report": analyst_report(p),
        "refused": analyst_report(fixture.refused()),
        "summary-refused": executive_summary(fixture.refused()),
        "quality": quality_page(fixture.publication()),
        "hostile": analyst_report(hostile),
        "short": analyst_report(_short(p)),
    }
    for name, html in pages.items():
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    for name, content in executive_files(p).items():
        (folder / name).write_bytes(content)
    return folder


def _short(p: Publication) -> Publication:
    """Return the same with fewer rows, since axe looks at every cell of every open table."""
    assert p.cells is not None
    assert p.delays is not None
    few = p.settings.thresholds_seconds[1:3]
    return replace(
        p,
        settings=fixture.settings(thresholds_seconds=few),
        cells=p.cells.filter(pl.col("threshold_seconds").is_in(few), pl.col("unit").is_in(["account", "mailbox"])),
        minutes=fixture.minutes(step=timedelta(hours=6)),
        delays=p.delays.filter(pl.col("segment") == "all"),
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_is_drawn_silent_and_fits(browser: Browser, folder: Path, width: int) -> None:
    opened = open_page(browser, folder / "report.html", width)
    page = opened.page
    headline = json.loads(impact_json(fixture.publication()))["headline"]
    assert page.locator("#answer .big").inner_text() == f"{headline['measured']:,}"
    plots = page.locator(".plot").count()
    assert plots >= 9
    drawn = page.evaluate(
        "[...document.querySelectorAll('.plot')].filter(p => p.querySelector('.main-svg path')).length"
    )
    assert drawn == plots
    too_wide = (
        "[...document.querySelectorAll('.plot')].filter(p => p.querySelector('svg').clientWidth > p.clientWidth + 1)"
    )
    wide = page.evaluate(f"{too_wide}.length")
    assert wide == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.noise == []
    page.context.close()


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("short", 1280, "light"),
        ("short", 768, "dark"),
        ("short", 390, "dark"),
        ("quality", 1280, "dark"),
        ("quality", 390, "light"),
        ("refused", 390, "light"),
        ("summary", 390, "light"),
        ("summary-refused", 1280, "light"),
    ],
)
def test_axe_finds_nothing(browser: Browser, folder: Path, name: str, width: int, scheme: Scheme) -> None:
    opened = open_page(browser, folder / f"{name}.html", width, scheme)
    opened.page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    found = Axe().run(opened.page)
    assert found.violations_count == 0, found.generate_report()
    assert opened.noise == []
    opened.page.context.close()


@pytest.mark.parametrize("name", ["short", "quality"])
def test_axe_finds_nothing_on_paper(browser: Browser, folder: Path, name: str) -> None:
    opened = open_page(browser, folder / f"{name}.html", 800, "dark")
    opened.page.emulate_media(media="print", color_scheme="dark")
    opened.page.wait_for_selector("html.printing", state="attached")
    found = Axe().run(opened.page)
    assert found.violations_count == 0, found.generate_report()
    assert opened.page.locator("#gates-table tr[data-verdict=held]:visible").count() == 0
    opened.page.context.close()


def test_a_word_tells_its_meaning_on_hover_and_on_focus_until_escape(browser: Browser, folder: Path) -> None:
    page = open_page(browser, folder / "report.html", 390).page
    told, term = page.locator("#meaning"), page.locator("#what-happened .term").first
    assert not told.is_visible()
    term.focus()
    assert told.inner_text() == GLOSSARY["window"]
    assert term.get_attribute("aria-describedby") == "meaning"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("Escape")
    assert not told.is_visible()
    term.hover()
    assert told.is_visible()
    told.hover()
    assert told.is_visible(), "one can move onto it"
    page.mouse.move(0, 0)
    assert not told.is_visible()
    page.context.close()


def test_sixty_days_by_the_minute_are_there_within_two_seconds(browser: Browser, tmp_path: Path) -> None:
    """On a busy machine: no later than half as long again as a page of one hour, loaded in turn with it."""
    minutes = fixture.minutes(step=timedelta(minutes=1), days=60)
    html = analyst_report(fixture.publication(minutes=minutes, accounts=fixture.accounts(10_000)))
    assert len(html.encode()) < 5_000_000
    assert "86,400 steps of 1 minute are joined" in html
    (tmp_path / "long.html").write_text(html, encoding="utf-8")
    (tmp_path / "short.html").write_text(analyst_report(fixture.publication()), encoding="utf-8")
    seconds: dict[str, list[float]] = {"long": [], "short": []}
    for name in 3 * ("short", "long"):
        page = open_page(browser, tmp_path / f"{name}.html").page
        page.wait_for_load_state("load")
        assert page.locator("#backlog-plot .main-svg path").count()
        taken = page.evaluate("performance.timing.loadEventEnd - performance.timing.navigationStart") / 1000
        seconds[name].append(taken)
        page.context.close()
    assert min(seconds["long"]) < max(2, 1.5 * min(seconds["short"])), seconds


def test_hostile_text_does_nothing(browser: Browser, folder: Path) -> None:
    opened = open_page(browser, folder / "hostile.html")
    dialogs: list[str] = []
    opened.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    assert "<script>alert(1)</script>" in opened.page.locator("h1").inner_text()
    assert opened.page.locator("#claims-chart-plot a").count() == 0
    assert opened.page.locator("main img").count() == 0
    assert (opened.noise, dialogs) == ([], [])
    opened.page.context.close()


def test_a_table_is_saved_as_a_file_that_no_spreadsheet_runs(browser: Browser, folder: Path) -> None:
    page = open_page(browser, folder / "hostile.html").page
    with page.expect_download() as saved:
        page.locator("button.csv[data-table=inputs-table]").click()
    text = Path(str(saved.value.path())).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert saved.value.suggested_filename.endswith("-inputs.csv")
    assert rows[0]["file"] == "'=HYPERLINK(1)"
    assert rows[0]["bytes"] == "410000001"
    assert rows[0]["first stamp (UTC)"] == "2030-10-25T00:00:00Z"
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "@", "-", "\t"))]
    page.context.close()


def test_the_grid_is_filtered_and_counted(browser: Browser, folder: Path) -> None:
    page = open_page(browser, folder / "report.html").page
    page.locator("select[data-filter=unit]").select_option("account")
    shown = page.locator("#grid-table tbody tr:visible")
    assert shown.count() == 16
    assert page.locator("#grid output").inner_text() == "16 rows"
    page.locator("#grid button.all").click()
    cells = fixture.publication().cells
    assert cells is not None
    assert page.locator("#grid output").inner_text() == f"{len(cells)} rows"
    page.context.close()


def test_the_keyboard_reaches_everything(browser: Browser, folder: Path) -> None:
    page = open_page(browser, folder / "report.html").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("#ladder summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#ladder-table").is_visible()
    page.context.close()


def test_tabbing_goes_through_everything_and_out_again(browser: Browser, folder: Path) -> None:
    page = open_page(browser, folder / "short.html").page
    wanted = "[...document.querySelectorAll('a[href], button, select, summary, .scroll, pre')]"
    shown = f"{wanted}.filter((e) => e.checkVisibility())"
    page.evaluate(f"window.reached = new Set(); window.wanted = {shown}")
    page.evaluate("addEventListener('focusin', (event) => reached.add(event.target))")
    for _ in range(page.evaluate("wanted.length")):
        page.keyboard.press("Tab")
    missed = page.evaluate("wanted.filter((e) => !reached.has(e)).map((e) => e.outerHTML.slice(0, 80))")
    assert missed == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === document.body")
    page.context.close()


def test_paper_gets_light_charts_of_its_own_width(browser: Browser, folder: Path) -> None:
    page = open_page(browser, folder / "report.html", 1280, "dark").page
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_selector("html.printing", state="attached")
    assert page.evaluate("document.querySelector('#arrivals-plot svg').clientWidth") == 680
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(29, 27, 24)"
    page.emulate_media(media="screen", color_scheme="dark")
    page.wait_for_selector("html:not(.printing)", state="attached")
    assert page.evaluate("document.querySelector('#arrivals-plot svg').clientWidth") > 680
    page.context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_summary_shows_its_pictures_and_fits(browser: Browser, folder: Path, width: int) -> None:
    opened = open_page(browser, folder / "summary.html", width)
    widths = opened.page.evaluate("[...document.images].map((image) => image.complete && image.naturalWidth)")
    assert widths == [1200, 1200]
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.noise == []
    opened.page.context.close()


def test_the_summary_is_one_sheet_of_a4(browser: Browser, folder: Path) -> None:
    page = open_page(browser, folder / "summary.html").page
    pdf = page.pdf(format="A4", margin={"top": "12mm", "bottom": "12mm"})
    assert pdf.count(b"/Type /Page\n") == 1
    page.context.close()
