"""Cut anywhere between lines, shuffled, compressed in any way, overlapping or joined again, a log gives its figures.

One outage over New Year, whose hosts are servers of every kind, is told by whole files, then by files of drawn pieces.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from mailtoll import publishing
from mailtoll.steps import run_incident
from tests.simulate import simulate, truth_cells, truth_outcomes, write_incident
from tests.simulate.files import COMPRESSORS

HOSTS = {
    "mx1": "postfix-rfc3164",
    "mx2": "exim",
    "mx3": "sendmail",
    "mx4": "exchange",
    "mx5": "postfix-rfc3339",
    "mx6": "postfix-journald",
}
# Whose pieces are joined in one file; a file without years would then begin in another year than the declared one.
JOINED = ("mx5", "mx2", "mx4")
MESSAGES = 500
FIGURES = ("status", "window", "headline", "cells", "deliveries", "claims")
# Lines that a piece has in common with the one before it.
OVERLAPS = (0, 0, 1, 12, 90)


@pytest.fixture(autouse=True)
def _without_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    no_pages(monkeypatch)


def no_pages(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(publishing, "analyst_report", lambda _: "")
    patch.setattr(publishing, "executive_files", lambda _: {})


def impact(incident: Path, out: Path) -> dict[str, Any]:
    result = run_incident(incident, out, lambda _: None)
    assert result.status == "published", result.reasons
    content: dict[str, Any] = json.loads((out / "impact.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The incident with one file for each host, and its impact.json, which is the truth."""
    folder = tmp_path_factory.mktemp("whole")
    outage = simulate(21, messages=MESSAGES, hosts=len(HOSTS), start="2030-12-29T00:00:00Z", cut_off="flood")
    gates = {"silence_minutes": 100_000}  # hosts with a hundred messages a week are silent for hours
    incident = write_incident(outage, folder / "in", HOSTS, pieces=1, suffixes=("",), gates=gates)
    with pytest.MonkeyPatch.context() as patch:
        no_pages(patch)
        content = impact(incident, folder / "out")
    truth = truth_cells(outage)
    key = ("unit", "threshold_seconds", "messages", "count", "segment")
    assert {tuple(cell[name] for name in key): cell["measured"] for cell in content["cells"]} == truth
    assert content["deliveries"] == truth_outcomes(outage, outage.log_end)
    assert any(cell["baseline"] for cell in content["cells"])
    assert any(cell["lower"] < cell["upper"] for cell in content["cells"])
    return incident, content


@pytest.mark.parametrize(("seed", "joined"), list(enumerate(JOINED)))
def test_a_log_in_drawn_pieces_gives_the_figures_of_the_whole(
    seed: int, joined: str, whole: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    incident, expected = whole
    shutil.copytree(incident.parent, tmp_path / "in")
    rng, suffixes = Random(seed), list(COMPRESSORS)
    added = 0  # lines that stand twice, and further heads
    for log in sorted((tmp_path / "in" / "logs").glob("*/*")):
        head, lines, newline = read(log)
        overlap = rng.choice(OVERLAPS)
        pieces = cut(lines, sorted(rng.sample(range(1, len(lines)), rng.randint(1, 3))), overlap)
        rng.shuffle(pieces)
        if log.parent.name == joined:
            pieces = [[line for piece in pieces for line in piece]]
        added += sum(map(len, pieces)) - len(lines) + len(head) * (len(pieces) - 1)
        log.unlink()
        for name, piece in enumerate(pieces):
            suffix = rng.choice(suffixes)
            packed = COMPRESSORS[suffix](newline.join([*head, *piece, b""]))
            log.with_name(f"{log.name}.{name}{suffix}").write_bytes(packed)
    cut_up = tmp_path / "in" / incident.name
    with_globs(cut_up)
    content = impact(cut_up, tmp_path / "out")
    assert {name: content[name] for name in FIGURES} == {name: expected[name] for name in FIGURES}
    assert content["lines"]["read"] == expected["lines"]["read"] + added
    assert content["lines"]["quarantined"] == 0


def read(log: Path) -> tuple[list[bytes], list[bytes], bytes]:
    """Return the lines that open a file (Exchange says its columns there), the others, and what ends each."""
    content = log.read_bytes()
    newline = b"\r\n" if b"\r\n" in content else b"\n"
    lines = content.split(newline)[:-1]
    head = [line for line in lines if line.startswith(b"#")]
    return head, lines[len(head) :], newline


def cut(lines: Sequence[bytes], places: Sequence[int], overlap: int) -> list[list[bytes]]:
    starts, ends = [0, *places], [*places, len(lines)]
    return [list(lines[max(0, start - overlap) : end]) for start, end in zip(starts, ends, strict=True)]


def with_globs(incident: Path) -> None:
    content = yaml.safe_load(incident.read_text(encoding="utf-8"))
    for entry in content["logs"]:
        entry["uri"] = entry["uri"].rstrip("*") + ".*"
    incident.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
