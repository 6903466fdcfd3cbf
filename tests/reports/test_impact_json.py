"""impact.json to the letter of the contract."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from reports.impact_json import impact_json, stamp
from tests.reports.publication_fixture import publication, refused

KEYS = ["incident", "status", "as_of", "window", "headline", "cells", "deliveries", "lines", "claims", "inputs"]


def test_keys_stand_as_in_the_contract() -> None:
    content = json.loads(impact_json(publication()))
    assert list(content) == KEYS
    assert list(content["window"]) == ["start", "end", "source"]
    cell = ["unit", "threshold_seconds", "messages", "count", "segment", "measured", "lower", "upper", "baseline"]
    assert list(content["headline"]) == cell
    assert all(list(c) == cell for c in content["cells"])
    assert list(content["deliveries"]) == ["total", "delivered", "lost", "rejected_recipient", "pending", "unresolved"]
    assert list(content["lines"]) == ["read", "parsed", "ignored", "quarantined"]
    assert list(content["claims"][0]) == ["who", "said", "low", "high", "consistent_definitions", "definitions"]
    assert list(content["inputs"][0]) == ["uri", "sha256", "bytes", "lines", "first_at", "last_at"]


def test_the_headline_is_one_row_of_cells_with_segment_all() -> None:
    content = json.loads(impact_json(publication()))
    assert content["headline"] in content["cells"]
    assert content["headline"]["segment"] == "all"
    chosen = publication().headline
    assert content["headline"]["unit"] == chosen.unit
    assert content["headline"]["threshold_seconds"] == chosen.threshold_seconds


def test_every_cell_is_there_once() -> None:
    p = publication()
    content = json.loads(impact_json(p))
    assert p.cells is not None
    assert content["cells"] == p.cells.to_dicts()


def test_instants_end_in_z_and_carry_a_fraction_only_where_there_is_one() -> None:
    assert stamp(datetime(2030, 1, 1, 5, tzinfo=UTC)) == "2030-01-01T05:00:00Z"
    assert stamp(datetime(2030, 1, 1, 5, 0, 0, 250000, tzinfo=UTC)) == "2030-01-01T05:00:00.250000Z"
    assert stamp(None) is None


def test_a_refused_run_has_reasons_and_no_figure() -> None:
    content = json.loads(impact_json(refused()))
    assert list(content) == [*KEYS, "reasons"]
    assert content["headline"] is None
    assert content["cells"] == []
    assert content["reasons"] == list(refused().reasons)
    assert content["deliveries"]["total"] is None


def test_a_refused_run_publishes_no_cell_that_it_was_handed() -> None:
    content = json.loads(impact_json(replace(publication(), status="refused", reasons=("x",))))
    assert content["headline"] is None
    assert content["cells"] == []
    assert content["claims"][0]["consistent_definitions"] is None


def test_text_stays_ascii_and_reads_back() -> None:
    text = impact_json(publication(incident_id="x\u202e</script>“ü”"))
    assert text.isascii()
    assert json.loads(text)["incident"] == "x\u202e</script>“ü”"
