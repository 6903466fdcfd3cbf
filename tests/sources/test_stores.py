"""Pulling from real servers: OpenSSH's SFTP, HTTP with ranges, and an S3-compatible store."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pytest
from pyarrow.fs import S3FileSystem

from sources import follow, resumed
from sources.customer_records import pull_customer_records
from sources.errors import BadInput, SourceAway
from sources.log_files import pull_logs
from sources.log_spec import LogSpec, RecordsSpec
from sources.store_sftp import SftpFiles
from tests.sources.servers import SSHD, Sshd, WebServer, running_web
from tests.sources.servers import s3 as s3
from tests.sources.servers import sshd as sshd
from tests.sources.servers import web as web
from tests.sources.test_follow import held, lines

LINES = lines(0, 5000)
needs_sshd = pytest.mark.skipif(not Path(SSHD).exists(), reason="no OpenSSH server: setup/debian-packages installs it")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumed, "PAUSES", (0.05, 0.2))


def pulled(tmp_path: Path, uri: str, connection: str | None = "mx_logs") -> pl.DataFrame:
    return pull_logs([LogSpec(uri, connection=connection)], tmp_path / "out")


def noted_opens(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Note which file is asked of the SFTP server, and from which byte on."""
    opened: list[tuple[str, int]] = []
    original = SftpFiles.open

    def noted(self: SftpFiles, path: str, offset: int, end: int) -> BinaryIO:
        opened.append((path, offset))
        return original(self, path, offset, end)

    monkeypatch.setattr(SftpFiles, "open", noted)
    return opened


