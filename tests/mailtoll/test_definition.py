"""What is declared is written down and hashed before a log is opened, and nothing else is counted."""

import json
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest

from expectations.tables import COUNTS, MESSAGES, UNITS
from mailtoll.definition import definition_sha256, require_definition, write_definition
from mailtoll.incident import load_incident
from mailtoll.steps import count, pull_logs, run_incident
from mailtoll.warehouse import Warehouse
from sources.errors import BadInput
from tests.mailtoll import tiny


def hashed(folder: Path, *changes: tuple[str, str]) -> str:
    """Return the hash of the tiny incident with texts replaced."""
    text = tiny.INCIDENT
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return definition_sha256(load_incident(tiny.write(folder, incident=text)))


@pytest.mark.parametrize(
    "change",
    [
        ("thresholds: [15m, 1h, 4h]", "thresholds: [15m, 1h]"),
        ("threshold: 1h", "threshold: 4h"),
        ("unit: account", "unit: mailbox"),
        ("count: late", "count: late_or_lost"),
        ("end: 2030-05-01T02:00:00Z", "end: 2030-05-01T02:00:01Z"),
        ("window: {start: 2030-05-01T00:00:00Z, end: 2030-05-01T02:00:00Z}", "window: detect"),
        ("as_of: 2030-05-01T06:00:00Z", "as_of: 2030-05-01T07:00:00Z"),
        ("timezone: Pacific/Auckland", "timezone: UTC"),
        ("local_domains: [example.com]", "local_domains: [example.com, example.org]"),
        ('bulk_senders: ["*@mailhouse.example"]', "bulk_senders: []"),
        ("local_domains:", "baseline: {start: 2030-04-01T00:00:00Z, end: 2030-05-01T00:00:00Z}\nlocal_domains:"),
    ],
    ids=lambda change: change[1],
)
def test_every_choice_that_can_move_a_count_moves_the_hash(change: tuple[str, str], tmp_path: Path) -> None:
    assert hashed(tmp_path / "new", change) != hashed(tmp_path / "old")


@pytest.mark.parametrize(
    "change",
    [
        ("title: A tiny outage", "title: Another name"),
        ("thresholds: [15m, 1h, 4h]", "thresholds: [4h, 900s, 60m]"),
        ("2030-05-01T00:00:00Z, end", "2030-05-01T12:00:00+12:00, end"),
        ("silence_minutes: 100000", "silence_minutes: 99999"),
        ("gates:", "claims: [{who: A, said: many, low: 1, high: 2, unit: mailbox}]\ngates:"),
    ],
    ids=lambda change: change[1],
)
def test_another_spelling_and_what_moves_no_count_do_not(change: tuple[str, str], tmp_path: Path) -> None:
    assert hashed(tmp_path / "new", change) == hashed(tmp_path / "old")


def test_the_order_of_domains_and_senders_is_no_choice(tmp_path: Path) -> None:
    one, other = (("[example.com]", domains) for domains in ("[a.example, b.example]", "[b.example, a.example]"))
    assert hashed(tmp_path / "a", one) == hashed(tmp_path / "b", other)


def test_whoever_has_the_file_can_take_the_hash_again(tmp_path: Path) -> None:
    incident = load_incident(tiny.write(tmp_path / "in"))
    written = json.loads(write_definition(incident, Warehouse(tmp_path / "out")).read_text())
    text = json.dumps(written["declared"], sort_keys=True, separators=(",", ":"))
    assert sha256(text.encode()).hexdigest() == written["definition_sha256"] == definition_sha256(incident)
    keys = ("unit", "threshold_seconds", "messages", "count")
    every = set(product(UNITS, (900, 3600, 14400), MESSAGES, COUNTS))
    assert {tuple(row[k] for k in keys) for row in written["grid"]} == every
    assert len(written["grid"]) == len(every)


def test_the_first_step_writes_it_even_when_there_is_no_log_to_read(tmp_path: Path) -> None:
    path = tiny.write(tmp_path / "in", incident=tiny.INCIDENT.replace('"*.log"', '"nothing-*.log"'))
    with pytest.raises(BadInput):
        pull_logs(str(path), str(tmp_path / "out"))
    require_definition(load_incident(path), Warehouse(tmp_path / "out"))


def test_the_grid_that_is_published_is_the_one_that_was_declared(tmp_path: Path) -> None:
    result = run_incident(tiny.write(tmp_path / "in"), tmp_path / "out", lambda step: None)
    assert result.status == "published", result.reasons
    written = json.loads((tmp_path / "out" / "warehouse" / "definition.json").read_text())
    published = json.loads((tmp_path / "out" / "impact.json").read_text())
    keys = ("unit", "threshold_seconds", "messages", "count")
    definitions = {tuple(row[k] for k in keys) for row in written["grid"]}
    assert {tuple(cell[k] for k in keys) for cell in published["cells"]} == definitions
    assert written["definition_sha256"] in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_nothing_is_counted_by_a_definition_that_was_changed_after_the_logs_were_read(tmp_path: Path) -> None:
    path = tiny.write(tmp_path / "in")
    assert run_incident(path, tmp_path / "out", lambda step: None).status == "published"
    path.write_text(path.read_text().replace("count: late", "count: late_or_lost"))
    with pytest.raises(BadInput, match="declares other definitions"):
        count(str(path), str(tmp_path / "out"))


def test_counting_without_a_declaration_is_refused(tmp_path: Path) -> None:
    path = tiny.write(tmp_path / "in")
    with pytest.raises(BadInput, match="run the step pull_logs"):
        count(str(path), str(tmp_path / "out"))
