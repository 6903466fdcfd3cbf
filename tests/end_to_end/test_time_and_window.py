"""Hours, curves and the window through a whole run of the demo: declared, detected, and nothing to be detected."""

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from mailtoll.steps import RunResult, run_incident
from sources.errors import BadInput
from tests.simulate import Outage, simulate, truth_cells, truth_deliveries, write_incident
from tests.simulate.damage import CutHour
from tests.simulate.outage import instant
from transforms.window import PENALTIES, PENALTY

KEY = ["unit", "threshold_seconds", "messages", "count", "segment"]


def variant(demo: Path, folder: Path, **changes: Any) -> Path:
    """The demo's incident in a folder of its own, with keys changed; None takes a key away."""
    shutil.copytree(demo.parent, folder)
    path = folder / demo.name
    content = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
    path.write_text(yaml.safe_dump({k: v for k, v in content.items() if v is not None}), encoding="utf-8")
    return path


def run(incident: Path, out: Path) -> RunResult:
    result = run_incident(incident, out, lambda step: None)
    assert result.status == "published", result.reasons
    return result


@pytest.fixture(scope="module")
def declared(demo_incident: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's folder of the demo as it is shipped."""
    out = tmp_path_factory.mktemp("declared")
    run(demo_incident, out)
    return out


@pytest.fixture(scope="module")
def detected(demo_incident: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's folder of the demo whose file names neither window nor as_of."""
    folder = tmp_path_factory.mktemp("detected")
    run(variant(demo_incident, folder / "incident", window="detect", as_of=None), folder / "out")
    return folder / "out"


def table(out: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(out / "warehouse" / f"{name}.parquet")


def test_heads_and_hours_are_of_the_same_people(declared: Path) -> None:
    hours = table(declared, "hours")
    both = hours.filter(count="late").join(table(declared, "cells"), on=KEY, validate="1:1")
    assert len(both) == len(hours) / 2 == 2 * 5 * 2 * 3
    assert (both["people"] == both["measured"]).all()
    assert max(both["people"].to_list()) > 300
    assert (hours["lower_seconds"] <= hours["measured_seconds"]).all()
    assert (hours["measured_seconds"] <= hours["upper_seconds"]).all()


def test_spans_add_up_to_the_headlines_hours(declared: Path) -> None:
    spans = table(declared, "downtime").filter(unit="account")
    down = (spans["end_at"] - spans["start_at"]).dt.total_milliseconds().sum() / 1000
    chosen = {"unit": "account", "threshold_seconds": 60, "messages": "excluding_bulk", "count": "late"}
    assert table(declared, "hours").filter(segment="all", **chosen)["measured_seconds"].item() == pytest.approx(down)


def test_the_demo_meets_no_regulators_figure_and_its_uptime_is_a_share(declared: Path) -> None:
    assert not table(declared, "scales")["is_met"].any()
    uptime = table(declared, "uptime")
    assert set(uptime["segment"]) == {"all", "business", "residential"}
    assert uptime["uptime_share"].is_between(0, 1).all()
    assert uptime.filter(segment="all").sort("window_seconds")["uptime_share"].is_sorted()


def test_the_curves_agree_with_the_grid_on_what_is_late(declared: Path) -> None:
    """In the demo all mail of the window outside bulk met its end but for one: waiting = late, to one message."""
    curves = table(declared, "survival").filter(segment="all", messages="excluding_bulk")
    cells = table(declared, "cells").filter(unit="delivery", segment="all", messages="excluding_bulk", count="late")
    total = max(curves["at_risk"].to_list())
    for row in cells.iter_rows(named=True):
        at = curves.filter(pl.col("delay_seconds").is_close(row["threshold_seconds"]))
        assert at["waiting_share"].item() == pytest.approx(row["measured"] / total, abs=0.01)


def test_the_detected_window_stands_beside_the_declared_one_with_its_figures(declared: Path) -> None:
    windows, figures = table(declared, "windows"), table(declared, "window_figures")
    assert windows["source"].to_list() == ["declared"] + ["detected"] * len(PENALTIES)
    assert windows.filter("is_used")["source"].to_list() == ["declared"]
    impact = json.loads((declared / "impact.json").read_text(encoding="utf-8"))
    assert impact["window"]["source"] == "declared"
    headline = impact["headline"]
    cells = {c["segment"]: c["measured"] for c in impact["cells"] if all(c[k] == headline[k] for k in KEY[:-1])}
    assert dict(figures.filter(source="declared").select("segment", "measured").iter_rows()) == cells
    everywhere = figures.filter(segment="all")["measured"].to_list()
    # The choice of the window, over all penalties, moves the demo's headline by less than 2 %.
    assert max(everywhere) - min(everywhere) < 0.02 * cells["all"]


def test_a_window_to_be_detected_is_counted_in(declared: Path, detected: Path) -> None:
    impact = json.loads((detected / "impact.json").read_text(encoding="utf-8"))
    assert impact["window"]["source"] == "detected"
    assert impact["as_of"] == "2026-11-25T02:32:01Z"  # the last stamp read
    row = table(declared, "windows").filter(penalty=PENALTY).row(0, named=True)
    named = {k: row[f"{k}_at"].isoformat().replace("+00:00", "Z") for k in ("start", "end")}
    assert {k: impact["window"][k] for k in named} == named
    figures = table(declared, "window_figures").filter(penalty=PENALTY, segment="all")
    assert impact["headline"]["measured"] == figures["measured"].item()
    assert impact["headline"]["baseline"] is not None


def test_running_again_detects_the_same(detected: Path) -> None:
    before = {name: table(detected, name) for name in ("windows", "window_figures", "late_share", "hours", "cells")}
    run(detected.parent / "incident" / "incident.yaml", detected)
    for name, frame in before.items():
        assert table(detected, name).equals(frame), name


def test_where_no_time_stands_out_the_user_is_told_what_to_do(demo_incident: Path, tmp_path: Path) -> None:
    incident = variant(
        demo_incident,
        tmp_path / "incident",
        window="detect",
        thresholds=["1m", "2h"],
        headline={"unit": "account", "threshold": "2h", "messages": "all", "count": "late"},
    )
    with pytest.raises(BadInput, match=r"incident\.yaml: window: detect found no time .* declare start and end"):
        run_incident(incident, tmp_path / "out", lambda step: None)


def test_a_simulated_flood_is_found_from_its_logs_and_counted_exactly_in_what_was_found(tmp_path: Path) -> None:
    outage = simulate(11, messages=5_000, days=5, cut_off="flood")
    incident = write_incident(outage, tmp_path / "in", window="detect", as_of=None, with_queue=True)
    run(incident, tmp_path / "out")
    impact = json.loads((tmp_path / "out" / "impact.json").read_text(encoding="utf-8"))
    start, end, as_of = (
        datetime.fromisoformat(at) for at in (impact["window"]["start"], impact["window"]["end"], impact["as_of"])
    )
    assert abs(start - instant(outage.window[0]) - timedelta(hours=8)) < timedelta(minutes=20)
    assert end == as_of  # the logs end while it goes on
    inside = (int(start.timestamp()), int(end.timestamp()))
    truth = truth_cells(outage, window=inside, as_of=int(as_of.timestamp()))
    counted = {tuple(c[k] for k in KEY): c for c in impact["cells"]}
    assert counted.keys() == truth.keys()
    for key, cell in counted.items():
        assert cell["measured"] == truth[key], key
    hours = table(tmp_path / "out", "hours").filter(unit="account", count="late", messages="all", segment="all")
    down = {
        threshold: _slow_union(outage, inside, threshold, int(as_of.timestamp()))
        for threshold in hours["threshold_seconds"]
    }
    assert dict(hours.select("threshold_seconds", "measured_seconds").iter_rows()) == pytest.approx(down, rel=1e-6)


def _slow_union(outage: Outage, window: tuple[int, int], threshold: int, as_of: int) -> float:
    """Account-seconds down, from the outage itself, second by second."""
    seconds: dict[str, set[int]] = {}
    for d in truth_deliveries(outage, as_of):
        if d.account_id and window[0] <= d.arrived_at < window[1] and d.outcome in ("delivered", "pending"):
            seconds.setdefault(d.account_id, set()).update(range(d.arrived_at + threshold, d.arrived_at + d.delay))
    return float(sum(map(len, seconds.values())))


@pytest.mark.parametrize(("hours_before", "is_refused"), [(-2, True), (20, False)])
def test_a_hole_refuses_where_it_lies_in_the_detected_window(
    tmp_path: Path, hours_before: int, is_refused: bool
) -> None:
    outage = simulate(12, messages=12_000, days=5, hosts=1, operators=False)
    began = outage.window[0] + 8 * 3600
    cut = CutHour("mx1", began - hours_before * 3600, seconds=2 * 3600)
    incident = write_incident(outage, tmp_path / "in", window="detect", as_of=None, damage=[cut])
    result = run_incident(incident, tmp_path / "out", lambda step: None)
    assert len(cut.removed) > 100
    assert (result.status == "refused") is is_refused, result.reasons
    findings = table(tmp_path / "out", "findings")
    assert findings.filter(code="log_hole").height == is_refused
    assert json.loads((tmp_path / "out" / "impact.json").read_text(encoding="utf-8"))["window"]["source"] == "detected"


def test_long_ids_tell_the_year_that_neither_stamps_nor_incident_name(tmp_path: Path) -> None:
    outage = simulate(7, messages=2000, start="2030-12-29T00:00:00Z")
    named = write_incident(outage, tmp_path / "named", "postfix-rfc3164", long_ids=True)
    run(named, tmp_path / "named-out")
    nameless = variant(named, tmp_path / "nameless", window="detect", as_of=None, baseline=None, logs=yearless(named))
    run(nameless, tmp_path / "nameless-out")
    columns = ["message_key", "mailbox_or_address", "arrived_at", "outcome"]
    expected, got = (table(tmp_path / out, "deliveries").select(columns) for out in ("named-out", "nameless-out"))
    assert expected["arrived_at"].dt.year().n_unique() == 2
    assert got.equals(expected)


def yearless(incident: Path) -> list[dict[str, Any]]:
    """The log entries of an incident file, without their years."""
    entries = yaml.safe_load(incident.read_text(encoding="utf-8"))["logs"]
    return [{key: value for key, value in entry.items() if key != "year"} for entry in entries]


def test_a_wrong_zone_and_a_wrong_year_are_found_in_long_ids(tmp_path: Path) -> None:
    outage = simulate(3, messages=600)
    incident = write_incident(outage, tmp_path / "right", "postfix-rfc3164", long_ids=True)
    entries = yaml.safe_load(incident.read_text(encoding="utf-8"))["logs"]
    assert findings(incident, tmp_path / "out") == set()
    zoned = variant(incident, tmp_path / "zone", logs=[entry | {"timezone": "Asia/Kathmandu"} for entry in entries])
    assert findings(zoned, tmp_path / "zone-out") == {"wrong_zone"}
    dated = variant(incident, tmp_path / "year", logs=[entry | {"year": entry["year"] - 1} for entry in entries])
    assert findings(dated, tmp_path / "year-out") == {"wrong_year"}


def findings(incident: Path, out: Path) -> set[str]:
    """The codes of what a run found about clocks, whether it was published or refused."""
    run_incident(incident, out, lambda step: None)
    return set(table(out, "findings")["code"]) & {
        "wrong_zone",
        "wrong_year",
        "edited_stamp",
        "clock_step",
        "clock_set_back",
    }
