"""The summary by mail: sent by the step that the DAG calls, through real SMTP servers, read back from real Maildirs."""

import json
import mailbox
import os
import shutil
import stat
import time
from datetime import datetime
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser
from pathlib import Path

import pytest

from mailtoll import outgoing, steps
from mailtoll.cli import main
from mailtoll.run import Run
from mailtoll.vintage_store import vintage_of
from reports.mail import Envelope, summary_mail
from sources.errors import MailWaits
from tests.mailtoll.postfix import POSTFIX, postfix
from tests.mailtoll.relay import unwilling_relay
from tests.reports.pages import blocks, words_in

TO = ["Änne Ünal <aenne@example.com>", "Bo <bo@example.com>"]
NOBODY_THERE = "smtp://127.0.0.1:9?disable_ssl=true&disable_tls=true"


def at(port: int) -> str:
    """What AIRFLOW_CONN_… holds for a server on this machine."""
    return f"smtp://127.0.0.1:{port}?disable_ssl=true&disable_tls=true"


@pytest.fixture
def flood(gone_out: Path, tmp_path: Path) -> Path:
    """The recorded flood, run, and not mailed so far; its files are replaced and never changed, so links will do."""
    return Path(shutil.copytree(gone_out, tmp_path / "flood", copy_function=os.link))


def read_maildir(folder: Path) -> list[EmailMessage]:
    """Parse what is in a Maildir."""
    return [BytesParser(policy=policy.default).parsebytes(raw) for raw in raw_in(folder)]


