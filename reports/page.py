"""How pages are made: Jinja templates with everything escaped, one file each, nothing fetched."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from reports import words
from reports.charts.base import Chart
from reports.harmless import harmless, script_json
from reports.page_table import Entry

_HERE = Path(__file__).parent


def render(template: str, **context: Any) -> str:
    """Return a page. Every value is escaped, and made harmless first; only our own files go in as they are.

    A template named `.txt.j2` makes plain text, in which there is nothing to escape.
    """
    return _environment().get_template(template).render(**context)


def macro(template: str) -> Callable[..., str]:
    """Return the macro `text` of a template as a function: for short texts by the thousand."""
    text: Callable[..., str] = vars(_environment().get_template(template).module)["text"]
    return text


def preload() -> None:
    """Compile all templates: 0.15 s that need not pass when the first page is made."""
    for name in _environment().list_templates(extensions=["j2"]):
        _environment().get_template(name)


def asset(name: str) -> Markup:
    """Return one of our own static files, to be embedded as it is."""
    return Markup((_HERE / "static" / name).read_text(encoding="utf-8"))  # noqa: S704 - a file of this project, no data


def with_code(text: str) -> Markup:
    """Return text, escaped and made harmless, with what stands between backticks set as code."""
    parts = escape(harmless(text)).split("`")
    if len(parts) % 2 == 0:  # a backtick without its twin is a letter like any other
        parts[-2:] = [Markup("{}`{}").format(parts[-2], parts[-1])]
    return Markup("").join(
        Markup("<code>{}</code>").format(Markup(part)) if i % 2 else Markup(part)  # noqa: S704 - escaped above
        for i, part in enumerate(parts)
    )


def entries(row: Sequence[Entry]) -> Markup:
    """Return the cells of a table's row, its first the row's head: here, as a page has 17,000 of them."""
    return Markup("").join(_entry(entry, "td" if place else "th") for place, entry in enumerate(row))


def figures_json(charts: Sequence[Chart]) -> Markup:
    """Return all figures of the page as JSON by chart id, fit for a script element."""
    return script_json({chart.id: chart.figure for chart in charts})


def _entry(e: Entry, tag: str) -> Markup:
    scope = ' scope="row"' if tag == "th" else ""
    kind = ' class="number"' if e.is_number else ' class="instant"' if e.is_instant else ""
    cell = f' data-cell="{_safe(e.figure[0])}" data-field="{_safe(e.figure[1])}"' if e.figure else ""
    said = with_code(e.text) if "`" in e.text and not e.is_number else _safe(e.text)
    text = said if e.is_number else f"<bdi>{said}</bdi>"
    return Markup(f'<{tag}{scope}{kind} data-value="{_safe(e.value)}"{cell}>{text}</{tag}>')  # noqa: S704 - made safe


def _safe(text: str) -> Markup:
    return escape(harmless(text))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=select_autoescape(disabled_extensions=("txt.j2",), default=True, default_for_string=True),
        undefined=StrictUndefined,
        finalize=harmless,
        auto_reload=False,  # a run's templates stay as they are, and it renders thousands of letters
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=words.number,
        duration=words.duration,
        percent=words.percent,
        units=words.units,
        sentence=words.sentence,
        with_code=with_code,
        entries=entries,
    )
    environment.globals["asset"] = asset
    return environment
