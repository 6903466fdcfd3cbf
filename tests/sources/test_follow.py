"""Logs that grow and are rotated: each line once, none missed, whatever the files are called."""

import gzip
import random
import shutil
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources import compression, follow, raw_store
from sources.compression import open_decompressed
from sources.errors import BadInput
from sources.ledger import Ledger
from sources.locate import locate_local
from sources.log_files import pull_logs
from sources.log_spec import LogSpec
from sources.store import Listed
from sources.store_folder import Folder


def lines(first: int, last: int) -> bytes:
    """Log lines, each unlike any other."""
    return b"".join(b"Jan  1 00:00:00 mx1 postfix/qmgr[1]: %08d: removed\n" % n for n in range(first, last))


def pull(tmp_path: Path, pattern: str = "mail.log*") -> pl.DataFrame:
    return pull_logs([LogSpec(pattern, tmp_path / "in", follows=True)], tmp_path / "out")


def held(tmp_path: Path, inputs: pl.DataFrame) -> list[bytes]:
    """All lines of what counts as input."""
    found: list[bytes] = []
    for row in inputs.filter(~pl.col("is_duplicate")).iter_rows(named=True):
        with open_decompressed(tmp_path / "out" / row["path"]) as file:
            found += file.read().splitlines(keepends=True)
    return found


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in/mail.log"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Which file was opened from which byte on."""
    opened: list[tuple[str, int]] = []
    original = Folder.open

    def noted(self: Folder, path: str, offset: int, end: int) -> object:
        opened.append((Path(path).name, offset))
        return original(self, path, offset, end)

    monkeypatch.setattr(Folder, "open", noted)
    return opened


def test_only_what_is_new_is_pulled(tmp_path: Path, log: Path, asked: list[tuple[str, int]]) -> None:
    log.write_bytes(lines(0, 9000))
    size = log.stat().st_size
    pull(tmp_path)
    with log.open("ab") as file:
        file.write(lines(9000, 9100))
    asked.clear()
    inputs = pull(tmp_path)
    assert held(tmp_path, inputs) == lines(0, 9100).splitlines(keepends=True)
    assert ("mail.log", size) in asked
    assert {at for _, at in asked} <= {0, size - 4096, size}, "besides it, only the two ends by which it is known"
    assert inputs["uri"].to_list() == ["mail.log"]


