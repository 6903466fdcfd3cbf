"""What the damage helpers take away is what is missing afterwards, and they say so."""

from pathlib import Path

import pytest
import yaml

from tests.simulate import DIALECTS, simulate, write_incident
from tests.simulate.damage import (
    CutHour,
    DeleteLines,
    RateLimit,
    delete_lines,
    drop_records,
    journald_mark,
    overlap,
    recompress,
    split_file,
    truncate,
)
from tests.simulate.dialects import write_down
from tests.simulate.files import read_bytes
from tests.simulate.outage import Outage


@pytest.fixture(scope="module")
def outage() -> Outage:
    return simulate(5, messages=600, days=3, accounts=60)


def count(outage: Outage, *damage: object) -> int:
    written = write_down(outage, "postfix-rfc3164", damage=damage)  # type: ignore[arg-type]
    return sum(len(texts) for texts in written.texts.values())


def test_deleted_lines_are_gone_and_named(outage: Outage) -> None:
    spoil = DeleteLines(0.1, seed=1, only="status=sent")
    assert count(outage) - count(outage, spoil) == len(spoil.removed) > 10
    assert all("status=sent" in line.text for _, line in spoil.removed)


def test_an_hour_of_one_host_is_cut_out_and_marked(outage: Outage) -> None:
    start = outage.window[0] + 10 * 3600
    cut, marked = CutHour("mx2", start), CutHour("mx2", start, mark=journald_mark)
    assert count(outage) - count(outage, cut) == len(cut.removed) > 5
    assert {host for host, _ in cut.removed} == {"mx2"}
    assert all(start <= line.at < start + 3600 for _, line in cut.removed)
    assert count(outage, marked) == count(outage, cut) + 1


def test_a_rate_limit_drops_what_exceeds_it_and_adds_up(outage: Outage) -> None:
    limit = RateLimit(40, 600)
    written = write_down(outage, "postfix-rfc3339", damage=[limit])
    marks = [text for texts in written.texts.values() for text in texts if "imuxsock lost" in text]
    assert sum(int(text.split(" lost ")[1].split()[0]) for text in marks) == len(limit.removed) > 10


def test_files_are_spoiled_in_place(outage: Outage, tmp_path: Path) -> None:
    incident = write_incident(outage, tmp_path, suffixes=[".gz"], pieces=2)
    older, newer = tmp_path / "logs/mx1/mail.log.1.gz", tmp_path / "logs/mx1/mail.log"
    lines = len(read_bytes(older).splitlines())
    removed = delete_lines([older], 0.2, seed=2)
    assert lines - len(read_bytes(older).splitlines()) == len(removed[older]) > 10
    whole = read_bytes(older)
    parts = split_file(older, 50)
    assert b"".join(read_bytes(part) for part in parts) == whole
    packed = recompress(parts[1], ".zst")
    assert packed.name == "mail.log.1.zst"
    assert whole.endswith(read_bytes(packed))
    before = len(read_bytes(newer).splitlines())
    overlap(packed, newer, 7)
    assert len(read_bytes(newer).splitlines()) == before + 7
    assert truncate(newer, 0.5) > 0
    rows = yaml.safe_load(incident.read_text())["customers"]["uri"]
    dropped = drop_records(tmp_path / rows, 0.1, seed=3)
    assert len(dropped) + len((tmp_path / rows).read_text().splitlines()) - 1 == len(outage.records)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_is_written_whole_with_rotation_and_compression(
    outage: Outage, dialect: str, tmp_path: Path
) -> None:
    incident = yaml.safe_load(write_incident(outage, tmp_path, dialect, pieces=6).read_text())
    found = sorted(path for entry in incident["logs"] for path in tmp_path.glob(entry["uri"]))
    written = write_down(outage, dialect)
    headers = 5 * len(found) if dialect == "exchange" else 0
    assert sum(len(read_bytes(p).splitlines()) for p in found) == headers + sum(map(len, written.texts.values()))
    assert {p.suffix for p in found} >= {".gz", ".xz", ".bz2", ".zst"}


def test_over_new_year_each_file_names_its_own_year(tmp_path: Path) -> None:
    outage = simulate(6, messages=300, days=6, accounts=40, start="2029-12-29T00:00:00Z")
    incident = yaml.safe_load(write_incident(outage, tmp_path, pieces=8).read_text())
    assert {entry["year"] for entry in incident["logs"]} == {2029, 2030}
    assert "year" not in yaml.safe_load(write_incident(outage, tmp_path / "x", "exim").read_text())["logs"][0]


def test_two_servers_write_into_one_file_of_a_loghost(outage: Outage, tmp_path: Path) -> None:
    spoil = DeleteLines(0.01, seed=1)
    mixed = {"mx1": "postfix-rfc3164", "mx2": "sendmail"}
    write_incident(outage, tmp_path, mixed, one_file=True, pieces=1, damage=[spoil])
    lines = (tmp_path / "logs/all/mail.log").read_text().splitlines()
    assert {line.split()[3] for line in lines} == {"mx1", "mx2"}
    assert {line.split()[3] for line in lines if "sm-mta[" in line} == {"mx2"}
    assert {line.split()[3] for line in lines if "postfix/qmgr[" in line} == {"mx1"}
    whole = sum(len(write_down(outage, name, hosts=[host]).texts[host]) for host, name in mixed.items())
    assert len(lines) + len(spoil.removed) == whole
