"""What goes out of a run, with the recorded flood: tables to take away, the care list and the public site."""

import json
import shutil
import stat
from pathlib import Path

import polars as pl
import pytest

from mailtoll import outgoing
from mailtoll.site import put_on_site
from sources.errors import BadInput
from tests.reports.pages import read


def test_the_site_shows_rounded_figures_at_addresses_that_stay(gone_out: Path, count: str) -> None:
    home = gone_out / "site" / "officemail-lab"
    exact = json.loads((gone_out / "run" / "impact.json").read_text())["headline"]["measured"]

    figures = json.loads((home / "latest" / "figures.json").read_text())

    assert (home / "latest").resolve() == (home / count).resolve()
    assert abs(figures["headline"]["count"] - exact) <= 2
    shown = [figure for row in figures["rows"] for figure in row["counts"] if figure is not None]
    assert shown
    assert all(figure == 0 or (figure >= 10 and figure % 5 == 0) for figure in shown)
    assert count in (gone_out / "site" / "index.html").read_text()


def test_another_count_never_takes_an_address_that_is_taken(gone_out: Path, count: str, tmp_path: Path) -> None:
    public = tmp_path / "public"
    shutil.copytree(gone_out / "run" / "public", public)
    (public / "index.html").write_text("other")
    before = (gone_out / "site" / "officemail-lab" / "latest" / "index.html").read_bytes()

    with pytest.raises(BadInput, match="another count of the same name"):
        put_on_site(gone_out / "site", "officemail-lab", count, public)

    assert (gone_out / "site" / "officemail-lab" / "latest" / "index.html").read_bytes() == before


def test_restricted_folders_are_closed(gone_out: Path) -> None:
    restricted = gone_out / "run" / "restricted"
    for path in [restricted, *restricted.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_the_annex_holds_keys_and_the_care_list_begins_with_most_harm(gone_out: Path) -> None:
    restricted = gone_out / "run" / "restricted"
    accounts = pl.read_parquet(gone_out / "run" / "accounts.parquet")
    annex = pl.read_parquet(restricted / "annex" / "accounts_annex.parquet")
    listed = pl.read_parquet(restricted / "care_list.parquet")

    assert annex.height == accounts.height
    assert set(annex["account_key"]) & set(accounts["account_id"]) == set()
    assert listed["lost_deliveries"].is_sorted(descending=True)
    assert listed.filter(pl.col("late_deliveries") > 0).height == accounts["is_affected"].sum()
    assert listed["letter"].str.contains("We are sorry").all()


def test_annexes_without_a_secret_are_refused(gone_out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILTOLL_SECRET_OFFICEMAIL_LAB", raising=False)
    with pytest.raises(BadInput, match="MAILTOLL_SECRET_OFFICEMAIL_LAB"):
        outgoing.export(str(gone_out / "incident.yaml"), str(gone_out / "run"))
    leaked = [p for p in gone_out.rglob("*") if p.is_file() and b"s" * 40 in p.read_bytes()]
    assert leaked == []


def test_a_share_is_of_those_who_had_mail_of_the_kind_that_is_counted(gone_out: Path) -> None:
    ladder = pl.read_parquet(gone_out / "run" / "exports" / "ladder.parquet")
    rung = ladder.filter(unit="account", messages="excluding_bulk", rung="exposed", segment="business")
    with_bulk = ladder.filter(unit="account", messages="all", rung="exposed", segment="business")
    assert rung["measured"][0] < with_bulk["measured"][0]
    report = read((gone_out / "run" / "report.html").read_text(encoding="utf-8")).text
    assert f"of the {rung['measured'][0]} that had mail in the window" in " ".join(report.split())
