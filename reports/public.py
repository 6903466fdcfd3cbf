"""The page for everybody, its figures as JSON and as CSV: only what passed `transforms.disclosure`.

The page is made from the JSON, which is all that the site keeps of a count; nothing else of a run can reach it. Shown
are the headline's definition at every declared delay, by segment, and its total in the units of the claims. Texts of
the incident file lose addresses and account ids.
"""

import json
from collections.abc import Callable
from typing import Any

import polars as pl

from expectations.tables import UNITS_OF_THE_RECORDS
from reports import words
from reports.brief import next_update
from reports.cells import Cell, by_threshold, cell, headline_cell, segments
from reports.harmless import harmless, ids_of, without_ids
from reports.page import render
from reports.publication import Publication
from reports.spreadsheet import csv_bytes
from reports.story import definition_sentence, ordinary_length
from transforms.disclosure import ROUNDED_TO, SMALLEST_SHOWN, disclose, public_count
from transforms.settings import Definition

MOST_SEGMENTS = 12
"""With more, totals alone are shown: a wide table with many small figures is nearly empty anyway."""


def public_files(p: Publication) -> dict[str, bytes]:
    """Return `index.html`, `figures.json` and `figures.csv` below `public/`; none where there is no figure."""
    figures = public_figures(p)
    if figures is None:
        return {}
    return {
        "public/index.html": render("public.html.j2", **figures).encode(),
        "public/figures.json": (json.dumps(figures, indent=2, ensure_ascii=False) + "\n").encode(),
        "public/figures.csv": csv_bytes(_long(figures)),
    }


def public_figures(p: Publication) -> dict[str, Any] | None:
    """Return all that may be said to everybody; a figure that is withheld is None. No figure at all: None."""
    c = headline_cell(p)
    if c is None:
        return None
    zone, window = p.settings.timezone, p.settings.window
    ids = ids_of((p.accounts,))

    def said(text: str) -> str:
        return without_ids(str(harmless(text)), ids)

    columns, rows = _table(p, said)
    chosen = next(row for row in rows if row["threshold_seconds"] == c.threshold_seconds)
    has_mail_left_out = p.headline.messages == "excluding_bulk" and bool(p.settings.bulk_senders)
    return {
        "incident": p.incident_id,
        "title": said(p.title),
        "number": p.vintages[-1].number if p.vintages else 1,
        "status": p.status,
        "as_of": words.instant(p.settings.as_of, zone),
        "window": words.span(window.start, window.end, zone),
        "unit": c.unit,
        "units": words.units(c.unit),
        "definition": words.short_definition(p.headline),
        "explained": definition_sentence(p),
        "left_out": has_mail_left_out,
        "headline": {"count": chosen["counts"][0], "lower": public_count(c.lower), "upper": public_count(c.upper)},
        "ordinary": None if c.baseline is None else {"count": public_count(c.baseline), "length": ordinary_length(p)},
        "columns": columns,
        "rows": rows,
        "claims": [_claim(p, claim) | {"who": said(claim.who), "said": said(claim.said)} for claim in p.claims],
        "cause": said(p.cause),
        "next_update": next_update(p),
        "smallest_shown": SMALLEST_SHOWN,
        "rounded_to": ROUNDED_TO,
    }


def _table(p: Publication, said: Callable[[str], str]) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the table of the headline's definition: widest row first, the total in the first column."""
    named = segments(p) + ([] if p.headline.unit in UNITS_OF_THE_RECORDS else ["unmatched"])
    columns = ["all", *named] if len(named) <= MOST_SEGMENTS else ["all"]
    by_column = [by_threshold(p, p.headline, column) for column in columns]
    thresholds = [c.threshold_seconds for c in by_column[0]]
    counts = [[column[at].measured if column else 0 for column in by_column] for at in range(len(thresholds))]
    lost = ", or lost" if p.headline.count == "late_or_lost" else ""
    labels = [f"{words.duration(seconds)} or more{lost}" for seconds in thresholds]
    rows = [
        {"label": label, "threshold_seconds": seconds, "counts": list(shown)}
        for label, seconds, shown in zip(
            labels, thresholds, disclose(counts, thresholds.index(p.headline.threshold_seconds)), strict=True
        )
    ]
    return [said(column) for column in columns], rows


def _claim(p: Publication, claim: Any) -> dict[str, Any]:
    """Return our count in the claim's unit beside the claim; whether they agree is judged by the shown figures."""
    d = p.headline
    found: Cell | None = cell(p, Definition(claim.unit, d.threshold_seconds, d.messages, d.count))
    lower, upper = (None, None) if found is None else (public_count(found.lower), public_count(found.upper))
    agrees = None if lower is None or upper is None else claim.low <= upper and lower <= claim.high
    return {"units": words.units(claim.unit), "lower": lower, "upper": upper, "agrees": agrees}


def _long(figures: dict[str, Any]) -> pl.DataFrame:
    """Return the table with one row per figure; a withheld one is empty."""
    cells = [
        {
            "unit": figures["unit"],
            "late_by_at_least_seconds": row["threshold_seconds"],
            "segment": column,
            "count": count,
        }
        for row in figures["rows"]
        for column, count in zip(figures["columns"], row["counts"], strict=True)
    ]
    return pl.DataFrame(cells)
