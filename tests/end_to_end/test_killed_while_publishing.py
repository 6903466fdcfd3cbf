"""A run that is killed while it keeps its vintage, publishes, writes tables to take away, renews the site or mails.

The same folder is killed at every point, in the order of a run, so that each later run meets what the killed one left;
the last one publishes what an undisturbed run does.
"""

import json
import mailbox
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from polars.testing import assert_frame_equal

from tests.end_to_end.test_killed_runs import names
from tests.mailtoll import tiny
from tools.local_airflow import free_port

PROJECT = Path(__file__).resolve().parents[2]
GOES_OUT = """site: site
mail: {connection: relay, from: Outages <noreply@example.com>, to: [Ann Lee <ann@example.com>]}
"""
POINTS = (
    r"run /vintages/\.new-\w+/vintage\.json$ 1",
    r"run /vintages/0001-\w+$ 1",
    r"run /out/vintages\.json$ 1",
    r"run /out/summary\.html$ 1",
    r"run /out/impact\.json$ 1",
    r"run /out/exports/cells\.csv$ 1",
    r"export /out/exports/datapackage\.json$ 1",
    r"export /out/restricted/datapackage\.json$ 1",
    r"put_on_site /site/tiny/0001-\w+$ 1",
    r"put_on_site /site/tiny/latest$ 1",
    r"put_on_site /site/index\.html$ 1",
    r"send /mail/0001-\w+\.json$ 1",  # before the relay is asked
    r"send /mail/0001-\w+\.json$ 2",  # after it took the mail
)
AGAIN = ("run", "send")


@pytest.fixture
def relay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A real SMTP server, by the connection that the incident names; gives the folder of its mail."""
    port = free_port()
    controller = Controller(Mailbox(tmp_path / "maildir"), hostname="127.0.0.1", port=port)
    controller.start()
    monkeypatch.setenv("AIRFLOW_CONN_RELAY", f"smtp://127.0.0.1:{port}?disable_ssl=true&disable_tls=true")
    yield tmp_path / "maildir"
    controller.stop()


def ends(folder: Path, points: tuple[str, ...]) -> list[int]:
    """Go through the points with the incident in `folder`; return how each process ended."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.end_to_end.killed_at", str(folder / "in/incident.yaml"), str(folder / "out")],
        input="\n".join(points),
        cwd=PROJECT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    found = [int(status) for status in re.findall(r"^ended (-?\d+)$", done.stdout, re.MULTILINE)]
    assert len(found) == len(points), done.stdout + done.stderr
    return found


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_killed_anywhere_between_the_figures_and_the_mail_it_ends_in_one_publication(
    tmp_path: Path, relay: Path
) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    for folder in (undisturbed, killed):
        tiny.write(folder / "in", incident=tiny.INCIDENT + GOES_OUT)
    assert ends(undisturbed, AGAIN) == [0, 0]
    assert len(list(mailbox.Maildir(relay))) == 1
    mailbox.Maildir(relay).clear()

    assert ends(killed, (*POINTS, *AGAIN)) == [-signal.SIGKILL] * len(POINTS) + [0, 0]

    out, plain = killed / "out", undisturbed / "out"
    assert (out / "impact.json").read_bytes() == (plain / "impact.json").read_bytes()
    assert len(json.loads((out / "vintages.json").read_text())["vintages"]) == 1
    for name in ("deliveries.parquet", "accounts.parquet", "restricted/care_list.parquet", "exports/cells.parquet"):
        assert_frame_equal(pl.read_parquet(out / name), pl.read_parquet(plain / name))
    assert names(out) == names(plain)
    assert content(killed / "in/site") == content(undisturbed / "in/site")
    left = [path.name for path in killed.rglob(".*") if re.search(r"\.new-|.\.[a-z0-9_]{8}$", path.name)]
    assert left == [], "what killed runs left is not swept"
    mails = [mail["Message-ID"] for mail in mailbox.Maildir(relay)]
    assert len(mails) == 2, "once before the kill, which nobody could note, and once more after it"
    assert len(set(mails)) == 1, "so that the reader's mail program shows one"
