"""What is too old goes, n-1 / n days; what went is said where somebody will miss it, and what was published stays."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailtoll import steps
from mailtoll.cli import main
from mailtoll.lock import hold
from mailtoll.retention import apply_policy, read_policy
from mailtoll.standby import collected, ingest, load_standby
from sources.errors import BadInput
from tests.mailtoll import tiny
from tests.mailtoll.test_standby import NOON, STANDBY

POLICY = "runs: [runs/*]\nstores: [store]\nraw_after: 90d\nrestricted_after: 365d\n"
AT = datetime(2031, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    assert main(["run", str(tiny.write(folder / "in")), "--out", str(folder / "out")]) == 0
    return folder


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    """A finished run in the folder that the policy names."""
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    shutil.copytree(finished / "out", tmp_path / "runs" / "tiny")
    return tmp_path / "runs" / "tiny"


def apply(out: Path, days: int, *, is_dry: bool = False) -> list[str]:
    """Apply the policy so many days after the run published."""
    published = (AT - timedelta(days=days)).timestamp()
    os.utime(out / "impact.json", (published, published))
    return apply_policy(read_policy(out.parents[1] / "policy.yaml"), AT, is_dry=is_dry)


def holding_addresses(out: Path) -> list[Path]:
    """The files of a run in which one of its addresses can be read or a restricted table lies."""
    return [p for p in out.rglob("*") if p.is_file() and (p.stat().st_mode & 0o077 == 0) and p.name != ".lock"]


def test_nothing_goes_before_its_time(out: Path) -> None:
    before = sorted(out.rglob("*"))
    assert apply(out, 89) == []
    assert sorted(out.rglob("*")) == before


def test_raw_logs_go_and_the_folder_says_so(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(apply(out, 90, is_dry=True)) == 1
    assert (out / "warehouse" / "raw").is_dir(), "a dry run removes nothing"
    (said,) = apply(out, 90)
    assert "raw logs removed: a changed figure can no longer be split" in said
    assert not (out / "warehouse" / "raw").exists()
    assert (out / "deliveries.parquet").exists()
    assert apply(out, 91) == [], "what is gone is not removed again"
    assert main(["explain", str(out), "A1"]) in (0, 2)
    assert "raw logs went on 2031-06-01" in capsys.readouterr().err


def test_all_that_holds_addresses_goes_and_what_was_published_stays(out: Path) -> None:
    (said,) = apply(out, 365)
    assert "no verdict can be explained" in said
    assert holding_addresses(out) == []
    assert {"impact.json", "report.html", "vintages", "retention.json"} <= {path.name for path in out.iterdir()}
    assert json.loads((out / "retention.json").read_text())[0]["what"] == "everything that holds an address"


def test_after_raw_logs_are_gone_a_later_count_says_that_it_cannot_split(out: Path, finished: Path) -> None:
    apply(out, 90)
    shutil.rmtree(out / "warehouse" / "parsed")
    (finished / "in" / "day1.log").rename(finished / "in" / "renamed.log")
    text = (finished / "in" / "renamed.log").read_text()
    (finished / "in" / "renamed.log").write_text(text + "\n".join(tiny.day_two()) + "\n")
    assert main(["run", str(finished / "in" / "incident.yaml"), "--out", str(out)]) == 0
    vintages = json.loads((out / "vintages.json").read_text())["vintages"]
    assert [step["causes"] for step in vintages[-1]["change"]["steps"]] == [["logs"]]
    assert vintages[-1]["change"]["difference"] == 1


def test_a_later_report_names_the_logs_that_are_gone_and_were_not_read_again(tmp_path: Path) -> None:
    incident, out = tiny.write(tmp_path / "in", later=True), tmp_path / "runs" / "tiny"
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    assert main(["run", str(incident), "--out", str(out)]) == 0
    apply(out, 90)
    report = out / "report.html"
    assert main(["run", str(incident), "--out", str(out)]) == 0
    assert 'id="gone"' not in report.read_text(encoding="utf-8"), "all of them were read again"
    apply(out, 90)
    (tmp_path / "in" / "day2.log").unlink()
    assert main(["run", str(incident), "--out", str(out)]) == 0
    told = report.read_text(encoding="utf-8").partition('id="gone"')[2].partition("</section>")[0]
    assert "day2.log" in told
    assert "day1.log" not in told


def test_a_run_that_never_published_ages_from_its_last_work(tmp_path: Path) -> None:
    incident, out = tiny.write(tmp_path / "in"), tmp_path / "runs" / "tiny"
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    steps.pull_logs(str(incident), str(out))
    policy, now = read_policy(tmp_path / "policy.yaml"), datetime.now(UTC)
    assert apply_policy(policy, now + timedelta(days=89), is_dry=False) == []
    assert len(apply_policy(policy, now + timedelta(days=91), is_dry=False)) == 1
    assert not (out / "warehouse" / "raw").exists()


def test_what_a_cut_transfer_left_goes_after_a_day_and_nobody_is_told_of_an_end(out: Path) -> None:
    left = out / "warehouse" / "raw" / ".incoming" / "tmpx" / "mail.log"
    left.parent.mkdir()
    left.write_bytes(b"half a l")
    for hours, is_there in ((23, True), (25, False)):
        made = (AT - timedelta(hours=hours)).timestamp()
        os.utime(left.parent, (made, made))
        said = apply(out, 1)
        assert said == ([] if is_there else [f"{out}: 1 unfinished copy of cut transfers removed."])
        assert left.exists() == is_there
    assert not (out / "retention.json").exists()


def test_a_folder_in_use_is_left_alone(out: Path) -> None:
    import multiprocessing

    from tests.mailtoll.test_lock import hold_and_sleep

    process = multiprocessing.get_context("spawn").Process(target=hold_and_sleep, args=(out, True))
    process.start()
    try:
        while not (out / "held").exists():
            pass
        (said,) = apply(out, 400)
    finally:
        process.kill()
        process.join()
    assert said.endswith("in use, left for the next time.")
    assert (out / "deliveries.parquet").exists()
    with hold(out, alone=True):
        pass


def test_a_log_without_a_stamp_leaves_its_store_by_when_it_came(tmp_path: Path) -> None:
    tiny.write(tmp_path / "in")
    (tmp_path / "in" / "day1.log").write_text("no stamp here\n", encoding="utf-8")
    (tmp_path / "standby.yaml").write_text(STANDBY, encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    standby = load_standby(tmp_path / "standby.yaml")
    ingest(standby, NOON)
    policy, now = read_policy(tmp_path / "policy.yaml"), datetime.now(UTC)
    assert apply_policy(policy, now + timedelta(days=89), is_dry=False) == []
    assert len(apply_policy(policy, now + timedelta(days=91), is_dry=False)) == 1
    assert collected(standby.warehouse).is_empty()


def test_a_store_lets_go_of_each_log_by_its_own_age(tmp_path: Path) -> None:
    tiny.write(tmp_path / "in")
    later = "\n".join(tiny.day_two()).replace("2030-05-01", "2030-05-11")
    (tmp_path / "in" / "later.log").write_text(later + "\n", encoding="utf-8")
    (tmp_path / "standby.yaml").write_text(STANDBY, encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    standby = load_standby(tmp_path / "standby.yaml")
    ingest(standby, NOON)
    policy = read_policy(tmp_path / "policy.yaml")
    (said,) = apply_policy(policy, datetime(2030, 8, 1, tzinfo=UTC), is_dry=False)
    assert "1 log that ended by 2030-05-01 02:14 UTC removed" in said
    assert collected(standby.warehouse)["uri"].to_list() == ["in/later.log"]
    assert len(list(standby.warehouse.parts("events"))) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [("raw_after: 90d\n", "restricted_after: Field required"), (POLICY.replace("90d", "soon"), "line 3: raw_after")],
)
def test_a_policy_that_will_not_do(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "policy.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=said):
        read_policy(tmp_path / "policy.yaml")
