"""Where everything of a run lies, and how it is written: aside, then renamed, so that no reader ever sees half a file.

Everything under `warehouse/` and the tables that hold addresses are restricted: mode 0600, folders 0700.
"""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sources.raw_store import RAW_FOLDER

_MODE_PUBLIC = 0o644
_MODE_RESTRICTED = 0o600
_ASIDE = re.compile(r"\..+\.[a-z0-9_]{8}")  # `.cells.parquet.x8d_k2ab`, as `tempfile` draws names


@dataclass(frozen=True)
class Warehouse:
    """The paths of one run's folder; nothing is created before something is written."""

    root: Path

    # Published: what people are sent.

    @property
    def impact(self) -> Path:
        """Figures, to the letter of the contract."""
        return self.root / "impact.json"

    @property
    def report(self) -> Path:
        """The analysts' page."""
        return self.root / "report.html"

    @property
    def quality(self) -> Path:
        """Every quality check, and what was found."""
        return self.root / "quality.html"

    @property
    def summary(self) -> Path:
        """The executives' page."""
        return self.root / "summary.html"

    @property
    def summary_text(self) -> Path:
        """The executives' page as plain text."""
        return self.root / "summary.txt"

    @property
    def summary_pdf(self) -> Path:
        """The executives' page on one sheet of A4."""
        return self.root / "summary.pdf"

    def summary_pictures(self) -> tuple[Path, ...]:
        """The pictures of the executives' page that are there, sorted."""
        return tuple(sorted(self.root.glob("summary-*.png")))

    @property
    def manifest(self) -> Path:
        """What the run did, step by step."""
        return self.root / "manifest.json"

    @property
    def refusal(self) -> Path:
        """The page that says why no figure was published."""
        return self.root / "refusal.html"

    @property
    def published_deliveries(self) -> Path:
        """Deliveries as handed out; restricted."""
        return self.root / "deliveries.parquet"

    @property
    def published_accounts(self) -> Path:
        """Accounts as handed out; restricted."""
        return self.root / "accounts.parquet"

    @property
    def published_quarantine(self) -> Path:
        """Lines that were not understood, as handed out; restricted."""
        return self.root / "quarantine.parquet"

    # Restricted: what the steps hand to each other.

    @property
    def folder(self) -> Path:
        """Everything that a run keeps and does not publish."""
        return self.root / "warehouse"

    @property
    def raw(self) -> Path:
        """Bytes as received, by source id."""
        return self.root / RAW_FOLDER

    def table(self, name: str) -> Path:
        """One table of `expectations.tables` by its name: `inputs`, `deliveries`, `cells`, `gates` and so on."""
        return self.folder / f"{name}.parquet"

    def part(self, name: str, source_id: str) -> Path:
        """One log file's part of `events`, `quarantine`, `line_counts` or `activity`."""
        return self.folder / name / f"{source_id}.parquet"

    def parts(self, name: str) -> tuple[Path, ...]:
        """All parts of a table that are there, sorted."""
        return tuple(sorted((self.folder / name).glob("*.parquet")))

    def kept(self, path: str) -> Path:
        """The kept copy that an `inputs.path` names."""
        return self.root / path


def write_parquet(frame: pl.DataFrame | pl.LazyFrame, path: Path, *, is_restricted: bool = True) -> Path:
    """Write a frame in place of `path` at once; a lazy one is streamed. `OSError`: it can't be written."""
    with written_aside(path, is_restricted=is_restricted) as aside:
        try:
            if isinstance(frame, pl.LazyFrame):
                frame.sink_parquet(aside, compression="zstd", compression_level=1)
            else:
                frame.write_parquet(aside, compression="zstd", compression_level=1)
        except pl.exceptions.ComputeError as error:
            raise _said_by_the_system(error, path) from None
    return path


def _said_by_the_system(error: Exception, path: Path) -> Exception:
    """Return the system's own error, such as a full disk, which Polars wraps in words; others as they are."""
    number = re.search(r"\(os error (\d+)\)", str(error))
    return OSError(int(number[1]), os.strerror(int(number[1])), str(path)) if number else error


def write_text(text: str, path: Path, *, is_restricted: bool = False) -> Path:
    """Write UTF-8 text in place of `path` at once; return `path`."""
    return write_bytes(text.encode("utf-8"), path, is_restricted=is_restricted)


def write_bytes(content: bytes, path: Path, *, is_restricted: bool = False) -> Path:
    """Write bytes in place of `path` at once; return `path`."""
    with written_aside(path, is_restricted=is_restricted) as aside:
        aside.write_bytes(content)
    return path


def copy_file(source: Path, path: Path, *, is_restricted: bool = True) -> Path:
    """Put a copy of a finished file in place of `path` at once; return `path`."""
    with written_aside(path, is_restricted=is_restricted) as aside:
        shutil.copyfile(source, aside)
    return path


def _make(folder: Path) -> None:
    """Create a folder and those above it; the restricted one shuts off all that is below it."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(mode=0o700 if folder.name == RAW_FOLDER.parts[0] else 0o755, exist_ok=True)


@contextmanager
def written_aside(path: Path, *, is_restricted: bool) -> Iterator[Path]:
    """Give a fresh name beside `path`; rename it to `path` if all went well, else leave `path` as it was.

    While it is written its writer holds a lock on it, which goes when the writer does (`sweep`).
    """
    _make(path.parent)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    aside = Path(name)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield aside
        aside.chmod(_MODE_RESTRICTED if is_restricted else _MODE_PUBLIC)
        aside.replace(path)
    finally:
        os.close(handle)
        aside.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove the unfinished files below `folder` whose writers are dead: what a killed run left."""
    for path in folder.rglob(".*"):
        with suppress(FileNotFoundError):
            if _ASIDE.fullmatch(path.name) and path.is_file() and not _is_held(path):
                path.unlink()


def _is_held(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
