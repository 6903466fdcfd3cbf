"""docs/sources.md, typed as it stands against a real OpenSSH and a real PostgreSQL, by command line and by Airflow."""

import json
import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from mailtoll import steps
from tests.mailtoll import tiny
from tests.sources.servers import SSHD, Postgres, Sshd
from tests.sources.servers import postgres as postgres
from tests.sources.servers import sshd as sshd

PROJECT = Path(__file__).resolve().parents[2]
PAGE = (PROJECT / "docs/sources.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(sh|sql|yaml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE[PAGE.index("## Step by step") :])

pytestmark = pytest.mark.skipif(not Path(SSHD).exists(), reason="no OpenSSH server: setup/debian-packages installs it")


def test_every_step_of_the_page_works_and_gives_the_figures_of_plain_files(
    tmp_path: Path, sshd: Sshd, postgres: Postgres
) -> None:
    plain = tiny.write(tmp_path / "plain")
    steps.run_incident(plain, tmp_path / "plain/out", lambda _: None)
    log = (tmp_path / "plain/day1.log").read_bytes()
    middle = log.index(b"\n", len(log) // 2) + 1
    (sshd.root / "mail.log.1").write_bytes(log[:middle])
    (sshd.root / "mail.log").write_bytes(log[middle:])

    ours = {
        "mx1.example.nz:22": f"127.0.0.1:{sshd.port}",
        "mx1.example.nz": "127.0.0.1",
        "-p 22": f"-p {sshd.port}",
        "reader@": f"{pwd.getpwuid(os.geteuid()).pw_name}@",
        "/var/log": str(sshd.root),
        "/etc/mailtoll": str(tmp_path / "etc"),
        "crm.example.nz": quote(str(postgres.server.get_postmaster_info().socket_dir), safe=""),
        "5432/customers": "5432/postgres",
        ".venv/bin/mailtoll": f"{sys.executable} -m mailtoll",
    }
    kinds = [kind for kind, _ in BLOCKS]
    assert kinds == ["sql", "sh", "yaml", "sh"], "a new block wants to be tested"
    role, keys, sources, run = (translated(text, ours) for _, text in BLOCKS)

    postgres.sql(
        "CREATE TABLE mailboxes (account_id text, customer_id text, segment text, mailbox text, address text,"
        " valid_from date, valid_to date, password text)"
    )
    for row in tiny.RECORDS.splitlines()[1:]:
        values = ", ".join(f"'{value}'" for value in row.split(",")[:5])
        postgres.sql(f"INSERT INTO mailboxes VALUES ({values}, NULL, NULL, 'hunter2')")  # noqa: S608  # our own rows
    postgres.sql(role)
    shell(keys, tmp_path)
    shutil.copy(tmp_path / "etc/key.pub", sshd.folder / "key.pub")
    text = tiny.INCIDENT.replace('logs: [{uri: "*.log", format: postfix}]\n', "").replace(
        "customers: {uri: customers.csv}\n", sources
    )
    (tmp_path / "incident.yaml").write_text(text, encoding="utf-8")
    shutil.copy(tmp_path / "plain/queue.json", tmp_path)
    postgres.stop()
    said = shell(run, tmp_path, ends=2)
    assert "table 'mailboxes' of connection 'crm' cannot be reached" in said
    assert "Traceback" not in said
    assert not (tmp_path / "build/mine/impact.json").exists()
    postgres.start()
    shell(run, tmp_path)

    assert figures(tmp_path / "build/mine") == figures(tmp_path / "plain/out")
    report = (tmp_path / "build/mine/report.html").read_text(encoding="utf-8")
    assert "FROM mailboxes ORDER BY" in report
    written = [p for p in (tmp_path / "build").rglob("*") if p.is_file() and b"choose-one" in p.read_bytes()]
    assert written == [], "the password is nowhere"

    exports = "\n".join(line for line in run.splitlines() if line.startswith("export "))
    dags = f"{tmp_path}/incident.yaml --out {tmp_path}/dags --home {tmp_path}/airflow"
    shell(f"{exports}\ncd {PROJECT}\n{sys.executable} -m tools.run_dags {dags}", tmp_path)
    assert (tmp_path / "dags/impact.json").read_bytes() == (tmp_path / "build/mine/impact.json").read_bytes()
    written = [p for p in (tmp_path / "airflow").rglob("*") if p.is_file() and b"choose-one" in p.read_bytes()]
    assert written == [], "nor with Airflow"


def translated(text: str, ours: dict[str, str]) -> str:
    """Return a block with the page's example names in place of which the test's own stand."""
    for example, own in ours.items():
        text = text.replace(example, own)
    return text


def shell(script: str, folder: Path, ends: int = 0) -> str:
    """Run a block of commands as a reader would, in one shell; return what it said, and check how it ended."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "HOME": str(folder)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ends, done.stdout + done.stderr
    return done.stdout + done.stderr


def figures(out: Path) -> dict[str, object]:
    content = json.loads((out / "impact.json").read_text(encoding="utf-8"))
    return {name: content[name] for name in ("status", "headline", "cells", "deliveries", "lines")}
