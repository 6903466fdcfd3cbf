"""`impact.json`, to the letter of the contract: the figures that other programs read."""

import json
from datetime import UTC, datetime
from typing import Any

from reports.cells import Cell, all_cells, headline_cell
from reports.publication import CELL_FIELDS, FATES, OUTCOMES, Publication


def impact_json(p: Publication) -> str:
    """Return impact.json as text: keys in the contract's order, ASCII only, one final newline.

    A refused run has `headline` null, no cells, null for what was never counted, and its `reasons`.
    """
    headline = headline_cell(p)
    content: dict[str, Any] = {
        "incident": p.incident_id,
        "status": p.status,
        "as_of": stamp(p.settings.as_of),
        "window": {
            "start": stamp(p.settings.window.start),
            "end": stamp(p.settings.window.end),
            "source": p.window_source,
        },
        "headline": _cell(headline) if headline else None,
        "cells": [] if p.is_refused else [_cell(c) for c in all_cells(p)],
        "deliveries": {name: p.outcomes.get(name) for name in OUTCOMES},
        "lines": {name: p.lines.get(name) for name in FATES},
        "claims": [_claim(p, reading) for reading in p.claims],
        "inputs": _inputs(p),
    }
    if p.is_refused:
        content["reasons"] = list(p.reasons)
    return json.dumps(content, indent=2) + "\n"


def stamp(at: datetime | None) -> str | None:
    """Return an instant as `2012-11-04T00:00:00Z`; a fraction of a second only where there is one."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _cell(c: Cell) -> dict[str, Any]:
    return {name: getattr(c, name) for name in CELL_FIELDS}


def _claim(p: Publication, reading: Any) -> dict[str, Any]:
    counted = not p.is_refused
    return {
        "who": reading.who,
        "said": reading.said,
        "low": reading.low,
        "high": reading.high,
        "consistent_definitions": reading.consistent_definitions if counted else None,
        "definitions": reading.definitions if counted else None,
    }


def _inputs(p: Publication) -> list[dict[str, Any]]:
    if p.inputs is None:
        return []
    columns = ("uri", "sha256", "bytes", "lines", "first_at", "last_at")
    rows = p.inputs.select(columns).iter_rows(named=True)
    return [row | {"first_at": stamp(row["first_at"]), "last_at": stamp(row["last_at"])} for row in rows]
