"""What publication leaves in the run's folder, and on the site, when a count is followed by a refusal or another."""

from pathlib import Path

import polars as pl
import pytest

from expectations.tables import FINDINGS, GATES
from mailtoll import outgoing, publishing, steps
from sources.errors import BadInput
from tests.mailtoll import tiny
from tests.mailtoll.ungated import run, stand_in

OF_A_COUNT = {"public", "exports", "restricted", "accounts.parquet", "deliveries.parquet"}
OF_A_REFUSAL = {
    "impact.json",
    "manifest.json",
    "quality.html",
    "quarantine.parquet",
    "report.html",
    "summary.html",
    "summary.pdf",
    "summary.txt",
    "vintages",
    "vintages.json",
    "warehouse",
}


@pytest.fixture
def incident(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny incident with a site and annexes; its gates pass until `refuse`."""
    pages = publishing.executive_files, publishing.analyst_report
    stand_in(monkeypatch)
    monkeypatch.setattr(publishing, "executive_files", pages[0])
    monkeypatch.setattr(publishing, "analyst_report", pages[1])
    monkeypatch.setenv("MAILTOLL_SECRET_TINY", "s" * 40)
    return tiny.write(tmp_path / "in", incident=f"{tiny.INCIDENT}site: ../site\nannexes: true\n")


def refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    breach = {"gate": "log_hole", "subject": "s", "severity": "fail", "is_passed": False}
    breached = GATES.conform(pl.DataFrame([breach | dict.fromkeys(("observed", "limit", "remedy"), "a hole")]))
    monkeypatch.setattr(steps, "gates_on_inputs", lambda *_: (breached, FINDINGS.empty()))


def content(folder: Path) -> dict[str, bytes | str]:
    """Every file below a folder with its bytes, and every link with where it leads."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_a_refusal_takes_every_figure_away_and_the_site_stays(
    incident: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, site = tmp_path / "out", tmp_path / "site"
    first = run(incident, out)
    told = {path.name for path in first.paths.values() if path.is_file()}
    assert {path.name for path in (*out.glob("*.html"), *out.glob("summary*"), out / "impact.json")} == told
    assert (out / "summary-waiting.png").exists()
    assert {path.name for path in out.iterdir()} >= OF_A_COUNT | OF_A_REFUSAL
    assert (out / "restricted" / "annex").is_dir()
    public, kept = content(site), content(out / "vintages")
    refuse(monkeypatch)

    assert run(incident, out).status == "refused"

    assert {path.name for path in out.iterdir()} == OF_A_REFUSAL
    assert "THERE IS NO FIGURE YET" in (out / "summary.txt").read_text(encoding="utf-8")
    assert content(site) == public
    assert content(out / "vintages") == kept
    with pytest.raises(BadInput, match="holds no published count"):
        outgoing.export(str(incident), str(out))
    assert {path.name for path in out.iterdir()} == OF_A_REFUSAL


def test_what_a_former_count_handed_out_does_not_stand_beside_a_new_one(
    incident: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    run(incident, out)
    tiny.write(tmp_path / "in", later=True, incident=incident.read_text(encoding="utf-8"))
    monkeypatch.setenv("MAILTOLL_SECRET_TINY", "too short")

    with pytest.raises(BadInput, match="MAILTOLL_SECRET_TINY"):
        run(incident, out)

    assert len(list((out / "vintages").iterdir())) == 2
    assert not (out / "exports").exists()
    assert not (out / "restricted").exists()
