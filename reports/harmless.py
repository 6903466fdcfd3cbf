"""Text from logs, records and the incident file is hostile: what may reach a page, and in which form.

Escaping is the templates' work (autoescape); here is what escaping doesn't mend: addresses that no public page may
hold, letters that turn the reading direction, control characters, and words that a spreadsheet would run.
"""

import html
import json
import re
from collections.abc import Iterable
from typing import Any

import polars as pl
from markupsafe import Markup

_ADDRESS = re.compile(r"""[^\s<>"'@,;:()\[\]{}*?|/\\]+@[^\s<>"'@,;:()\[\]{}=|/\\]+""")
_LOCAL_PART_QUOTED = re.compile(r'"[^"\n]*"@[^\s<>"]+')
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_USER_INFO = re.compile(r"(?<=://)[^/\s@]+@")
_WORD = re.compile(r"[A-Za-z0-9_.:-]+")

WITHHELD = "[address withheld]"


def harmless(value: Any) -> Any:
    """Return `value` fit for a page: text loses addresses and shows invisible characters; other values pass.

    Markup passes: it was made by a template, out of text that came through here already.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    if value.isascii() and value.isprintable() and "@" not in value:  # nearly everything
        return value
    text = _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
    if "@" not in text:
        return text
    text = _USER_INFO.sub("", text)
    return _ADDRESS.sub(WITHHELD, _LOCAL_PART_QUOTED.sub(WITHHELD, text))


def for_chart(value: Any) -> str:
    """Return text for a chart, whose labels may carry markup: harmless, and escaped."""
    return html.escape(str(harmless(str(value))), quote=False)


def script_json(content: Any) -> Markup:
    """Return JSON that can stand inside a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - every character that markup could use is escaped above


def without_ids(text: str, ids: frozenset[str]) -> str:
    """Return `text` with each word that is one of `ids` withheld."""
    return _WORD.sub(lambda found: "[id withheld]" if found[0] in ids else found[0], text)


def ids_of(frames: Iterable[pl.DataFrame | None]) -> frozenset[str]:
    """Return the account and customer ids that the frames hold, less plain numbers of under six digits.

    Such a number can't be told from a count, so it stays.
    """
    found: set[str] = set()
    for frame in frames:
        for name in ("account_id", "customer_id"):
            if frame is not None and name in frame.columns:
                found |= set(frame[name].drop_nulls().unique().to_list())
    return frozenset(i for i in found if not (i.isdigit() and len(i) < 6))
