"""`mailtoll explain`: one verdict, replayed from the run's folder, down to its log lines."""

import re
import shutil
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from expectations.tables import GATES
from mailtoll import steps
from mailtoll.explain import explain
from mailtoll.explain_facts import Facts, facts_of
from mailtoll.explain_replay import kept_context, replay, table_of
from mailtoll.explain_subject import find_subject
from mailtoll.snapshot import read_snapshot
from mailtoll.warehouse import Warehouse
from sources.errors import BadInput
from tests.mailtoll import tiny
from tests.mailtoll.ungated import run, stand_in
from transforms import impact

PEOPLE = ("A1", "B1", "B2", "D1")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run; the incident and its files are gone."""
    folder = tmp_path_factory.mktemp("tiny")
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch)
        assert run(tiny.write(folder / "in", later=True), folder / "out").status == "published"
    shutil.rmtree(folder / "in")
    return folder / "out"


@cache
def explained(folder: Path, subject: str) -> str:
    """The explanation of a subject in a folder that does not change."""
    return explain(folder, subject)


def delivery(text: str, message_id: str) -> str:
    """The part of an explanation that tells of one message."""
    (found,) = [part for part in text.split("\n\n") if re.search(rf"Message-ID +{re.escape(message_id)}$", part, re.M)]
    return found


def joined(text: str) -> str:
    """Text with its line breaks taken out."""
    return " ".join(text.split())


def test_an_account_in_the_headline_names_the_delivery_that_decides(out: Path) -> None:
    text = explained(out, "A1")
    assert "IN THE HEADLINE: yes; delivery 1 below decides" in text
    decides = delivery(text, "late@example.net")
    assert decides.startswith("DELIVERY 1 of 2: delivered, 1 hour 20 minutes · decides the headline")
    assert "Counts as   late at 15m, 1h" in decides
    assert "Arrived     1 May 2030 12:10:00 NZST" in decides, "in the incident's zone"
    assert "Ended       1 May 2030 13:30:00 NZST, after 4800 s (1 hour 20 minutes)" in decides
    assert "CHECK: the run's own table of deliveries says the same of all 2." in text


def test_log_lines_are_the_lines_of_the_file_at_that_number(out: Path) -> None:
    lines = [*tiny.day_one(), *tiny.dora_waits()]
    told = delivery(explained(out, "A1"), "late@example.net")
    found = re.findall(r"^    day1\.log:(\d+) \(leg \d\)\n((?:      .*\n?)+)", told, re.M)
    assert len(found) == 11, "each leg's arrival, name, sender, attempts and end"
    for number, text in found:
        assert "".join(part[6:] for part in text.splitlines()) == lines[int(number) - 1]


def test_a_requeued_message_shows_its_legs_in_order_and_what_ties_them(out: Path) -> None:
    told = joined(delivery(explained(out, "carl@example.com"), "again@example.net"))
    legs = re.findall(r"(\d)\. mx1 (\w+), (\S+) → (\S+): (.*?)(?= \d\. mx1| Log lines)", told)
    assert [leg[:4] for leg in legs] == [
        ("1", "DD0001", "12:16:00", "12:16:00"),
        ("2", "DD0002", "12:16:00", "13:10:00"),
        ("3", "DD0003", "13:11:00", "13:11:00"),
        ("4", "DD0004", "13:11:00", "13:20:00"),
    ]
    assert legs[0][4] == "first arrival; done"
    assert legs[1][4].startswith("the reply in leg 1 names this queue file")
    assert legs[1][4].endswith("requeued by an operator: it goes on under a new id")
    assert legs[2][4] == "its own arrival line names leg 2; done"


@pytest.mark.parametrize(
    ("subject", "message_id", "rule"),
    [
        ("A1", "late@example.net", "Delivered: a line says sent (status 2.0.0)"),
        ("B1", "gone@example.net", "Lost: queue file EE0002 was deleted by an operator or a rule"),
        ("D1", "wait\\u202e@example.net", "Pending: queue file DE0002 is in the queue listing"),
        (
            "nobody@example.com",
            "nobody@example.net",
            "Not an impact: accepted, then refused at once as an unknown mailbox (status 5.1.1).",
        ),
    ],
)
def test_the_rule_that_decided_is_a_sentence(out: Path, subject: str, message_id: str, rule: str) -> None:
    assert f"Rule {rule}" in joined(delivery(explained(out, subject), message_id))


def test_pending_mail_shows_the_line_of_the_queue_listing(out: Path) -> None:
    told = delivery(explained(out, "D1"), "wait\\u202e@example.net")
    assert "queue.json:1 (leg 2)" in told
    assert "not up to as of; waiting for at least 19800 s (5 hours 30 minutes)" in told


def test_not_in_the_headline_says_why(out: Path) -> None:
    nobody = joined(explained(out, "nobody@example.com"))
    assert "IN THE HEADLINE: no: no record says whose it is, so it is no account." in nobody
    assert "in no customer record: counted as unmatched" in nobody


def test_an_address_is_found_in_any_case_and_leads_to_its_mailbox(out: Path) -> None:
    assert explained(out, " aNN@Example.COM ") == explained(out, "ann@example.com")
    assert explained(out, "a1") == explained(out, "A1")
    by_alias = explained(out, "Sales@Example.com")
    assert "MAILBOX ann@example.com\n  asked for by its address sales@example.com" in by_alias
    assert "To          sales@example.com, which leads to ann@example.com" in by_alias


def test_nobody_elses_address_is_shown(out: Path) -> None:
    ann = explained(out, "A1")
    assert "2 about other recipients left out" in delivery(ann, "two@example.net")
    assert "bob@example.com" not in ann
    assert "sales@example.com" not in explained(out, "B1")


def test_a_line_that_names_others_too_withholds_them(out: Path) -> None:
    """A queue listing names all recipients of a queue file on one line."""
    shared = Warehouse(out).kept(
        pl.read_parquet(Warehouse(out).table("pulled")).filter(kind="queue_snapshot")["path"][0]
    )
    events = Warehouse(out).part("events", shared.parent.name)
    snapshot, listing = pl.read_parquet(events), shared.read_text()
    try:
        other = snapshot.with_columns(recipient=pl.lit("erin@example.com"))
        pl.concat([snapshot, other]).write_parquet(events)
        shared.write_text(listing.replace("connection refused", "for Erin@example.com: refused"))
        told = joined(delivery(explain(out, "D1"), "wait\\u202e@example.net"))
        assert "for [another recipient]: refused" in told
        assert "erin@" not in told.lower()
    finally:
        snapshot.write_parquet(events)
        shared.write_text(listing)


@pytest.mark.parametrize("subject", [*PEOPLE, "nobody@example.com"])
def test_text_is_narrow_and_cannot_drive_a_terminal(out: Path, subject: str) -> None:
    text = explained(out, subject)
    assert max(map(len, text.splitlines())) <= 100
    assert all(character.isprintable() for line in text.splitlines() for character in line)


def test_cells_of_all_accounts_add_up_to_the_grid(out: Path) -> None:
    grid = pl.read_parquet(Warehouse(out).table("cells")).filter(segment="all")
    own = pl.concat([facts(out, account).cells for account in PEOPLE]).filter(segment="all")
    key = ["unit", "threshold_seconds", "messages", "count"]
    added = own.group_by(key).agg(pl.col("measured").sum())
    both = grid.join(added, on=key, suffix="_added")
    of_accounts = both.filter(pl.col("unit").is_in(["mailbox", "account"]))
    assert of_accounts["measured"].to_list() == of_accounts["measured_added"].to_list()
    assert of_accounts["measured"].max() == 4, "else there was nothing to compare"
    customers = both.filter(unit="customer", threshold_seconds=3600, messages="all", count="late").row(0, named=True)
    assert (customers["measured"], customers["measured_added"]) == (3, 4), "B1 and B2 are one customer's"


def test_the_headline_verdict_is_that_of_the_accounts_table(out: Path) -> None:
    accounts = pl.read_parquet(Warehouse(out).published_accounts)
    for account_id, is_affected in accounts.select("account_id", "is_affected").iter_rows():
        assert ("IN THE HEADLINE: yes" in explained(out, account_id)) == is_affected
    assert accounts["is_affected"].all()


@pytest.mark.parametrize(
    ("subject", "sentence"),
    [
        ("AA1", "AA1 is no account id in this run's customer records, and no address; did you mean A1?"),
        ("zzz", "write an account id or a whole address."),
        ("c2", "it is a customer's id: ask for one of the customer's accounts (B1, B2)."),
        ("erin@example.com", "erin@example.com is no account, mailbox or address in this run's customer records"),
        ("x\x1b[31m@example.com", r"x\u001b[31m@example.com is no account"),
    ],
)
def test_unknown_subjects_end_in_one_sentence(out: Path, subject: str, sentence: str) -> None:
    with pytest.raises(BadInput) as caught:
        explain(out, subject)
    assert sentence in str(caught.value)
    assert "ann@" not in str(caught.value)


def test_a_folder_without_a_run_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="run `mailtoll run INCIDENT"):
        explain(tmp_path, "A1")


def test_lines_whose_copy_is_gone_are_named_all_the_same(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "out")
    shutil.rmtree(tmp_path / "out/warehouse/raw")
    text = explain(tmp_path / "out", "A1")
    assert "day1.log:10 (leg 2)\n      the copy is gone" in text
    assert "IN THE HEADLINE: yes" in text


def test_a_refused_run_explains_as_far_as_it_got(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)
    incident = tiny.write(tmp_path / "in")
    run(incident, tmp_path / "out")
    breach = {
        "gate": "quarantined_share",
        "subject": "logs",
        "severity": "fail",
        "is_passed": False,
        "observed": "a hole",
        "limit": "none",
        "remedy": "fill it",
    }
    gates = GATES.conform(pl.DataFrame([breach]))
    monkeypatch.setattr(steps, "gates_on_inputs", lambda *_: (gates, steps.FINDINGS.empty()))
    tiny.write(tmp_path / "in", later=True)
    assert run(incident, tmp_path / "out").status == "refused"
    text = explain(tmp_path / "out", "B1")
    assert "REFUSED: no figure was published" in text
    assert "a hole" in text.lower()
    assert "what follows is provisional" in joined(text)
    assert "later@example.net" in text, "of the logs that were refused, not of the run before"
    assert "CHECK: the run left no table of deliveries" in text


def test_tables_of_the_whole_log_are_made_by_one_statement_each() -> None:
    """The replay leaves these statements out, and takes their tables from the run."""
    with impact.workspace() as db:
        texts = [(impact.SQL_FOLDER / name).read_text(encoding="utf-8") for name in impact.STITCH]
        made = [table_of(statement.query) for text in texts for statement in db.extract_statements(text)]
    for name in ("sources", "listings", "hop_relays", "torn"):
        assert made.count(name) == 1


def facts(out: Path, subject: str) -> Facts:
    """What the replay knows of a subject."""
    warehouse = Warehouse(out)
    records = pl.read_parquet(warehouse.table("customer_records"))
    found = find_subject(records, subject)
    settings = read_snapshot(warehouse).settings
    with impact.workspace() as db:
        replay(db, warehouse.parts("events"), records, settings, kept_context(warehouse), found.names)
        return facts_of(db, found)