def raw_in(folder: Path) -> list[bytes]:
    return [message.as_bytes() for message in mailbox.Maildir(folder)] if folder.exists() else []


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Return plain text and page."""
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    return text.get_content(), page.get_content()


def test_it_arrives_once_after_a_relay_that_is_down_twice(
    flood: Path, count: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = (str(flood / "incident.yaml"), str(flood / "run"), count)
    monkeypatch.setenv("AIRFLOW_CONN_FIRST", NOBODY_THERE)
    with unwilling_relay(tmp_path / "maildir", refusals=2) as (relay, port):
        monkeypatch.setenv("AIRFLOW_CONN_SECOND", at(port))
        for _ in range(2):
            with pytest.raises(MailWaits, match="2 of 2"):
                outgoing.send(*run)
        assert outgoing.send(*run) == {"sent": 2, "sent_before": 0}
        assert outgoing.send(*run) == {"sent": 0, "sent_before": 2}
    assert relay.asked == 3

    (raw,) = raw_in(tmp_path / "maildir")
    (mail,) = read_maildir(tmp_path / "maildir")
    assert max(map(len, raw.splitlines())) < 998
    assert raw.isascii()
    assert [mail[name] is not None for name in ("From", "Date", "Message-ID", "Subject")] == [True] * 4
    assert mail["To"].addresses[0].display_name == "Änne Ünal"
    assert mail["Auto-Submitted"] == "auto-generated"
    _, page = parts(mail)
    assert "http" not in page.split("<body")[1]
    pictures = {part["Content-ID"] for part in mail.walk() if part.get_content_type() == "image/png"}
    assert pictures
    assert all(f'src="cid:{cid.strip("<>")}"' in page for cid in pictures)
    assert [part.get_content_type() for part in mail.iter_attachments()] == ["application/pdf"]
    ledger = flood / "run" / "mail" / f"{count}.json"
    assert stat.S_IMODE(ledger.stat().st_mode) == 0o600

    records = json.loads((flood / "run" / "manifest.json").read_text())["steps"]
    assert [record["step"] for record in records[-4:]] == ["publish", "export", "put_on_site", "send"]
    assert [record["part"] for record in records[-2:]] == [count, count]
    assert records[-1]["rows"] == {"in": 2, "out": 0, "set_aside": 2}
    assert "@" not in json.dumps(records)


def test_plain_text_alone_suffices_and_the_command_line_sends_it(
    flood: Path, count: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILTOLL_SECRET_OFFICEMAIL_LAB", "s" * 40)
    monkeypatch.setattr(steps, "run_incident", lambda *_: steps.RunResult("published", count=count))  # it was run
    with unwilling_relay(tmp_path / "maildir", refusals=0) as (_, port):
        monkeypatch.setenv("AIRFLOW_CONN_FIRST", at(port))
        assert main(["run", str(flood / "incident.yaml"), "--out", str(flood / "run"), "--mail"]) == 0
    manifest = json.loads((flood / "run" / "manifest.json").read_text())
    assert manifest["steps"][-1]["rows"] == {"in": 2, "out": 2, "set_aside": 0}
    (mail,) = read_maildir(tmp_path / "maildir")
    text, page = parts(mail)

    assert sorted(map(words_in, text.split("\n\n"))) == sorted(map(words_in, blocks(page)))
    said = " ".join(text.split())
    impact = json.loads((flood / "run" / "impact.json").read_text())
    chosen = {key: impact["headline"][key] for key in ("unit", "threshold_seconds", "messages", "count")}
    by_segment = {cell["segment"]: cell["measured"] for cell in impact["cells"] if chosen.items() <= cell.items()}
    assert impact["headline"]["lower"] == impact["headline"]["upper"]
    for fact in (
        f"{impact['headline']['measured']} ACCOUNTS",
        "This figure is certain: nothing that is still open could change it.",
        "took 1 minute or more to arrive, or was still waiting after that long. Advertising sent in bulk is left out.",
        "AGAINST WHAT WAS SAID - Provider said “several hundred users”. That agrees with our count of mailboxes:",
        "Radio said “every one of 700 users”. That is higher than our count of mailboxes:",
        f"WHO WAS HIT - Business: {by_segment['business']} accounts, ",
        f"- Residential: {by_segment['residential']} accounts, ",
        "SINCE WHEN AND UNTIL WHEN From 15:25:48 to 15:30:18 NZDT on 25 Nov 2026: 4 minutes 30 seconds.",
        "CAUSE A mailing house sent 12 offers at once.",
        f"WHAT IS STILL UNKNOWN - {impact['deliveries']['pending']} messages were still waiting when this was counted",
        "NEXT UPDATE 25 Nov 2026 21:00 NZDT.",
    ):
        assert fact in said


@pytest.mark.skipif(not Path(POSTFIX).exists(), reason="no Postfix: setup/debian-packages installs it")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may start a Postfix")
def test_a_postfix_keeps_it_as_it_was_sent_once_for_each_recipient(
    flood: Path, count: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postfix("aenne", "bo") as server:
        monkeypatch.setenv("AIRFLOW_CONN_FIRST", at(server.port))
        run = (str(flood / "incident.yaml"), str(flood / "run"), count)
        assert outgoing.send(*run) == {"sent": 2, "sent_before": 0}
        assert outgoing.send(*run) == {"sent": 0, "sent_before": 2}
        deadline = time.monotonic() + 20
        while server.said().count("status=sent (delivered to maildir)") < 2:
            assert time.monotonic() < deadline, server.said()
            time.sleep(0.1)
        boxes = [raw_in(server.maildir(name)) for name in ("aenne", "bo")]

    assert [len(box) for box in boxes] == [1, 1]
    kept = flood / "run" / "vintages" / count
    ledger = json.loads((flood / "run" / "mail" / f"{count}.json").read_text())
    envelope = Envelope("Störung <noreply@officemail.test>", TO, datetime.fromisoformat(ledger["first_at"]))
    vintage = vintage_of(Run.of(*run[:2]).warehouse, count)[1]
    files = {path.name: path.read_bytes() for path in kept.glob("summary*")}
    title = "A mailing house floods a real Postfix, in twelve minutes"
    sent = summary_mail(title, vintage, files, envelope).as_bytes().replace(b"\r\n", b"\n")
    for (raw,) in boxes:
        assert raw.endswith(sent), "nothing but what Postfix puts on top"
        mail = BytesParser(policy=policy.default).parsebytes(raw)
        assert shape(mail) == (
            "multipart/mixed (multipart/alternative (text/plain"
            " multipart/related (text/html image/png image/png)) application/pdf)"
        )
        assert [str(mail[name]) for name in ("Return-Path", "To")] == ["<noreply@officemail.test>", ", ".join(TO)]


def shape(part: Message) -> str:
    """Return the kinds of a mail's parts, those within others in brackets."""
    if not part.is_multipart():
        return part.get_content_type()
    inner = " ".join(shape(child) for child in part.get_payload() if isinstance(child, Message))
    return f"{part.get_content_type()} ({inner})"