def test_what_did_not_grow_is_not_received_again(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write_bytes(lines(0, 500))
    shutil.copy(log, tmp_path / "in/mail.log.1")
    first = pull(tmp_path)
    assert first["is_duplicate"].to_list() == [False, True]

    def refuse(*_: object) -> None:
        raise AssertionError("received again")

    monkeypatch.setattr(follow, "receive", refuse)
    assert pull(tmp_path).equals(first)


def test_an_unfinished_line_waits_until_it_is_whole_or_stays_as_it_is(tmp_path: Path, log: Path) -> None:
    log.write_bytes(lines(0, 3) + b"Jan  1 00:00:00 mx1 post")
    assert held(tmp_path, pull(tmp_path)) == lines(0, 3).splitlines(keepends=True)
    with log.open("ab") as file:
        file.write(b"fix/qmgr[1]: whole\nJan  1 cut")
    whole = [*lines(0, 3).splitlines(keepends=True), b"Jan  1 00:00:00 mx1 postfix/qmgr[1]: whole\n"]
    assert held(tmp_path, pull(tmp_path)) == whole
    assert held(tmp_path, pull(tmp_path)) == [*whole, b"Jan  1 cut"], "nobody went on writing it"


@pytest.mark.parametrize("grown", [0, 40])
@pytest.mark.parametrize("how", ["renamed", "renamed and compressed", "copied and cut off", "gone"])
def test_rotation(tmp_path: Path, log: Path, how: str, grown: int) -> None:
    """`grown`: lines that came after the last pull and before the rotation."""
    log.write_bytes(lines(0, 300))
    pull(tmp_path)
    with log.open("ab") as file:
        file.write(lines(300, 300 + grown))
    if how == "renamed":
        log.rename(log.with_name("mail.log.1"))
    elif how == "renamed and compressed":
        log.with_name("mail.log.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    elif how == "copied and cut off":
        shutil.copy(log, log.with_name("mail.log.1"))
    log.write_bytes(lines(1000, 1100))
    inputs = pull(tmp_path)
    came = 300 if how == "gone" else 300 + grown
    assert Counter(held(tmp_path, inputs)) == Counter((lines(0, came) + lines(1000, 1100)).splitlines(keepends=True))
    assert inputs["uri"].n_unique() == inputs.height == 2
    assert pull(tmp_path).equals(inputs)
    kept = [path for path in (tmp_path / "out/warehouse/raw").glob("*/*") if not path.parent.name.startswith(".")]
    assert len(kept) == 2, "of bytes that a longer file holds too, one copy is enough"


def test_an_archive_that_was_half_written_and_then_renamed_counts_once(tmp_path: Path, log: Path) -> None:
    archive = gzip.compress(random.Random(3).randbytes(20_000).hex().encode() + b"\n")
    log.with_name("mail.log.1.gz").write_bytes(archive[:9000])
    pull(tmp_path)
    log.with_name("mail.log.1.gz").unlink()
    log.with_name("mail.log.2.gz").write_bytes(archive)
    assert pull(tmp_path)["uri"].to_list() == ["mail.log.2.gz"]


def test_a_file_that_is_gone_stays_an_input_under_its_name(tmp_path: Path, log: Path) -> None:
    log.write_bytes(lines(0, 300))
    sha256 = pull(tmp_path)["sha256"][0]
    log.write_bytes(lines(300, 400))
    inputs = pull(tmp_path)
    assert inputs["uri"].to_list() == ["mail.log", f"mail.log#{sha256[:8]}"]
    log.unlink()
    assert pull(tmp_path)["lines"].sort().to_list() == [100, 300]
    with pytest.raises(BadInput, match=r"no file matches 'other\*'"):
        pull(tmp_path, "other*")
    log.write_bytes(lines(300, 500))
    assert held(tmp_path, pull(tmp_path, "mail.log")) != [], "and it is known again when it comes back"


def test_a_file_that_vanishes_while_it_is_pulled(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write_bytes(lines(0, 300))
    log.with_name("mail.log.0").write_bytes(lines(500, 600))
    log.with_name("mail.log.zz").write_bytes(lines(700, 800))
    original = Folder.files
    looks = []

    def then_gone(self: Folder) -> list[Listed]:
        found = original(self)
        looks.append(1)
        log.unlink(missing_ok=True)
        return found if len(looks) == 1 else [*found, Listed(str(log), "mail.log", 300)]

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "files", then_gone)
        with pytest.raises(BadInput, match=r"'mail\.log' vanished while it was read; run again"):
            pull(tmp_path)
    assert [e.uri for e in Ledger(tmp_path / "out").of("file://")] == ["mail.log.0", "mail.log.zz"]
    log.write_bytes(lines(0, 300))
    assert Counter(held(tmp_path, pull(tmp_path))) == Counter(
        (lines(0, 300) + lines(500, 600) + lines(700, 800)).splitlines(keepends=True)
    )


def test_a_file_that_is_renamed_while_it_is_pulled_is_found_again(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write_bytes(lines(0, 300))
    original = Folder.files

    def then_rotated(self: Folder) -> list[Listed]:
        found = original(self)
        if log.read_bytes().startswith(lines(0, 300)):
            log.rename(log.with_name("mail.log.1"))
            log.write_bytes(lines(300, 310))
        return found

    monkeypatch.setattr(Folder, "files", then_rotated)
    assert Counter(held(tmp_path, pull(tmp_path))) == Counter(lines(0, 310).splitlines(keepends=True))


def test_a_pull_that_was_killed_starts_again_from_what_it_had(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write_bytes(lines(0, 300))
    pull(tmp_path)
    with log.open("ab") as file:
        file.write(lines(300, 400))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(raw_store, "_place", killed)
        with pytest.raises(KeyboardInterrupt):
            pull(tmp_path)
    assert held(tmp_path, pull(tmp_path)) == lines(0, 400).splitlines(keepends=True)


def test_an_archive_bomb_is_refused_and_the_others_are_kept(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "RATIO_COUNTS_FROM_BYTES", 1 << 20)
    log.write_bytes(lines(0, 300))
    log.with_name("mail.log.0.gz").write_bytes(gzip.compress(b"\0" * (8 << 20)))
    with pytest.raises(BadInput, match=r"mail\.log\.0\.gz unpacks to more than 250 times its size"):
        pull(tmp_path)
    assert [e.uri for e in Ledger(tmp_path / "out").of("file://")] == ["mail.log"]
    (tmp_path / "out/warehouse/raw/.ledger.json").write_text("{", encoding="utf-8")
    with pytest.raises(BadInput, match=r"\.ledger\.json is no ledger of ours; restore it, or remove it"):
        pull(tmp_path)


def test_kept_bytes_that_were_lost_are_pulled_again(tmp_path: Path, log: Path) -> None:
    log.write_bytes(lines(0, 300))
    first = pull(tmp_path)
    (tmp_path / "out" / first["path"][0]).unlink()
    assert pull(tmp_path).equals(first)


def test_a_file_named_with_and_without_following_is_refused(tmp_path: Path, log: Path) -> None:
    log.write_bytes(lines(0, 3))
    specs = [LogSpec("mail.log", tmp_path / "in"), LogSpec("mail.log*", tmp_path / "in", follows=True)]
    with pytest.raises(BadInput, match="is named by an entry that follows it and by one that does not"):
        pull_logs(specs, tmp_path / "out")


@pytest.mark.parametrize("follows", [False, True])
def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path, log: Path, follows: bool) -> None:
    (tmp_path / "secret").write_bytes(lines(0, 3))
    log.write_bytes(lines(0, 3))
    log.with_name("inner.log").symlink_to(log)
    spec = LogSpec("inner.*", tmp_path / "in", follows=follows)
    assert pull_logs([spec], tmp_path / "out")["lines"].to_list() == [3], (
        "a link within the folder is a file like others"
    )
    log.with_name("mail.log.1").symlink_to(tmp_path / "secret")
    with pytest.raises(BadInput, match=r"mail\.log\.1 is a link that leads out of"):
        pull_logs([LogSpec("mail.log*", tmp_path / "in", follows=follows)], tmp_path / "out2")
    named = LogSpec("mail.log.1", tmp_path / "in", follows=follows)
    assert pull_logs([named], tmp_path / "out3")["lines"].to_list() == [3], "whoever names a link means it"


def test_a_name_with_a_line_break_stays_on_its_line(tmp_path: Path, log: Path) -> None:
    log.with_name("mail.log\nforged: line").write_bytes(lines(0, 3))
    found = locate_local("*", tmp_path / "in", "i")
    assert [f.uri for f in found] == [r"mail.log\nforged: line"]
    inputs = pull(tmp_path)
    assert "\n" not in inputs["uri"][0]
    assert "\n" not in inputs["path"][0]


STEP = st.sampled_from(["write", "half", "rename", "compress", "copytruncate", "drop", "pull"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=3, max_size=25), seed=st.integers(0, 2**16))
def test_whatever_is_done_to_the_files_each_line_that_was_seen_is_held_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], seed: int
) -> None:
    tmp_path = tmp_path_factory.mktemp("follow")
    draw, folder = random.Random(seed), tmp_path / "in"
    folder.mkdir()
    log = folder / "mail.log"
    log.write_bytes(lines(0, 1))
    written, pulled_up_to = 1, 0
    missed: set[bytes] = set()  # lines that were gone before any pull could see them
    pending = b""
    rotated = 0
    for step in [*steps, "pull"]:
        if step == "write":
            more = draw.choice([1, 7, 200])
            with log.open("ab") as file:
                file.write(pending + lines(written, written + more))
            written, pending = written + more, b""
        elif step == "half" and not pending:
            line = lines(written, written + 1)
            with log.open("ab") as file:
                file.write(line[:20])
            pending, written = line[20:], written + 1
        elif step in ("rename", "compress", "copytruncate") and not pending:
            rotated += 1
            data = log.read_bytes()
            name = folder / f"mail.log.{rotated}"
            if step == "compress":
                name.with_name(name.name + ".gz").write_bytes(gzip.compress(data))
            else:
                name.write_bytes(data)
            log.write_bytes(b"")
        elif step == "drop" and not pending:
            for old in folder.glob("mail.log.*"):
                content = gzip.decompress(old.read_bytes()) if old.suffix == ".gz" else old.read_bytes()
                missed |= {line for line in content.splitlines() if int(line.split()[5][:8]) >= pulled_up_to}
                old.unlink()
        elif step == "pull":
            pull(tmp_path)
            pulled_up_to = written - bool(pending)
    with log.open("ab") as file:
        file.write(pending)
    got = Counter(line.rstrip(b"\n") for line in held(tmp_path, pull(tmp_path)))
    wanted = Counter(line for line in lines(0, written).splitlines() if line not in missed)
    if missed:  # of a line that stood half written from one pull to the next, the rest may be among them
        got.pop(lines(0, 1)[:20], None)
    assert got == wanted
