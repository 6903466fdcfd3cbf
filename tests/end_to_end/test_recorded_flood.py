"""The demo's capture: a real Postfix, flooded, whose senders and store wrote down what really happened.

The log alone must give the same deliveries, the same outcomes, delays within two seconds, and every cell between
what the record says for a threshold two seconds longer and one two seconds shorter plus what was never stored.
"""

import gzip
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mailtoll.steps import run_incident

PROJECT = Path(__file__).parents[2]
INCIDENT = PROJECT / "incidents" / "officemail-lab" / "incident.yaml"
TRUTH = PROJECT / "tests" / "data" / "officemail-lab" / "truth.csv.gz"
TOLERANCE_SECONDS = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("flood")
    result = run_incident(INCIDENT, out, lambda step: None)
    assert result.status == "published", result.reasons
    return out


@pytest.fixture(scope="module")
def truth() -> pl.DataFrame:
    """One row per message and mailbox: what the senders and the store saw."""
    rows = pl.read_csv(gzip.decompress(TRUTH.read_bytes()))
    return rows.with_columns(
        pl.col("message_id").str.strip_chars("<>"),
        (pl.col("delivered_at") - pl.col("accepted_at")).alias("delay"),
        pl.col("delivered_at").is_not_null().alias("is_stored"),
    )


@pytest.fixture(scope="module")
def local(truth: pl.DataFrame) -> pl.DataFrame:
    return truth.filter(pl.col("mailbox").str.ends_with("@officemail.test"))


def test_every_delivery_and_outcome_of_the_record_is_in_the_log(folder: Path, local: pl.DataFrame) -> None:
    deliveries = pl.read_parquet(folder / "deliveries.parquet")
    both = local.join(deliveries, on=["message_id", "mailbox"], how="full", coalesce=True)
    assert (local.height, deliveries.height, both.height) == (8722, 8722, 8722)
    assert both.filter(pl.col("is_stored") != (pl.col("outcome") == "delivered")).is_empty()
    assert both.filter(pl.col("address") != pl.col("address_right")).is_empty()
    assert deliveries.filter(outcome="delivered").height == 8144


def test_delays_are_within_two_seconds(folder: Path, local: pl.DataFrame) -> None:
    deliveries = pl.read_parquet(folder / "deliveries.parquet").filter(outcome="delivered")
    both = local.join(deliveries, on=["message_id", "mailbox"], validate="1:1")
    off = (both["delay_seconds"] - both["delay"]).abs()
    assert off.max() <= TOLERANCE_SECONDS  # type: ignore[operator]


def test_every_cell_lies_where_the_record_allows(folder: Path, local: pl.DataFrame) -> None:
    impact = json.loads((folder / "impact.json").read_text())
    inside = _inside(local, impact["window"])
    assert len(impact["cells"]) == 5 * 2 * 2 * (3 * 4 + 3 * 3)  # thresholds × messages × counts × (units × segments)
    for cell in impact["cells"]:
        chosen = inside if cell["messages"] == "all" else inside.filter(pl.col("kind") != "bulk")
        late_for = cell["threshold_seconds"]
        surely = chosen.filter((pl.col("delay") >= late_for + TOLERANCE_SECONDS) & pl.col("is_surely_inside"))
        perhaps = chosen.filter((pl.col("delay") >= late_for - TOLERANCE_SECONDS) | ~pl.col("is_stored"))
        least, most = (_heads(rows, cell["unit"], cell["segment"]) for rows in (surely, perhaps))
        assert least <= cell["measured"] <= most, cell
        assert cell["lower"] <= cell["measured"] <= cell["upper"], cell


def test_figures_of_the_headline(folder: Path) -> None:
    impact = json.loads((folder / "impact.json").read_text())
    assert impact["headline"] == next(
        c
        for c in impact["cells"]
        if (c["unit"], c["threshold_seconds"], c["messages"], c["count"], c["segment"])
        == ("account", 60, "excluding_bulk", "late", "all")
    )
    assert impact["headline"]["measured"] == 314
    assert impact["deliveries"] == {
        "total": 8722,
        "delivered": 8144,
        "lost": 404,
        "rejected_recipient": 35,
        "pending": 139,
        "unresolved": 0,
    }
    assert impact["lines"] == {"read": 104989, "parsed": 80207, "ignored": 24782, "quarantined": 0}
    assert impact["status"] == "preliminary"


