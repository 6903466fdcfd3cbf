"""`mailtoll explain`: one account's or mailbox's verdict, replayed from the run's folder down to its log lines.

Nothing but the folder is needed. The verdict is not looked up: the same SQL files run again over the events that
concern the subject, and the result is held against the table that the run left.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from polars.testing import assert_frame_equal

from expectations.tables import DELIVERIES
from mailtoll.code_digest import code_sha256
from mailtoll.explain_facts import Facts, Line, Told, facts_of
from mailtoll.explain_lines import lines_of
from mailtoll.explain_replay import kept_context, replay
from mailtoll.explain_rules import why_not
from mailtoll.explain_subject import Subject, find_subject, shown
from mailtoll.explain_text import ReadLine, deciding, definition_text, delivery_text, grid_text, stamp, wrapped
from mailtoll.snapshot import Snapshot, read_snapshot
from mailtoll.warehouse import Warehouse
from reports.words import span
from sources.errors import BadInput
from transforms import impact


def explain(out: Path, subject: str) -> str:
    """Return the verdict on an account id, mailbox or address (any case) in the run's folder `out`, as plain text.

    `BadInput`: no run has read its logs and records into that folder, or it knows no such account, mailbox or address.
    """
    warehouse = Warehouse(out)
    snapshot = read_snapshot(warehouse)
    records = pl.read_parquet(warehouse.table("customer_records"))
    pulled = pl.read_parquet(warehouse.table("pulled"))
    found = find_subject(records, subject)
    ids = dict.fromkeys(pulled.filter(~pl.col("is_duplicate"))["source_id"].to_list())
    files = [path for path in (warehouse.part("events", i) for i in ids) if path.exists()]
    published = _published(warehouse)
    context = {} if published.get("was_refused_early") else kept_context(warehouse)
    with impact.workspace() as db:
        try:
            replay(db, files, records, snapshot.settings, context, found.names)
            facts = facts_of(db, found)
        except duckdb.BinderException as error:  # what the run kept has not the columns that this code asks for
            raise BadInput(f"{out} was written by another version of mailtoll; run the incident again.") from error
    if found.kind == "address" and not facts.deliveries:
        raise BadInput(
            f"{shown(subject)} is no account, mailbox or address in this run's customer records, and no mail for it is "
            "in its logs; check the spelling, or ask for the account by its id."
        )
    sections = [
        *_head(found, snapshot, published),
        *_verdict(found, facts, snapshot),
        *_cells(found, facts, snapshot),
        *_deliveries(facts, snapshot, _reader(warehouse, pulled, facts, snapshot)),
        *_check(found, facts, warehouse, published, snapshot),
    ]
    return "\n\n".join(sections)


def _published(warehouse: Warehouse) -> dict[str, Any]:
    """Return `status` and `reasons` of what the run published, and whether it was refused before it counted."""
    try:
        content = json.loads(warehouse.impact.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"status": "not published", "reasons": [], "was_refused_early": False}
    reasons = list(content.get("reasons", []))
    early = False
    gates = warehouse.table("gates_on_inputs")
    if gates.exists():
        failed = pl.read_parquet(gates).filter(~pl.col("is_passed") & (pl.col("severity") == "fail"))
        early = failed.height > 0
    return {"status": content["status"], "reasons": reasons, "was_refused_early": early}


def _head(subject: Subject, snapshot: Snapshot, published: dict[str, Any]) -> Iterator[str]:
    settings = snapshot.settings
    status = {"not published": "not published yet", "refused": "REFUSED: no figure was published"}.get(
        published["status"], published["status"]
    )
    lines = [
        f"{shown(snapshot.incident_id)}: {shown(snapshot.title)}",
        f"as of {stamp(settings.as_of, settings.timezone)}; {status}",
        "Restricted: holds addresses and log lines.",
    ]
    if published["reasons"]:
        lines.append("Refused because:")
    text = [wrapped(line) for line in lines]
    text += [wrapped(f"- {shown(reason)}", 2, 2) for reason in published["reasons"]]
    if published["was_refused_early"]:
        text.append(wrapped("It was refused before anything was counted; what follows is provisional."))
    yield "\n".join(text)
    who = [f"{subject.kind.upper()} {shown(subject.name)}"]
    if subject.asked:
        who.append(f"asked for by its address {shown(subject.asked)}")
    if subject.kind == "address":
        who.append("in no customer record: counted as unmatched, nobody's account")
    if subject.kind == "account":
        who.append(f"mailboxes: {', '.join(map(shown, subject.mailboxes)) or 'none'}")
        who += [f"customer {shown(c)}, segment {shown(s)}" for _, c, s in subject.holders]
    else:
        who += [f"account {shown(a)}, customer {shown(c)}, segment {shown(s)}" for a, c, s in subject.holders]
    yield "\n".join([wrapped(who[0]), *(wrapped(line, 2, 2) for line in who[1:])])


def _verdict(subject: Subject, facts: Facts, snapshot: Snapshot) -> Iterator[str]:
    settings, headline = snapshot.settings, snapshot.settings.headline
    inside = _inside(facts, snapshot)
    outside = len(facts.deliveries) - len(inside)
    chosen = facts.cells.filter(
        unit=headline.unit,
        threshold_seconds=headline.threshold_seconds,
        messages=headline.messages,
        count=headline.count,
    )
    cell = chosen.filter(segment="all").row(0, named=True)
    best = deciding(inside, headline)
    said = f"Headline: {definition_text(headline)}."
    if cell["measured"]:
        which = f"; delivery {inside.index(best) + 1} below decides, the longest wait that counts" if best else ""
        proof = "" if cell["lower"] else " The log alone does not prove that: it lost lines on that host."
        answer = f"IN THE HEADLINE: yes{which}.{proof}"
    elif cell["upper"]:
        answer = "IN THE HEADLINE: no, but it may have to: what is still open is in the upper bound."
    elif subject.kind == "address" and headline.unit in ("mailbox", "account", "customer"):
        answer = f"IN THE HEADLINE: no: no record says whose it is, so it is no {headline.unit}."
    else:
        answer = f"IN THE HEADLINE: no: {why_not([told.row for told in inside], headline)}"
    lines = [answer, said]
    if subject.kind == "mailbox" and headline.unit in ("account", "customer"):
        lines.append(f"By this mailbox's own mail; its {headline.unit} may hold other mailboxes.")
    outcomes = Counter(told.row["outcome"].replace("_", " ") for told in inside)
    by_outcome = ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes.most_common())
    window = span(settings.window.start, settings.window.end, settings.timezone)
    lines.append(f"Mail in the window ({window}): {len(inside):,}{' (' + by_outcome + ')' if by_outcome else ''};")
    lines[-1] += f" outside it: {outside:,}, not shown."
    yield "\n".join(wrapped(line, 0, 2) for line in lines)


def _deliveries(facts: Facts, snapshot: Snapshot, read: ReadLine) -> Iterator[str]:
    inside = _inside(facts, snapshot)
    best = deciding(inside, snapshot.settings.headline)
    for number, told in enumerate(inside, start=1):
        yield delivery_text(told, number, len(inside), snapshot.settings, decides=told is best, read=read)


def _cells(subject: Subject, facts: Facts, snapshot: Snapshot) -> Iterator[str]:
    theirs = sorted({told.row["segment"] for told in _inside(facts, snapshot) if told.row["segment"]})
    also = f"; the same in segment {', '.join(map(shown, theirs))}" if theirs else ""
    legend = "yes: counts; yes*: counts, but the log alone does not prove it; may: in the upper bound only"
    title = wrapped(f"CELLS that its own mail counts in, segment all{also} ({legend})")
    yield f"{title}\n{grid_text(facts.cells, snapshot.settings)}"


def _check(
    subject: Subject, facts: Facts, warehouse: Warehouse, published: dict[str, Any], snapshot: Snapshot
) -> Iterator[str]:
    path = warehouse.table("deliveries")
    if snapshot.code_sha256 != code_sha256():
        yield wrapped(
            "CODE: this is other code than the run's; run the incident again before you rely on a difference."
        )
    if not path.exists() or published["was_refused_early"]:
        yield wrapped("CHECK: the run left no table of deliveries to hold this replay against.")
        return
    mine = {"account": "account_id", "mailbox": "mailbox"}.get(subject.kind)
    rows = pl.scan_parquet(path)
    if mine:
        left = rows.filter(pl.col(mine) == subject.name)
    else:
        left = rows.filter((pl.col("mailbox_or_address") == subject.name) | (pl.col("address") == subject.name))
    table = DELIVERIES.conform(left.collect()).sort("arrived_at", "message_key", "mailbox_or_address")
    try:
        assert_frame_equal(facts.table, table)
        yield wrapped(f"CHECK: the run's own table of deliveries says the same of all {table.height:,}.")
    except AssertionError:
        yield wrapped(
            f"CHECK FAILED: the run's own table holds {table.height:,} deliveries of it, the replay gives "
            f"{len(facts.deliveries):,}, or they differ in value; the folder mixes two runs: run the incident again."
        )


def _inside(facts: Facts, snapshot: Snapshot) -> list[Told]:
    window = snapshot.settings.window
    return [told for told in facts.deliveries if window.start <= told.row["arrived_at"] < window.end]


def _reader(warehouse: Warehouse, pulled: pl.DataFrame, facts: Facts, snapshot: Snapshot) -> ReadLine:
    """Return what reads a line back; each file is read once, for all lines that will be asked for."""
    wanted: dict[str, set[int]] = {}
    for told in _inside(facts, snapshot):
        for line in told.lines:
            wanted.setdefault(line.source_id, set()).add(line.line_number)
    files = {row["source_id"]: row for row in pulled.filter(~pl.col("is_duplicate")).iter_rows(named=True)}
    texts: dict[str, dict[int, str]] = {}
    for source_id, numbers in wanted.items():
        try:
            texts[source_id] = lines_of(warehouse.kept(files[source_id]["path"]), numbers)
        except OSError:  # raw logs age out; their events stay
            texts[source_id] = {}

    def read(line: Line) -> tuple[str, str | None]:
        name = Path(files[line.source_id]["uri"]).name
        return f"{name}:{line.line_number}", texts[line.source_id].get(line.line_number)

    return read
