"""The public site in a real browser: all its pages, wide and on a phone, light and dark; links lead where they say."""

from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from mailtoll.site import put_on_site
from reports.public import public_files
from tests.reports import publication_fixture as fixture
from tests.reports.conftest import Scheme, open_page
from tests.reports.test_page import HOSTILE

PAGES = ("index.html", "flood/index.html", "flood/latest/index.html")
LOOKS: tuple[tuple[int, Scheme], ...] = ((1280, "light"), (1280, "dark"), (390, "light"), (390, "dark"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with two counts of one incident, and one of another whose title and claims are up to no good."""
    folder = tmp_path_factory.mktemp("site")
    first = fixture.publication(vintages=fixture.vintages()[:1], cause="A mailing house sent 12 offers at once.")
    hostile = tuple(replace(claim, who=HOSTILE, said=HOSTILE) for claim in fixture.claims())
    counts = {
        ("flood", "0001-20301103T000000Z"): first,
        ("flood", "0002-20301106T000000Z"): replace(first, vintages=fixture.vintages()[:2], status="final"),
        ("hostile", "0001-20301103T000000Z"): replace(first, title=HOSTILE, claims=hostile),
    }
    for (incident, count), p in counts.items():
        public = folder / "runs" / incident / count
        public.mkdir(parents=True)
        for name, content in public_files(p).items():
            (public / Path(name).name).write_bytes(content)
        put_on_site(folder / "site", incident, count, public)
    return folder / "site"


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [*((name, *look) for name in PAGES for look in LOOKS), ("hostile/latest/index.html", 390, "dark")],
)
def test_axe_finds_nothing_and_the_page_is_silent_and_fits(
    browser: Browser, site: Path, name: str, width: int, scheme: Scheme
) -> None:
    opened = open_page(browser, site / name, width, scheme)
    found = Axe().run(opened.page)
    assert found.violations_count == 0, found.generate_report()
    assert opened.noise == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    cut = "[...document.querySelectorAll('.scroll')].filter((e) => e.scrollWidth > e.clientWidth + 1).length"
    assert opened.page.evaluate(cut) == 0, "a table that is wider than its window"
    dark = opened.page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every((c) => c < 64)")
    assert dark == (scheme == "dark")
    opened.page.context.close()


def test_one_comes_from_the_index_to_the_latest_count_and_back(browser: Browser, site: Path) -> None:
    page = open_page(browser, site / "index.html").page
    folders = page.evaluate("[...document.querySelectorAll('a')].map((a) => a.getAttribute('href'))")
    assert all((site / folder / "index.html").is_file() for folder in folders)
    page.goto((site / "flood" / "latest" / "index.html").as_uri())
    assert page.locator(".chip").inner_text().lower() == "final"
    links = page.evaluate("[...document.querySelectorAll('a')].map((a) => a.getAttribute('href'))")
    assert {"figures.csv", "figures.json", "../"} <= set(links)
    home = site / "flood" / "latest"
    assert all((home / link).exists() for link in links if not link.startswith("#"))
    assert (site / "flood" / "latest").readlink() == Path("0002-20301106T000000Z")
    page.context.close()
