"""Which files does a path, a glob or a URI of the incident file mean, and under which name are they listed?

A relative path is relative to the incident file and is listed so, whatever machine the run happens on. Secrets in a URI
(password, query) are never listed.
"""

import glob
import os
import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from sources.addresses import MAGIC, is_remote, listed, one_line
from sources.errors import BadInput
from sources.resumed import Joined, insist, rest_of
from sources.store import Listed, Store, open_store


@dataclass(frozen=True)
class Found:
    """One file: `uri` as it is listed, `basename` for the copy, `open` to read its bytes as they are."""

    uri: str
    basename: str
    open: Callable[[], BinaryIO] = field(compare=False, repr=False)
    local_path: Path | None = None


def locate(pattern: str, base: Path, named_in: str, connection: str | None = None) -> list[Found]:
    """Return the files that `pattern` means, sorted by listed name; `BadInput` where none is there or reachable."""
    remote = is_remote(pattern)
    found = _remote(pattern, connection, named_in) if remote else locate_local(pattern, base, named_in)
    if not found:
        raise nothing_matches(pattern, named_in)
    return sorted(found, key=lambda f: f.uri)


def nothing_matches(pattern: str, named_in: str) -> BadInput:
    """Return the error for a pattern that means no file."""
    return BadInput(
        f"{named_in}: no file matches {listed(pattern)!r}; "
        "correct the path (relative paths start at the incident file)."
    )


def locate_local(pattern: str, base: Path, named_in: str) -> list[Found]:
    """Return the files on this machine that `pattern` means, in any order; `BadInput` for a folder or a stray link."""
    plain = pattern.removeprefix("file://")
    anchored = os.path.join(base, os.path.expanduser(plain))
    if os.path.isdir(anchored):
        raise BadInput(f"{named_in}: {pattern!r} is a folder; name the files in it, such as {plain.rstrip('/')}/*.")
    if os.path.lexists(anchored):
        paths = [anchored]
    else:
        paths = glob.glob(os.path.join(glob.escape(str(base)), os.path.expanduser(plain)), recursive=True)
        _refuse_stray(paths, anchored, named_in)
    is_relative = not os.path.isabs(os.path.expanduser(plain))
    return [_local_file(Path(p), base if is_relative else None, named_in) for p in paths if not os.path.isdir(p)]


def _refuse_stray(paths: list[str], anchored: str, named_in: str) -> None:
    """Refuse what a pattern reaches by a link that leads out of the folder before its first sign."""
    sign = MAGIC.search(anchored)
    fixed = os.path.dirname(anchored[: sign.start()]) if sign else ""
    folder = os.path.realpath(fixed)
    for path in paths:
        if os.path.commonpath([os.path.realpath(path), folder]) != folder:
            raise BadInput(
                f"{named_in}: {one_line(path)} is a link that leads out of {one_line(fixed)}; name what it leads "
                "to, or make the pattern exclude it."
            )


def _local_file(path: Path, base: Path | None, named_in: str) -> Found:
    uri = os.path.relpath(path, base) if base is not None else str(path)

    def opened() -> BinaryIO:
        try:
            if not path.is_file():  # a pipe or device would never end
                raise FileNotFoundError(None, "not there any more, or no ordinary file")
            return path.open("rb", buffering=0)
        except OSError as error:
            raise unreadable(uri, named_in, error) from None

    return Found(one_line(Path(uri).as_posix()), path.name, opened, path)


def unreadable(uri: str, named_in: str, error: Exception) -> BadInput:
    """Return the error for a file that was listed and can't be read."""
    why = getattr(error, "strerror", None) or type(error).__name__
    return BadInput(f"{named_in}: {listed(uri)!r} cannot be read ({why}); make it readable and run again.")


def _remote(uri: str, connection: str | None, named_in: str) -> list[Found]:
    store = open_store(uri, connection, named_in)
    files = insist(store.files, uri, named_in)
    return [_remote_file(store, file, named_in) for file in files]


def _remote_file(store: Store, file: Listed, named_in: str) -> Found:
    def opened() -> BinaryIO:
        # Nothing vouches that a file that was cut off is still the same: it is read in one go or not at all.
        rest = rest_of(store, file, 0, lambda: False, named_in)
        return cast(BinaryIO, Joined(None, rest, leaves_line=False, may_break_off=False))

    return Found(file.uri, posixpath.basename(file.uri), opened)
