"""Runs of the tiny incident without the quality gates and the pages, which take seconds and are tested elsewhere."""

from pathlib import Path

import pytest

from expectations.tables import FINDINGS, GATES
from mailtoll import publishing, steps


def stand_in(patch: pytest.MonkeyPatch) -> None:
    """Let every gate pass at once, and write empty pages."""
    patch.setattr(steps, "gates_on_inputs", lambda *_: (GATES.empty(), FINDINGS.empty()))
    patch.setattr(steps, "gates_on_impact", lambda *_: GATES.empty())
    patch.setattr(publishing, "analyst_report", lambda _: "")
    patch.setattr(publishing, "executive_files", lambda _: {})


def run(incident: Path, out: Path) -> steps.RunResult:
    """Run all steps, silently."""
    return steps.run_incident(incident, out, lambda _: None)
