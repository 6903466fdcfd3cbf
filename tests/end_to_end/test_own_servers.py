"""docs/sources.md, typed as it stands against a real OpenSSH and a real PostgreSQL; Airflow's way is in `deployed`."""

import json
import os
import pwd
import shutil
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from mailtoll import steps
from tests.end_to_end.deployed import fill_records
from tests.end_to_end.typed_pages import blocks, shell, translated
from tests.mailtoll import tiny
from tests.sources.servers import SSHD, Postgres, Sshd
from tests.sources.servers import postgres as postgres
from tests.sources.servers import sshd as sshd

BLOCKS = blocks("docs/sources.md", "## Step by step")

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

    fill_records(postgres)
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


def figures(out: Path) -> dict[str, object]:
    content = json.loads((out / "impact.json").read_text(encoding="utf-8"))
    return {name: content[name] for name in ("status", "headline", "cells", "deliveries", "lines")}
