"""The summary on paper and its pictures, set by Typst: one library with its own fonts, no browser, no network."""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typst

from reports import words
from reports.brief import Section, brief
from reports.harmless import harmless
from reports.pictures import Picture
from reports.publication import Publication
from reports.segments import SegmentCount

_TEMPLATES = Path(__file__).parent / "templates"
_DOTS_PER_INCH = 192
"""Twice what a mail shows at 100 %, for fine screens."""


def executive_pdf(p: Publication, drawn: tuple[Picture, ...]) -> bytes:
    """Return the summary as one sheet of A4, tagged for screen readers (PDF/UA-1)."""
    b = brief(p)
    content = {
        "title": b.title,
        "status": b.status,
        "has_figure": b.headline is not None,
        "claim": b.claim,
        "explained": b.explained,
        "range": b.range,
        "above": [_section(section) for section in b.above],
        "segments": [_segment(segment) for segment in b.segments],
        "below": [_section(section) for section in b.below],
        "pictures": [_picture(picture) for picture in drawn],
        "footer": f"Incident {p.incident_id}. {b.read_on}",
        "as_of": p.settings.as_of.astimezone(ZoneInfo(p.settings.timezone)).strftime("%Y-%m-%d"),
    }
    source = _source("summary.typ", content)
    try:
        return _compile(source, format="pdf", pdf_standards="ua-1")
    except typst.TypstError:  # PDF/UA forbids letters that no font at hand has; the page is worth more than the label
        return _compile(source, format="pdf")


def picture_png(picture: Picture) -> bytes:
    """Return a picture as PNG, 1,200 dots wide."""
    return _compile(_source("picture.typ", _picture(picture)), format="png", ppi=_DOTS_PER_INCH)


def _source(template: str, content: dict[str, Any]) -> dict[str, Any]:
    """Return what Typst compiles: text reaches it as JSON, never as markup."""
    return {"input": str(_TEMPLATES / template), "sys_inputs": {"content": json.dumps(_harmless(content))}}


def _compile(source: dict[str, Any], **form: Any) -> bytes:
    made: bytes = typst.compile(**source, **form)
    return made


def _section(section: Section) -> dict[str, Any]:
    points = [{"lead": point.lead, "text": point.text} for point in section.points]
    return {"title": section.title, "is_list": section.is_list, "points": points}


def _segment(count: SegmentCount) -> dict[str, Any]:
    c = count.cell
    return {
        "name": words.sentence(c.segment),
        "figure": words.number(c.measured),
        "unit": words.units(c.unit, c.measured),
        "of": f"{words.percent(c.measured, count.exposed)} of those that had mail" if count.exposed else "",
        "share": None if count.share is None else count.share / 100,
    }


def _picture(picture: Picture) -> dict[str, Any]:
    return {"kind": picture.kind, "title": picture.title, "alternative": picture.alternative, **picture.content}


def _harmless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _harmless(part) for name, part in value.items()}
    return [_harmless(part) for part in value] if isinstance(value, list) else harmless(value)
