"""The incident file: what it may say, and what is answered where it says something else."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtoll.durations import parse_duration, spell_duration
from mailtoll.incident import load_incident
from sources.errors import BadInput
from transforms.settings import Definition, Interval

PLAIN = """\
id: example-2030-01
title: An outage at Example
timezone: Pacific/Auckland
logs:
  - uri: logs/mx1/*.log*
    format: auto
    timezone: UTC
    year: 2030
queue_snapshots: [queue.json]
customers: {uri: customers.csv}
window: {start: 2030-01-08T00:00:00Z, end: 2030-01-10T00:00:00Z}
as_of: 2030-01-12T00:00:00Z
baseline: {start: 2030-01-01T00:00:00Z, end: 2030-01-08T00:00:00Z}
local_domains: [Example.com]
bulk_senders: ["*@Mailhouse.example"]
thresholds: [24h, 15m, 1h, 60m]
headline: {unit: account, threshold: 1h, messages: excluding_bulk, count: late}
claims:
  - {who: Example Telecom, said: several thousand users, low: 2000, high: 9999, unit: mailbox}
  - {who: Radio Example, said: 20,000 users, low: 20000, high: 20000, unit: mailbox}
"""


def loaded(tmp_path: Path, text: str):  # type: ignore[no-untyped-def]
    path = tmp_path / "incident.yaml"
    path.write_text(text, encoding="utf-8")
    return load_incident(path)


def utc(day: int, hour: int = 0) -> datetime:
    return datetime(2030, 1, day, hour, tzinfo=UTC)


def test_every_key_of_the_contract(tmp_path: Path) -> None:
    incident = loaded(tmp_path, PLAIN)
    assert incident.id == "example-2030-01"
    assert incident.logs[0].year == 2030
    assert incident.declared_window() == Interval(utc(8), utc(10))
    assert incident.as_of == utc(12)
    assert incident.thresholds == (900, 3600, 86400), "sorted, each once"
    assert incident.local_domains == ("example.com",)
    assert incident.bulk_senders == ("*@mailhouse.example",)
    assert [(s.uri, s.kind, s.base) for s in incident.log_specs()] == [
        ("logs/mx1/*.log*", "log", tmp_path),
        ("queue.json", "queue_snapshot", tmp_path),
    ]
    assert incident.records_spec().uri == "customers.csv"


def test_settings_are_what_the_transforms_take(tmp_path: Path) -> None:
    incident = loaded(tmp_path, PLAIN)
    settings = incident.settings(utc(12), Interval(utc(8), utc(10)))
    assert settings.headline == Definition("account", 3600, "excluding_bulk", "late")
    assert settings.thresholds_seconds == (900, 3600, 86400)
    assert settings.timezone == "Pacific/Auckland"
    assert settings.placebo_windows
    assert all(utc(1) <= w.start and w.end <= utc(8) for w in settings.placebo_windows)


def test_optional_keys_may_be_left_out_or_empty(tmp_path: Path) -> None:
    optional = ("queue_snapshots", "as_of", "baseline", "bulk_senders")
    without = "".join(line for line in PLAIN.splitlines(keepends=True) if not line.startswith(optional))
    for text in (without, without + "".join(f"{key}:\n" for key in optional)):
        incident = loaded(tmp_path, text)
        assert incident.queue_snapshots == incident.bulk_senders == ()
        assert incident.as_of is None
        assert incident.settings(utc(12), Interval(utc(8), utc(10))).placebo_windows == ()


def test_a_window_may_be_left_to_detection(tmp_path: Path) -> None:
    declared = "window: {start: 2030-01-08T00:00:00Z, end: 2030-01-10T00:00:00Z}"
    incident = loaded(tmp_path, PLAIN.replace(declared, "window: detect"))
    assert incident.declared_window() is None
    reaching_into_the_baseline = Interval(utc(7), utc(9))
    placebos = incident.settings(utc(12), reaching_into_the_baseline).placebo_windows
    assert all(w.end <= utc(7) for w in placebos)


def test_records_may_be_a_table(tmp_path: Path) -> None:
    incident = loaded(tmp_path, PLAIN.replace("{uri: customers.csv}", "{connection: CRM, table: mailboxes}"))
    assert (incident.records_spec().connection, incident.records_spec().table) == ("CRM", "mailboxes")


def test_keys_of_sources_beyond_the_contract(tmp_path: Path) -> None:
    incident = loaded(
        tmp_path,
        PLAIN.replace("    format: auto", "    connection: mx_logs\n    follow: TRUE")
        .replace("[queue.json]", "[queue.json, {uri: 'sftp://mx1.example.com/queue.json', connection: mx_logs}]")
        .replace(
            "{uri: customers.csv}",
            "{connection: crm, table: mailboxes, snapshots: kept, corrections: c.yaml, segments: [business, home]}",
        ),
    )
    logs, plain, remote = incident.log_specs()
    assert (logs.follows, logs.connection, plain.connection, remote.connection) == (True, "mx_logs", None, "mx_logs")
    assert incident.connections() == ("mx_logs", "crm")
    records = incident.records_spec()
    assert (records.snapshots, records.corrections, records.timezone) == ("kept", "c.yaml", "Pacific/Auckland")
    assert records.segments == ("business", "home")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("said: 20,000 users", "20,000 users"),
        ("said: '20,000 users'", "20,000 users"),
        ('said: "20,000 users"', "20,000 users"),
        ("said: 20,000", "20,000"),
        ("said: 1,200,000 users, they say", "1,200,000 users, they say"),
        ("said: 20000", "20000"),
        ("said: NO", "NO"),
    ],
)
def test_a_comma_in_what_was_said_is_part_of_it(tmp_path: Path, written: str, said: str) -> None:
    flow = PLAIN.replace("said: 20,000 users", written)
    assert loaded(tmp_path, flow).claims[1].said == said
    entry = "  - {who: Radio Example, said: 20,000 users, low: 20000, high: 20000, unit: mailbox}\n"
    block = f"  - who: Radio Example\n    {written}\n    low: 20000\n    high: 20000\n    unit: mailbox\n"
    claim = loaded(tmp_path, PLAIN.replace(entry, block)).claims[1]
    assert (claim.who, claim.said, claim.low, claim.high, claim.unit) == (
        "Radio Example",
        said,
        20000,
        20000,
        "mailbox",
    )


def test_cause_and_next_update_may_be_told(tmp_path: Path) -> None:
    incident = loaded(tmp_path, PLAIN + "cause: A flood, on purpose\nnext_update: 2030-01-13T09:00:00+13:00\n")
    assert incident.cause == "A flood, on purpose"
    assert incident.next_update == utc(12, 20)
    silent = loaded(tmp_path, PLAIN + "cause:\nnext_update:\n")
    assert (silent.cause, silent.next_update) == ("", None)
    with pytest.raises(BadInput, match="line 21: cause: it has 241 characters; say it in one line of at most 240"):
        loaded(tmp_path, PLAIN + f"cause: {'x' * 241}\n")


def test_gates_are_the_defaults_unless_changed(tmp_path: Path) -> None:
    assert loaded(tmp_path, PLAIN).gates.changed() == ()
    gates = loaded(tmp_path, PLAIN + "gates: {unmatched_share: 0.2, incomplete_records: 3}\n").gates
    assert (gates.unmatched_share, gates.incomplete_records, gates.quarantined_share) == (0.2, 3, 0.005)
    assert gates.changed() == ("unmatched_share", "incomplete_records")


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("title:", "titel:", 2, "did you mean 'title'"),
        ("title: An outage at Example\n", "", 1, "lacks key 'title'"),
        ("id: example-2030-01", "id: ../etc", 1, "cannot name a folder"),
        ("id: example-2030-01", "id: a\nid: example", 2, "stands twice"),
        ("timezone: Pacific/Auckland", "timezone: Mars/Olympus", 3, "not a time zone"),
        ("timezone: Pacific/Auckland", "timezone: ../../etc/passwd", 3, "not a time zone"),
        ("timezone: Pacific/Auckland", "timezone: Pacific", 3, "not a time zone"),
        ("    format: auto", "    format: qmail", 6, "auto, postfix, exim"),
        ("year: 2030", "year: soon", 8, "whole number"),
        ("queue_snapshots: [queue.json]", "queue_snapshots: queue.json", 9, "a list"),
        ("{uri: customers.csv}", "{uri: a.csv, table: b}", 10, "either {uri"),
        ("{uri: customers.csv}", "{connection: CRM}", 10, "either {uri"),
        ("{uri: customers.csv}", "{table: mailboxes}", 10, "either {uri"),
        ("queue_snapshots: [queue.json]", "queue_snapshots: [{url: a}]", 9, "did you mean 'uri'"),
        ("    format: auto", "    follow: often", 6, "write true or false"),
        ("window: {start", "window: {begin: 1, start", 11, "'begin' is not known in window"),
        ("end: 2030-01-10T00:00:00Z", "end: 2030-01-07T00:00:00Z", 11, "before it starts"),
        ("end: 2030-01-10T00:00:00Z", "end: 2030-01-08T00:00:00Z", 11, "as it starts"),
        ("end: 2030-01-10T00:00:00Z", "end: 2030-01-10T00:00:00", 11, "no zone"),
        ("end: 2030-01-10T00:00:00Z", "end: 2030-01-10", 11, "no zone"),
        ("end: 2030-01-10T00:00:00Z", "end: tomorrow", 11, "not a time"),
        ("as_of: 2030-01-12T00:00:00Z", "as_of: 2030-01-08T00:00:00Z", 12, "as_of is not after"),
        ("baseline: {start: 2030-01-01", "baseline: {start: 2030-01-09", 13, "before it starts"),
        ("end: 2030-01-08T00:00:00Z", "end: 2030-01-08T00:00:01Z", 13, "baseline overlaps window"),
        ("[Example.com]", "[]", 14, "at least one"),
        ("[Example.com]", "['someone@example.com']", 14, "not a domain"),
        ('["*@Mailhouse.example"]', "[*@Mailhouse.example]", 15, "in quotes"),
        ("15m, ", "15 min, ", 16, "not a duration"),
        ("15m, ", "900, ", 16, "not a duration"),
        ("15m, ", "0s, ", 16, "not a duration"),
        ("unit: account", "unit: person", 17, "delivery, message, address, mailbox, account, customer"),
        ("messages: excluding_bulk", "messages: some", 17, "all, excluding_bulk"),
        ("count: late}", "count: early}", 17, "late, late_or_lost"),
        ("threshold: 1h", "threshold: 2h", 17, "not among thresholds (15m, 1h, 1d)"),
        ("low: 2000,", "low: 99999,", 19, "swap them"),
        ("low: 2000,", "low: 2,000,", 19, "whole number in digits"),
        ("unit: mailbox}\n  - {who: Radio", "unit: user}\n  - {who: Radio", 19, "'user' is not known"),
        ("claims:", "gates: {unmatched: 1}\nclaims:", 18, "no gate 'unmatched'"),
        ("claims:", "gates: {unmatched_share: 5%}\nclaims:", 18, "a share from 0 to 1"),
        ("claims:", "gates: {unmatched_share: nan}\nclaims:", 18, "a share from 0 to 1"),
        ("claims:", "gates: {ambiguous_addresses: 0.5}\nclaims:", 18, "a whole number"),
        ("title: An", "title: [An", 3, "broken YAML"),
        ("title: An", "\ttitle: An", 2, "a tab cannot indent"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    assert old in PLAIN
    with pytest.raises(BadInput) as caught:
        loaded(tmp_path, PLAIN.replace(old, new, 1))
    sentence = str(caught.value)
    assert sentence.startswith(f"{tmp_path / 'incident.yaml'}, line {line}")
    assert says in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("logs", ["logs: []\n", "logs:\n", "logs: some.log\n"])
def test_no_logs(tmp_path: Path, logs: str) -> None:
    start, end = PLAIN.index("logs:"), PLAIN.index("queue_snapshots")
    with pytest.raises(BadInput, match="line 4: logs: "):
        loaded(tmp_path, PLAIN[:start] + logs + PLAIN[end:])


def test_files_that_are_no_incident(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        load_incident(tmp_path / "none.yaml")
    with pytest.raises(BadInput, match="is a folder"):
        load_incident(tmp_path)
    with pytest.raises(BadInput, match="is empty"):
        loaded(tmp_path, "# nothing yet\n")
    with pytest.raises(BadInput, match="list of keys and values"):
        loaded(tmp_path, "- a\n- b\n")
    (tmp_path / "latin1.yaml").write_bytes(PLAIN.encode().replace(b"Example\n", b"Caf\xe9\n"))
    with pytest.raises(BadInput, match="not UTF-8"):
        load_incident(tmp_path / "latin1.yaml")


def test_aliases_cannot_blow_up(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    with pytest.raises(BadInput, match="anchors and aliases"):
        loaded(tmp_path, bomb)
    with pytest.raises(BadInput, match="anchors and aliases"):
        loaded(tmp_path, "a: &a [*a]\n")


@given(st.text(max_size=300))
def test_any_text_is_an_incident_or_bad_input(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(BadInput) as caught:
        load_incident(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10), ("15m", 900), ("1h", 3600), ("24h", 86400), ("1d", 86400), ("1h30m", 5400)]
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@given(st.integers(1, 10**7))
def test_a_duration_survives_being_spelt(seconds: int) -> None:
    assert parse_duration(spell_duration(seconds)) == seconds


def test_the_demo_incident_loads() -> None:
    incident = load_incident(Path(__file__).parents[2] / "incidents/officemail-lab/incident.yaml")
    assert incident.thresholds == (10, 30, 60, 120, 240)
    assert incident.headline.threshold == 60
