"""The same outage, whatever server wrote it down: every cell and outcome equals the truth that the generator knows.

The generator (`tests/simulate`) shares no code with the project. Sizes are small here; the same holds at 40,000
messages, and `python -m tests.end_to_end.test_simulated_outages` shows that.
"""

import json
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import polars as pl
import pytest

from expectations.tables import DELIVERIES, QUARANTINE
from mailtoll.run import Run
from mailtoll.steps import run_incident
from tests.simulate.incident import write_incident
from tests.simulate.outage import Outage
from tests.simulate.simulate import simulate
from tests.simulate.truth import truth_cells, truth_outcomes
from transforms import impact as ladder


class Written(NamedTuple):
    """One way to write an outage down: its name, the dialect, perhaps by host, and what else is asked for."""

    name: str
    dialect: str | Mapping[str, str]
    outage: dict[str, Any] = {}  # noqa: RUF012 - never changed
    writing: dict[str, Any] = {}  # noqa: RUF012


CUT_OFF = {"cut_off": "flood"}
GROUPS = {"groups": 9}
SIDE_BY_SIDE = {"mx1": "postfix-rfc3164", "mx2": "exim", "mx3": "exchange", "mx4": "sendmail", "mx5": "exchange"}
WAYS = (
    Written("short ids, no year, rotated and compressed", "postfix-rfc3164"),
    Written("long ids, RFC 3339", "postfix-rfc3339", {}, {"long_ids": True}),
    Written("RFC 5424", "postfix-rfc5424"),
    Written("RFC 5424 that lost its /service", "postfix-rfc5424-bare"),
    Written("journald", "postfix-journald"),
    Written("local time", "postfix-rfc3164", {}, {"log_timezone": "Pacific/Auckland"}),
    Written("re-injected by a filter", "postfix-rfc3164", {"with_filter": True}),
    Written("re-injected, long ids", "postfix-rfc3339", {"with_filter": True}, {"long_ids": True}),
    Written("cut off while the flood is on", "postfix-rfc3164", CUT_OFF),
    Written("cut off behind a filter", "postfix-rfc3164", {**CUT_OFF, "with_filter": True}),
    Written("cut off, with a queue listing", "postfix-rfc3164", CUT_OFF, {"with_queue": True}),
    Written("+tags", "postfix-rfc3164", {"tags": True}),
    Written("New Year", "postfix-rfc3164", {"start": "2030-12-29T00:00:00Z"}, {"log_timezone": "Pacific/Auckland"}),
    Written(
        "the repeated hour", "postfix-rfc3164", {"start": "2030-04-04T00:00:00Z"}, {"log_timezone": "Pacific/Auckland"}
    ),
    Written("hostile text", "postfix-rfc3164", {"hostile": True}),
    Written("Exim", "exim"),
    Written("Exim, cut off", "exim", CUT_OFF),
    Written("Exim, new ids and zones", "exim-zone"),
    Written("Sendmail", "sendmail"),
    Written("Sendmail, cut off", "sendmail", CUT_OFF),
    Written("Exchange", "exchange"),
    Written("Exchange, cut off", "exchange", CUT_OFF),
    Written("groups, Postfix", "postfix-rfc3164", GROUPS),
    Written("groups, Exim", "exim", {**GROUPS, **CUT_OFF}),
    Written("groups, Exim that logs local parts", "exim-local-named", {**GROUPS, **CUT_OFF}),
    Written("groups, Sendmail's local mailer", "sendmail-local", {**GROUPS, **CUT_OFF}),
    Written("groups, Exchange", "exchange", {**GROUPS, **CUT_OFF}),
    Written("four servers side by side", SIDE_BY_SIDE, {"hosts": 5}),
)
MESSAGES = 2_000


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_every_cell_and_outcome_is_the_truth(way: Written, tmp_path: Path) -> None:
    wrong, impact = compared(way, tmp_path, seed=7, messages=MESSAGES)
    assert wrong == []
    assert impact["lines"]["quarantined"] == 0
    assert impact["lines"]["read"] == sum(impact["lines"][fate] for fate in ("parsed", "ignored", "quarantined"))
    assert differing_the_long_way(tmp_path / "incident.yaml", tmp_path / "out") == []


