"""The big log for timing: its size, its order, and the totals that it claims."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.biglog import write_big_log
from benchmarks.wordings import WORDINGS
from tests.transforms.dialects import fates, parse
from transforms.dialect import LogOptions
from transforms.registry import ENVELOPES, GRAMMARS


def test_a_big_log_has_the_size_and_the_totals_that_it_claims(tmp_path: Path) -> None:
    totals = write_big_log(tmp_path, 3, mailboxes=500)
    text = (tmp_path / "logs/mx1/mail.log").read_text()
    lines = text.splitlines()
    assert (len(text), len(lines)) == (totals.bytes, totals.lines)
    assert 2.8e6 < totals.bytes < 3.2e6
    assert 120 < totals.bytes / totals.lines < 140
    assert [line[:15] for line in lines] == sorted(line[:15] for line in lines)
    assert text.count(": client=") == text.count(": removed\n") == totals.messages
    assert text.count("status=sent") == totals.deliveries
    assert len(re.findall(r"delay=(?:3[6-9]|[4-9]\d|\d{3})\d\d+, .*status=sent", text)) == totals.late_3600 > 20
    assert json.loads((tmp_path / "truth.json").read_text())["late_3600"] == totals.late_3600
    assert len((tmp_path / "customers.csv").read_text().splitlines()) == 501


def test_exim_says_the_same_of_the_same_messages(tmp_path: Path) -> None:
    totals = write_big_log(tmp_path, 1, server="exim", mailboxes=500)
    text = (tmp_path / "logs/mx1/mainlog").read_text()
    lines = text.splitlines()
    assert (len(text), len(lines)) == (totals.bytes, totals.lines)
    assert 0.9e6 < totals.bytes < 1.1e6
    assert all(first[:19] <= second[:19] for first, second in pairwise(lines))
    assert text.count(" <= ") == text.count(" Completed\n") == totals.messages
    assert len(re.findall(r" [=-]> ", text)) == totals.deliveries
    assert len(re.findall(r" QT=(?:\d+d)?\d+h", text)) == totals.late_3600 > 20


@pytest.mark.parametrize("server", WORDINGS)
def test_every_line_is_understood(server: str, tmp_path: Path) -> None:
    totals = write_big_log(tmp_path, 0.5, server=server, mailboxes=50)
    content = (tmp_path / "logs/mx1" / WORDINGS[server].file).read_bytes()
    envelope = ENVELOPES["exim" if server == "exim" else "syslog"](LogOptions(year=2030, host="mx1"))
    read = parse(content, envelope, GRAMMARS[server])
    assert fates(read)["quarantined"] == 0
    assert read.events.filter(kind="arrived").height == totals.messages
    assert read.events.filter(status="sent").height == totals.deliveries


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_big_log(tmp_path / name, 0.3, mailboxes=50)
    logs = [(tmp_path / name / "logs/mx1/mail.log").read_bytes() for name in ("a", "b")]
    assert logs[0] == logs[1]
