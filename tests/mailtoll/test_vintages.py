"""Each published count keeps its vintage, and a later one says what made the difference."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from expectations.tables import CELLS, GATES
from mailtoll import code_digest, publishing, snapshot, steps, vintages
from mailtoll.steps import RunResult
from mailtoll.vintage_store import read_vintages
from mailtoll.warehouse import Warehouse
from reports.analyst import analyst_report
from sources.errors import BadInput
from tests.mailtoll import tiny
from tests.mailtoll.ungated import run, stand_in

# bob's mailbox goes to the account that carl's is in: with the later log, one account less has late mail.
MOVED = tiny.RECORDS.replace("B1,C2,business,bob", "B2,C2,business,bob")
# Late from four hours on.
STRICTER = tiny.INCIDENT.replace("threshold: 1h", "threshold: 4h")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)


class Lab:
    """An incident whose files change between runs into one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"

    def run(self, **changes: Any) -> RunResult:
        """Write the incident anew and run it."""
        shutil.rmtree(self.folder / "in", ignore_errors=True)
        return run(tiny.write(self.folder / "in", **changes), self.out)

    def listed(self) -> list[dict[str, Any]]:
        """The list of vintages."""
        return json.loads((self.out / "vintages.json").read_text())["vintages"]

    def change(self) -> dict[str, int]:
        """The last change by cause."""
        return {"+".join(step["causes"]): step["difference"] for step in self.listed()[-1]["change"]["steps"]}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def counted_afresh(lab: Lab, **changes: Any) -> int:
    """The total of a run of its own, in a new folder."""
    result = Lab(lab.folder / f"fresh{len(list(lab.folder.iterdir()))}").run(**changes)
    assert result.headline
    return result.headline["measured"]


def answers(lab: Lab) -> dict[Path, bytes]:
    """The JSON files of an answer: not the manifest and its records, which tell of the running."""
    files = [path for path in lab.out.rglob("*.json") if path.name != "manifest.json" and path.parent.name != "steps"]
    return {path: path.read_bytes() for path in files}


def test_the_first_count_is_a_vintage_and_says_nothing_of_change(lab: Lab) -> None:
    result = lab.run()
    assert result.change == ""
    (first,) = lab.listed()
    assert (first["number"], first["measured"], first["change"]) == (1, 3, None)
    folder = lab.out / first["folder"]
    assert first["folder"] == "vintages/0001-20300501T060000Z"
    assert (folder / "impact.json").read_bytes() == (lab.out / "impact.json").read_bytes()
    assert pl.read_parquet(folder / "cells.parquet").schema == CELLS.schema
    assert pl.read_parquet(folder / "inputs.parquet").height == 3


def test_the_same_again_makes_no_vintage_and_changes_nothing(lab: Lab) -> None:
    lab.run()
    lab.run(later=True)
    before = answers(lab)
    result = lab.run(later=True)
    assert answers(lab) == before
    assert result.change.startswith("before: 3 accounts (number 1"), "it still says what changed since the one before"


def test_later_logs_are_the_cause(lab: Lab) -> None:
    lab.run()
    result = lab.run(later=True)
    assert lab.change() == {"logs": 1}
    assert "This one gives 1 more (the logs: +1)." in result.change
    assert lab.listed()[-1]["change"]["steps"][0]["by_segment"] == {"business": 1, "residential": 0}


def test_a_record_that_moved_is_the_cause(lab: Lab) -> None:
    lab.run(later=True)
    lab.run(later=True, records=MOVED)
    assert lab.change() == {"records": -1}


def test_records_in_another_order_are_the_same_records(lab: Lab) -> None:
    head, *rows = tiny.RECORDS.splitlines()
    lab.run()
    lab.run(records="\n".join([head, *reversed(rows)]) + "\n")
    assert len(lab.listed()) == 1


def test_another_threshold_is_a_change_of_the_definition(lab: Lab) -> None:
    lab.run()
    lab.run(incident=STRICTER)
    assert lab.change() == {"definition": -2}


def test_a_later_as_of_goes_with_the_logs(lab: Lab) -> None:
    early = tiny.INCIDENT.replace("as_of: 2030-05-01T06:00:00Z", "as_of: 2030-05-01T01:20:00Z")
    assert lab.run(incident=early).headline["measured"] == 2, "dora has waited 50 minutes by then"  # type: ignore[index]
    lab.run()
    assert lab.change() == {"logs": 1}


def test_several_causes_at_once_each_have_what_a_run_of_their_own_gives(lab: Lab) -> None:
    lab.run()
    lab.run(later=True, records=MOVED, incident=STRICTER)
    changed = lab.change()
    assert list(changed) == ["definition", "records", "logs"]
    old, new = (vintage["measured"] for vintage in lab.listed())
    assert sum(changed.values()) == new - old
    by_definition = counted_afresh(lab, incident=STRICTER)
    by_records = counted_afresh(lab, incident=STRICTER, records=MOVED)
    assert changed == {
        "definition": by_definition - old,
        "records": by_records - by_definition,
        "logs": new - by_records,
    }


