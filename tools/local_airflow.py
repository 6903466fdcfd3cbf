"""A real Airflow in a folder of its own: SQLite or another database, LocalExecutor, one machine, loopback only.

For `make demo`, `make airflow` and the tests; a deployment brings its own configuration.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
USER = "admin"
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
OPTIONS = {"scheduler": ["--skip-serve-logs"], "triggerer": ["--skip-serve-logs"]}  # the API server reads the files


def environment(home: Path, port: int = 8080) -> dict[str, str]:
    """Return the settings, as environment variables, of an Airflow that lives in `home`."""
    secret = home / "secret"
    home.mkdir(parents=True, exist_ok=True)
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(32))
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        # The project is importable wherever it is installed; so is a checkout that is not.
        "PYTHONPATH": os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH")))),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(max(2, os.cpu_count() or 2)),
        "AIRFLOW__CORE__MAX_MAP_LENGTH": "100000",  # one mapped task per log file
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secret.read_text(),
        "AIRFLOW__API_AUTH__JWT_SECRET": secret.read_text(),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "SCARF_ANALYTICS": "false",
        "DO_NOT_TRACK": "1",
    }


class LocalAirflow:
    """An Airflow that can be started, asked and stopped; a context manager.

    Raises RuntimeError with the path of the log when a component ends by itself or does not come up in time.
    """

    def __init__(
        self,
        home: Path,
        port: int | None = None,
        components: tuple[str, ...] = COMPONENTS,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home.absolute()
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.components = components
        self.environment = {**os.environ, **environment(self.home, self.port), **(settings or {})}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._token = ""

    def __enter__(self) -> "LocalAirflow":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def password(self) -> str:
        """Return the password of USER, made on first use."""
        file = self.home / "passwords.json"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(json.dumps({USER: secrets.token_urlsafe(9)}))
        return str(json.loads(file.read_text())[USER])

    def start(self) -> None:
        """Migrate the database, start the components, and wait until all of them are healthy."""
        _ = self.password
        self._run("db", "migrate")
        self._run("pools", "import", str(PROJECT / "deploy" / "pools.json"))
        self.start_components()

    def start_components(self, timeout: float = 120) -> None:
        """Start the components on a database that is ready, and wait until all of them are healthy."""
        for name in self.components:
            self.start_component(name)
        try:
            self._wait_until_healthy(timeout)
        except BaseException:
            self.stop()
            raise

    def start_component(self, name: str) -> None:
        """Start one component; its words go to a file in the home."""
        with (self.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [_airflow(), name, *OPTIONS.get(name, ())],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def kill_component(self, name: str) -> None:
        """End a component and all that it started at once, as the machine's power would."""
        _signal_group(self.processes[name].pid, signal.SIGKILL)
        self.processes.pop(name).wait()

    def stop(self) -> None:
        """End the components and all that they started."""
        for sent in (signal.SIGTERM, signal.SIGKILL):
            for process in self.processes.values():
                _signal_group(process.pid, sent)
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline and any(_is_group_alive(p) for p in self.processes.values()):
                time.sleep(0.1)
        self.processes.clear()

    def ask(self, path: str, body: Mapping[str, Any] | None = None, method: str | None = None) -> Any:
        """Call Airflow's REST API (`/api/v2` + path) as USER; return the decoded answer."""
        if not self._token:
            login = {"username": USER, "password": self.password}
            self._token = self._call("/auth/token", login, "POST")["access_token"]
        return self._call(f"/api/v2{path}", body, method or ("GET" if body is None else "POST"))

    def trigger(self, dag_id: str, **params: str) -> str:
        """Start a run of a DAG; return its id."""
        return str(self.ask(f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": params})["dag_run_id"])

    def _call(self, path: str, body: Mapping[str, Any] | None, method: str) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)  # noqa: S310 (always http://127.0.0.1)
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def _run(self, *arguments: str) -> None:
        done = subprocess.run([_airflow(), *arguments], env=self.environment, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(
                f"`airflow {' '.join(arguments)}` failed: {done.stderr.decode(errors='replace')[-2000:]}"
            )

    def check_alive(self) -> None:
        """Raise RuntimeError when a component has ended by itself."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise RuntimeError(f"Airflow's {name} ended by itself; see {self.home / f'{name}.log'}")

    def _wait_until_healthy(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        wanted = {"metadatabase", *(name.replace("-", "_") for name in self.components if name != "api-server")}
        while time.monotonic() < deadline:
            self.check_alive()
            try:
                health = self._call("/api/v2/monitor/health", None, "GET")
                if all(health[name]["status"] == "healthy" for name in wanted):
                    return
            except OSError:  # not listening yet (URLError is one)
                pass
            time.sleep(0.5)
        raise RuntimeError(f"Airflow did not come up within {timeout:.0f} s; see the logs in {self.home}")


def _airflow() -> str:
    return str(Path(sys.executable).with_name("airflow"))


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _signal_group(group: int, sent: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, sent)


def _is_group_alive(process: subprocess.Popen[bytes]) -> bool:
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True