def differing_the_long_way(incident: Path, out: Path) -> list[str]:
    """Return which tables of a run differ once every queue file goes the long way (see transforms/sql/09_plain.sql)."""
    run = Run.of(incident, out)
    with ladder.workspace() as db:
        db.execute("SET VARIABLE is_told_in_full = true")
        ladder.stitch(db, run.event_files(), run.records, run.settings, run.parts(QUARANTINE))
        told = {table: ladder.table(db, table.name, table) for table in (DELIVERIES, *ladder.BESIDE)}
    kept = {table: pl.read_parquet(run.warehouse.table(table.name)) for table in told}
    return [t.name for t, frame in told.items() if not frame.equals(kept[t].sort(t.key, nulls_last=True))]


@pytest.mark.parametrize("dialect", ["postfix-rfc3164", "sendmail", "exim", "exim-local-named"])
def test_a_log_rotated_in_the_hour_that_comes_twice_gives_the_truth(dialect: str, tmp_path: Path) -> None:
    """Stamps carry no zone; three of the cuts lie in that hour, and the files' names say nothing of their order."""
    outage = simulate(5, messages=MESSAGES, start="2030-04-04T00:00:00Z")
    incident = write_incident(outage, tmp_path, dialect, pieces=1, log_timezone="Pacific/Auckland")
    for log in sorted((tmp_path / "logs").glob("*/*")):
        lines = log.read_bytes().splitlines(keepends=True)
        inside = [n for n, text in enumerate(lines) if text.startswith((b"Apr  7 02:", b"2030-04-07 02:"))]
        cuts = [0, *(inside[len(inside) * tenths // 10] for tenths in (2, 6, 8)), inside[-1] + 400, len(lines)]
        for name, (start, end) in zip("cbeda", pairwise(cuts), strict=True):
            log.with_name(f"{log.name}.{name}").write_bytes(b"".join(lines[start:end]))
        log.unlink()
    wrong, impact = differing(outage, incident, tmp_path)
    assert wrong == []
    assert impact["lines"]["quarantined"] == 0


def compared(way: Written, folder: Path, seed: int, messages: int) -> tuple[list[object], dict[str, Any]]:
    """Return what differs from the truth, and impact.json."""
    outage = simulate(seed, messages=messages, **way.outage)
    return differing(outage, write_incident(outage, folder, way.dialect, **way.writing), folder)


def differing(outage: Outage, incident: Path, folder: Path) -> tuple[list[object], dict[str, Any]]:
    """Run an incident; return what differs from the truth, and impact.json."""
    result = run_incident(incident, folder / "out", lambda step: None)
    assert result.status == "published", result.reasons
    impact = json.loads((folder / "out" / "impact.json").read_text())
    cells = {(c["unit"], c["threshold_seconds"], c["messages"], c["count"], c["segment"]): c for c in impact["cells"]}
    truth = truth_cells(outage)
    wrong: list[object] = [(key, value, cells[key]) for key, value in truth.items() if cells[key]["measured"] != value]
    wrong += [c for c in cells.values() if not c["lower"] <= c["measured"] <= c["upper"]]
    wrong += [sorted(cells.keys() ^ truth.keys())] if cells.keys() != truth.keys() else []
    outcomes = truth_outcomes(outage, outage.log_end)
    wrong += [(outcomes, impact["deliveries"])] if outcomes != impact["deliveries"] else []
    return wrong, impact


if __name__ == "__main__":
    for chosen in WAYS:
        if len(sys.argv) < 2 or sys.argv[1] in chosen.name:
            with TemporaryDirectory() as scratch:
                wrong_cells, counted = compared(chosen, Path(scratch), seed=1, messages=40_000)
                print(
                    f"{chosen.name:45} {counted['deliveries']['total']:>8,} deliveries, {len(wrong_cells)} differences"
                )