def test_records_moved_and_logs_later(lab: Lab) -> None:
    """The moved mailbox costs nothing until the later log brings its late mail."""
    lab.run()
    lab.run(later=True, records=MOVED)
    assert lab.change() == {"records": 0, "logs": 0}
    Lab(lab.folder / "other").run()
    other = Lab(lab.folder / "other")
    other.run(later=True)
    other.run(records=MOVED)
    assert other.change() == {"records": -1, "logs": 0}


def test_other_code_is_a_cause_of_its_own(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.run()
    as_if_counted_otherwise(lab, measured=2)
    for module in (code_digest, snapshot, vintages):
        monkeypatch.setattr(module, "code_sha256", lambda: "other code")
    lab.run(later=True)
    assert lab.change() == {"code": 1, "logs": 1}


def test_old_logs_that_are_gone_leave_their_causes_together(lab: Lab) -> None:
    lab.run()
    for folder in ("raw", "events", "parsed"):
        shutil.rmtree(lab.out / "warehouse" / folder)
    incident = STRICTER.replace('"*.log"', '"day2.log"')
    lab.run(later=True, records=MOVED, incident=incident)
    assert list(lab.change()) == ["definition+records+logs"]
    old, new = (vintage["measured"] for vintage in lab.listed())
    assert lab.change()["definition+records+logs"] == new - old


def test_a_log_that_is_read_otherwise_is_counted_both_ways_without_harm(lab: Lab) -> None:
    """The old reading is parsed aside: the events of the present run stay what they are."""
    lab.run()
    elsewhere = tiny.INCIDENT.replace("format: postfix", "format: postfix, timezone: Asia/Tokyo")
    lab.run(incident=elsewhere.replace("threshold: 1h", "threshold: 4h"))
    assert lab.change() == {"definition": -2, "logs": 0}, "stamps that carry their zone are read alike"
    events = {path.name: pl.read_parquet(path) for path in (lab.out / "warehouse/events").glob("*.parquet")}
    afresh = Lab(lab.folder / "afresh")
    afresh.run(incident=elsewhere)
    for path in (afresh.out / "warehouse/events").glob("*.parquet"):
        assert pl.read_parquet(path).equals(events[path.name])


def test_a_refused_run_leaves_the_last_vintage_and_says_so(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "analyst_report", analyst_report)
    lab.run()
    before = {path: path.read_bytes() for path in (lab.out / "vintages").rglob("*") if path.is_file()}
    listed = (lab.out / "vintages.json").read_bytes()
    breach = {"gate": "g", "subject": "s", "severity": "fail", "is_passed": False}
    gates = GATES.conform(pl.DataFrame([breach | dict.fromkeys(("observed", "limit", "remedy"), "a hole")]))
    monkeypatch.setattr(steps, "gates_on_inputs", lambda *_: (gates, steps.FINDINGS.empty()))
    result = lab.run(later=True)
    assert result.status == "refused"
    assert result.change == (
        "The last published count is untouched: number 1, as of 1 May 2030 18:00 NZST, "
        "in vintages/0001-20300501T060000Z."
    )
    assert {path: path.read_bytes() for path in (lab.out / "vintages").rglob("*") if path.is_file()} == before
    assert (lab.out / "vintages.json").read_bytes() == listed
    page = (lab.out / "report.html").read_text()
    assert "The last published count is untouched: number 1" in page
    assert "3 accounts" not in page


def test_the_report_shows_both_totals_and_the_split(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "analyst_report", analyst_report)
    lab.run()
    assert "This is the first count that was published" in (lab.out / "report.html").read_text()
    lab.run(later=True, records=MOVED, incident=STRICTER)
    page = (lab.out / "report.html").read_text()
    assert "How this figure has changed" in page
    assert "The count before this one gave 3 accounts (number 1, as of 1 May 2030 18:00 NZST)." in page
    assert "The two answer different questions" in page
    assert 'id="causes-table"' in page
    assert 'id="vintages-table"' in page


def test_a_run_cut_off_after_its_vintage_was_kept_is_finished_by_the_next(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "write_bytes", interrupt)
        with pytest.raises(KeyboardInterrupt):
            lab.run()
    assert not (lab.out / "impact.json").exists()
    lab.run()
    assert len(lab.listed()) == 1
    assert (lab.out / "impact.json").exists()


def interrupt(*_: object, **__: object) -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


def as_if_counted_otherwise(lab: Lab, measured: int) -> None:
    """Let the last vintage say that other code had counted `measured`."""
    (kept,) = read_vintages(Warehouse(lab.out))
    path = lab.out / kept.vintage.folder / "vintage.json"
    content = json.loads(path.read_text())
    content["vintage"] |= {"measured": measured, "figures": content["vintage"]["figures"] | {"all": measured}}
    path.write_text(json.dumps(content))


def test_a_vintage_of_another_version_is_said_in_one_sentence(lab: Lab) -> None:
    lab.run()
    (file,) = lab.out.glob("vintages/*/vintage.json")
    kept = json.loads(file.read_text())
    kept["basis"]["weather"] = "fair"
    file.write_text(json.dumps(kept))
    with pytest.raises(BadInput, match=r"written by another version of mailtoll.*move .*vintages out of the run's"):
        lab.run(later=True)
