"""The recorded flood, damaged in one way at a time: each is refused, for the reason that a person would give."""

import gzip
import lzma
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mailtoll.steps import check_incident

Damage = Callable[[Path], None]


def without_the_first_file(folder: Path) -> None:
    (folder / "mail.log.1.gz").unlink()


def without_the_last_file(folder: Path) -> None:
    (folder / "mail.log.xz").unlink()


def without_one_minute(folder: Path) -> None:
    lines = lzma.decompress((folder / "mail.log.xz").read_bytes()).splitlines(keepends=True)
    (folder / "mail.log.xz").unlink()
    (folder / "mail.log.2").write_bytes(b"".join(line for line in lines if b" 02:28:" not in line))


def with_lines_that_nobody_understands(folder: Path) -> None:
    lines = gzip.decompress((folder / "mail.log.1.gz").read_bytes()).splitlines(keepends=True)
    torn = b"Nov 25 02:27:00 mx1 postfix/smtp[1]: ABCDEF12345: to=<a@officemail.test>, relay=nowhere\n"
    (folder / "mail.log.1.gz").write_bytes(gzip.compress(b"".join(lines + [torn] * 600)))


def with_an_address_of_two_mailboxes(folder: Path) -> None:
    with (folder / "customers.csv").open("a") as records:
        records.write("A10001,C5001,business,b1.0@officemail.test,b0.0@officemail.test,2008-01-01,\n")


def with_a_record_of_nobody(folder: Path) -> None:
    with (folder / "customers.csv").open("a") as records:
        records.write(",C5001,business,b1.0@officemail.test,new@officemail.test,2008-01-01,\n")


def without_a_tenth_of_the_accounts(folder: Path) -> None:
    lines = (folder / "customers.csv").read_text().splitlines(keepends=True)
    (folder / "customers.csv").write_text("".join(line for line in lines if line.partition(",")[0][-1:] != "7"))


def nothing(folder: Path) -> None:
    """The flood as it was recorded."""


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (nothing, ""),
        (without_the_first_file, "mx1 has 1 hole in the window: from 25 Nov 2026 15:26 NZDT"),
        (without_the_last_file, "mx1 has 1 hole in the window: from 25 Nov 2026 15:28 NZDT"),
        (without_one_minute, "mx1 has 1 hole in the window: from 25 Nov 2026 15:28 NZDT to 25 Nov 2026 15:29 NZDT"),
        (with_lines_that_nobody_understands, "600 of 105,589 lines were not understood (0.5682 %)"),
        (with_an_address_of_two_mailboxes, "1 address leading to two mailboxes on one day in 769 records: data rows "),
        (
            with_a_record_of_nobody,
            "1 record without an account, segment, mailbox or address in 769 records: data row 769",
        ),
        (without_a_tenth_of_the_accounts, "local deliveries are for recipients that no customer record knows"),
    ],
)
def test_a_damaged_flood_is_refused(demo_incident: Path, tmp_path: Path, damage: Damage, reason: str) -> None:
    folder = tmp_path / "incident"
    shutil.copytree(demo_incident.parent, folder)
    damage(folder)
    result = check_incident(folder / demo_incident.name, tmp_path / "run", lambda _: None)
    assert len(result.reasons) == (1 if reason else 0), result.reasons
    assert reason in "".join(result.reasons)
    assert "@" not in "".join(result.reasons)
