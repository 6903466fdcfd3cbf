"""Pulling logs: which files are meant, what is kept of them, and that nothing is pulled or counted twice."""

import gzip
import hashlib
import lzma
import os
import random
from pathlib import Path

import fsspec
import polars as pl
import pytest

from sources import log_files, raw_store
from sources.addresses import is_remote, listed
from sources.errors import BadInput
from sources.locate import Found, locate
from sources.log_files import edge_lines, pull_findings, pull_logs
from sources.log_spec import LogSpec
from sources.raw_store import safe_basename

LINES = b"Jan  1 00:00:00 mx1 postfix/qmgr[1]: first\nJan  1 00:00:01 mx1 postfix/qmgr[1]: last\n"


def put(folder: Path, **files: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(content)


def pulled(tmp_path: Path, *uris: str) -> pl.DataFrame:
    return pull_logs([LogSpec(uri, tmp_path / "in") for uri in uris], tmp_path / "out")


def test_one_row_per_file_sorted_with_bytes_as_received(tmp_path: Path) -> None:
    put(tmp_path / "in/logs", b__log=LINES, a__log=gzip.compress(LINES + LINES))
    rows = pulled(tmp_path, "logs/*.log").rows(named=True)
    assert [r["uri"] for r in rows] == ["logs/a.log", "logs/b.log"]
    assert [r["lines"] for r in rows] == [4, 2]
    for row in rows:
        received = (tmp_path / "in" / row["uri"]).read_bytes()
        kept = tmp_path / "out" / row["path"]
        assert kept.read_bytes() == received
        assert row["sha256"] == hashlib.sha256(received).hexdigest()
        assert row["bytes"] == len(received)
        assert row["path"] == f"warehouse/raw/{row['source_id']}/{kept.name}"
        assert kept.stat().st_mode & 0o777 == 0o600
    assert rows[0]["source_id"] == hashlib.sha256(LINES + LINES).hexdigest()[:16]


def test_the_order_of_entries_changes_nothing(tmp_path: Path) -> None:
    put(tmp_path / "in", **{f"m{n}__log": LINES + b"%d\n" % (n % 4) for n in range(9)})
    names = [f"m{n}.log" for n in range(9)]
    expected = pulled(tmp_path, *names)
    random.Random(1).shuffle(names)
    again = pull_logs([LogSpec(n, tmp_path / "in") for n in names], tmp_path / "elsewhere")
    assert again.equals(expected)
    assert expected["is_duplicate"].to_list() == [False] * 4 + [True] * 5


def test_the_same_content_is_a_duplicate_however_it_is_compressed(tmp_path: Path) -> None:
    put(tmp_path / "in", a__log=LINES, b__log__gz=gzip.compress(LINES), c__log__xz=lzma.compress(LINES), d__log=LINES)
    inputs = pulled(tmp_path, "*")
    assert inputs["is_duplicate"].to_list() == [False, True, True, True]
    assert inputs["source_id"].n_unique() == 1
    for row in inputs.rows(named=True):
        kept = (tmp_path / "out" / row["path"]).read_bytes()
        assert hashlib.sha256(kept).hexdigest() == row["sha256"], "evidence: the copy is what was received"


def test_equal_names_in_two_folders_are_both_kept(tmp_path: Path) -> None:
    put(tmp_path / "in/mx1", mail__log=LINES)
    put(tmp_path / "in/mx2", mail__log=LINES + LINES)
    inputs = pulled(tmp_path, "*/mail.log")
    assert inputs["uri"].to_list() == ["mx1/mail.log", "mx2/mail.log"]
    assert inputs["path"].n_unique() == 2


def test_two_patterns_that_match_one_file(tmp_path: Path) -> None:
    put(tmp_path / "in", mail__log=LINES)
    assert pulled(tmp_path, "*.log", "mail*").height == 1
    with pytest.raises(BadInput, match="different options"):
        pull_logs([LogSpec("*.log", tmp_path / "in"), LogSpec("mail*", tmp_path / "in", year=2030)], tmp_path / "out")


def test_pulling_again_copies_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "in", a__log=LINES, b__log__xz=lzma.compress(LINES * 9))
    first = pulled(tmp_path, "*")

    def refuse(*_: object) -> None:
        raise AssertionError("copied again")

    monkeypatch.setattr(raw_store, "_take_in", refuse)
    assert pulled(tmp_path, "*").equals(first)


def test_a_file_that_was_rewritten_is_another_file(tmp_path: Path) -> None:
    put(tmp_path / "in", a__log=LINES)
    stamp = (tmp_path / "in/a.log").stat()
    first = pulled(tmp_path, "a.log")
    put(tmp_path / "in", a__log=LINES.replace(b"last", b"LAST"))
    os.utime(tmp_path / "in/a.log", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    second = pulled(tmp_path, "a.log")
    assert first["source_id"][0] != second["source_id"][0]
    assert (tmp_path / "out" / second["path"][0]).read_bytes() == LINES.replace(b"last", b"LAST")


def test_a_killed_pull_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "in", a__log=LINES)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(raw_store, "_place", killed)
        with pytest.raises(KeyboardInterrupt):
            pulled(tmp_path, "a.log")
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == []
    assert (tmp_path / "out" / pulled(tmp_path, "a.log")["path"][0]).read_bytes() == LINES


def test_a_lost_receipt_does_no_harm(tmp_path: Path) -> None:
    put(tmp_path / "in", a__log=LINES)
    first = pulled(tmp_path, "a.log")
    for receipt in (tmp_path / "out/warehouse/raw/.receipts").iterdir():
        receipt.write_text("{", encoding="utf-8")
    assert pulled(tmp_path, "a.log").equals(first)


