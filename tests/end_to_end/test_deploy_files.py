"""What can be seen of the deployment's files without a container engine or systemd."""

import re
import shlex
import shutil
import subprocess
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.end_to_end.typed_pages import blocks

PROJECT = Path(__file__).resolve().parents[2]
DEPLOY = PROJECT / "deploy"
UNIT = DEPLOY / "mailtoll-airflow@.service"
TEMPLATE = (DEPLOY / "env.template").read_text(encoding="utf-8")
PAGE = dict(re.findall(r"^([A-Z_]+)=(.*)$", blocks("docs/scheduled.md", "## 3.")[0][1], re.MULTILINE))
# What Compose does otherwise, or leaves as Airflow has it.
OTHERWISE = {
    "AIRFLOW__API__HOST",
    "AIRFLOW__API__PORT",
    "AIRFLOW__CORE__PARALLELISM",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    "MAILTOLL_INCIDENTS_SCHEDULE",
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8")))


def test_every_variable_that_compose_asks_for_is_in_the_template() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    offered = set(re.findall(r"^#?(\w+)=", TEMPLATE, re.MULTILINE))
    assert asked
    assert asked <= offered


def test_compose_starts_what_the_page_starts_with_the_same_settings(compose: dict[str, Any]) -> None:
    commands = {shlex.split(service["command"])[1] for service in compose["services"].values() if "command" in service}
    started = re.findall(r"^\.venv/bin/airflow ([\w-]+)", blocks("docs/scheduled.md", "## 6.")[0][1], re.MULTILINE)
    assert set(started) <= commands | {"-c"}
    image = re.findall(r"(AIRFLOW\w+)=", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    given = {*compose["x-airflow"]["environment"], *re.findall(r"^#?(\w+)=", TEMPLATE, re.MULTILINE), *image}
    assert set(PAGE) - given == OTHERWISE


def test_every_file_that_compose_and_the_image_name_is_there(compose: dict[str, Any]) -> None:
    build = compose["x-airflow"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).samefile(DEPLOY / "Dockerfile")
    named = [*re.findall(r"(?:-r|-c) (\S+\.txt)", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))]
    named += re.findall(r"pools import (\S+?)\"?$", compose["services"]["init"]["command"])
    assert len(named) == 4
    assert [name for name in named if not (PROJECT / name).exists()] == []


def test_services_wait_for_what_they_need(compose: dict[str, Any]) -> None:
    services = compose["services"]
    waited_for = {name for service in services.values() for name in service.get("depends_on", {})}
    assert waited_for == {"init", "postgres"}
    assert "healthcheck" in services["postgres"]


@pytest.mark.parametrize("command", re.findall(r"`(openssl rand [^`]+)`", TEMPLATE))
def test_the_template_says_how_to_make_keys_that_airflow_takes(command: str) -> None:
    made = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout.strip()
    assert len(made) >= 32
    if "base64" in command:  # Fernet's keys are 32 bytes
        assert len(urlsafe_b64decode(made)) == 32


def test_the_unit_runs_what_the_page_makes() -> None:
    unit = dict(re.findall(r"^(\w+)=(.+)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE))
    assert unit["ExecStart"] == "/opt/mailtoll/.venv/bin/airflow %i"
    assert f"> {unit['EnvironmentFile']} <<END" in blocks("docs/scheduled.md", "## 3.")[0][1]
    assert f"cd {unit['WorkingDirectory']}\n" in blocks("docs/scheduled.md", "## 1.")[0][1]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd on this machine")
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    text = UNIT.read_text(encoding="utf-8").replace("/opt/mailtoll/.venv/bin/airflow", "/bin/true")
    text = text.replace("/opt/mailtoll", "/").replace("User=mailtoll", "User=root")
    (tmp_path / UNIT.name).write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / "mailtoll-airflow@scheduler.service")]
    (tmp_path / "mailtoll-airflow@scheduler.service").symlink_to(tmp_path / UNIT.name)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert UNIT.name not in done.stderr, done.stderr
