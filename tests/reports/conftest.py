"""A browser for the pages, and what a page says or asks for while it is open."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

Scheme = Literal["light", "dark"]
Open = Callable[..., "Opened"]


@dataclass
class Opened:
    """A page and what it said or asked for while it loaded."""

    page: Page
    noise: list[str]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    path = shutil.which("chromium")
    assert path, "Chromium is missing: `make test` installs it (setup/debian-packages)."
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, args=["--no-sandbox"]) as launched,
    ):
        yield launched


def open_page(browser: Browser, path: Path, width: int = 1280, scheme: Scheme = "light") -> Opened:
    """Open a file in a window of its own; console lines, errors and requests outside are its noise."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    noise: list[str] = []
    page.on("console", lambda message: noise.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: noise.append(f"error: {error}"))
    page.on(
        "request", lambda request: noise.append(request.url) if not request.url.startswith(("file:", "data:")) else None
    )
    page.goto(path.as_uri())
    return Opened(page, noise)
