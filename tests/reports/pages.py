"""Reads a page's figures back out of its DOM, so that tests compare figures and not markup."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Page(HTMLParser):
    """A parsed page: figures by (name, field), ids, visible text, tags with their attributes."""

    figures: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""
    _silent: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag in ("script", "style"):
            self._silent = tag
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        if "data-cell" in given:
            self.figures.setdefault((str(given["data-cell"]), str(given["data-field"])), set()).add(
                str(given["data-value"])
            )

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text += data


def read(html: str) -> Page:
    """Return the parsed page."""
    page = Page()
    page.feed(html)
    page.close()
    return page
