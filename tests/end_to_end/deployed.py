"""Airflow as docs/scheduled.md deploys it: every block of the page is run, with the test's servers for its names."""

import os
import pwd
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.typed_pages import PROJECT, blocks, shell, translated
from tests.mailtoll import tiny
from tests.sources.servers import Postgres, Sshd, running_sshd
from tools.local_airflow import LocalAirflow, free_port

KINDS = ["sh", "sql", "sh", "yaml", "sh", "yaml", "sh", "sh"]


@dataclass(frozen=True)
class Deployed:
    """A running deployment: its Airflow, its data (the page's /srv/mailtoll), and how to type what the page says."""

    airflow: LocalAirflow
    data: Path
    look: str

    def shell(self, script: str) -> str:
        """Run commands as in the page's shell of step 4; return what they said."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=PROJECT,
            env=self.airflow.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def deployed(folder: Path, secret: str, more: Mapping[str, str]) -> Iterator[Deployed]:
    """Give a deployment below `folder` whose passwords are `secret`; `more` is what a site adds to airflow.env.

    Its one incident is the tiny one, with logs behind SFTP and records in PostgreSQL, and is due every minute.
    """
    home, data, etc = folder / "airflow", folder / "data", folder / "etc"
    home.mkdir()
    database = Postgres(home / "pg")
    database.start()
    try:
        with running_sshd(folder / "sshd") as sshd:
            ours = names(folder, secret, database, sshd)
            serve_logs(sshd)
            look, components = type_page(folder, ours, database, sshd, more)
            airflow = LocalAirflow(home, int(ours["8080"]), components)
            airflow.environment = environment_of(etc / "airflow.env")
            airflow.start_components()
            try:
                yield Deployed(airflow, data, look)
            finally:
                airflow.stop()
    finally:
        database.stop()


def names(folder: Path, secret: str, database: Postgres, sshd: Sshd) -> dict[str, str]:
    """Return what stands in the test for each name of the pages, longer ones first."""
    socket = str(database.server.get_postmaster_info().socket_dir)
    return {
        "https://git.example.nz/mailtoll.git": str(PROJECT),
        "mx1.example.nz": "127.0.0.1",
        "-p 22": f"-p {sshd.port}",
        '"port": 22': f'"port": {sshd.port}',
        '"login": "reader"': f'"login": "{pwd.getpwuid(os.geteuid()).pw_name}"',
        "/var/log": str(sshd.root),
        "choose-another": secret,
        "choose-one": secret,
        "@db.example.nz/airflow": f"@/airflow?host={socket}",
        "crm.example.nz": socket,
        '"schema": "customers"': '"schema": "postgres"',
        "/etc/mailtoll": str(folder / "etc"),
        "/srv/airflow": str(folder / "airflow"),
        "/srv/mailtoll": str(folder / "data"),
        "/opt/mailtoll": str(PROJECT),
        "8080": str(free_port()),
        "MAILTOLL_INCIDENTS_SCHEDULE=@daily": 'MAILTOLL_INCIDENTS_SCHEDULE="* * * * *"',
    }


def serve_logs(sshd: Sshd) -> None:
    """Put the tiny incident's log where the page says, rotated once."""
    lines = [line + "\n" for line in (*tiny.day_one(), *tiny.dora_waits())]
    (sshd.root / "mail.log.1").write_text("".join(lines[:30]), encoding="utf-8")
    (sshd.root / "mail.log").write_text("".join(lines[30:]), encoding="utf-8")


def type_page(
    folder: Path, ours: Mapping[str, str], database: Postgres, sshd: Sshd, more: Mapping[str, str]
) -> tuple[str, tuple[str, ...]]:
    """Run the page up to its step 6; return its last block, and the components that step 6 starts."""
    (_, role), (_, keys), *_ = blocks("docs/sources.md", "## Step by step")
    found = blocks("docs/scheduled.md", "## 1.")
    assert [kind for kind, _ in found] == KINDS, "a new block wants to be tested"
    clone, state, settings, retention, prepare, incident, start, look = (translated(text, ours) for _, text in found)
    fill_records(database)
    database.sql(translated(role, ours))
    shell(translated(keys, ours), folder)
    (sshd.folder / "key.pub").write_bytes((folder / "etc/key.pub").read_bytes())

    own = {str(PROJECT) + "\n": f"{folder}/clone\n", "make setup": "make --dry-run setup"}
    shell(translated(clone, own | {".venv/bin/python": sys.executable}), folder)
    assert (folder / "clone/deploy/requirements.txt").exists()
    for statement in state.split(";")[:-1]:
        database.sql(statement)
    shell(settings, folder)
    with (folder / "etc/airflow.env").open("a", encoding="utf-8") as file:
        file.writelines(f"{name}='{value}'\n" for name, value in more.items())
    (folder / "data/retention.yaml").write_text(retention, encoding="utf-8")
    mine = tiny.INCIDENT.replace('logs: [{uri: "*.log", format: postfix}]\n', "").replace(
        "customers: {uri: customers.csv}\n", incident
    )
    (folder / "data/incidents/mine.yaml").write_text(mine, encoding="utf-8")
    (folder / "data/incidents/queue.json").write_text(tiny.listing(), encoding="utf-8")
    shell(prepare, folder)
    components = re.findall(r"^\.venv/bin/airflow ([\w-]+)(?: --skip-serve-logs)? &$", start, re.MULTILINE)
    assert len(components) == len(start.splitlines())
    return look, tuple(components)


def fill_records(database: Postgres) -> None:
    """Make the table that the pages speak of: the tiny incident's records, and a column that is nobody's business."""
    database.sql(
        "CREATE TABLE mailboxes (account_id text, customer_id text, segment text, mailbox text, address text,"
        " valid_from date, valid_to date, password text)"
    )
    for row in tiny.RECORDS.splitlines()[1:]:
        values = ", ".join(f"'{value}'" for value in row.split(",")[:5])
        database.sql(f"INSERT INTO mailboxes VALUES ({values}, NULL, NULL, 'hunter2')")  # noqa: S608  # our own rows


def environment_of(file: Path) -> dict[str, str]:
    """Return what a process has that is started after `. airflow.env`, as the page does."""
    done = subprocess.run(
        ["bash", "-c", f"set -a; . {file}; env -0"],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(entry.split("=", 1) for entry in done.stdout.split("\0") if entry)
