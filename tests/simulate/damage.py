"""Spoil an outage's logs and records in known ways, and say what was taken away.

What spoils lines before they are written is handed to `write_incident(damage=[…])`; what spoils files takes paths.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.simulate.files import COMPRESSORS, read_bytes
from tests.simulate.line import Line

Marker = Callable[[float, int], Line]


def rsyslog_mark(at: float, count: int) -> Line:
    """What rsyslog writes after it has dropped lines of a program that talked too fast."""
    return Line(at, "rsyslogd", 411, f"imuxsock lost {count} messages from pid 812 due to rate-limiting")


def journald_mark(at: float, count: int) -> Line:
    """What journald writes when it has held back a service's lines."""
    return Line(at, "systemd-journald", 231, f"Suppressed {count} messages from postfix@-.service")


@dataclass
class DeleteLines:
    """Take away a share of the lines, at random and unannounced; `only` limits it to lines that hold that text."""

    share: float
    seed: int
    only: str = ""
    removed: list[tuple[str, Line]] = field(default_factory=list)

    def __call__(self, host: str, lines: list[Line]) -> list[Line]:
        """Return what is left of a host's sorted lines."""
        chance = np.random.default_rng([self.seed, len(self.removed)]).random(len(lines))
        is_lost = [c < self.share and self.only in line.text for c, line in zip(chance.tolist(), lines, strict=True)]
        self.removed += [(host, line) for line, lost in zip(lines, is_lost, strict=True) if lost]
        return [line for line, lost in zip(lines, is_lost, strict=True) if not lost]


@dataclass
class CutHour:
    """Take away all that a host wrote from `start` on for `seconds`; `mark` leaves the logger's word for it."""

    host: str
    start: int
    seconds: int = 3600
    mark: Marker | None = None
    removed: list[tuple[str, Line]] = field(default_factory=list)

    def __call__(self, host: str, lines: list[Line]) -> list[Line]:
        """Return what is left of a host's sorted lines."""
        if host != self.host:
            return lines
        end = self.start + self.seconds
        gone = [line for line in lines if self.start <= line.at < end]
        self.removed += [(host, line) for line in gone]
        kept = [line for line in lines if not self.start <= line.at < end]
        if self.mark and gone:
            kept = sorted([*kept, self.mark(float(end), len(gone))], key=lambda line: line.at)
        return kept


@dataclass
class RateLimit:
    """Take away what exceeds `limit` lines in `seconds`, and leave the logger's word for it, as in a real flood."""

    limit: int
    seconds: int = 60
    mark: Marker = rsyslog_mark
    removed: list[tuple[str, Line]] = field(default_factory=list)

    def __call__(self, host: str, lines: list[Line]) -> list[Line]:
        """Return what is left of a host's sorted lines, with marks."""
        kept: list[Line] = []
        period, count, lost = 0, 0, 0
        for line in lines:
            now = int(line.at) // self.seconds
            if now != period:
                if lost:
                    kept.append(self.mark(float((period + 1) * self.seconds), lost))
                period, count, lost = now, 0, 0
            count += 1
            if count > self.limit:
                self.removed.append((host, line))
                lost += 1
            else:
                kept.append(line)
        if lost:
            kept.append(self.mark(float((period + 1) * self.seconds), lost))
        return kept


def delete_lines(paths: Sequence[Path], share: float, seed: int) -> dict[Path, list[str]]:
    """Take away a share of the lines of written files, compressed or not; return them by file."""
    rng = np.random.default_rng(seed)
    removed: dict[Path, list[str]] = {}
    for path in paths:
        lines = read_bytes(path).decode().splitlines(keepends=True)
        is_lost = (rng.random(len(lines)) < share).tolist()
        removed[path] = [line for line, lost in zip(lines, is_lost, strict=True) if lost]
        _write(path, "".join(line for line, lost in zip(lines, is_lost, strict=True) if not lost).encode())
    return removed


def drop_records(path: Path, share: float, seed: int) -> list[dict[str, str]]:
    """Take away a share of the rows of a customers.csv; return them."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    is_lost = (np.random.default_rng(seed).random(len(rows)) < share).tolist()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row, lost in zip(rows, is_lost, strict=True) if not lost)
    return [row for row, lost in zip(rows, is_lost, strict=True) if lost]


def truncate(path: Path, share: float) -> int:
    """Cut a file's bytes off after `share` of them, in the middle of a line or an archive; return the bytes lost."""
    raw = path.read_bytes()
    kept = int(len(raw) * share)
    path.write_bytes(raw[:kept])
    return len(raw) - kept


def split_file(path: Path, at_line: int) -> list[Path]:
    """Split a file in two after `at_line` lines; the older half gets `.older` before its compression's suffix."""
    lines = read_bytes(path).splitlines(keepends=True)
    suffix = path.suffix if path.suffix in COMPRESSORS else ""
    older = path.with_name(f"{path.name.removesuffix(suffix)}.older{suffix}")
    _write(older, b"".join(lines[:at_line]))
    _write(path, b"".join(lines[at_line:]))
    return [older, path]


def recompress(path: Path, suffix: str) -> Path:
    """Replace a file by one of the same content under another compression (`""`, `.gz`, `.bz2`, `.xz`, `.zst`)."""
    former = path.suffix if path.suffix in COMPRESSORS else ""
    target = path.with_name(path.name.removesuffix(former) + suffix)
    content = read_bytes(path)
    path.unlink()
    _write(target, content)
    return target


def overlap(older: Path, newer: Path, count: int) -> None:
    """Repeat the last `count` lines of the older file at the head of the newer one, as a careless rotation does."""
    tail = read_bytes(older).splitlines(keepends=True)[-count:]
    _write(newer, b"".join(tail) + read_bytes(newer))


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(COMPRESSORS[path.suffix if path.suffix in COMPRESSORS else ""](content))
