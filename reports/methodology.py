"""The rules in full, as docs/methodology.md states them, for a page that is read away from the project.

Only what that page uses is understood: sections, paragraphs, lists, tables, code, emphasis and links. A link leads to
a section within the page, else the file is named, since nothing beside the page travels with it.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

_FILE = Path(__file__).parents[1] / "docs" / "methodology.md"
_MARKS = (
    (re.compile(r"\[([^\]]+)\]\((?!#)([^)]*)\)"), r"\1 (docs/\2)"),
    (re.compile(r"\[([^\]]+)\]\(#([\w-]+)\)"), r'<a href="#rule-\2">\1</a>'),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])"), r"<em>\1</em>"),
)


@dataclass(frozen=True)
class Rule:
    """One section of the methodology; `id` is its anchor in the page."""

    id: str
    title: str
    body: Markup


@cache
def rules() -> tuple[Rule, ...]:
    """Return the methodology's sections in their order; none where the project's docs are not at hand."""
    if not _FILE.exists():
        return ()
    return read_rules(_FILE.read_text(encoding="utf-8"))


def read_rules(text: str) -> tuple[Rule, ...]:
    """Return the sections of a text in the methodology's markup; what stands before the first one is left out."""
    found = []
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        blocks = [_block(block) for block in re.split(r"\n\s*\n", body.strip()) if block.strip()]
        found.append(Rule(f"rule-{slug(title)}", title.strip(), Markup("\n").join(blocks)))
    return tuple(found)


def slug(title: str) -> str:
    """Return a title as an anchor: `What became of a delivery` is `what-became-of-a-delivery`."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _block(block: str) -> Markup:
    lines = block.split("\n")
    if lines[0].startswith("|"):
        head, _, *rows = lines
        body = Markup("").join(_row(row, "td") for row in rows)
        return Markup("<table><thead>{}</thead><tbody>{}</tbody></table>").format(_row(head, "th"), body)
    for pattern, tag in ((r"^\d+\. ", "ol"), (r"^- ", "ul")):
        if re.match(pattern, lines[0]):
            items = re.split(pattern, block, flags=re.MULTILINE)[1:]
            return _element(tag, Markup("").join(_element("li", _inline(item)) for item in items))
    return _element("p", _inline(block))


def _row(line: str, tag: str) -> Markup:
    cells = line.strip().strip("|").split("|")
    return _element("tr", Markup("").join(_element(tag, _inline(cell)) for cell in cells))


def _element(tag: str, content: Markup) -> Markup:
    return Markup("<{0}>{1}</{0}>").format(Markup(tag), content)  # noqa: S704 - one of the few tags above


def _inline(text: str) -> Markup:
    """Return a line's text, escaped, with its marks; within code nothing is a mark."""
    parts = re.split(r"`([^`]+)`", " ".join(text.split()))
    return Markup("").join(_element("code", escape(part)) if i % 2 else _marked(part) for i, part in enumerate(parts))


def _marked(text: str) -> Markup:
    said = str(escape(text))
    for pattern, replacement in _MARKS:
        said = pattern.sub(replacement, said)
    return Markup(said)  # noqa: S704 - escaped above; only our own marks are put in
