"""The public page, its figures and the site's index: what everybody is told, in every edge case."""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reports.public import public_figures, public_files
from reports.publication import Publication
from reports.site_index import incident_index, site_index
from tests.reports import publication_fixture as fixture
from tests.reports.pages import blocks, read
from tests.reports.test_page import EDGES

REFUSED = "refused with everything at hand"
PUBLISHED = {name: edge for name, edge in EDGES.items() if name != REFUSED}


def figures(p: Publication) -> dict[str, Any]:
    found = public_figures(p)
    assert found is not None
    return found


@pytest.mark.parametrize("edge", PUBLISHED.values(), ids=PUBLISHED.keys())
def test_each_edge_case_makes_a_page_a_table_and_a_line_in_the_index(
    edge: Callable[[Publication], Publication],
) -> None:
    p = edge(fixture.publication())
    files = {name.removeprefix("public/"): content.decode("utf-8-sig") for name, content in public_files(p).items()}
    page, told = read(files["index.html"]).text, json.loads(files["figures.json"])

    assert p.title in page
    index = site_index({p.incident_id: {"0001": told}}), incident_index(p.incident_id, {"0001": told})
    for text in (page, *(read(html).text for html in index)):
        assert not re.search(r"\bNone\b|\bnan\b|\binf\b|Undefined", text)
    shown = [count for row in told["rows"] for count in row["counts"]]
    assert all(count is None or count == 0 or (count >= 10 and count % 5 == 0) for count in shown)
    assert [row["count"] for row in csv.DictReader(io.StringIO(files["figures.csv"]))] == [
        "" if count is None else str(count) for count in shown
    ]
    rows = [text for text in blocks(files["index.html"]) if " or more" in text and text[0].isdigit()]
    assert len(rows) == len(told["rows"]) == len(p.settings.thresholds_seconds)


@pytest.mark.parametrize("p", [fixture.refused(), EDGES[REFUSED](fixture.publication())], ids=["refused", REFUSED])
def test_a_refusal_makes_no_public_file(p: Publication) -> None:
    assert public_files(p) == {}


def test_nobody_affected_is_a_nought_and_one_is_withheld() -> None:
    none, one = (figures(EDGES[name](fixture.publication())) for name in ("zero affected", "one account"))
    assert none["headline"]["count"] == 0
    assert one["headline"]["count"] is None
    page = read(public_files(EDGES["one account"](fixture.publication()))["public/index.html"].decode()).text
    assert "The figure is withheld: it is below 10" in page
    assert not re.search(r"\b1 account", page)


def test_one_segment_is_not_shown_as_if_there_were_more() -> None:
    p = EDGES["one segment"](fixture.publication())
    assert len(figures(p)["columns"]) == 1 + len({c for c in figures(p)["columns"] if c != "all"}) == 2


def test_the_index_says_what_changed_and_nothing_where_there_is_nothing() -> None:
    first = figures(fixture.publication())
    second = {**first, "number": 2, "headline": {**first["headline"], "count": first["headline"]["count"] + 25}}
    withheld = {**second, "number": 3, "headline": {**first["headline"], "count": None}}
    index = " ".join(read(incident_index("x", {"1": first, "2": second, "3": withheld})).text.split())
    assert index.index("can’t be told: a figure is withheld") < index.index("25 more") < index.index("the first count")
    assert "Nothing is published so far." in read(site_index({})).text


def test_a_final_count_announces_no_other() -> None:
    told = figures(replace(fixture.publication(), status="final"))
    assert told["next_update"] == "No further one is planned: these figures are final."


def test_texts_of_the_incident_file_lose_addresses_and_accounts() -> None:
    p = fixture.publication()
    assert p.accounts is not None
    account = p.accounts["account_id"][0]
    told = replace(p, title=f"Mail of jo@mail.example.com, account {account}", cause=f"{account} sent too much")
    for content in public_files(told).values():
        assert "jo@" not in content.decode("utf-8-sig")
        assert str(account) not in content.decode("utf-8-sig")
