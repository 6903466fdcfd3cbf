"""In which pass of the hour that daylight saving repeats pulled files begin, by their lines, ids and neighbours."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from mailtoll import steps
from mailtoll.run import Run
from tests.mailtoll import tiny
from tests.simulate.exim import DIGITS

INCIDENT = tiny.INCIDENT.replace('"*.log", format: postfix', '"*.log", timezone: Europe/Berlin, year: 2030')
BERLIN = ZoneInfo("Europe/Berlin")
# The first pass there begins at midnight UTC, the second at one.
BEGIN = datetime(2030, 10, 26, 23, tzinfo=UTC)


def exim(minutes: int, *, id_minutes: int | None = None) -> str:
    """An arrival so many minutes after BEGIN; its id is as old, or says otherwise."""
    at = BEGIN + timedelta(minutes=minutes)
    born = round((BEGIN + timedelta(minutes=minutes if id_minutes is None else id_minutes)).timestamp())
    digits = "".join(DIGITS[born // 62**place % 62] for place in range(5, -1, -1))
    line = f"{digits}-000abc-01 <= s@example.net H=m.example.net [192.0.2.1] P=esmtp S=9 for ann@example.com"
    return f"{at.astimezone(BERLIN):%Y-%m-%d %H:%M:%S} {line}\n"


def syslog(minutes: int) -> str:
    at = BEGIN + timedelta(minutes=minutes)
    return f"{at.astimezone(BERLIN):%b %d %H:%M:%S} mx1 postfix/smtpd[7]: A{minutes:04X}: client=m[192.0.2.1]\n"


def passes(folder: Path, files: dict[str, str]) -> dict[str, bool]:
    tiny.write(folder, incident=INCIDENT)
    for log in folder.glob("*.log"):
        log.unlink()
    for name, text in files.items():
        (folder / f"{name}.log").write_text(text, encoding="utf-8")
    steps.pull_logs(str(folder / "incident.yaml"), str(folder / "out"))
    pulled = Run.of(str(folder / "incident.yaml"), str(folder / "out")).pulled.filter(kind="log")
    names = pulled.select(pl.col("uri").str.extract(r"([a-z]+)\.log$", 1)).to_series()
    return dict(zip(names, pulled["is_second_pass"], strict=True))


def test_an_exim_file_within_the_hour_is_placed_by_its_ids(tmp_path: Path) -> None:
    """Alone it would be taken for the first pass; its neighbour says nothing of it."""
    files = {"a": exim(130) + exim(135), "b": exim(400)}
    assert passes(tmp_path, files) == {"a": True, "b": False}


def test_old_mail_tried_again_says_nothing_of_the_pass(tmp_path: Path) -> None:
    assert passes(tmp_path, {"a": exim(130, id_minutes=0) + exim(135, id_minutes=5)}) == {"a": False}


@pytest.mark.parametrize("order", ["abcd", "dcba", "bdac"])
def test_pieces_within_the_hour_are_placed_by_the_others(order: str, tmp_path: Path) -> None:
    cuts = [(0, 70), (70, 90), (90, 140), (140, 170), (170, 300)]
    texts = ["".join(map(syslog, range(start, end))) for start, end in cuts]
    names = [*order, "e"]
    found = passes(tmp_path, dict(zip(names, texts, strict=True)))
    assert [found[name] for name in names] == [False, False, False, True, True]


def test_stamps_with_a_zone_and_files_of_other_days_are_left_alone(tmp_path: Path) -> None:
    zoned = exim(130).replace("2030-10-27 02:10:00", "2030-10-27 02:10:00 +0100")
    assert passes(tmp_path, {"a": zoned, "b": syslog(600), "c": "no stamp at all\n"}) == dict.fromkeys("abc", False)
