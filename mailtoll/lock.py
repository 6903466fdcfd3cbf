"""One at a time in a run's folder: two whole runs never write into each other's tables.

A whole run holds the folder alone; tasks of the DAGs, which go side by side by design, share it. Whoever comes second
is told at once and changes nothing; only the standby store is waited for. The kernel drops the lock with its holder,
however that ends.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TypeVar

from sources.errors import BadInput

Progress = Callable[[str], None]
Result = TypeVar("Result")


class FolderInUse(BadInput):
    """Another run works in the folder. It will end, so a task may try again."""


_held: set[Path] = set()  # by this process: a step of a whole run works within the run's own hold


@contextmanager
def hold(folder: Path, *, alone: bool, waits: bool = False) -> Iterator[None]:
    """Hold a run's folder for as long as the block lasts; where another process does, wait, or `FolderInUse`."""
    name = folder.absolute()
    if name in _held:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    inside = folder / "warehouse"
    inside.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(inside / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle, folder, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | (0 if waits else fcntl.LOCK_NB))
        _held.add(name)
        yield
    finally:
        _held.discard(name)
        os.close(handle)


def alone_in_folder(
    whole_run: Callable[[Path, Path, Progress], Result],
) -> Callable[[Path, Path, Progress], Result]:
    """Let a whole run `(incident, out, progress)` hold its folder alone."""

    @wraps(whole_run)
    def run(incident: Path, out: Path, progress: Progress) -> Result:
        with hold(out, alone=True):
            return whole_run(incident, out, progress)

    return run


def _lock(handle: int, folder: Path, kind: int) -> None:
    try:
        fcntl.flock(handle, kind)
    except BlockingIOError:
        raise FolderInUse(
            f"{folder}: another run works in this folder; wait until it has ended, or give another --out."
        ) from None
