"""What stands beside delay, in every dialect that logs it: waits in senders' queues, and whose fault each wait was."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from mailtoll.steps import run_incident
from tests.simulate import Outage, simulate, truth_refusals, write_incident
from tests.simulate.outage import instant


@pytest.mark.parametrize("dialect", ["postfix-rfc3164", "exim", "sendmail"])
def test_refusals_and_faults_are_the_truth(dialect: str, tmp_path: Path) -> None:
    outage = simulate(7, messages=1500)
    out = tmp_path / "out"
    assert run_incident(write_incident(outage, tmp_path / "incident", dialect), out, print).status == "published"
    tables = {
        name: pl.read_parquet(out / "warehouse" / f"{name}.parquet")
        for name in ("sender_waits", "faults", "deliveries")
    }
    check_waits(tables["sender_waits"], outage)
    check_faults(tables["faults"].join(tables["deliveries"], on=["message_key", "mailbox_or_address"]), outage, dialect)


def check_waits(waits: pl.DataFrame, outage: Outage) -> None:
    local = [  # mail of our own customers may be handed in on the machine itself, by no client
        (recipient, instant(refused), instant(accepted))
        for _, sender, recipient, refused, accepted in truth_refusals(outage)
        if domain(recipient) in outage.local_domains and domain(sender) not in outage.local_domains
    ]
    assert len(local) >= 5
    found: list[tuple[str, datetime, datetime]] = (
        waits.drop_nulls("accepted_at").select("recipient", "first_refused_at", "accepted_at").rows()
    )
    assert set(found) >= set(local)
    assert waits["refusals"].sum() == sum(domain(row[2]) in outage.local_domains for row in truth_refusals(outage))


def check_faults(faults: pl.DataFrame, outage: Outage, dialect: str) -> None:
    """A full mailbox is the recipient's fault, a refused content or a deletion the rules', all else the store's."""
    truth = {(m.message_id, r.final.lower()): (r.result, r.reason) for m in outage.messages for r in m.recipients}
    assert {"inbound", "internal"} == set(faults["direction"])
    for message_id, mailbox, fault, outcome in faults.select("message_id", "mailbox", "fault", "outcome").rows():
        result, reason = truth[message_id, mailbox]
        if dialect == "sendmail" and (result == "deleted" or outcome == "pending"):
            continue  # it logs neither holds nor who deleted
        by_rule = result in ("deleted", "refused") or outcome == "pending"
        assert fault == ("our_policy" if by_rule else "recipient" if reason == "full" else "our_store")
    assert {"our_store", "recipient", "our_policy"} == set(faults["fault"])


def domain(address: str) -> str:
    return address.rpartition("@")[2]


def test_waits_are_told_by_segment_and_are_in_no_cell(tmp_path: Path) -> None:
    outage = simulate(7, messages=600)
    incident = write_incident(outage, tmp_path / "incident", "postfix-rfc3164", pieces=1, suffixes=("",))
    told = read(incident, tmp_path / "told")
    for log in (tmp_path / "incident" / "logs").rglob("mail.log*"):
        lines = [line for line in log.read_text().splitlines(keepends=True) if "NOQUEUE: reject" not in line]
        log.write_text("".join(lines))
    silent = read(incident, tmp_path / "silent")
    whole = told["refusals"].filter(segment="all", messages="all").row(0, named=True)
    by_segment = told["refusals"].filter(pl.col("segment") != "all", messages="all")
    assert whole["waits"] == whole["accepted"] + whole["never_accepted"] == by_segment["waits"].sum() > 0
    assert silent["refusals"].is_empty()
    assert silent["cells"].equals(told["cells"])


def read(incident: Path, out: Path) -> dict[str, pl.DataFrame]:
    """Run an incident; return its tables of refusals and cells."""
    assert run_incident(incident, out, print).status == "published"
    return {name: pl.read_parquet(out / "warehouse" / f"{name}.parquet") for name in ("refusals", "cells")}
