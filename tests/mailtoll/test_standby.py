"""The standby store: what came in once is there, and an incident takes it over without parsing it again."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import yaml

from mailtoll import standby as module
from mailtoll.cli import main
from mailtoll.new_incident import propose_baseline
from mailtoll.standby import Standby, collected, ingest, load_standby, missed
from sources.errors import BadInput
from tests.mailtoll import tiny

STANDBY = """id: example-mail
timezone: Pacific/Auckland
store: store
stale_after: 3h
logs: [{uri: "in/*.log", format: postfix}]
customers: {uri: in/customers.csv}
local_domains: [example.com]
bulk_senders: ["*@mailhouse.example"]
"""
NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def standby(tmp_path: Path) -> Standby:
    tiny.write(tmp_path / "in")
    (tmp_path / "standby.yaml").write_text(STANDBY, encoding="utf-8")
    return load_standby(tmp_path / "standby.yaml")


def parsed_at(folder: Path) -> dict[str, float]:
    """When each file of a folder was parsed."""
    return {path.stem: path.stat().st_mtime_ns for path in (folder / "warehouse" / "parsed").glob("*.json")}


def test_only_what_is_new_is_parsed_and_what_the_source_dropped_stays(standby: Standby, tmp_path: Path) -> None:
    assert ingest(standby, NOON) == {"files": 1, "new": 1, "parsed": 1}
    before = parsed_at(standby.warehouse.root)
    tiny.write(tmp_path / "in", later=True)
    (tmp_path / "in" / "day1.log").unlink()
    assert ingest(standby, NOON) == {"files": 2, "new": 1, "parsed": 1}
    assert ingest(standby, NOON) == {"files": 2, "new": 0, "parsed": 0}
    assert collected(standby.warehouse)["uri"].to_list() == ["in/day1.log", "in/day2.log"]
    after = parsed_at(standby.warehouse.root)
    assert len(after) == 2
    assert before.items() <= after.items()


def test_dates_in_a_path_are_those_of_the_day_that_is_fetched(standby: Standby, tmp_path: Path) -> None:
    for day in (1, 2):
        shutil.copy(tmp_path / "in" / "day1.log", tmp_path / "in" / f"mail-2030050{day}.log")
    with (tmp_path / "in" / "mail-20300502.log").open("a") as log:
        log.write("\n".join(tiny.day_two()) + "\n")
    text = STANDBY.replace("in/*.log", "in/mail-%Y%m%d.log").replace("Pacific/Auckland", "UTC")
    (tmp_path / "standby.yaml").write_text(text, encoding="utf-8")
    dated = load_standby(tmp_path / "standby.yaml")
    ingest(dated, NOON)
    assert collected(dated.warehouse)["uri"].to_list() == ["in/mail-20300501.log"]


def test_an_incident_takes_over_what_is_parsed_and_counts_the_same(
    standby: Standby, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(standby, NOON)
    alone, incident = tmp_path / "alone", tmp_path / "in" / "incident.yaml"
    assert main(["run", str(incident), "--out", str(alone)]) == 0
    content = yaml.safe_load(incident.read_text()) | {"standby": "../standby.yaml"}
    content["logs"] = [{"uri": "*.log", "format": "postfix"}]
    incident.write_text(yaml.safe_dump(content), encoding="utf-8")
    (tmp_path / "in" / "day1.log").unlink()  # the source has dropped it

    def never(*_: object) -> None:
        raise AssertionError("parsed again")

    monkeypatch.setattr("mailtoll.parsing._parse", never)
    assert main(["run", str(incident), "--out", str(tmp_path / "out")]) == 0
    by_itself, taken_over = (json.loads((out / "impact.json").read_text()) for out in (alone, tmp_path / "out"))
    assert taken_over["cells"] == by_itself["cells"]
    assert taken_over["lines"] == by_itself["lines"]
    assert taken_over["deliveries"] == by_itself["deliveries"]


def test_an_empty_store_is_said(standby: Standby, tmp_path: Path) -> None:
    incident = tmp_path / "in" / "incident.yaml"
    content = yaml.safe_load(incident.read_text()) | {"standby": "../standby.yaml"}
    incident.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(BadInput, match=r"holds no log of the incident's time; run `mailtoll standby .*standby.yaml`"):
        module.with_standby(module.Run.of(incident, tmp_path / "out"), pl.DataFrame())


@pytest.mark.parametrize(("minute", "is_missed"), [(14, False), (15, True)])
def test_a_host_that_fell_silent_is_missed(standby: Standby, minute: int, is_missed: bool) -> None:
    at = datetime(2030, 5, 1, 5, minute, tzinfo=UTC)  # the last line is of 02:14
    ingest(standby, at)
    assert [warning.split(":")[0] for warning in missed(standby, at)] == ["mx1"] * is_missed


def test_a_key_that_is_not_known_is_said(tmp_path: Path) -> None:
    (tmp_path / "standby.yaml").write_text(STANDBY.replace("stale_after", "stale_aftr"), encoding="utf-8")
    with pytest.raises(BadInput, match=r"line 4: key 'stale_aftr' is not known; did you mean 'stale_after'"):
        load_standby(tmp_path / "standby.yaml")


NEW = ["--id", "flood", "--title", "Flood: the first", "--start", "2030-05-01T00:00:00Z"]
NEW += ["--end", "2030-05-01T02:00:00Z", "--claim", "Radio; 3 users; 2-3; mailbox", "--claim", "Press; all; 5; account"]


def test_a_new_incident_is_written_and_runs_from_the_store(
    standby: Standby, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["standby", str(standby.path)]) == 0
    assert "1 log files, 1 of new content, 1 parsed" in capsys.readouterr().out
    path = tmp_path / "incidents" / "flood.yaml"
    assert main(["new-incident", str(standby.path), str(path), *NEW]) == 0
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert content["logs"] == [{"uri": "../in/*.log", "format": "postfix"}]
    assert content["claims"][0] == {"who": "Radio", "said": "3 users", "low": 2, "high": 3, "unit": "mailbox"}
    assert content["claims"][1]["low"] == content["claims"][1]["high"] == 5
    assert "baseline" not in content
    path.write_text(
        path.read_text() + tiny.INCIDENT.splitlines()[-1] + "\nas_of: 2030-05-01T06:00:00Z\n", encoding="utf-8"
    )
    assert main(["run", str(path), "--out", str(tmp_path / "out")]) == 0
    assert main(["new-incident", str(standby.path), str(path), *NEW]) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"--end": "2030-04-30T00:00:00Z"}, "the new flood.yaml, line 12: window: it ends"),
        ({"--claim": "Radio; 3 users"}, "write it as WHO; WHAT THEY SAID; LOW-HIGH; UNIT"),
        ({"--claim": "Radio; 3 users; some; mailbox"}, "'some' is no range"),
        ({"--headline": "account"}, "write it as UNIT THRESHOLD MESSAGES COUNT"),
        ({"--id": ""}, "new-incident needs --id"),
    ],
)
def test_an_answer_that_will_not_do(
    standby: Standby, tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, str], said: str
) -> None:
    arguments = [*NEW, *(word for pair in changed.items() for word in pair)]
    assert main(["new-incident", str(standby.path), str(tmp_path / "flood.yaml"), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "flood.yaml").exists()


@pytest.mark.parametrize(("first_day", "days"), [(1, 14), (14, 7), (22, 5), (27, None)])
def test_the_baseline_is_whole_weeks_as_far_as_logs_reach(first_day: int, days: int | None) -> None:
    start = datetime(2030, 5, 27, 9, 30, tzinfo=UTC)
    span = propose_baseline(start, 2, "UTC", datetime(2030, 5, first_day, tzinfo=UTC))
    assert (span and (span.end - span.start).days) == days
    assert span is None or span.end == datetime(2030, 5, 27, tzinfo=UTC)
