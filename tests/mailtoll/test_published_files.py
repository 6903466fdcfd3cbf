"""What publication leaves in the run's folder for the reader with one minute."""

from pathlib import Path

import polars as pl
import pytest

from expectations.tables import FINDINGS, GATES
from mailtoll import publishing, steps
from tests.mailtoll import tiny
from tests.mailtoll.ungated import run, stand_in


def test_a_refusal_takes_the_pictures_of_the_last_count_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = publishing.executive_files
    stand_in(monkeypatch)
    monkeypatch.setattr(publishing, "executive_files", files)
    incident, out = tiny.write(tmp_path / "in"), tmp_path / "out"
    published = run(incident, out).paths
    told = {path.name for path in published.values() if path.is_file()}
    assert {path.name for path in (*out.glob("*.html"), *out.glob("summary*"), out / "impact.json")} == told
    assert (out / "summary-waiting.png").exists()
    breach = {"gate": "log_hole", "subject": "s", "severity": "fail", "is_passed": False}
    breached = GATES.conform(pl.DataFrame([breach | dict.fromkeys(("observed", "limit", "remedy"), "a hole")]))
    monkeypatch.setattr(steps, "gates_on_inputs", lambda *_: (breached, FINDINGS.empty()))
    assert run(incident, out).status == "refused"
    assert {path.name for path in out.glob("summary*")} == {"summary.html", "summary.txt", "summary.pdf"}
    assert "THERE IS NO FIGURE YET" in (out / "summary.txt").read_text(encoding="utf-8")