def test_lines_and_edges(tmp_path: Path) -> None:
    put(tmp_path / "in", a__log=b"\n\nfirst\nmiddle\nl\xe4st\n\n", b__log=b"only, without an end", c__log=b"")
    inputs = pulled(tmp_path, "*")
    assert inputs["lines"].to_list() == [6, 1, 0]
    edges = edge_lines(inputs, tmp_path / "out")
    assert [edges[s] for s in inputs["source_id"]] == [
        ("first", "l\ufffdst"),
        ("only, without an end", "only, without an end"),
        ("", ""),
    ]


def test_findings_about_files(tmp_path: Path) -> None:
    archive = gzip.compress(LINES * 5000)
    put(tmp_path / "in", cut__log__gz=archive[:-9], empty__log=b"", whole__log=LINES)
    inputs = pulled(tmp_path, "*")
    found = pull_findings(inputs, tmp_path / "out")
    assert dict(zip(found["code"], found["source_id"], strict=True)) == {
        "truncated_file": inputs["source_id"][0],
        "empty_file": inputs["source_id"][1],
    }
    assert inputs["lines"][0] > 0, "it yields what it holds"
    assert pull_findings(pulled(tmp_path, "*"), tmp_path / "out").equals(found), "also when it was pulled before"


def test_a_queue_listing_and_a_log_are_told_apart(tmp_path: Path) -> None:
    put(tmp_path / "in", queue__json=LINES, mail__log=LINES)
    specs = [
        LogSpec("queue.json", tmp_path / "in", kind="queue_snapshot"),
        LogSpec("mail.log", tmp_path / "in", year=2030),
    ]
    inputs = pull_logs(specs, tmp_path / "out")
    assert inputs.select("kind", "format", "year", "is_duplicate").rows() == [
        ("log", "auto", 2030, False),
        ("queue_snapshot", None, None, False),
    ]


def test_what_cannot_be_pulled_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "in/folder", a__log=LINES)
    with pytest.raises(BadInput, match=r"no file matches 'none\*\.log'"):
        pulled(tmp_path, "none*.log")
    with pytest.raises(BadInput, match="is a folder; name the files in it, such as folder/"):
        pulled(tmp_path, "folder")
    os.mkfifo(tmp_path / "in/pipe")
    with pytest.raises(BadInput, match="no ordinary file"):
        pulled(tmp_path, "pipe")
    os.symlink(tmp_path / "nowhere", tmp_path / "in/dangling.log")
    with pytest.raises(BadInput, match=r"'dangling\.log' cannot be read"):
        pulled(tmp_path, "dangling.log")
    with pytest.raises(BadInput, match="cannot be reached"):
        pulled(tmp_path, "nosuchscheme://host/a.log")


def test_a_file_that_vanishes_after_it_was_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "in", a__log=LINES, b__log=LINES)

    def then_gone(*arguments: object) -> list[Found]:
        found = locate(*arguments)  # type: ignore[arg-type]
        (tmp_path / "in/b.log").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(log_files, "locate", then_gone)
    with pytest.raises(BadInput, match=r"'b\.log' cannot be read \(not there any more"):
        pulled(tmp_path, "*.log")


def test_names_with_glob_signs_mean_themselves_first(tmp_path: Path) -> None:
    put(tmp_path / "in [old]", **{"mail[1]__log": LINES})
    assert [f.uri for f in locate("mail[1].log", tmp_path / "in [old]", "i")] == ["mail[1].log"]
    assert [f.uri for f in locate("*.log", tmp_path / "in [old]", "i")] == ["mail[1].log"]


def test_any_uri_that_fsspec_opens(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/mx1/a.log", LINES)
    memory.pipe("/mx1/b.log.gz", gzip.compress(LINES * 2))
    try:
        inputs = pulled(tmp_path, "memory://mx1/*.log*")
        assert inputs.select("uri", "lines").rows() == [("memory://mx1/a.log", 2), ("memory://mx1/b.log.gz", 4)]
        assert pulled(tmp_path, "memory://mx1/*.log*").equals(inputs)
        with pytest.raises(BadInput, match="no file matches"):
            pulled(tmp_path, "memory://mx1/c.log")
    finally:
        memory.rm("/mx1", recursive=True)


def test_secrets_in_a_uri_are_not_listed() -> None:
    assert (
        listed("sftp://reader:secret@mx1.example.com/var/log/mail.log")
        == "sftp://reader@mx1.example.com/var/log/mail.log"
    )
    assert listed("https://logs.example.com/mail.log?token=secret#x") == "https://logs.example.com/mail.log"
    assert listed("logs/a?.log") == "logs/a?.log"
    assert is_remote("s3://bucket/a")
    assert not is_remote("file:///var/log/mail.log")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("mail.log", "mail.log"),
        ("../../etc/passwd", "passwd"),
        ("..", "file"),
        ("", "file"),
        ("..\\..\\boot.ini", "boot.ini"),
        (".hidden", "hidden"),
        ("a\nb\x00c", "a_b_c"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_kept_name_stays_in_its_folder(name: str, kept: str) -> None:
    assert safe_basename(name) == kept


def test_a_long_file_is_fingerprinted_whole(tmp_path: Path) -> None:
    content = random.Random(5).randbytes(9_000_000) + b"\nend"
    put(tmp_path / "in", a__log=content, b__log__gz=gzip.compress(content, 1))
    inputs = pulled(tmp_path, "*")
    assert inputs["source_id"].to_list() == [hashlib.sha256(content).hexdigest()[:16]] * 2
    assert inputs["lines"].to_list() == [content.count(b"\n") + 1] * 2