def test_per_leg_our_figures_are_those_of_pflogsumm_which_counts_each_message_twice(
    folder: Path, truth: pl.DataFrame, tmp_path: Path
) -> None:
    if not shutil.which("pflogsumm"):
        pytest.fail("pflogsumm is missing; `make test` installs it")
    log = tmp_path / "mail.log"
    with log.open("wb") as whole:
        for kept in _kept_logs(folder):
            whole.write(kept())
    printed = subprocess.run(["pflogsumm", str(log)], capture_output=True, text=True, check=True).stdout
    theirs = {
        words[1]: int(words[0])
        for words in map(str.split, printed.splitlines())
        if len(words) > 1 and words[0].isdigit()
    }
    attempts = pl.read_parquet(folder / "warehouse" / "events" / "*.parquet").filter(kind="attempted")
    ours = dict(attempts["status"].value_counts().iter_rows())
    assert (theirs["delivered"], theirs["bounced"]) == (ours["sent"], ours["bounced"]) == (17_763, 35)
    assert theirs["deferred"] == attempts.filter(status="deferred")["queue_id"].n_unique() == 3422
    assert f"({ours['deferred']}  deferrals)" in printed
    happened = truth.filter("is_stored").height
    assert happened == 8455  # 8,144 in and 311 out: half of what a counter of legs says


def test_a_second_run_in_the_same_folder_changes_nothing(folder: Path) -> None:
    before = (folder / "impact.json").read_bytes()
    parsed = {p: p.stat().st_mtime_ns for p in (folder / "warehouse" / "events").glob("*.parquet")}
    run_incident(INCIDENT, folder, lambda step: None)
    assert (folder / "impact.json").read_bytes() == before
    listing = pl.read_parquet(folder / "warehouse" / "inputs.parquet").filter(kind="queue_snapshot")["source_id"][0]
    again = {p: p.stat().st_mtime_ns for p in (folder / "warehouse" / "events").glob("*.parquet")}
    assert {p for p in parsed if parsed[p] != again[p]} <= {folder / "warehouse" / "events" / f"{listing}.parquet"}


def _inside(local: pl.DataFrame, window: dict[str, Any]) -> pl.DataFrame:
    """Deliveries of the window, with what the records say of their mailbox."""
    start, end = (datetime.fromisoformat(window[edge]).timestamp() for edge in ("start", "end"))
    records = pl.read_csv(
        INCIDENT.parent / "customers.csv", columns=["mailbox", "account_id", "customer_id", "segment"]
    )
    # The sender's clock says when a message was accepted, the log when the client began to hand it over.
    at, slack = pl.col("accepted_at"), 1
    inside = local.filter((at >= start - slack) & (at < end + slack)).with_columns(
        ((at >= start + slack) & (at < end - slack)).alias("is_surely_inside")
    )
    return inside.join(records.unique("mailbox"), on="mailbox", how="left", validate="m:1")


def _heads(rows: pl.DataFrame, unit: str, segment: str) -> int:
    if segment == "unmatched":
        return rows.filter(pl.col("segment").is_null()).height
    rows = rows if segment == "all" else rows.filter(segment=segment)
    column = {"account": "account_id", "customer": "customer_id", "message": "message_id"}.get(unit, unit)
    return rows.height if unit == "delivery" else rows[column].n_unique()


def _kept_logs(folder: Path) -> Iterator[Callable[[], bytes]]:
    from sources.compression import open_decompressed

    for row in pl.read_parquet(folder / "warehouse" / "inputs.parquet").filter(kind="log").iter_rows(named=True):
        yield lambda path=folder / row["path"]: open_decompressed(path).read()  # type: ignore[misc]