@needs_sshd
def test_sftp_pulls_what_is_new(tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MX_LOGS", sshd.connection())
    log = sshd.root / "mail.log"
    log.write_bytes(LINES)
    log.with_name("mail.log.2.gz").write_bytes(gzip.compress(lines(9000, 9100)))
    log.with_name(".mail.log.swp").write_bytes(b"hidden")
    log.with_name("mail.logs").mkdir()
    uri = f"sftp://127.0.0.1{sshd.root}/*mail.log*"
    assert pulled(tmp_path, uri)["lines"].to_list() == [5000, 100]
    log.rename(log.with_name("mail.log.1"))
    log.write_bytes(lines(5000, 5500))
    opened = noted_opens(monkeypatch)
    inputs = pulled(tmp_path, uri)
    assert sorted(held(tmp_path, inputs)) == sorted((LINES + lines(5000, 5500) + lines(9000, 9100)).splitlines(True))
    ends = {at for path, at in opened if path.endswith("mail.log.1")}
    assert ends == {0, len(LINES) - 4096}, "renamed: only its ends are looked at"
    assert inputs["uri"].to_list() == [
        f"sftp://127.0.0.1{sshd.root}/{n}" for n in ("mail.log", "mail.log.1", "mail.log.2.gz")
    ]


@needs_sshd
def test_sftp_speaks_to_no_host_that_it_does_not_know(
    tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sshd.root / "mail.log").write_bytes(LINES)
    uri = f"sftp://127.0.0.1{sshd.root}/mail.log"
    other = (sshd.folder / "key.pub").read_text().rsplit(" ", 1)[0]
    monkeypatch.setenv("HOME", str(tmp_path))
    for extra, says in (
        ({"host_key": ""}, "a key that is not known; add it to known_hosts"),
        ({"host_key": other}, "shows another key than the known one"),
        ({"host_key": "ssh-ed25519 nonsense"}, "host_key of the connection is none"),
        ({"no_host_key_check": "true"}, "must show its key: take no_host_key_check out"),
        ({"host_key": "", "known_hosts": "/nowhere"}, "known_hosts of the connection is not there"),
        ({"key_file": "/nowhere"}, "key_file of the connection cannot be read"),
        ({"key_file": str(sshd.folder / "host_key")}, "does not let us in"),
    ):
        monkeypatch.setenv("AIRFLOW_CONN_MX_LOGS", sshd.connection(**extra))
        with pytest.raises(BadInput, match=says):
            pulled(tmp_path, uri)
    (tmp_path / ".ssh").mkdir()
    host_key = " ".join((sshd.folder / "host_key.pub").read_text().split()[:2])
    (tmp_path / ".ssh/known_hosts").write_text(f"[127.0.0.1]:{sshd.port} {host_key}\n")
    private = (sshd.folder / "key").read_text()
    monkeypatch.setenv("AIRFLOW_CONN_MX_LOGS", sshd.connection(host_key="", key_file="", private_key=private))
    assert pulled(tmp_path, uri)["lines"].to_list() == [5000]


@needs_sshd
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a user with a password")
def test_sftp_with_a_password(tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    (sshd.root / "mail.log").write_bytes(LINES)
    for folder in (sshd.root, *sshd.root.parents):
        if folder.is_relative_to(tmp_path.parents[1]):
            folder.chmod(0o755)
    hashed = subprocess.run(["openssl", "passwd", "-6", "s3cret:/@"], capture_output=True, text=True, check=True).stdout
    subprocess.run(["useradd", "-M", "-s", "/bin/sh", "-p", hashed.strip(), "mailtolltest"], check=True)
    try:
        host_key = json.loads(sshd.connection())["extra"]["host_key"]
        for password, is_let_in in (("s3cret%3A%2F%40", True), ("other", False)):
            address = f"sftp://mailtolltest:{password}@127.0.0.1:{sshd.port}"
            query = host_key.replace(" ", "%20").replace("+", "%2B").replace("/", "%2F")
            monkeypatch.setenv("AIRFLOW_CONN_MX_LOGS", f"{address}/?host_key={query}")
            if is_let_in:
                assert pulled(tmp_path, f"sftp://127.0.0.1{sshd.root}/mail.log")["lines"].to_list() == [5000]
            else:
                with pytest.raises(BadInput, match="does not let us in") as caught:
                    pulled(tmp_path, f"sftp://127.0.0.1{sshd.root}/mail.log")
                assert "other" not in str(caught.value)
    finally:
        sshd.stop()
        subprocess.run(["userdel", "-f", "mailtolltest"], check=True)


@needs_sshd
def test_sftp_cut_in_the_middle_of_a_file_goes_on_from_there(
    tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MX_LOGS", sshd.connection())
    content = lines(0, 200_000)
    (sshd.root / "mail.log").write_bytes(content)
    offsets = noted_opens(monkeypatch)
    original = resumed.rest_of

    def cutting(*arguments: object) -> object:
        for number, piece in enumerate(original(*arguments)):  # type: ignore[arg-type]
            if number == 3:
                sshd.cut()
            yield piece

    monkeypatch.setattr(follow, "rest_of", cutting)
    inputs = pulled(tmp_path, f"sftp://127.0.0.1{sshd.root}/mail.log")
    assert b"".join(held(tmp_path, inputs)) == content
    assert [at for _, at in offsets if at > 0], "it did not begin anew"


@needs_sshd
def test_sftp_that_stays_away_keeps_what_came(tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MX_LOGS", sshd.connection())
    content = lines(0, 200_000)
    (sshd.root / "mail.log").write_bytes(content)
    uri = f"sftp://127.0.0.1{sshd.root}/mail.log"
    original = resumed.rest_of

    def then_down(*arguments: object) -> object:
        for number, piece in enumerate(original(*arguments)):  # type: ignore[arg-type]
            if number == 3:
                sshd.stop()
            yield piece

    with monkeypatch.context() as patch:
        patch.setattr(follow, "rest_of", then_down)
        with pytest.raises(SourceAway, match=r"cannot be reached .* or run again when it is back"):
            pulled(tmp_path, uri)
    with pytest.raises(SourceAway):
        pulled(tmp_path, uri)
    sshd.start()
    offsets = noted_opens(monkeypatch)
    assert b"".join(held(tmp_path, pulled(tmp_path, uri))) == content
    assert max(at for _, at in offsets) > 3_000_000


@needs_sshd
def test_sftp_where_nobody_speaks_it(
    tmp_path: Path, web: WebServer, sshd: Sshd, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for port in (web.server_port, 9):
        monkeypatch.setenv("AIRFLOW_CONN_MX_LOGS", json.dumps(json.loads(sshd.connection()) | {"port": port}))
        with pytest.raises(SourceAway, match="cannot be reached"):
            pulled(tmp_path, "sftp://127.0.0.1/mail.log")
    assert capfd.readouterr().err == ""


@needs_sshd
def test_sftp_links_and_names(tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MX_LOGS", sshd.connection())
    (tmp_path / "secret").write_bytes(LINES)
    (sshd.root / "mx1").mkdir()
    (sshd.root / "mx1/a\nforged.log").write_bytes(lines(0, 3))
    (sshd.root / "mx1/b?#.log").write_bytes(lines(3, 5))
    (sshd.root / "README").write_bytes(b"not a folder")
    uri = f"sftp://127.0.0.1{sshd.root}/*/*.log"
    inputs = pulled(tmp_path, uri)
    assert inputs["lines"].to_list() == [3, 2]
    assert not any("\n" in name for name in (*inputs["uri"], *inputs["path"]))
    (sshd.root / "mx1/c.log").symlink_to(tmp_path / "secret")
    with pytest.raises(BadInput, match=r"mx1/c\.log is a link that leads out of"):
        pulled(tmp_path, uri)
    with pytest.raises(BadInput, match="no file matches"):
        pulled(tmp_path, f"sftp://127.0.0.1{sshd.root}/none/*.log")
    with pytest.raises(BadInput, match="is for another host than 'mx2"):
        pulled(tmp_path, "sftp://mx2.example.com/var/log/mail.log")


def test_http_pulls_by_range(tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    log = web.root / "mail.log"
    log.write_bytes(LINES)
    uri = f"{web.address}/mail.log?token=secret"
    inputs = pulled(tmp_path, uri, None)
    assert inputs.select("uri", "lines").rows() == [(f"{web.address}/mail.log", 5000)]
    with log.open("ab") as file:
        file.write(lines(5000, 5500))
    web.asked.clear()
    web.cut_after = 0
    assert b"".join(held(tmp_path, pulled(tmp_path, uri, None))) == lines(0, 5500)
    assert {at for _, at in web.asked} == {0, len(LINES) - 4096, len(LINES)}
    web.knows_ranges = False
    with log.open("ab") as file:
        file.write(lines(5500, 5600))
    assert b"".join(held(tmp_path, pulled(tmp_path, uri, None))) == lines(0, 5600)


def test_http_cut_in_the_middle_goes_on_from_there(tmp_path: Path, web: WebServer) -> None:
    (web.root / "mail.log").write_bytes(LINES)
    pulled(tmp_path, f"{web.address}/mail.log", None)
    (web.root / "mail.log").write_bytes(lines(0, 50_000))

    class Cutting(list[tuple[str, int]]):
        def append(self, asked: tuple[str, int]) -> None:
            if asked[1] == len(LINES):
                web.cut_after = 1_000_000
            super().append(asked)

    web.asked = Cutting()
    assert b"".join(held(tmp_path, pulled(tmp_path, f"{web.address}/mail.log", None))) == lines(0, 50_000)
    assert [at for _, at in web.asked if at > len(LINES)] == [len(LINES) + 1_000_000]


def test_http_credentials(tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    (web.root / "mail.log").write_bytes(LINES)
    uri = f"{web.address}/mail.log"
    for secret, connection in (
        ("Basic dXNlcjpwYXNz", "http://user:pass@127.0.0.1"),
        (
            "Bearer t0ken",
            json.dumps({"conn_type": "http", "host": "127.0.0.1", "extra": {"Authorization": "Bearer t0ken"}}),
        ),
    ):
        web.secret = secret
        with pytest.raises(BadInput, match=r"is refused to us \(401\); check the credentials"):
            pulled(tmp_path, uri, None)
        monkeypatch.setenv("AIRFLOW_CONN_MX_LOGS", connection)
        assert pulled(tmp_path, uri)["lines"].to_list() == [5000]
    for wrong, says in (
        ("nonsense", "is not an Airflow connection"),
        ("", "needs the environment variable AIRFLOW_CONN_MX_LOGS"),
    ):
        monkeypatch.setenv("AIRFLOW_CONN_MX_LOGS", wrong)
        with pytest.raises(BadInput, match=says):
            pulled(tmp_path, uri)
    web.secret = ""
    with pytest.raises(BadInput, match="lists nothing; name its files one by one"):
        pulled(tmp_path, f"{web.address}/*.log", None)
    with pytest.raises(BadInput, match="no file matches"):
        pulled(tmp_path, f"{web.address}/none.log", None)


def test_https_speaks_only_to_who_shows_a_certificate_that_is_trusted(
    tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (web.root / "mail.log").write_bytes(LINES)
    certificate = web.encrypt(tmp_path)
    known = {"conn_type": "http", "host": "127.0.0.1", "login": "user", "password": "pass"}
    for extra, says in (
        ({}, "shows a certificate that we do not trust"),
        ({"verify": False}, "asks not to check certificates"),
    ):
        monkeypatch.setenv("AIRFLOW_CONN_MX_LOGS", json.dumps({**known, "extra": extra}))
        with pytest.raises(BadInput, match=says):
            pulled(tmp_path, f"{web.address}/mail.log")
    assert web.headers == [], "no password before the certificate is known"
    monkeypatch.setenv("AIRFLOW_CONN_MX_LOGS", json.dumps({**known, "extra": {"verify": str(certificate)}}))
    assert pulled(tmp_path, f"{web.address}/mail.log")["lines"].to_list() == [5000]


def test_a_server_that_leads_to_another_host_does_not_lead_the_credentials_there(
    tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {"X-Api-Key": "t0ken", "Authorization": "Bearer t0ken"}
    monkeypatch.setenv("AIRFLOW_CONN_MX_LOGS", json.dumps({"conn_type": "http", "host": "127.0.0.1", "extra": extra}))
    with running_web(tmp_path / "other") as other:
        (other.root / "mail.log").write_bytes(LINES)
        web.leads_to = other.address.replace("127.0.0.1", "localhost")
        assert pulled(tmp_path, f"{web.address}/mail.log")["lines"].to_list() == [5000]
        assert all(asked["X-Api-Key"] == "t0ken" for asked in web.headers)
        assert [name for asked in other.headers for name in extra if name in asked] == []


def test_records_and_listings_behind_an_address(tmp_path: Path, web: WebServer) -> None:
    (web.root / "queue.json").write_bytes(b'{"queue_id": "A"}')
    (web.root / "customers.csv").write_text(
        "account_id,customer_id,segment,mailbox,address,valid_from,valid_to\nA1,C1,business,a@example.com,a@example.com,,\n"
    )
    spec = LogSpec(f"{web.address}/queue.json", kind="queue_snapshot")
    assert pull_logs([spec], tmp_path / "out")["bytes"].to_list() == [17]
    (web.root / "queue.json").write_bytes(b"{}")
    assert pull_logs([spec], tmp_path / "out")["bytes"].to_list() == [2], "a listing is as it is now, not what it was"
    records = pull_customer_records(RecordsSpec(f"{web.address}/customers.csv"), tmp_path / "out")
    assert records.records["account_id"].to_list() == ["A1"]


def test_s3_pulls_what_is_new(tmp_path: Path, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    address = s3.removeprefix("http://")
    bucket = S3FileSystem(
        access_key="key", secret_key="s/cret", scheme="http", endpoint_override=address, allow_bucket_creation=True
    )
    bucket.create_dir("logs")

    def put(name: str, content: bytes) -> None:
        with bucket.open_output_stream(f"logs/{name}", compression=None) as stream:
            stream.write(content)

    monkeypatch.setenv(
        "AIRFLOW_CONN_MX_LOGS",
        json.dumps(
            {
                "conn_type": "aws",
                "login": "key",
                "password": "s/cret",
                "extra": {"endpoint_url": s3, "region_name": "us-east-1"},
            }
        ),
    )
    put("mx1/mail.log", LINES)
    put("mx2/mail.log.gz", gzip.compress(lines(9000, 9100)))
    assert pulled(tmp_path, "s3://logs/*/mail.log*").select("uri", "lines").rows() == [
        ("s3://logs/mx1/mail.log", 5000),
        ("s3://logs/mx2/mail.log.gz", 100),
    ]
    put("mx1/mail.log", lines(0, 5500))
    inputs = pulled(tmp_path, "s3://logs/*/mail.log*")
    assert sorted(held(tmp_path, inputs)) == sorted((lines(0, 5500) + lines(9000, 9100)).splitlines(True))
    with pytest.raises(BadInput, match="no file matches"):
        pulled(tmp_path, "s3://logs/mx3/mail.log")
    with pytest.raises(BadInput, match=r"is refused \(no such bucket\); check bucket, key and secret"):
        pulled(tmp_path, "s3://elsewhere/*.log")


def test_hosts_are_pulled_in_parallel_and_one_that_is_away_does_not_hold_up_the_others(
    tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (web.root / "mail.log").write_bytes(LINES)
    specs = [LogSpec("http://127.0.0.1:9/mail.log"), LogSpec(f"{web.address}/mail.log")]
    with pytest.raises(SourceAway, match=r"127\.0\.0\.1:9/mail\.log' cannot be reached"):
        pull_logs(specs, tmp_path / "out")
    web.asked.clear()
    assert pull_logs(specs[1:], tmp_path / "out")["lines"].to_list() == [5000]
    assert max(at for _, at in web.asked) < len(LINES), "it was kept the first time"
    busy, most = 0, 0
    inner, lock = follow._Place.pull, threading.Lock()

    def counted(self: follow._Place) -> follow.Followed:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.1)
        try:
            return inner(self)
        finally:
            with lock:
                busy -= 1

    monkeypatch.setattr(follow._Place, "pull", counted)
    names = [f"http://127.0.0.{n}:{web.server_port}/mail.log" for n in range(1, 2)] + [
        f"http://localhost:{web.server_port}/mail.log"
    ]
    assert pull_logs([LogSpec(name) for name in names], tmp_path / "out")["is_duplicate"].to_list() == [False, True]
    assert most == 2


def test_plain_files_import_no_client() -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from sources.log_files import pull_logs; from sources.log_spec import LogSpec\n"
        f"pull_logs([LogSpec({__file__!r})], Path(sys.argv[1]))\n"
        "print(sorted({'paramiko', 'requests', 'fsspec', 'sqlalchemy', 'psycopg', 'pyarrow.fs'} & set(sys.modules)))"
    )
    folder = Path(os.environ.get("PYTEST_TMP", "/tmp")) / f"plain-{os.getpid()}"
    try:
        done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert done.stdout.strip() == "[]"
