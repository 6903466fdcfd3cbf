"""What goes out of a run: tables, the public site, the mail; with the recorded flood and a real SMTP server."""

import json
import mailbox
import shutil
import socket
import stat
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

from mailtoll import outgoing, steps
from mailtoll.run import Run
from mailtoll.site import put_on_site
from mailtoll.warehouse import Warehouse
from transforms.errors import BadInput, MailWaits

GOES_OUT = """site: site
annexes: true
mail: {connection: first, alternates: [second], from: "Störung <noreply@officemail.test>",
       to: ["Änne Ünal <aenne@example.com>", "Bo <bo@example.com>"]}
"""


class DownTwice(Mailbox):
    """A relay that can't take mail the first two times; then it puts it into a real mailbox (Maildir)."""

    asked = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.asked += 1
        if self.asked <= 2:
            return "451 4.3.0 down"
        await super().handle_DATA(server, session, envelope)
        return "250 taken"


@pytest.fixture(scope="module")
def folder(demo_incident: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recorded flood, run up to the site."""
    folder = tmp_path_factory.mktemp("out") / "flood"
    shutil.copytree(demo_incident.parent, folder)
    with (folder / "incident.yaml").open("a", encoding="utf-8") as file:
        file.write(GOES_OUT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILTOLL_SECRET_OFFICEMAIL_LAB", "s" * 40)
        assert steps.run_incident(folder / "incident.yaml", folder / "run", lambda _: None).status == "published"
    return folder


def count_of(folder: Path) -> str:
    return next((folder / "run" / "vintages").iterdir()).name


def test_no_address_name_or_account_is_anywhere_on_the_site(folder: Path) -> None:
    records = pl.read_csv(folder / "customers.csv", infer_schema=False)
    secret = {value.lower() for name in ("account_id", "customer_id", "mailbox", "address") for value in records[name]}
    secret |= {value.partition("@")[0] for value in secret if "@" in value}
    files = [path for path in (folder / "site").rglob("*") if path.is_file()]

    assert len(files) >= 5
    assert len(secret) > 500
    for path in files:
        words = set(path.read_text(encoding="utf-8").lower().replace('"', " ").replace("<", " ").split())
        assert words & secret == set(), path
        assert "officemail.test" not in path.read_text(encoding="utf-8"), path


def test_the_site_shows_rounded_figures_at_addresses_that_stay(folder: Path) -> None:
    home = folder / "site" / "officemail-lab"
    exact = json.loads((folder / "run" / "impact.json").read_text())["headline"]["measured"]

    figures = json.loads((home / "latest" / "figures.json").read_text())

    assert (home / "latest").resolve() == (home / count_of(folder)).resolve()
    assert abs(figures["headline"]["count"] - exact) <= 2
    shown = [count for row in figures["rows"] for count in row["counts"] if count is not None]
    assert shown
    assert all(count == 0 or (count >= 10 and count % 5 == 0) for count in shown)
    assert count_of(folder) in (folder / "site" / "index.html").read_text()


def test_another_count_never_takes_an_address_that_is_taken(folder: Path, tmp_path: Path) -> None:
    public = tmp_path / "public"
    shutil.copytree(folder / "run" / "public", public)
    (public / "index.html").write_text("other")
    before = (folder / "site" / "officemail-lab" / "latest" / "index.html").read_bytes()

    with pytest.raises(BadInput, match="another count of the same name"):
        put_on_site(folder / "site", "officemail-lab", count_of(folder), public)

    assert (folder / "site" / "officemail-lab" / "latest" / "index.html").read_bytes() == before


def test_restricted_folders_are_closed_and_described(folder: Path) -> None:
    restricted = folder / "run" / "restricted"
    for path in [restricted, *restricted.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    for described in (folder / "run" / "exports", restricted, restricted / "annex"):
        package = json.loads((described / "datapackage.json").read_text())
        for resource in package["resources"]:
            assert (described / resource["path"]).stat().st_size == resource["bytes"]
            names = [field["name"] for field in resource["schema"]["fields"]]
            read = pl.read_csv if resource["format"] == "csv" else pl.read_parquet
            assert read(described / resource["path"]).columns == names


def test_the_annex_holds_keys_and_the_care_list_begins_with_most_harm(folder: Path) -> None:
    restricted = folder / "run" / "restricted"
    accounts = pl.read_parquet(folder / "run" / "accounts.parquet")
    annex = pl.read_parquet(restricted / "annex" / "accounts_annex.parquet")
    listed = pl.read_parquet(restricted / "care_list.parquet")

    assert annex.height == accounts.height
    assert set(annex["account_key"]) & set(accounts["account_id"]) == set()
    assert listed["lost_deliveries"].is_sorted(descending=True)
    assert listed.filter(pl.col("late_deliveries") > 0).height == accounts["is_affected"].sum()
    assert listed["letter"].str.contains("We are sorry").all()


def test_annexes_without_a_secret_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILTOLL_SECRET_OFFICEMAIL_LAB", raising=False)
    with pytest.raises(BadInput, match="MAILTOLL_SECRET_OFFICEMAIL_LAB"):
        outgoing.export(str(folder / "incident.yaml"), str(folder / "run"))
    leaked = [p for p in folder.rglob("*") if p.is_file() and b"s" * 40 in p.read_bytes()]
    assert leaked == []


def test_the_mail_arrives_once_after_a_relay_that_is_down_twice(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived = tmp_path / "maildir"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    relay = Controller(DownTwice(arrived), hostname="127.0.0.1", port=port)
    relay.start()
    try:
        monkeypatch.setenv("AIRFLOW_CONN_FIRST", "smtp://127.0.0.1:9?disable_ssl=true&disable_tls=true")  # nobody there
        monkeypatch.setenv("AIRFLOW_CONN_SECOND", f"smtp://127.0.0.1:{port}?disable_ssl=true&disable_tls=true")
        run = (str(folder / "incident.yaml"), str(folder / "run"), count_of(folder))
        for _ in range(2):
            with pytest.raises(MailWaits, match="2 of 2"):
                outgoing.send(*run)
        assert outgoing.send(*run) == {"sent": 2, "sent_before": 0}
        assert outgoing.send(*run) == {"sent": 0, "sent_before": 2}
    finally:
        relay.stop()

    (raw,) = [message.as_bytes() for message in mailbox.Maildir(arrived)]
    mail = BytesParser(policy=policy.default).parsebytes(raw)
    assert max(map(len, raw.splitlines())) < 998
    assert raw.isascii()
    assert [mail[name] is not None for name in ("From", "Date", "Message-ID", "Subject")] == [True] * 4
    assert mail["To"].addresses[0].display_name == "Änne Ünal"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    figure = Run.of(folder / "incident.yaml", folder / "run")
    headline = json.loads(figure.warehouse.impact.read_text())["headline"]["measured"]
    assert f"{headline:,}" in text.get_content()
    assert "http" not in page.get_content().split("<body")[1]
    pictures = {part["Content-ID"] for part in mail.walk() if part.get_content_type() == "image/png"}
    assert pictures
    assert all(f'src="cid:{cid.strip("<>")}"' in page.get_content() for cid in pictures)
    assert [part.get_content_type() for part in mail.iter_attachments()] == ["application/pdf"]
    ledger = Warehouse(folder / "run").root / "mail" / f"{count_of(folder)}.json"
    assert stat.S_IMODE(ledger.stat().st_mode) == 0o600
