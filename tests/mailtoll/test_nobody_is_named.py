"""No address, name or account id in a file that everybody may read; the tests look into every kind of file."""

import stat
import struct
import zlib
from pathlib import Path

import polars as pl
import pytest

from tests.mailtoll.said import ADDRESS, text_of, words_of

SHUT = {"restricted", "warehouse", "mail"}


@pytest.fixture(scope="session")
def people(gone_out: Path) -> set[str]:
    """Every account id, customer id, mailbox, address and local part of the records."""
    records = pl.read_csv(gone_out / "customers.csv", infer_schema=False)
    people = {value.lower() for name in ("account_id", "customer_id", "mailbox", "address") for value in records[name]}
    return people | {value.partition("@")[0] for value in people if "@" in value}


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def open_files(run: Path) -> list[Path]:
    """The files of a run that others than its owner may read."""
    inside = [path for path in files_in(run) if path.relative_to(run).parts[0] not in SHUT]
    return [path for path in inside if path.stat().st_mode & stat.S_IROTH]


def test_nobody_is_named_on_the_site(gone_out: Path, people: set[str]) -> None:
    files = files_in(gone_out / "site")
    assert {path.name for path in files} == {"index.html", "figures.json", "figures.csv"}
    assert len(people) > 500
    for path in files:
        assert words_of(path) & people == set(), path
        assert ADDRESS.findall(text_of(path)) == [], path
        assert "officemail.test" not in text_of(path), path


def test_nobody_is_named_in_a_file_of_a_run_that_is_not_shut(gone_out: Path, people: set[str]) -> None:
    files = open_files(gone_out / "run")
    assert {path.suffix for path in files} == {".html", ".json", ".csv", ".txt", ".md", ".pdf", ".png", ".parquet"}
    assert {path.name for path in files} >= {"report.html", "summary.pdf", "summary-claims.png", "cells.parquet"}
    named = {path.name: words_of(path) & people for path in files}
    assert {name for name, found in named.items() if found} == set()


def test_what_is_shut_is_shut_by_its_mode(gone_out: Path) -> None:
    for folder in (gone_out / "run" / name for name in SHUT - {"mail"}):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


@pytest.mark.parametrize("name", ["care_list.html", "care_list.csv", "accounts.parquet", "deliveries.csv"])
def test_the_same_look_finds_people_where_they_are(gone_out: Path, people: set[str], name: str) -> None:
    assert len(words_of(gone_out / "run" / "restricted" / name) & people) > 100


def test_it_looks_into_pdf_and_pictures_too(gone_out: Path, tmp_path: Path) -> None:
    assert {"314", "accounts", "provider"} <= words_of(gone_out / "run" / "summary.pdf")
    picture = (gone_out / "run" / "summary-claims.png").read_bytes()
    body = b"Author\0ann@example.com"
    chunk = struct.pack(">I", len(body)) + b"tEXt" + body + struct.pack(">I", zlib.crc32(b"tEXt" + body))
    (tmp_path / "a.png").write_bytes(picture[:33] + chunk + picture[33:])
    assert "ann@example.com" in words_of(tmp_path / "a.png")
