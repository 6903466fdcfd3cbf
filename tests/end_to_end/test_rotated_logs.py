"""However a log reaches us, the figures are those of the whole log, or there is an honest refusal."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailtoll import steps
from tests.mailtoll import tiny

FOLLOWED = tiny.INCIDENT.replace(
    '[{uri: "*.log", format: postfix}]', '[{uri: "mail.log*", format: postfix, follow: true}]'
)


def impact(folder: Path, out: Path, incident: str = FOLLOWED) -> dict[str, Any]:
    """Run the incident whose files lie in `folder`; return impact.json without what tells how the logs came."""
    (folder / "incident.yaml").write_text(incident, encoding="utf-8")
    steps.run_incident(folder / "incident.yaml", out, lambda _: None)
    content: dict[str, Any] = json.loads((out / "impact.json").read_text(encoding="utf-8"))
    return content


def figures(content: dict[str, Any]) -> dict[str, Any]:
    return {name: content[name] for name in ("status", "cells", "deliveries")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, Any]]:
    """The log in one piece, and its figures."""
    folder = tmp_path_factory.mktemp("whole")
    tiny.write(folder)
    log = (folder / "day1.log").read_bytes()
    (folder / "day1.log").rename(folder / "mail.log")
    content = impact(folder, folder / "out")
    assert content["status"] != "refused"
    return log, content


def overlapping(log: bytes, folder: Path, pull: Callable[[], None]) -> None:
    lines = log.splitlines(keepends=True)
    (folder / "mail.log.1").write_bytes(b"".join(lines[:40]))
    (folder / "mail.log").write_bytes(b"".join(lines[25:]))


def under_two_names(log: bytes, folder: Path, pull: Callable[[], None]) -> None:
    (folder / "mail.log").write_bytes(log)
    (folder / "mail.log.old").write_bytes(log)
    (folder / "mail.log.1.gz").write_bytes(gzip.compress(log))


def rotated_between_pulls(log: bytes, folder: Path, pull: Callable[[], None]) -> None:
    half = len(log) // 2  # within a line
    (folder / "mail.log").write_bytes(log[:half])
    pull()
    end = log.index(b"\n", half) + 1
    (folder / "mail.log.1.gz").write_bytes(gzip.compress(log[:end]))
    (folder / "mail.log").write_bytes(log[end:])
    pull()
    (folder / "mail.log").unlink()


def cut_archive_that_is_whole_the_next_time(log: bytes, folder: Path, pull: Callable[[], None]) -> None:
    whole = gzip.compress(log)
    (folder / "mail.log.gz").write_bytes(whole[:-200])
    pull()
    (folder / "mail.log.gz").write_bytes(whole)


@pytest.mark.parametrize(
    "happens", [overlapping, under_two_names, rotated_between_pulls, cut_archive_that_is_whole_the_next_time]
)
def test_the_figures_are_those_of_the_whole_log(
    tmp_path: Path, whole: tuple[bytes, dict[str, Any]], happens: Callable[[bytes, Path, Callable[[], None]], None]
) -> None:
    log, expected = whole
    folder = tmp_path / "in"
    tiny.write(folder, incident=FOLLOWED)
    (folder / "day1.log").unlink()

    def pull() -> None:
        steps.pull_logs(str(folder / "incident.yaml"), str(tmp_path / "out"))

    happens(log, folder, pull)
    content = impact(folder, tmp_path / "out")
    assert figures(content) == figures(expected)
    if happens is not overlapping:
        assert content["lines"] == expected["lines"], "and not a line is read twice"


def test_an_archive_that_stays_cut_off_is_told_and_refused(tmp_path: Path, whole: tuple[bytes, dict[str, Any]]) -> None:
    folder = tmp_path / "in"
    tiny.write(folder)
    (folder / "day1.log").unlink()
    (folder / "mail.log.gz").write_bytes(gzip.compress(whole[0])[:-200])
    content = impact(folder, tmp_path / "out")
    assert content["status"] == "refused"
    assert not content.get("cells")
    assert 0 < content["lines"]["read"] < whole[1]["lines"]["read"]
    assert "mail.log.gz: the archive is cut off or damaged" in (tmp_path / "out/report.html").read_text(
        encoding="utf-8"
    )
