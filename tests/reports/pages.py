"""Reads a page's figures back out of its DOM, so that tests compare figures and not markup."""

import re
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


_WORD = re.compile(r"\w+(?:[.,:]\d+)*")
_BLOCKS = {"p", "h1", "h2", "h3", "li", "tr", "body"}


def words_in(text: str) -> tuple[str, ...]:
    """Return words and figures in their order, without case and punctuation."""
    return tuple(_WORD.findall(text.casefold()))


def blocks(html: str) -> list[str]:
    """Return the texts of a page's paragraphs, headings, points and table rows, in their order."""
    reader = _Blocks()
    reader.feed(html.partition("<body")[2].partition(">")[2])
    reader.close()
    reader.end()
    return reader.found


class _Blocks(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._between(tag)

    def handle_endtag(self, tag: str) -> None:
        self._between(tag)

    def handle_data(self, data: str) -> None:
        self._open += data

    def _between(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.end()

    def end(self) -> None:
        if self._open.strip():
            self.found.append(" ".join(self._open.split()))
        self._open = ""
