"""Both pages say what impact.json says, nothing hostile acts in them, and every edge case makes sense."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from expectations import tables
from reports.analyst import analyst_report
from reports.evidence import gates_sentence
from reports.executive import executive_summary
from reports.glossary import GLOSSARY
from reports.impact_json import impact_json
from reports.page import with_code
from reports.publication import Publication
from reports.quality import quality_page
from tests.reports import publication_fixture as fixture
from tests.reports.pages import read
from transforms.settings import Definition

PAGES = [analyst_report, executive_summary]
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e=cmd|' /C calc'!A0 {{ 7*7 }}"


def test_every_figure_in_the_pages_is_that_of_impact_json() -> None:
    p = fixture.publication()
    content = json.loads(impact_json(p))
    cells = {
        "|".join(str(c[k]) for k in ("unit", "threshold_seconds", "messages", "count", "segment")): c
        for c in content["cells"]
    }
    figures = read(analyst_report(p)).figures
    compared = 0
    for (name, field), values in (figures | read(executive_summary(p)).figures).items():
        expected = content[name][field] if name in ("deliveries", "lines") else cells[name][field]
        assert [float(v) for v in values] == [expected], (name, field)
        compared += 1
    assert compared >= 4 * len(cells)
    for name in ("deliveries", "lines"):
        assert {field for n, field in figures if n == name} == set(content[name])


def test_the_figures_drawn_are_those_of_the_tables() -> None:
    p = fixture.publication()
    html = analyst_report(p)
    figures = json.loads(re.search(r'id="figures">(.*?)</script>', html)[1])  # type: ignore[index]
    ladder = {trace["name"]: trace["x"] for trace in figures["ladder"]["data"]}
    assert ladder["Business"][::2][:2] == [p.provisioned["business"]["account"], p.exposed["business"]["account"]]
    assert p.minutes is not None
    arrivals = figures["arrivals"]["data"]
    assert sum(sum(trace["y"]) for trace in arrivals) == p.minutes["arrivals"].sum()


@pytest.mark.parametrize("page", PAGES)
def test_each_page_opens_without_a_network(page: Callable[[Publication], str]) -> None:
    html = page(fixture.publication())
    own = re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)
    assert not re.search(r"(?:src|href|action|url)\s*[=(]\s*[\"']?(?:https?:)?//", own)
    assert "default-src 'none'" in html
    assert len(html.encode()) < 5_000_000


def test_the_summary_has_no_script_and_its_one_rule_is_for_paper() -> None:
    html = executive_summary(fixture.publication())
    tags = {tag for tag, _ in read(html).tags}
    assert not tags & {"script", "img", "svg", "iframe", "object"}
    assert re.findall(r"<style>\s*(@[\w ]+)", html) == ["@media print "]
    assert html.count("<style") == 1


def test_every_chart_has_a_title_a_table_and_a_text_alternative() -> None:
    page = read(analyst_report(fixture.publication()))
    charts = [str(a["data-chart"]) for _, a in page.tags if "data-chart" in a]
    assert {
        "claims-chart",
        "arrivals",
        "backlog",
        "delay-by-time",
        "ladder",
        "thresholds",
        "delays",
        "certainty",
    } <= set(charts)
    for chart in charts:
        assert chart in page.ids
        assert f"{chart}-table" in page.ids
    assert all(a["aria-label"] and a["role"] == "img" for _, a in page.tags if "data-chart" in a)


def _drawn(html: str) -> dict[str, dict[str, Any]]:
    return json.loads(re.search(r'id="figures">(.*?)</script>', html)[1])  # type: ignore[index]


def test_every_axis_that_measures_says_what_and_times_say_their_zone() -> None:
    for name, figure in _drawn(analyst_report(fixture.publication())).items():
        axes = {key: axis for key, axis in figure["layout"].items() if re.match(r"[xy]axis", key)}
        for key, axis in axes.items():
            is_named = axis.get("type") == "category" or ("ticktext" in axis and axis.get("type") != "log")
            assert is_named or axis["title"]["text"], (name, key)
            if axis.get("type") == "date":
                assert axis["title"]["text"] == "time, NZDT (Pacific/Auckland)"
                assert figure["data"][0]["x"][0].startswith("2030-10-")


def test_the_causes_lead_from_what_is_proven_to_the_upper_bound_of_impact_json() -> None:
    p = fixture.publication()
    headline = json.loads(impact_json(p))["headline"]
    (bars,) = _drawn(analyst_report(p))["range"]["data"]
    assert bars["y"] == ["proven", "mail still waiting", "recipients in no customer record"]
    assert bars["x"][0] == headline["lower"]
    assert bars["base"][-1] + bars["x"][-1] == headline["upper"]
    assert sum(bars["x"]) == headline["upper"]


def test_an_exact_headline_has_no_causes_to_show() -> None:
    p = fixture.publication()
    assert p.cells is not None
    exact = replace(p, cells=p.cells.with_columns(upper=pl.col("measured")))
    assert "range" not in _drawn(analyst_report(exact))


def test_lines_that_were_set_aside_are_counted_by_reason() -> None:
    text = read(analyst_report(fixture.publication())).text
    assert "mx1/mail.log.gzno_stamp2,03117" in text
    assert "mx2/mail.log.gztorn2,0315" in text


def test_every_word_of_the_glossary_tells_its_meaning_where_it_is_used() -> None:
    page = read(analyst_report(fixture.publication()))
    used = {str(a["href"]): a["data-meaning"] for t, a in page.tags if t == "a" and "data-meaning" in a}
    assert used == {f"#term-{word.replace(' ', '-')}": meaning for word, meaning in GLOSSARY.items()}


@pytest.mark.parametrize("build", [fixture.publication, fixture.refused])
@pytest.mark.parametrize("page", [*PAGES, quality_page])
def test_no_number_stands_without_its_separators(
    page: Callable[[Publication], str], build: Callable[[], Publication]
) -> None:
    html = re.sub(r"<(script|style|pre|code)\b.*?</\1>", "", page(build()), flags=re.DOTALL)
    words = re.sub(r"[0-9a-f]{40,}", "", read(html.replace("</t", " </t")).text)  # no digests, cells apart
    assert not re.findall(r"(?<![\w.,:-])\d{5,}(?![\w-])", words)


def test_anchors_are_permanent_and_lead_somewhere() -> None:
    page = read(analyst_report(fixture.publication()))
    assert len(page.ids) == len(set(page.ids))
    sections = {"answer", "claims", "what-happened", "who-was-hit", "how-long", "how-sure", "evidence", "grid", "gates"}
    assert sections <= set(page.ids)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("build", [fixture.publication, fixture.refused])
def test_hostile_text_is_text(page: Callable[[Publication], str], build: Callable[[], Publication]) -> None:
    p = build()
    claim = fixture.Claim(HOSTILE, HOSTILE, 1, 2, "mailbox", 1, 2, None, HOSTILE)
    assert p.inputs is not None
    assert p.gates is not None
    hostile = replace(
        p,
        title=HOSTILE,
        incident_id=HOSTILE,
        claims=(claim,),
        reasons=(HOSTILE,) if p.is_refused else (),
        sql={HOSTILE: HOSTILE},
        inputs=p.inputs.with_columns(uri=pl.lit(HOSTILE)),
        gates=p.gates.with_columns(observed=pl.lit(HOSTILE), remedy=pl.lit(HOSTILE)),
        cells=None if p.cells is None else p.cells.with_columns(pl.col("segment").replace("business", HOSTILE)),
        findings=fixture.findings().with_columns(host=pl.lit(HOSTILE), detail=pl.lit(HOSTILE)),
    )
    calm = read(page(replace(p, claims=(replace(claim, who="x", said="x", sentence="x"),))))
    got = read(page(hostile))
    assert "alert(1)" in got.text
    assert {t for t, _ in got.tags} <= {t for t, _ in calm.tags} | {"details", "summary", "pre"}
    assert sum(t == "script" for t, _ in got.tags) == sum(t == "script" for t, _ in calm.tags)
    assert not any(name.startswith("on") for _, attrs in got.tags for name in attrs)
    assert "\u202e" not in got.text


@pytest.mark.parametrize("page", PAGES)
def test_no_address_and_no_account_reaches_a_page(page: Callable[[Publication], str]) -> None:
    p = fixture.publication()
    assert p.gates is not None
    leaky = replace(
        p,
        title="Mail of jo@mail.example.com",
        gates=p.gates.with_columns(observed=pl.lit("ACC000007 and jo@mail.example.com: <jo.doe@mail.example.com>")),
        sql={"q.sql": "-- jo@mail.example.com"},
        findings=fixture.findings().with_columns(detail=pl.lit("sent to jo@mail.example.com")),
    )
    html = re.sub(r"<script>.*?</script>", "", page(leaky), flags=re.DOTALL)
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", html)
    assert not re.search(r"ACC\d|CUS\d", html)


def _zero(p: Publication) -> Publication:
    assert p.cells is not None
    none = p.cells.with_columns(pl.lit(0, pl.Int64).alias(c) for c in ("measured", "lower", "upper"))
    return replace(p, cells=none.with_columns(baseline=pl.lit(0.0)), accounts=tables.ACCOUNTS.empty())


def _one_account(p: Publication) -> Publication:
    assert p.cells is not None
    one = p.cells.with_columns(
        pl.when(pl.col("segment").is_in(["all", "business"])).then(1).otherwise(0).alias(c)
        for c in ("measured", "lower", "upper")
    )
    return replace(
        p,
        cells=one,
        accounts=fixture.accounts(1),
        provisioned={"business": {"mailbox": 1, "account": 1, "customer": 1}},
        exposed={"business": {"mailbox": 1, "account": 1, "customer": 1}},
    )


def _one_segment(p: Publication) -> Publication:
    return replace(
        p,
        cells=fixture.cells(segments=("business",)),
        provisioned={"business": fixture.PROVISIONED["business"]},
        exposed={"business": fixture.exposed()["business"]},
    )


def _all_pending(p: Publication) -> Publication:
    assert p.delays is not None
    assert p.minutes is not None
    open_only = p.delays.with_columns(pending=pl.col("delivered") + pl.col("pending"), delivered=0, lost=0)
    waiting = p.minutes.with_columns(
        ended=0, backlog=pl.col("arrivals").cum_sum(), delay_median_seconds=pl.lit(None, pl.Float64)
    )
    return replace(p, delays=tables.DELAYS.conform(open_only), minutes=tables.MINUTES.conform(waiting))


EDGES: dict[str, Callable[[Publication], Publication]] = {
    "zero affected": _zero,
    "one account": _one_account,
    "one segment": _one_segment,
    "all pending": _all_pending,
    "no baseline": lambda p: replace(
        p, cells=fixture.cells(has_baseline=False), settings=fixture.settings(placebo_windows=())
    ),
    "no claims": lambda p: replace(p, claims=()),
    "no bulk senders": lambda p: replace(p, settings=fixture.settings(bulk_senders=())),
    "one threshold": lambda p: replace(p, settings=fixture.settings(thresholds_seconds=(3600,))),
    "headline of deliveries": lambda p: replace(
        p, settings=fixture.settings(headline=Definition("delivery", 900, "all", "late_or_lost"))
    ),
    "no records": lambda p: replace(p, cells=fixture.cells(segments=()), provisioned={}, exposed={}, accounts=None),
    "nothing by time": lambda p: replace(
        p, minutes=tables.MINUTES.empty(), delays=tables.DELAYS.empty(), activity=None
    ),
    "nothing optional": lambda p: replace(
        p, minutes=None, delays=None, accounts=None, findings=None, gates=None, line_counts=None, inputs=None, sql={}
    ),
    "nothing beside": lambda p: replace(
        p, hours=None, uptime=None, refusals=None, fault_shares=None, scales=None, survival=None, windows=None
    ),
    "empty beside": lambda p: replace(
        p,
        hours=tables.HOURS.empty(),
        uptime=tables.UPTIME.empty(),
        refusals=tables.REFUSALS.empty(),
        fault_shares=tables.FAULT_SHARES.empty(),
        scales=tables.SCALES.empty(),
        survival=tables.SURVIVAL.empty(),
        windows=tables.WINDOWS.empty(),
    ),
    "final": lambda p: replace(p, status="final"),
    "detected window": lambda p: replace(p, window_source="detected"),
    "refused with everything at hand": lambda p: replace(p, status="refused", reasons=("A hole.",)),
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES.keys())
def test_each_edge_case_makes_a_page(
    page: Callable[[Publication], str], edge: Callable[[Publication], Publication]
) -> None:
    p = edge(fixture.publication())
    got = read(page(p))
    assert p.title in got.text
    assert not re.search(r"\bNone\b|\bnan\b|\binf\b|Undefined", got.text)
    if not p.is_refused:
        headline = json.loads(impact_json(p))["headline"]
        key = "|".join(str(headline[k]) for k in ("unit", "threshold_seconds", "messages", "count", "segment"))
        assert got.figures[key, "measured"] == {str(headline["measured"])}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("p", [fixture.refused(), EDGES["refused with everything at hand"](fixture.publication())])
def test_a_refusal_gives_reasons_and_no_headline(page: Callable[[Publication], str], p: Publication) -> None:
    got = read(page(p))
    assert all(reason in got.text for reason in p.reasons)
    assert {name for name, _ in got.figures} <= {"lines", "deliveries"}
    assert "11,533" not in got.text


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("log_hole", "Part of the mail servers’ records of that time is missing."),
        ("quarantined_share_of_a_file", "Too many lines of the mail servers’ records could not be read."),
        ("counted_twice", "the two counts differ."),
        ("never_heard_of", "A check of the figures against each other failed."),
    ],
)
def test_the_summary_of_a_refusal_says_in_plain_words_what_failed(gate: str, said: str) -> None:
    gates = fixture.gates().head(1).with_columns(gate=pl.lit(gate), is_passed=pl.lit(False))
    text = read(executive_summary(replace(fixture.refused(), gates=gates))).text
    assert said in text
    assert gate not in text


def test_a_refusal_names_each_breach_with_its_remedy() -> None:
    gates = fixture.gates().with_columns(is_passed=pl.lit(False))
    text = read(analyst_report(replace(fixture.refused(), gates=gates))).text
    assert "add the dialect's missing line" in text
    assert "0.5 % (default)" in text


def test_many_minutes_are_joined_and_none_is_left_out() -> None:
    many = fixture.minutes(step=timedelta(minutes=1), days=60)
    html = analyst_report(fixture.publication(minutes=many))
    figures = json.loads(re.search(r'id="figures">(.*?)</script>', html)[1])  # type: ignore[index]
    traces = figures["arrivals"]["data"]
    assert len(traces[0]["x"]) <= 720
    assert sum(sum(trace["y"]) for trace in traces) == many["arrivals"].sum()
    assert (
        max(sum(pair) for pair in zip(*(t["y"] for t in figures["backlog"]["data"]), strict=True))
        == many["backlog"].max()
    )
    assert len(html.encode()) < 5_000_000


def test_the_embedded_library_is_the_one_on_record() -> None:
    folder = Path(__file__).parents[2] / "reports" / "static"
    digest = hashlib.sha256((folder / "plotly-basic.min.js").read_bytes()).hexdigest()
    assert digest in (folder / "README.md").read_text(encoding="utf-8")


def test_a_class_of_delay_that_holds_nothing_is_shown_as_nothing() -> None:
    p = fixture.publication()
    assert p.delays is not None
    sparse = p.delays.filter(~((pl.col("at_most_seconds") == 60) & (pl.col("segment") == "all")).fill_null(value=False))
    html = analyst_report(replace(p, delays=sparse))
    figures = json.loads(re.search(r'id="figures">(.*?)</script>', html)[1])  # type: ignore[index]
    delivered = figures["delays"]["data"][0]
    assert delivered["y"][:4] == ["under 1 s", "1 s – 10 s", "10 s – 1 min", "1 min – 5 min"]
    assert delivered["x"][:4] == [41_000, 62_000, 0, 21_000]


def test_hours_say_how_many_waited_no_longer_than_the_threshold() -> None:
    p = fixture.publication()
    text = " ".join(read(analyst_report(p)).text.split())
    assert "11,532 accounts had mail older than 1 hour waiting, for 33,157 account-hours in all" in text
    assert "in all: 2 hours 52 minutes each on average." in text
    assert "1 more waited 1 hour and no longer." in text


def test_scales_are_called_illustrations_and_each_carries_its_caveat() -> None:
    text = read(analyst_report(fixture.publication())).text
    assert "Illustrations only" in text
    assert "Not written for e-mail." in text
    assert "would be met" in text


def test_words_between_backticks_are_code_and_nothing_else_is() -> None:
    assert with_code("set `gates: {a: 1}` in `<b>`") == "set <code>gates: {a: 1}</code> in <code>&lt;b&gt;</code>"
    assert with_code("one ` alone <i>") == "one ` alone &lt;i&gt;"
    assert with_code("`a` and ` of jo@example.com") == "<code>a</code> and ` of [address withheld]"


def test_the_checks_are_summed_up() -> None:
    gates = fixture.gates()
    assert gates_sentence(fixture.publication(gates=gates.with_columns(is_passed=pl.lit(True)))) == "All 3 checks held."
    assert gates_sentence(fixture.publication(gates=gates)) == "1 warns, none breached."
    missed = gates.with_columns(is_passed=pl.lit(False))
    assert gates_sentence(fixture.publication(gates=missed)) == "2 of 3 checks breached, 1 warns."


def test_the_page_says_what_moved_the_figure_since_the_last_count() -> None:
    text = " ".join(read(analyst_report(fixture.publication())).text.split())
    assert "The count before this one gave 11,500 accounts" in text
    assert "This one gives 33 more" in text
    assert "+40" in text
    assert "−7" in text
