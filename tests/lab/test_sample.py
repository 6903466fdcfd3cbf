"""The sample, a hundred times smaller: what is measured is what the simulation knows, and both claims are right."""

import json
from pathlib import Path

import polars as pl
import pytest

from lab.sample import write_sample
from mailtoll.steps import run_incident


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, 600)
    run_incident(folder / "incident.yaml", folder / "out", lambda _: None)
    return folder


def test_every_threshold_is_measured_as_simulated(folder: Path) -> None:
    truth = json.loads((folder / "truth.json").read_text())
    impact = json.loads((folder / "out/impact.json").read_text())
    assert impact["status"] == "final"
    cells = {
        f"{c['unit']}_{c['threshold_seconds']}_{c['messages']}": c["measured"]
        for c in impact["cells"]
        if c["count"] == "late" and c["segment"] == "all"
    }
    known = {name: figure for name, figure in truth.items() if name in cells}
    assert len(known) == 16
    assert {name: cells[name] for name in known} == known
    assert impact["lines"]["read"] == truth["lines"]
    assert impact["lines"]["quarantined"] == 0


def test_both_claims_are_right_by_some_definition_and_neither_by_all(folder: Path) -> None:
    impact = json.loads((folder / "out/impact.json").read_text())
    for claim in impact["claims"]:
        assert 0 < claim["consistent_definitions"] < claim["definitions"], claim


def test_it_says_everywhere_that_it_is_simulated(folder: Path) -> None:
    for name in ("report.html", "summary.html", "summary.txt", "quality.html"):
        assert "Simulated: promotions flood a platform" in " ".join((folder / "out" / name).read_text().split())
    assert (folder / "incident.yaml").read_text().startswith("# SIMULATED")


def test_the_same_arguments_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, 600)
    files = [p.relative_to(tmp_path) for p in sorted(tmp_path.rglob("*")) if p.is_file()]
    assert len(files) == 28 + 4
    assert all((folder / name).read_bytes() == (tmp_path / name).read_bytes() for name in files)


def test_lines_stand_in_the_order_of_their_stamps(folder: Path) -> None:
    lines = pl.read_csv(folder / "logs/mail.log-20301021.zst", separator="\x01", has_header=False, quote_char=None)
    stamps = lines.to_series().str.head(26).to_list()
    assert stamps == sorted(stamps)
    assert len(stamps) > 1000
