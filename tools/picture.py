"""Take the picture of a report that the README shows, by Debian's chromium: the answer, and the claims below it.

python -m tools.picture build/officemail-sample/report.html docs/report.png
"""

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import FloatRect, sync_playwright

WIDTH, MARGIN = 1280, 24


def main() -> None:
    """Open the page as a reader does, and save it down to the end of the claims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("picture", type=Path)
    given = parser.parse_args()
    chromium = shutil.which("chromium")
    if not chromium:
        raise SystemExit("picture: chromium is missing; `setup/debian-packages` installs it.")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser,
    ):
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.goto(given.page.resolve().as_uri())
        end = page.evaluate("document.getElementById('claims').getBoundingClientRect().bottom")
        clip: FloatRect = {"x": 0, "y": 0, "width": WIDTH, "height": end + MARGIN}
        page.screenshot(path=given.picture, full_page=True, clip=clip)


if __name__ == "__main__":
    main()
